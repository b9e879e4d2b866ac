package lambdatest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"tarn/internal/deployconf"
)

// mostShares is the most that cpu.shares takes.
const mostShares = 262144

// bounds are cgroups that hold a process to the memory and the share of the processor that a function has.
type bounds struct{ dirs []string }

func newBounds(memory int) (*bounds, error) {
	const period = 100_000 // µs
	b := &bounds{}
	name := fmt.Sprintf("lambdatest-%d-%d", os.Getpid(), time.Now().UnixNano())
	for controller, values := range map[string]map[string]int{
		// The shares let it have what it may have, beside whatever else the machine does.
		"cpu":    {"cpu.cfs_period_us": period, "cpu.cfs_quota_us": period * memory / deployconf.MiBPerCPU, "cpu.shares": mostShares},
		"memory": {"memory.limit_in_bytes": memory << 20},
	} {
		dir := filepath.Join("/sys/fs/cgroup", controller, name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			b.remove()
			return nil, errors.Join(errNoBounds, err)
		}
		b.dirs = append(b.dirs, dir)
		for file, value := range values {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(strconv.Itoa(value)), 0o644); err != nil {
				b.remove()
				return nil, errors.Join(errNoBounds, err)
			}
		}
	}
	return b, nil
}

// enter is what a shell does to be held from then on.
func (b *bounds) enter() string {
	text := "set -e;"
	for _, dir := range b.dirs {
		text += " echo $$ >" + dir + "/cgroup.procs;"
	}
	return text
}

// remove takes the groups away once their process has ended.
func (b *bounds) remove() {
	for _, dir := range b.dirs {
		for range 50 {
			// The kernel needs a moment to see that a process is gone.
			if os.Remove(dir) == nil {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}
