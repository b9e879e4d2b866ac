package lambda

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"

	"golang.org/x/sys/unix"

	"tarn/internal/catalog"
	"tarn/internal/deployconf"
	"tarn/internal/fit"
	"tarn/internal/lake"
	"tarn/internal/project"
	"tarn/internal/run"
	"tarn/internal/sparkconf"
)

// opened is a lake that was opened for the tasks of one execution.
type opened struct {
	*run.Workspace
	execution string
	onGlue    bool
}

// own is the folder that a lake has for itself in its warehouse.
func own(p *project.Lake) string { return p.Config.Warehouse + "/" + lake.OwnFolder(p.Config.Stored) }

// settings are what a target says about its stack.
func settings(p *project.Lake) deployconf.Settings { return p.Config.Deploy }

// within opens the lake for a task, lets it do something, and keeps it for the next task of the execution. It is opened anew for
// another execution, as the lock's owner is another one, and after an error, which may have left anything behind. What tasks have
// in common are copies of files in the scratch folder. execution is "" for none.
func (f *Function) within(ctx context.Context, execution string, onGlue bool, do func(*run.Workspace) error) (err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if k := f.kept; k == nil || k.execution != execution || k.onGlue != onGlue || execution == "" {
		if err := f.let(); err != nil {
			return err
		}
		w, err := f.open(ctx, execution, onGlue)
		if err != nil {
			return err
		}
		f.kept = &opened{w, execution, onGlue}
	}
	if err := do(f.kept.Workspace); err != nil {
		// What goes wrong while it is closed is a consequence.
		_ = f.let()
		return err
	}
	return nil
}

// let closes what is kept.
func (f *Function) let() error {
	k := f.kept
	if f.kept = nil; k == nil {
		return nil
	}
	return k.Close()
}

func (f *Function) open(ctx context.Context, execution string, onGlue bool) (*run.Workspace, error) {
	o := run.Options{Target: f.o.Target, Memory: engineMemory(f.o.Memory), State: filepath.Join(f.o.Scratch, "state"), Now: f.o.Now, NoProfile: true}
	if f.o.Memory > 0 {
		o.CPUs = fit.Lambda(f.o.Memory, 0, 0).CPUs
	}
	o.Owner = catalog.Owner{Execution: execution}
	if f.o.Executions != nil {
		o.Owner.Alive = f.o.Executions.Alive
	}
	if err := os.MkdirAll(o.State, 0o755); err != nil {
		return nil, err
	}
	var err error
	if o.Disk, err = room(f.o.Scratch); err != nil {
		return nil, err
	}
	if o.Engine = project.DuckDB; onGlue {
		o.Engine, o.Spark = project.Spark, f.job()
	}
	return run.Open(ctx, f.o.Dir, o)
}

// job says where Spark is: in the target's own Glue job, or in that of the stack.
func (f *Function) job() *sparkconf.Settings {
	if c := f.project.Config; c.Engine == project.Spark && c.Spark.Where == sparkconf.Glue {
		return nil
	}
	return &sparkconf.Settings{Where: sparkconf.Glue, Job: cmp.Or(os.Getenv(JobVariable), os.Getenv(functionName)), Load: sparkconf.LoadAuto}
}

// room is how many bytes of a folder's disk a run may take: nine tenths of all that there is, as copies of an earlier run give way.
func room(dir string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, fmt.Errorf("%s: %w", dir, err)
	}
	return int64(s.Blocks) * s.Bsize / 10 * 9, nil
}

const (
	// program is what the process takes without rows, in MiB: its own pages and libraries, Go's heap with manifests and metadata.
	program = 320
	// leastEngine is what DuckDB cannot do without, in MiB.
	leastEngine = 96
)

// engineMemory is the engine's bound in a function of so many MiB, so that the process stays below that; "" where it is not known.
func engineMemory(mib int) string {
	if mib == 0 {
		return ""
	}
	return fmt.Sprintf("%dMiB", max(leastEngine, (mib-program)*4/5))
}

// boundHeap lets Go collect garbage early enough for a function of so many MiB.
func boundHeap(mib int) {
	if mib > 0 {
		debug.SetMemoryLimit(int64(mib) << 20 / 4)
	}
}
