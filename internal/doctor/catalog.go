package doctor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tarn/internal/diag"
	"tarn/internal/lake"
	"tarn/internal/project"
	"tarn/internal/rights"
	"tarn/internal/run"
	"tarn/internal/store"
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

// reading looks at the lake as somebody who reads tables and makes none. Who sees no table either is told what that takes.
func (x *examination) reading(ctx context.Context, p *project.Lake, dir string, o run.Options) {
	x.governed = x.formation(ctx, p, rights.Analyst)
	t, err := run.OpenTables(ctx, dir, o)
	if err != nil {
		x.failed("catalog", err)
		x.byAthena(errors.Is(err, store.ErrDenied))
		return
	}
	defer func() { _ = t.Close() }()
	v, err := t.View(ctx, "")
	if err != nil {
		x.failed("catalog", err)
		x.byAthena(errors.Is(err, store.ErrDenied))
		return
	}
	names := v.Names()
	if len(names) == 0 && len(v.Denied()) > 0 {
		denied := v.Denied()
		name := slices.Sorted(maps.Keys(denied))[0]
		x.add(Finding{What: "catalog", State: Bad, Text: fmt.Sprintf("these credentials may read none of %s, such as %s", words.Count(int64(len(denied)), "table"), name),
			Fix: diag.Hint(denied[name]), Err: denied[name]})
		x.byAthena(true)
		return
	}
	x.good("catalog", "%s to read: %s; there are %d others", words.Count(int64(len(names)), "table"), strings.Join(names, ", "), len(v.Denied()))
	x.add(Finding{What: "warehouse", State: Untried, Text: "not tried: these credentials may not list the bucket, as those who read and do not run; to run takes the policy laptop of docs/rights.md"})
}

func (x *examination) tables(ctx context.Context, t *run.Tables) {
	v, err := t.View(ctx, "")
	if err != nil {
		x.failed("catalog", err)
		x.byAthena(errors.Is(err, store.ErrDenied))
		return
	}
	x.byAthena(len(v.Denied()) > 0)
	if project.Remote(t.Warehouse()) {
		x.zones(v)
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

// byAthena tells who has grants of Lake Formation and no rights on files how to read: tarn opens files in its own name, and Lake
// Formation gives them to the services that ask it only.
func (x *examination) byAthena(denied bool) {
	if !denied || !x.governed {
		return
	}
	x.add(Finding{What: "formation", State: Poor, Text: "files of tables may not be read here: grants of Lake Formation open them to Athena and others that ask it, and not to tarn",
		Fix: "ask Athena, in the workgroup of your role; or add s3:GetObject on the folders of the zones that may be read"})
}

// zones tells of tables that lie in no folder of a zone, which roles by zone cannot reach.
func (x *examination) zones(v *lake.View) {
	var outside []string
	for _, name := range v.Names() {
		if v.Table(name).Zone() == "" {
			outside = append(outside, name)
		}
	}
	if len(outside) == 0 {
		return
	}
	x.add(Finding{What: "zones", State: Poor, Text: "in no folder of a zone, so that roles which read by zone do not reach them: " + strings.Join(outside, ", "),
		Fix: "to bring one there, take its definition file away, `tarn drop TABLE`, put the file back, and run"})
}
