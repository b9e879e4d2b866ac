package run

import (
	"context"
	"fmt"
	"strings"

	"tarn/internal/engine"
	"tarn/internal/words"
)

// HandedOverError says that a run's job is written down and has to be started by somebody else, such as a state machine. Nothing
// is published yet: the next run does that.
type HandedOverError struct {
	// Run is the id of the run.
	Run string
	// Plan is the location of the job's plan, and Arguments are what exactly the job has to be started with.
	Plan      string
	Arguments map[string]string
	// Models are the tables that the job makes, in the order of the SQL. One job run can make them all, or each has its own
	// with the further argument [engine.ArgOnly], after those of the models that it reads.
	Models []string
	// After are those of Models that each of them reads.
	After map[string][]string
	// Late says that checks wait for all models: where each model has its own job run, a last one tests them, with the argument
	// [engine.ArgLate].
	Late bool
}

// GoneError says that a run cannot be gone on with: it was published, or what it was made of has changed and what it had done was
// thrown away.
type GoneError struct{ Run string }

func (e *GoneError) Error() string {
	return "run " + e.Run + " cannot be gone on with: it was published, or what it was made of is not as it was"
}

func (e *HandedOverError) Error() string {
	return fmt.Sprintf("run %s waits for a job that makes %s (%s): start it with the plan %s", e.Run, words.Count(int64(len(e.Models)), "table"), strings.Join(e.Models, ", "), e.Plan)
}

// handedOver writes a job down for somebody else to start.
func (x *execution) handedOver(ctx context.Context, o engine.Offerer, j engine.Job, made tables) error {
	j.Note = func(ctx context.Context, h engine.Handle) error {
		_, err := x.save(ctx, &h, false)
		return err
	}
	offer, err := o.Offer(ctx, j, made)
	if err != nil {
		return err
	}
	x.w.reached("handed over")
	return x.offered(offer)
}

// offered is what a run ends with whose job somebody else starts.
func (x *execution) offered(o *engine.Offer) error {
	return &HandedOverError{Run: x.id, Plan: o.Plan, Arguments: o.Arguments, Models: o.Models, After: o.After, Late: o.Late}
}

// offerer is the engine where others can start its jobs, and shall; nil elsewhere.
func (x *execution) offerer() engine.Offerer {
	if !x.handOver || x.w.jobs == nil {
		return nil
	}
	o, _ := x.w.jobs.Lasting.(engine.Offerer)
	return o
}
