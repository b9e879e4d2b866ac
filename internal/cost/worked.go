package cost

import "tarn/internal/fit"

// Function are the figures of a deployed lake's function and state machine: what `go test ./test/flow -run TestCosts -update` counts.
type Function struct {
	// Measured is the day.
	Measured string `json:"measured"`
	// Transitions are those of an execution that has a run to do in the function, beginning and end included; OnGlue those of one that has one
	// for a job, and Scheduled those of one that the schedule has started and that finds nothing new.
	Transitions int `json:"transitions"`
	OnGlue      int `json:"transitions_glue"`
	Scheduled   int `json:"transitions_scheduled"`
	// Metrics counts those that a run sends to CloudWatch.
	Metrics int `json:"metrics"`
	// Run is what an execution does, plan and run together, besides what requests.json has of runs; Batch what each batch of messages
	// adds, from being taken in to the removal of its hint.
	Run   Worked `json:"run"`
	Batch Worked `json:"batch"`
	// Schedule is all that an execution of the schedule does.
	Schedule Worked `json:"schedule"`
}

// Worked are logs and requests of S3.
type Worked struct {
	LogLines float64 `json:"log_lines"`
	LogBytes float64 `json:"log_bytes"`
	List     float64 `json:"list"`
	Get      float64 `json:"get"`
	Head     float64 `json:"head"`
	Put      float64 `json:"put"`
}

// Less is what is more than b, and never below zero.
func (w Worked) Less(b Worked) Worked {
	return Worked{max(0, w.LogLines-b.LogLines), max(0, w.LogBytes-b.LogBytes), max(0, w.List-b.List), max(0, w.Get-b.Get), max(0, w.Head-b.Head), max(0, w.Put-b.Put)}
}

// Over divides by n.
func (w Worked) Over(n float64) Worked {
	return Worked{w.LogLines / n, w.LogBytes / n, w.List / n, w.Get / n, w.Head / n, w.Put / n}
}

// lineBytes is what CloudWatch counts for each line of a log beside its text (Amazon CloudWatch Logs User Guide, "CloudWatch Logs quotas":
// the size of a batch is that of its events and 26 bytes for each).
const lineBytes = 26

// logged are the bytes that CloudWatch counts.
func (w Worked) logged() float64 { return w.LogBytes + lineBytes*w.LogLines }

// asked are the requests.
func (w Worked) asked() Asked { return Asked{List: w.List, Get: w.Get, Head: w.Head, Put: w.Put} }

// intake is how long the function takes a batch of messages in, in seconds: its requests one after the other, and the start of an execution.
func (m Measured) intake() float64 {
	a := m.Function.Batch.asked()
	return a.S3()*fit.StoreCall.Seconds() + fit.ServiceCall.Seconds()
}
