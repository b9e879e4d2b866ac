package run

import (
	"fmt"
	"time"

	"tarn/internal/words"
)

// Room is what a place has for a run of the engine in the process, such as a function of AWS Lambda.
type Room struct {
	// Memory and Disk are in bytes; Disk is what is free for copies and what does not fit into memory.
	Memory, Disk int64
	// Time is how long a process has. A run that needs more of it goes on in the next one, see [ContinueError].
	Time time.Duration
	// CPUs is how much of processors it has, such as 0.58.
	CPUs float64
	// Processes is how many of them may go on with a run, one after the other; 0 is one.
	Processes int
}

// lambdaCPU is how many MB of memory a function has one vCPU at (AWS Lambda Developer Guide, "Configure Lambda function memory").
const lambdaCPU = 1769

// Lambda is the room of a function, with memory and ephemeral disk in MB as they are configured.
func Lambda(memory, disk int, timeout time.Duration) Room {
	return Room{Memory: int64(memory) << 20, Disk: int64(disk) << 20, Time: timeout, CPUs: float64(memory) / lambdaCPU, Processes: lambdaProcesses}
}

// lambdaProcesses is up to how many times a function may be called for one run: what takes longer than an hour of such a machine is
// work for more than one.
const lambdaProcesses = 4

// Fit says whether a run fits a place.
type Fit struct {
	Fits bool `json:"fits"`
	// Seconds is about how long it takes there, and Longest the part of that which its longest step takes.
	Seconds float64 `json:"seconds"`
	Longest float64 `json:"longest"`
	// Processes is how many go on with it one after the other.
	Processes int `json:"processes"`
	// Disk is about how much it takes at a time, in bytes.
	Disk int64 `json:"disk"`
	// Why says what it fits by, or what stands against it.
	Why string `json:"why"`
}

const (
	// leastMemory is what the program needs: DuckDB with room to sort and join, and the rest beside it.
	leastMemory = 512 << 20
	// beside is how much of the memory is not DuckDB's.
	beside = 200 << 20
	// cautious is by how much longer it may take than is reckoned.
	cautious = 1.5
	// wire is how many bytes a second go between a store and a small machine, storeCall and catalogCall how long a request takes,
	// and callsAtOnce how many of the store's are under way at a time. Rates that were measured on this disk do not have these.
	wire        = 50 << 20
	storeCall   = 30 * time.Millisecond
	catalogCall = 100 * time.Millisecond
	callsAtOnce = 4
	// guessedCPUs are those that the guessed rate is of, and that of runs which do not say what they had.
	guessedCPUs = 2
)

// Fits judges whether the planned run fits a place, if the engine in the process makes the models: by the rows a second of earlier
// runs for each of their processors, and by what the run reads at a time.
func (p *Planned) Fits(r Room) Fit {
	a, k := p.Advice, p.work
	if p.Empty() {
		return Fit{Fits: true, Processes: 1, Why: "there is nothing to do"}
	}
	rate := a.RowsPerSecond * r.CPUs / a.CPUs
	slow, spill := 1.0, int64(0)
	if k.largest*unpacked > r.Memory-beside {
		slow, spill = spilling, k.largest*unpacked
	}
	calls := p.Estimate
	moved := float64(calls.CopiedBytes+calls.WrittenBytes) / wire
	asked := (storeCall * time.Duration(calls.StoreRequests) / callsAtOnce).Seconds() + (catalogCall * time.Duration(calls.CatalogRequests)).Seconds()
	share := 0.0
	if k.sum > 0 {
		share = float64(k.most) / float64(k.sum)
	}
	f := Fit{Processes: 1, Disk: max(2*k.largest, k.file) + spill}
	work := float64(a.Rows)/rate*slow + moved
	f.Seconds, f.Longest = starting/r.CPUs+work+asked, work*share
	have := r.Time.Seconds()
	if have > 0 {
		f.Processes = max(1, int(cautious*f.Seconds/have)+1)
	}
	by := "a guess, as no run has measured it yet"
	if a.Run != "" {
		by = "measured in run " + a.Run
	}
	reckoned := fmt.Sprintf("%s rows at %s a second on %.2g processors (%s)", words.Grouped(a.Rows), words.Grouped(int64(rate)), r.CPUs, by)
	switch {
	case r.Memory < leastMemory:
		f.Why = fmt.Sprintf("a run needs %d MB of memory, and there are %d", int64(leastMemory)>>20, r.Memory>>20)
	case f.Disk > r.Disk:
		f.Why = fmt.Sprintf("%s needs %.1f GB of disk at a time, and there are %.1f", k.biggest(), gigabytes(f.Disk), gigabytes(r.Disk))
	case have > 0 && cautious*f.Longest > have:
		f.Why = fmt.Sprintf("%s takes about %s, and a process has %s: %s", k.mostOf, roughly(f.Longest), r.Time, reckoned)
	case have > 0 && f.Processes > max(1, r.Processes):
		f.Why = fmt.Sprintf("it takes about %s, and a process has %s: %s", roughly(f.Seconds), r.Time, reckoned)
	default:
		f.Fits, f.Why = true, fmt.Sprintf("it takes about %s of %s, and %.1f of %.1f GB of disk: %s", roughly(f.Seconds), r.Time, gigabytes(f.Disk), gigabytes(r.Disk), reckoned)
	}
	return f
}

// roughly tells seconds for people.
func roughly(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d < time.Second:
		return "a second"
	case d < time.Minute:
		return d.Round(time.Second).String()
	}
	return d.Round(time.Minute).String()
}

// biggest names what takes the most room at a time.
func (k work) biggest() string {
	if k.file > 2*k.largest {
		return "the largest landing file"
	}
	return k.step
}
