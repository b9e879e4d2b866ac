// Package fit says whether a run fits a place of a given room, such as a function of AWS Lambda, and about how long it takes there: of plain
// numbers, so that a plan, a deployed function that has to choose, and what costs are reckoned with come to the same.
package fit

import (
	"fmt"
	"time"

	"tarn/internal/deployconf"
	"tarn/internal/words"
)

// Run is the size of a run whose models are made by the engine in the process.
type Run struct {
	// Rows are those that it works through: read from raw files, and of the tables that models read.
	Rows float64
	// RowsPerCPU is how many of them a second one processor does, where there are up to CPUs: what more of them would give was not measured, so
	// they do not count. By says where that comes from.
	RowsPerCPU, CPUs float64
	By               string
	// Longest is the share of the rows that its longest step works through, and LongestStep names that.
	Longest     float64
	LongestStep string
	// StepBytes are those of the tables that its largest step reads, as files, and LargestStep names that; FileBytes are those of the largest
	// landing file that comes to the machine.
	StepBytes, FileBytes float64
	LargestStep          string
	// MovedBytes come from the store or go there.
	MovedBytes float64
	// CPU is what it takes of one processor besides rows, and Waiting how long it waits for answers, in seconds.
	CPU, Waiting float64
}

// Room is what a place has.
type Room struct {
	// Memory and Disk are in bytes; Disk is what is free for copies and what does not fit into memory.
	Memory, Disk int64
	// Time is how long a process has; 0 sets no bound. A run that needs more of it goes on in the next one.
	Time time.Duration
	// CPUs is how much of processors it has, such as 0.58.
	CPUs float64
	// Processes is how many of them may go on with a run, one after the other; 0 is one.
	Processes int
}

// Lambda is the room of a function, with memory and ephemeral disk in MiB as they are configured.
func Lambda(memory, disk int, timeout time.Duration) Room {
	return Room{Memory: int64(memory) << 20, Disk: int64(disk) << 20, Time: timeout, CPUs: float64(memory) / deployconf.MiBPerCPU, Processes: lambdaProcesses}
}

// Verdict says whether a run fits a place.
type Verdict struct {
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

// How the room that there is and the time that it takes are judged.
const (
	// Unpacked is how much more room columns take in memory than in a compressed file.
	Unpacked = 4
	// Spilling is how much longer a step takes whose tables do not fit into memory.
	Spilling = 3
	// lambdaProcesses is up to how many times a function may be called for one run: what takes longer than an hour of such a machine is
	// work for more than one.
	lambdaProcesses = 4
	// leastMemory is what the program needs: DuckDB with room to sort and join, and the rest beside it.
	leastMemory = deployconf.LeastMemory << 20
	// beside is how much of the memory is not DuckDB's.
	beside = 200 << 20
	// cautious is by how much longer it may take than is reckoned.
	cautious = 1.5
	// wire is how many bytes a second go between a store and a small machine.
	wire = 50 << 20
)

// How long requests are taken to need, of S3 and of other services such as Glue. Rates that were measured on a disk do not have these.
const (
	StoreCall   = 30 * time.Millisecond
	ServiceCall = 100 * time.Millisecond
)

// In judges whether the run fits a room.
func (r Run) In(room Room) Verdict {
	rate := r.RowsPerCPU * min(room.CPUs, r.CPUs)
	slow, spill := 1.0, 0.0
	if r.StepBytes*Unpacked > float64(room.Memory-beside) {
		slow, spill = Spilling, r.StepBytes*Unpacked
	}
	// What a step reads and what it makes are on the disk at a time.
	v := Verdict{Processes: 1, Disk: int64(max(2*r.StepBytes, r.FileBytes) + spill)}
	work := r.Rows/rate*slow + r.MovedBytes/wire
	v.Seconds, v.Longest = r.CPU/min(room.CPUs, 1)+r.Waiting+work, work*r.Longest
	have := room.Time.Seconds()
	if have > 0 {
		v.Processes = max(1, int(cautious*v.Seconds/have)+1)
	}
	rows := words.Grouped(int64(r.Rows))
	reckoned := fmt.Sprintf("%s rows at %s a second on %.2g processors%s", rows, words.Grouped(int64(rate)), min(room.CPUs, r.CPUs), r.By)
	largest := r.LargestStep
	if r.FileBytes > 2*r.StepBytes {
		largest = "the largest landing file"
	}
	switch {
	case room.Memory < leastMemory:
		v.Why = fmt.Sprintf("a run needs %d MB of memory, and there are %d", int64(leastMemory)>>20, room.Memory>>20)
	case v.Disk > room.Disk:
		v.Why = fmt.Sprintf("%s needs %.1f GB of disk at a time, and there are %.1f", largest, gigabytes(v.Disk), gigabytes(room.Disk))
	case have > 0 && cautious*v.Longest > have:
		v.Why = fmt.Sprintf("%s takes about %s, and a process has %s: %s", r.LongestStep, roughly(v.Longest), roughly(have), reckoned)
	case have > 0 && v.Processes > max(1, room.Processes):
		v.Why = fmt.Sprintf("it takes about %s, and %s %s: %s", roughly(v.Seconds), several(room.Processes), roughly(have), reckoned)
	default:
		within := "of " + roughly(have)
		if v.Processes > 1 {
			within = fmt.Sprintf("in up to %d calls of %s each", v.Processes, roughly(have))
		}
		v.Fits, v.Why = true, fmt.Sprintf("it takes about %s %s, and %.1f of %.1f GB of disk: %s", roughly(v.Seconds), within, gigabytes(v.Disk), gigabytes(room.Disk), reckoned)
	}
	return v
}

// several says how many processes have so much time each.
func several(n int) string {
	if n <= 1 {
		return "a process has"
	}
	return fmt.Sprintf("%d processes have, one after the other, each", n)
}

func gigabytes(n int64) float64 { return float64(n) / 1e9 }

// roughly tells seconds for people.
func roughly(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(time.Second).String()
	}
	return words.Age(d.Round(time.Minute))
}
