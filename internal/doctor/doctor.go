// Package doctor looks at what a lake's target needs before anything goes wrong with it: definitions, disk and memory of
// this machine, the account, the warehouse and its rights, the landing places, the catalog. Rights are tried, not guessed:
// it writes, reads, lists and removes one small object of its own beside the tables.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"tarn/internal/diag"
	"tarn/internal/machine"
	"tarn/internal/project"
	"tarn/internal/run"
	"tarn/internal/store"
	"tarn/internal/store/registry"
	"tarn/internal/words"
)

// State says how a finding is.
type State string

// The states.
const (
	Good State = "good"
	// Poor works, and will be a nuisance.
	Poor State = "poor"
	// Bad keeps something from working.
	Bad State = "bad"
)

// Finding is one thing that was looked at.
type Finding struct {
	// What was looked at: definitions, memory, disk, account, bucket, clock, warehouse, landing, catalog, engine.
	What string `json:"what"`
	// good; poor, which works and will be a nuisance; or bad, which keeps something from working.
	State State `json:"state"`
	// What was found.
	Text string `json:"text"`
	// What to do about it.
	Fix string `json:"fix,omitempty"`
}

// examination gathers findings and tells each as it comes.
type examination struct {
	tell  func(Finding)
	found []Finding
}

func (x *examination) add(f Finding) {
	x.found = append(x.found, f)
	if x.tell != nil {
		x.tell(f)
	}
}

func (x *examination) good(what, format string, args ...any) {
	x.add(Finding{What: what, State: Good, Text: fmt.Sprintf(format, args...)})
}

// failed notes an error with the hint that it carries.
func (x *examination) failed(what string, err error) {
	f := Finding{What: what, State: Bad, Text: err.Error()}
	var hint interface{ Hint() string }
	if errors.As(err, &hint) {
		f.Fix = hint.Hint()
	}
	x.add(f)
}

// Look examines the lake in dir for a target. tell, if not nil, is told each finding as it is made. The error says that
// there is no lake to be looked at.
func Look(ctx context.Context, dir string, o run.Options, tell func(Finding)) ([]Finding, error) {
	p, err := project.Load(dir, o.Target)
	if err != nil {
		return nil, err
	}
	x := &examination{tell: tell}
	x.definitions(p)
	x.machine(p, o)
	stores := registry.New(p.Config.AWS)
	if project.Remote(p.Config.Warehouse) {
		x.account(ctx, p)
	}
	x.warehouse(ctx, p, stores)
	x.landing(ctx, p, stores)
	x.catalog(ctx, dir, o)
	x.engine(ctx, dir, o)
	return x.found, ctx.Err()
}

func (x *examination) definitions(p *project.Lake) {
	errs, _ := p.Diagnostics.Count()
	if errs > 0 {
		x.add(Finding{What: "definitions", State: Bad, Text: fmt.Sprintf("%d of them have mistakes, such as %s", errs, first(p.Diagnostics)), Fix: "tarn validate lists them all"})
		return
	}
	x.good("definitions", "%d landing tables and %d models, read without mistakes", len(p.Landing), len(p.Models))
}

func first(list diag.List) string {
	for _, d := range list {
		if d.Severity == diag.Error {
			return d.String()
		}
	}
	return ""
}

