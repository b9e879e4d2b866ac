package run

import "strings"

// OnStep lets a test see the steps of a run: built, staged, published.
func (w *Workspace) OnStep(at func(step string)) { w.at = at }

// SetOnStep does the same for every workspace that is opened.
func SetOnStep(at func(step string)) { onStep = at }

// BeforeAccount lets a test in between writing a table and counting its rows.
func (w *Workspace) BeforeAccount(at func(table string)) {
	w.at = func(step string) {
		if table, ok := strings.CutPrefix(step, "account "); ok {
			at(table)
		}
	}
}
