package task

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// The reasons of a [Start].
const (
	ByEvent    = "event"
	BySchedule = "schedule"
	ByHand     = "manual"
)

// longestName is how long the name of an execution may be (AWS Step Functions API Reference, "StartExecution": 80).
const longestName = 80

// ExecutionName names the execution that begins its work at a moment, so that whoever wants it makes the same one.
func ExecutionName(lake, target string, at time.Time) string {
	name, moment := lake, "-"+at.UTC().Format("20060102T150405Z")
	if target != "" {
		name += "-" + target
	}
	if len(name)+len(moment) > longestName {
		sum := sha256.Sum256([]byte(name))
		name = name[:longestName-len(moment)-9] + "-" + hex.EncodeToString(sum[:4])
	}
	return name + moment
}
