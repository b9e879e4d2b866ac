package stack

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
)

// Line is one of a log.
type Line struct {
	// When it was written.
	Time time.Time `json:"time"`
	// Group is the log group.
	Group string `json:"group"`
	// One instance of what writes to the group.
	Stream string `json:"stream"`
	// What it says.
	Text string `json:"text"`
}

// LogGroups are the log groups of the stack.
func (s *Stack) LogGroups(ctx context.Context) ([]string, error) {
	if _, err := s.existing(ctx); err != nil {
		return nil, err
	}
	return s.groups(ctx)
}

func (s *Stack) groups(ctx context.Context) ([]string, error) {
	held, err := s.held(ctx)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, id := range slices.Sorted(maps.Keys(held)) {
		if aws.ToString(held[id].ResourceType) == "AWS::Logs::LogGroup" {
			out = append(out, aws.ToString(held[id].PhysicalResourceId))
		}
	}
	slices.Sort(out)
	return out, nil
}

// late is how long after its time a line of a log may be seen first.
const late = 30 * time.Second

// Logs gives the lines of some log groups since a time, in order of time. With follow it goes on until the context ends, which is
// no error then, and lines that come late are out of order.
func (s *Stack) Logs(ctx context.Context, groups []string, since time.Time, follow bool, each func(Line) error) error {
	client := cloudwatchlogs.NewFromConfig(s.cfg)
	seen := map[string]time.Time{}
	wait := s.pauses()
	for {
		var lines []Line
		for _, group := range groups {
			pages := cloudwatchlogs.NewFilterLogEventsPaginator(client, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &group, StartTime: aws.Int64(since.UnixMilli())})
			for pages.HasMorePages() {
				page, err := pages.NextPage(ctx)
				switch {
				case follow && ctx.Err() != nil:
					return nil
				case code(err) == "ResourceNotFoundException": // it has never had a line
				case err != nil:
					return s.failed("read the log "+group, err)
				}
				if err != nil {
					break
				}
				for _, e := range page.Events {
					at, id := time.UnixMilli(aws.ToInt64(e.Timestamp)), group+" "+aws.ToString(e.EventId)
					if _, ok := seen[id]; ok {
						continue
					}
					if follow {
						seen[id] = at
					}
					lines = append(lines, Line{at.UTC(), group, aws.ToString(e.LogStreamName), strings.TrimRight(aws.ToString(e.Message), "\n")})
				}
			}
		}
		slices.SortStableFunc(lines, func(a, b Line) int { return a.Time.Compare(b.Time) })
		for _, l := range lines {
			if err := each(l); err != nil {
				return err
			}
		}
		if !follow {
			return nil
		}
		if n := len(lines); n > 0 && lines[n-1].Time.Add(-late).After(since) {
			since = lines[n-1].Time.Add(-late)
			maps.DeleteFunc(seen, func(_ string, at time.Time) bool { return at.Before(since) })
		}
		if wait.pause(ctx) != nil {
			return nil
		}
	}
}