// machine looks at memory and disk.
func (x *examination) machine(p *project.Lake, o run.Options) {
	setting := run.MemoryOf(p.Config, o.Memory)
	want, err := project.ParseMemory(setting)
	have := machine.Memory()
	switch {
	case err != nil:
		x.failed("memory", err)
	case have > 0 && want > have*8/10:
		x.add(Finding{What: "memory", State: Poor, Text: fmt.Sprintf("%s for the engine, and the machine has %s in all", setting, size(have)), Fix: "set memory: to at most half of that"})
	default:
		x.good("memory", "%s for the engine, of %s that the machine has", setting, size(have))
	}
	state := p.StateDir()
	for ; !exists(state); state = filepath.Dir(state) {
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(state, &fs); err != nil {
		x.failed("disk", err)
		return
	}
	free := int64(fs.Bavail) * fs.Bsize
	needed, what := int64(1_000_000_000), "for temporary files"
	if project.Remote(p.Config.Warehouse) {
		needed, what = p.Config.Disk, "that disk: allows for copies of remote files"
	}
	if free < needed {
		x.add(Finding{What: "disk", State: Poor, Text: fmt.Sprintf("%s free below %s, less than the %s %s", size(free), state, size(needed), what), Fix: "make room, or set disk: lower"})
		return
	}
	x.good("disk", "%s free below %s", size(free), state)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil || filepath.Dir(path) == path
}

func size(n int64) string {
	if n >= 1_000_000_000 {
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	}
	return fmt.Sprintf("%d MB", n/1_000_000)
}

// landing lists the beginning of every landing place.
func (x *examination) landing(ctx context.Context, p *project.Lake, stores store.Locator) {
	for _, t := range p.Landing {
		what, is := "landing", t.Name+": "
		if t.Dir == "" {
			x.add(Finding{What: what, State: Bad, Text: is + "nothing tells where " + t.Location + " is", Fix: "write it under locations: in tarn.yaml"})
			continue
		}
		s, key, err := stores.Locate(ctx, t.Dir+"/")
		if err != nil {
			x.failed(what, err)
			continue
		}
		n := 0
		var o store.Object
		for o, err = range s.List(ctx, key, store.ListOptions{}) {
			if n++; err == nil && n == 1 {
				err = readable(ctx, s, o)
			}
			if err != nil || n > some {
				break
			}
		}
		switch {
		case err != nil:
			x.failed(what, err)
		case n == 0:
			x.add(Finding{What: what, State: Poor, Text: is + "no files in " + t.Dir, Fix: "put raw files there; until then the table is empty"})
		case n > some:
			x.good(what, "%smore than %d files in %s", is, some, t.Dir)
		default:
			x.good(what, "%s%s in %s", is, words.Count(int64(n), "file"), t.Dir)
		}
	}
}

// readable tries to read the beginning of an object: who may list need not be one who may read.
func readable(ctx context.Context, s store.Store, o store.Object) error {
	r, err := s.Open(ctx, o.Key, "", 0, 1)
	if err != nil {
		return err
	}
	return r.Close()
}

// some is how many files are counted: a listing has a thousand a request.
const some = 999

// catalog reads where the tables are, and who writes.
func (x *examination) catalog(ctx context.Context, dir string, o run.Options) {
	t, err := run.OpenTables(ctx, dir, o)
	if err != nil {
		x.failed("catalog", err)
		return
	}
	defer func() { _ = t.Close() }()
	v, err := t.View(ctx, "")
	if err != nil {
		x.failed("catalog", err)
		return
	}
	if err := t.Idle(ctx); err != nil {
		x.add(Finding{What: "catalog", State: Poor, Text: fmt.Sprintf("%d tables; %v", len(v.Names()), err), Fix: "wait for it, or run with --wait"})
		return
	}
	told, err := t.Try(ctx)
	if err != nil {
		x.failed("catalog", err)
		return
	}
	if told != "" {
		told = "; " + told
	}
	x.good("catalog", "%d tables, and nobody writes%s", len(v.Names()), told)
}

// engine asks after the place where models are made, if that is not this process.
func (x *examination) engine(ctx context.Context, dir string, o run.Options) {
	t, err := run.OpenTables(ctx, dir, o)
	if err != nil {
		return // the catalog tells of it
	}
	defer func() { _ = t.Close() }()
	about, err := t.Engine(ctx)
	switch {
	case err != nil:
		x.failed("engine", err)
	case about != "":
		x.good("engine", "Spark, %s", about)
	}
}
