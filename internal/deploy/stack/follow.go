package stack

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// Event tells of a resource that has come further.
type Event struct {
	Time time.Time
	// Resource is the logical name and Kind the type in words. The stack itself is one of kind stack.
	Resource, Kind string
	// Status is CloudFormation's, such as CREATE_COMPLETE; Reason is what it says beside it, often nothing.
	Status, Reason string
	// Done of Total resources have come to their end; Total is 0 where that is not known.
	Done, Total int
}

// Failed reports whether it tells of a failure.
func (e Event) Failed() bool { return strings.HasSuffix(e.Status, "_FAILED") }

// Over reports whether the resource has come to an end.
func (e Event) Over() bool { return !strings.HasSuffix(e.Status, "_IN_PROGRESS") }

// last gives the id of the stack's last event so far, or "".
func (s *Stack) last(ctx context.Context) (string, error) {
	out, err := s.cf.DescribeStackEvents(ctx, &cloudformation.DescribeStackEventsInput{StackName: &s.name})
	if missing(err) || err == nil && len(out.StackEvents) == 0 {
		return "", nil
	}
	if err != nil {
		return "", s.failed("read what has happened to the stack", err)
	}
	return aws.ToString(out.StackEvents[0].EventId), nil
}

// after gives the events after one, oldest first.
func (s *Stack) after(ctx context.Context, stack, id string) ([]types.StackEvent, error) {
	var out []types.StackEvent
	pages := cloudformation.NewDescribeStackEventsPaginator(s.cf, &cloudformation.DescribeStackEventsInput{StackName: &stack})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if missing(err) {
			break
		}
		if err != nil {
			return nil, s.failed("read what has happened to the stack", err)
		}
		i := slices.IndexFunc(page.StackEvents, func(e types.StackEvent) bool { return aws.ToString(e.EventId) == id })
		if i >= 0 {
			out = append(out, page.StackEvents[:i]...)
			break
		}
		out = append(out, page.StackEvents...)
	}
	slices.Reverse(out)
	return out, nil
}

// begun is where what is followed begins.
type begun struct {
	// since is the id of the last event before it, or "".
	since string
	// seen says that the stack was seen at work: else it is at rest only once it has told so.
	seen bool
	// total is how many resources come to their end, 0 where that is not known.
	total int
}

// silence is how often a stack may be found at rest without an event that says so.
const silence = 10

// follow tells of what happens to the stack until it is at rest. The error is a [FailedError] where it came to rest in another way
// than was asked for, and a [GoesOnError] where it could not be followed so far.
func (s *Stack) follow(ctx context.Context, from begun) error {
	st, err := s.describe(ctx)
	if err != nil || st == nil {
		return err
	}
	// By its id it is also found after it has been deleted.
	id := aws.ToString(st.StackId)
	var first *types.StackEvent
	done, since, own := map[string]bool{}, from.since, ""
	wait := s.pauses()
	for quiet := 0; ; {
		// The state before the events: so all events of a state at rest are seen.
		out, err := s.cf.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &id})
		if err == nil && len(out.Stacks) == 1 {
			st = &out.Stacks[0]
		}
		var events []types.StackEvent
		if err == nil {
			events, err = s.after(ctx, id, since)
		}
		if err != nil {
			if ctx.Err() != nil {
				return &GoesOnError{s.name, ctx.Err()}
			}
			return &GoesOnError{s.name, s.failed("follow the "+s.where(), err)}
		}
		for i, e := range events {
			since = aws.ToString(e.EventId)
			told := Event{Time: aws.ToTime(e.Timestamp), Resource: aws.ToString(e.LogicalResourceId), Kind: kindOf(aws.ToString(e.ResourceType)), Status: string(e.ResourceStatus),
				Reason: plain(aws.ToString(e.ResourceStatusReason)), Total: from.total}
			if first != nil {
				told.Total = 0 // from here on it is the way back
			}
			switch {
			case aws.ToString(e.PhysicalResourceId) == id:
				own = told.Status
			case told.Over():
				done[told.Resource] = true
			}
			told.Done = len(done)
			s.o.Talk.Event(told)
			if told.Failed() && !cancelled(told.Reason) && (first == nil || first.ResourceType != nil && aws.ToString(first.ResourceType) == "AWS::CloudFormation::Stack") {
				first = &events[i]
			}
		}
		if status := string(st.StackStatus); !strings.HasSuffix(status, "_IN_PROGRESS") {
			// What was asked for may not have begun yet, and then the state is that of before.
			if quiet++; from.seen || own == status || quiet > silence {
				return s.rested(st, first)
			}
		}
		if err := wait.pause(ctx); err != nil {
			return &GoesOnError{s.name, err}
		}
	}
}

// cancelled reports whether a resource failed only because another one did.
func cancelled(reason string) bool {
	return strings.Contains(reason, "cancelled") || strings.Contains(reason, "The following resource(s) failed")
}

// rested judges the state in which a stack has come to rest.
func (s *Stack) rested(st *types.Stack, first *types.StackEvent) error {
	status := st.StackStatus
	switch status {
	case types.StackStatusCreateComplete, types.StackStatusUpdateComplete, types.StackStatusImportComplete, types.StackStatusDeleteComplete:
		return nil
	case types.StackStatusReviewInProgress:
		return nil
	}
	e := &FailedError{Stack: s.name, Region: s.region, Status: string(status), Reason: aws.ToString(st.StackStatusReason), Left: leftOf(aws.ToString(st.StackStatusReason))}
	if first != nil {
		e.Resource, e.Type, e.Reason = aws.ToString(first.LogicalResourceId), aws.ToString(first.ResourceType), aws.ToString(first.ResourceStatusReason)
	}
	e.Sound = status == types.StackStatusUpdateRollbackComplete || status == types.StackStatusImportRollbackComplete
	return e
}
