// Package doctor looks at what a lake's target needs before anything goes wrong with it: definitions, disk and memory of
// this machine, the account, the warehouse and its rights, the landing places, the catalog. Rights are tried, not guessed:
// it writes, reads, lists and removes one small object of its own beside the tables.
package doctor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"tarn/internal/diag"
	"tarn/internal/machine"
	"tarn/internal/project"
	"tarn/internal/rights"
	"tarn/internal/run"
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
	// Untried could not be looked at, because of something bad above.
	Untried State = "untried"
)

// Finding is one thing that was looked at.
type Finding struct {
	// One of definitions, target, memory, disk, account, bucket, clock, warehouse, landing, formation, catalog, zones, rights, engine, quotas.
	What string `json:"what"`
	// good; poor, which works and will be a nuisance; bad, which keeps something from working; or untried, because of
	// something bad above.
	State State `json:"state"`
	// The finding itself.
	Text string `json:"text"`
	// How to mend it.
	Fix string `json:"fix,omitempty"`
	// Err is what went wrong, where that was an error.
	Err error `json:"-"`
}

// examination gathers findings and tells each as it comes.
type examination struct {
	tell  func(Finding)
	found []Finding
	// buckets that were looked at, and whether there is use in going on with them.
	buckets map[string]bool
	clocked bool
	// who is the caller's ARN, or "" where STS did not say.
	who string
	// governed says that Lake Formation governs the lake's database.
	governed bool
	// reader says that these credentials may not list the bucket of the warehouse, as those of who reads some zones may not.
	reader bool
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
func (x *examination) failed(what string, err error) { x.add(failure(what, err)) }

func failure(what string, err error) Finding {
	return Finding{What: what, State: Bad, Text: err.Error(), Fix: diag.Hint(err), Err: err}
}

// untried says once that something could not be looked at.
func (x *examination) untried(what, because string) {
	f := Finding{What: what, State: Untried, Text: "not tried: it needs the " + because}
	if len(x.found) == 0 || x.found[len(x.found)-1] != f {
		x.add(f)
	}
}

// Look examines the lake in dir for a target. tell, if not nil, is told each finding as it is made. The error says that
// there is no lake to be looked at.
func Look(ctx context.Context, dir string, o run.Options, tell func(Finding)) ([]Finding, error) {
	p, err := project.Load(dir, o.Target)
	if err != nil {
		return nil, err
	}
	x := &examination{tell: tell, buckets: map[string]bool{}}
	settled := x.definitions(p, o.Target)
	x.machine(p, o)
	if !settled {
		x.untried("target", "settings of tarn.yaml")
		return x.found, ctx.Err()
	}
	if elsewhere(p) && !x.account(ctx, p) {
		x.untried("target", "account")
		return x.found, ctx.Err()
	}
	stores := registry.New(p.Config.AWS)
	there := x.warehouse(ctx, p, stores)
	if x.reader {
		x.reading(ctx, p, dir, o)
		return x.found, ctx.Err()
	}
	x.landing(ctx, p, stores)
	if !there {
		x.untried("catalog", "bucket")
		return x.found, ctx.Err()
	}
	x.governed = x.formation(ctx, p, rights.Laptop)
	x.catalog(ctx, dir, o)
	x.quotas(ctx, p)
	return x.found, ctx.Err()
}

// elsewhere reports whether the target needs an account.
func elsewhere(p *project.Lake) bool {
	return project.Remote(p.Config.Warehouse) || slices.ContainsFunc(p.Landing, func(t *project.LandingTable) bool { return project.Remote(t.Dir) })
}

// definitions tells of mistakes; settled says that there are none in tarn.yaml, so that the target is known.
func (x *examination) definitions(p *project.Lake, target string) (settled bool) {
	settled = true
	for _, d := range p.Diagnostics {
		if d.File == project.ConfigFile && d.Severity == diag.Error {
			settled = false
			x.add(Finding{What: "definitions", State: Bad, Text: d.String(), Fix: d.Hint, Err: p.Diagnostics.Err()})
		}
	}
	errs, _ := p.Diagnostics.Count()
	if !settled {
		return false
	}
	if errs > 0 {
		all := "tarn validate"
		if target != "" {
			all += " --target " + target
		}
		x.add(Finding{What: "definitions", State: Bad, Text: fmt.Sprintf("%s, such as %s", words.Count(int64(errs), "mistake"), first(p.Diagnostics)),
			Fix: "`" + all + "` lists them all", Err: p.Diagnostics.Err()})
		return true
	}
	x.good("definitions", "%s and %s, read without mistakes", words.Count(int64(len(p.Landing)), "landing table"), words.Count(int64(len(p.Models)), "model"))
	return true
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
