package catalog

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"tarn/internal/diag"
)

// Holder is who may write.
type Holder struct {
	// Run is what the holder is doing.
	Run string `json:"run"`
	// Host and PID say where, for people.
	Host string `json:"host,omitempty"`
	PID  int    `json:"pid"`
	// Machine tells one start of one machine, or of one container on it, from all others; empty where nothing tells.
	Machine string `json:"machine,omitempty"`
	// Began tells the process from others that have had its PID there.
	Began string `json:"began,omitempty"`
	// Execution is the holder where it is more than a process: see [Owner].
	Execution string `json:"execution,omitempty"`
	// Since is when the holder began to hold (UTC).
	Since time.Time `json:"since"`
}

// Self describes this process as a holder.
func Self(o LockOptions) Holder {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	pid := os.Getpid()
	return Holder{Run: o.Run, Execution: o.Owner.Execution, Host: host, PID: pid, Machine: machine(), Began: began(pid), Since: time.Now().UTC().Truncate(time.Millisecond)}
}

// Dead reports whether the holder certainly is no more: it was a process of this machine, and is not there. A holder of
// another machine may be dead as well, and an execution goes on without a process.
func (h Holder) Dead() bool {
	return h.Execution == "" && h.Machine != "" && h.Machine == machine() && h.Began != "" && began(h.PID) != h.Began
}

// machine reads what Linux has for this start of the machine, and for the set of processes that this one sees.
func machine() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	processes, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(boot)) + " " + processes
}

// began gives when a process of this machine has begun, in ticks since the machine did, or "" where there is none (proc(5),
// /proc/PID/stat, field 22). A process that has ended and that nobody has asked after counts as none.
func began(pid int) string {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return ""
	}
	// The program's name, in brackets, can hold anything.
	fields := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return ""
	}
	return fields[19]
}

// Busy says who holds the lock; it is an [ErrBusy].
func Busy(h Holder) error {
	err := fmt.Errorf("%w: run %s, %s, since %s", ErrBusy, h.Run, h.Where(), h.Since.Format(time.RFC3339))
	if h.Execution == "" {
		return err
	}
	return diag.WithHint(err, "wait for it; its lock is let go when it ends. `aws stepfunctions describe-execution --execution-arn "+h.Execution+
		"` tells how it is doing: only if that says that it has ended, `tarn recover --ended "+h.Execution+"` lets go of what it holds")
}

// Where says which process of which machine the holder is, or which execution.
func (h Holder) Where() string {
	if h.Execution != "" {
		return "execution " + h.Execution
	}
	where := fmt.Sprintf("process %d", h.PID)
	if h.Host != "" {
		where += " on " + h.Host
	}
	return where
}
