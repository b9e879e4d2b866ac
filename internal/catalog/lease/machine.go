package lease

import (
	"errors"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// machine names this machine, as it runs since its last start, and the process numbers that are valid here: two
// containers of one host have different ones. It is "" on systems that do not tell.
func machine() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	space, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(boot)) + " " + space
}

// gone reports whether a holder was a process of this machine that has ended.
func gone(o *Owner) bool {
	return o.Machine != "" && o.PID > 0 && o.Machine == machine() && errors.Is(unix.Kill(o.PID, 0), unix.ESRCH)
}
