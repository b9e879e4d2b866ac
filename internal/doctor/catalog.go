package doctor

import (
	"context"
	"fmt"

	"tarn/internal/run"
	"tarn/internal/words"
)

// catalog reads where the tables are and who writes, tries the rights on it, and asks after the place where models are made,
// if that is not this process.
func (x *examination) catalog(ctx context.Context, dir string, o run.Options) {
	t, err := run.OpenTables(ctx, dir, o)
	if err != nil {
		x.failed("catalog", err)
		return
	}
	defer func() { _ = t.Close() }()
	x.tables(ctx, t)
	about, err := t.Engine(ctx)
	switch {
	case err != nil:
		x.failed("engine", err)
	case about != "":
		x.good("engine", "Spark, %s", about)
	}
}

func (x *examination) tables(ctx context.Context, t *run.Tables) {
	v, err := t.View(ctx, "")
	if err != nil {
		x.failed("catalog", err)
		return
	}
	found := words.Count(int64(len(v.Names())), "table")
	if len(v.Names()) == 0 {
		found = "no tables yet"
	}
	if n := len(v.Denied()); n > 0 {
		found += fmt.Sprintf(" (and %s that these credentials may not read)", words.Count(int64(n), "other"))
	}
	if err := t.Idle(ctx); err != nil {
		x.add(Finding{What: "catalog", State: Poor, Text: fmt.Sprintf("%s; %v", found, err), Fix: "wait for it, or run with --wait"})
		return
	}
	if err := t.Owned(ctx); err != nil {
		x.failed("catalog", err)
		return
	}
	x.good("catalog", "%s, and nobody writes", found)
	about, fix, err := t.TryCatalog(ctx)
	switch {
	case err != nil:
		x.failed("rights", err)
	case fix != "":
		x.add(Finding{What: "rights", State: Poor, Text: about, Fix: fix})
	case about != "":
		x.good("rights", "%s", about)
	}
}
