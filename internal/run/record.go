package run

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"

	"tarn/internal/check"
	"tarn/internal/ledger"
	"tarn/internal/load"
	"tarn/internal/plan"
)

// Status says how a run ended.
type Status string

// The ways a run can end.
const (
	Published   Status = "published"
	NothingToDo Status = "nothing_to_do"
	ChecksFail  Status = "checks_failed"
	Broken      Status = "failed"
	// Continues is a run that the next process goes on with, HandedOver one whose job somebody else starts.
	Continues  Status = "continues"
	HandedOver Status = "handed_over"
)

// Record is the account of one run. Its JSON form is what `tarn run --json` prints and what tarn__runs keeps.
type Record struct {
	Run      string    `json:"run"`
	Status   Status    `json:"status"`
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished"`
	Seconds  float64   `json:"seconds"`
	// Published names the tables that became visible, in the order of the work.
	Published []string       `json:"published"`
	Tables    []TableRecord  `json:"tables"`
	Load      []LoadRecord   `json:"load"`
	Checks    []check.Result `json:"checks"`
	// Orphans are tables without a definition; they stay readable until `tarn drop`.
	Orphans []string `json:"orphans,omitempty"`
	// Events tells what the run was given to look at.
	Events *EventsRecord `json:"events,omitempty"`
	// Foreign says what other programs have done to tables since they were published.
	Foreign []ForeignRecord `json:"foreign,omitempty"`
	// Warnings say what is left to be done about a run that was published, such as tables that a catalog does not show yet, and
	// what it had to do otherwise than the target's engine wants it.
	Warnings []string          `json:"warnings,omitempty"`
	Error    string            `json:"error,omitempty"`
	Versions map[string]string `json:"versions"`
	// CPUs is how much of processors the run's process had.
	CPUs float64 `json:"cpus,omitempty"`
}

// EventsRecord is what was made of the events that a run was given.
type EventsRecord struct {
	// Objects counts the files that they name, each once.
	Objects int `json:"objects"`
	// Elsewhere counts those of them that are in no landing table's place, or in one that was not chosen.
	Elsewhere int `json:"elsewhere"`
	// Tests counts messages that S3 sends when notifications are turned on.
	Tests int `json:"tests"`
	// Other counts messages that are not about objects of S3.
	Other int `json:"other"`
	// Later counts the files that a run was given which goes on with another process's plan, and that this plan was not given: it
	// may not have looked at them, so they are for the next run.
	Later int `json:"later,omitempty"`
}

// TableRecord is what a run did with one table.
type TableRecord struct {
	Name    string      `json:"name"`
	Zone    string      `json:"zone"`
	Action  plan.Action `json:"action"`
	Reasons []string    `json:"reasons,omitempty"`
	// Rows are those of the table after the run; Added and Removed compare data files, not row contents.
	Rows        int64           `json:"rows"`
	Added       int64           `json:"added"`
	Removed     int64           `json:"removed"`
	Quarantined int64           `json:"quarantined"`
	Seconds     float64         `json:"seconds"`
	Ledger      *ledger.Account `json:"ledger,omitempty"`
}

// LoadRecord is what a run read for one landing table.
type LoadRecord struct {
	Table string `json:"table"`
	// Files counts those in the folder; New, Changed and Reloaded those that were read.
	Files       int   `json:"files"`
	New         int   `json:"new"`
	Changed     int   `json:"changed"`
	Reloaded    int   `json:"reloaded"`
	Skipped     int   `json:"skipped"`
	Objects     int64 `json:"objects"`
	Loaded      int64 `json:"loaded"`
	Quarantined int64 `json:"quarantined"`
	// Careful counts the files that the fast reader could not be trusted with.
	Careful int `json:"careful"`
	// Growing were changing while they were read, and are left for the next run.
	Growing []string `json:"growing,omitempty"`
	// Vanished were loaded once and are gone; their rows stay. Pruned are those of them whose rows this run took out.
	Vanished []string   `json:"vanished,omitempty"`
	Pruned   []string   `json:"pruned,omitempty"`
	Drift    load.Drift `json:"drift"`
	// Since is the day from which on folders of dates were looked at, where not everything was.
	Since *time.Time `json:"since,omitempty"`
	// Swept is when everything was looked at last.
	Swept *time.Time `json:"swept,omitempty"`
	// Unseen counts those of the skipped ones that were not looked at.
	Unseen int `json:"unseen,omitempty"`
	// Empty says that the LOCATION holds no files at all.
	Empty bool `json:"empty,omitempty"`
	// Dir is where the files were looked for on this machine.
	Dir string `json:"dir"`
}

// looked writes down how a landing table was looked at, where recent dates can be enough.
func (r *LoadRecord) looked(w load.Work) {
	r.Unseen = w.Unseen
	r.Since, r.Swept = w.Listing.Shown()
}

// newRunID gives an id that sorts by time and is unique: seconds UTC and four random bytes.
func newRunID(now time.Time) string {
	var b [4]byte
	// crypto/rand.Read never fails: it ends the program instead (its documentation).
	_, _ = rand.Read(b[:])
	return fmt.Sprintf("%s-%s", now.UTC().Format("20060102T150405Z"), hex.EncodeToString(b[:]))
}
