package run

import "context"

// Recovered is replaced.
type Recovered struct{ Err error }

// Recover is replaced.
func (w *Workspace) Recover(ctx context.Context) (*Recovered, error) {
	_, err := w.change(ctx, false, func(context.Context, change) error { return nil })
	return &Recovered{}, err
}
