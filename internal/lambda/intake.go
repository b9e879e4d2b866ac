package lambda

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	lambdaevents "github.com/aws/aws-lambda-go/events"

	"tarn/internal/events"
	"tarn/internal/lambda/hints"
	"tarn/internal/lambda/task"
	"tarn/internal/project"
)

// batch takes messages of a queue. Those that cannot be read are answered as failed, which keeps them in the queue until they go to
// its dead-letter queue; all others are acknowledged by the answer. The error is for the whole batch: it comes again then.
func (f *Function) batch(ctx context.Context, l *log, records []record) (lambdaevents.SQSEventResponse, error) {
	out := lambdaevents.SQSEventResponse{BatchItemFailures: []lambdaevents.SQSBatchItemFailure{}}
	var objects []string
	for _, r := range records {
		b, err := events.Read(strings.NewReader(r.Body))
		if err != nil {
			// Its text may be anything, so it is not shown: it lies in the dead-letter queue in the end.
			l.warn("a message cannot be read", "message", r.ID)
			out.BatchItemFailures = append(out.BatchItemFailures, lambdaevents.SQSBatchItemFailure{ItemIdentifier: r.ID})
			continue
		}
		objects = append(objects, b.Objects...)
	}
	return out, f.intake(ctx, l, len(records), objects)
}

// Taken is the answer to an event that came without a queue.
type Taken struct {
	// Objects counts the landing files that it names.
	Objects int `json:"objects"`
}

// direct takes an event of S3 or EventBridge that came without a queue.
func (f *Function) direct(ctx context.Context, l *log, raw json.RawMessage) (Taken, error) {
	b, err := events.Read(strings.NewReader(string(raw)))
	if err != nil {
		return Taken{}, &UnknownEventError{Members: members(raw)}
	}
	return Taken{len(f.landed(b.Objects))}, f.intake(ctx, l, 1, b.Objects)
}

// landed leaves out what is in no landing table's place. The lake's own tables can be in the same bucket: if what a run writes
// would begin a run, runs would never end.
func (f *Function) landed(objects []string) (in []string) {
	for _, o := range objects {
		if slices.ContainsFunc(f.project.Landing, func(t *project.LandingTable) bool {
			return t.Dir != "" && strings.HasPrefix(o, strings.TrimSuffix(t.Dir, "/")+"/")
		}) {
			in = append(in, o)
		}
	}
	slices.Sort(in)
	return slices.Compact(in)
}

// intake writes down what events have named, and makes sure that an execution will look at it. Only then may they be acknowledged.
func (f *Function) intake(ctx context.Context, l *log, messages int, objects []string) error {
	in := f.landed(objects)
	if len(in) == 0 {
		l.info("no landing file is named", "messages", messages, "elsewhere", len(objects))
		return nil
	}
	if f.o.Executions == nil {
		return fmt.Errorf("events cannot be worked off: %s is not set", StateMachineVariable)
	}
	if err := f.hints.Add(ctx, in); err != nil {
		return fmt.Errorf("write down what events have named: %w", err)
	}
	at, err := f.hints.Next(ctx, f.pace())
	if err != nil {
		return fmt.Errorf("find out when the next run begins: %w", err)
	}
	if err := f.start(ctx, at); err != nil {
		return fmt.Errorf("start the run of %s: %w", at.Format(time.RFC3339), err)
	}
	l.info("landing files are to be looked at", "messages", messages, "objects", len(in), "elsewhere", len(objects)-len(in), "at", at.Format(time.RFC3339))
	return nil
}

func (f *Function) pace() hints.Pace {
	return hints.Pace{Settle: f.settings.Events.Settle, Interval: f.settings.Events.MinInterval}
}

// start makes sure that the execution of a moment exists.
func (f *Function) start(ctx context.Context, at time.Time) error {
	input, err := json.Marshal(task.Start{At: at.Format(time.RFC3339), Reason: task.ByEvent})
	if err != nil {
		return err
	}
	return f.o.Executions.Start(ctx, task.ExecutionName(f.project.Config.Name, f.o.Target, at), input)
}
