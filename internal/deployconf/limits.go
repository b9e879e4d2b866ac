package deployconf

import "time"

// What a Lambda function gets of processors, and its bounds (AWS Lambda Developer Guide, "Configure Lambda function memory" and
// "Lambda quotas").
const (
	// MiBPerCPU is the memory in MiB at which a function has one processor.
	MiBPerCPU = 1769
	// MostMemory and MostDisk are in MiB, LeastMemory and LeastDisk too. Lambda has functions of 128 MiB, but the program takes more than
	// 200 for a run of a few megabytes.
	LeastMemory = 512
	MostMemory  = 10_240
	LeastDisk   = 512
	MostDisk    = 10_240
	// MostTime is how long a function may work.
	MostTime = 15 * time.Minute
)

// KeptFor is how old snapshots and files that no table needs must be before they are removed, where nobody says otherwise: by tarn gc and
// by the schedule of a stack.
const KeptFor = 7 * 24 * time.Hour

// KeptVersions is how many earlier versions of a table's metadata.json the newest one names, and SupersededFor how old one that it no
// longer names must be before gc removes it, if that is less than gc's own age.
const (
	KeptVersions  = 100
	SupersededFor = 24 * time.Hour
)
