package cli

import (
	"context"

	"tarn/internal/lake"
	"tarn/internal/run"
)

// tables opens what is published of the lake that the command is about, for looking at only.
func (a *app) tables(ctx context.Context) (*run.Tables, error) {
	dir, err := a.lakeDir()
	if err != nil {
		return nil, err
	}
	return run.OpenTables(ctx, dir, run.Options{Target: a.target})
}

// look calls a function with what is published of the lake, or was after a run or at a time.
func (a *app) look(ctx context.Context, at string, do func(*run.Tables, *lake.View) error) error {
	dir, err := a.lakeDir()
	if err != nil {
		return err
	}
	return run.LookAt(ctx, dir, run.Options{Target: a.target}, at, do)
}

// history lists the runs that the lake has published, newest first.
func (a *app) history(ctx context.Context) ([]run.Past, error) {
	dir, err := a.lakeDir()
	if err != nil {
		return nil, err
	}
	return run.History(ctx, dir, run.Options{Target: a.target})
}
