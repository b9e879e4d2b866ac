package catalog

import (
	"context"
	"fmt"
)

// Owner is whom a lock is for. An execution, of AWS Step Functions say, is a row of short processes, and its lock outlives each of
// them: it is kept when one ends, also by being killed, and passes to the next of the same execution, or to others when it has
// ended. Nobody's clock has a part in that.
type Owner struct {
	// Execution names it, such as by an ARN; "" is this process alone.
	Execution string
	// Alive asks whether an execution still goes on. Without it, locks of other executions are never taken over.
	Alive func(ctx context.Context, execution string) (bool, error)
}

// MayTake reports whether this owner may take the lock of an execution over: it is its own, or has ended.
func (o Owner) MayTake(ctx context.Context, h Holder) (bool, error) {
	if h.Execution == o.Execution {
		return true, nil
	}
	if o.Alive == nil {
		return false, nil
	}
	alive, err := o.Alive(ctx, h.Execution)
	if err != nil {
		return false, fmt.Errorf("%w; whether that has ended could not be found out: %w", Busy(h), err)
	}
	return !alive, nil
}
