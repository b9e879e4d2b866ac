package lambda

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"tarn/internal/catalog"
	"tarn/internal/check"
	"tarn/internal/lambda/task"
	"tarn/internal/plan"
	"tarn/internal/run"
	"tarn/internal/words"
)

// mostReport bounds a report in bytes.
const mostReport = 8 << 10

// report tells people what a run did, or what went wrong, without values of rows: tables, counts, checks by name and place.
func report(rec *run.Record, err error) string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	switch {
	case errors.Is(err, catalog.ErrBusy):
		say("nothing was done")
	case err != nil && rec.Run != "":
		say("run %s has failed: nothing was published, readers see what they saw before", rec.Run)
	case err != nil:
		say("nothing was published: readers see what they saw before")
	case rec.Status == run.NothingToDo:
		say("nothing to do: all tables are up to date")
	default:
		say("published %s in one step as run %s in %.1f s", words.Count(int64(len(rec.Published)), "table"), rec.Run, rec.Seconds)
	}
	failed := false
	for _, c := range rec.Checks {
		if c.Status == check.Failed {
			failed = true
			say("%s:%d: failed check %s of %s: %s", c.File, c.Line, c.Name, c.Table, c.Message)
		}
	}
	if err != nil && !failed {
		say("%s", plainly(err))
	}
	for _, t := range rec.Tables {
		if err == nil && t.Action == plan.None || t.Action == plan.Hold {
			continue
		}
		if err == nil {
			line := fmt.Sprintf("%s: %s, +%s, -%s", t.Name, words.Count(t.Rows, "row"), words.Grouped(t.Added), words.Grouped(t.Removed))
			if t.Quarantined > 0 {
				line += fmt.Sprintf(", %s in quarantine", words.Grouped(t.Quarantined))
			}
			say("%s", line)
		}
	}
	for _, l := range rec.Load {
		if err == nil && l.New+l.Changed+l.Reloaded > 0 {
			say("%s: read %s, %s, %s rejected", l.Table, words.Count(int64(l.New+l.Changed+l.Reloaded), "file"), words.Count(l.Loaded, "row"), words.Grouped(l.Quarantined))
		}
	}
	for _, c := range rec.Checks {
		if c.Status == check.Warned || c.Status == check.Dropped || c.Status == check.Quarantined {
			say("%s:%d: check %s of %s %s: %s", c.File, c.Line, c.Name, c.Table, c.Status, c.Message)
		}
	}
	for _, f := range rec.Foreign {
		if !f.Kept {
			say("%s was changed by another program: `tarn plan` says how", f.Table)
		}
	}
	for _, w := range rec.Warnings {
		say("warning: %s", veiled(w))
	}
	return cut(b.String())
}

func cut(text string) string {
	if len(text) <= mostReport {
		return text
	}
	const more = "…\n"
	return strings.ToValidUTF8(text[:mostReport-len(more)], "") + more
}

// counts adds up what a run has loaded and put aside.
func counts(rec *run.Record) (loaded, quarantined int64) {
	for _, l := range rec.Load {
		loaded += l.Loaded
	}
	for _, t := range rec.Tables {
		quarantined += t.Quarantined
	}
	return loaded, quarantined
}

// answer says how a run ended.
func answer(next task.Next, rec *run.Record) task.Answer {
	a := task.Answer{Next: next, Run: rec.Run, Report: report(rec, nil), Published: len(rec.Published)}
	a.Loaded, a.Quarantined = counts(rec)
	return a
}

// cause is what Step Functions writes of the error that a task follows: of a function, whose own words are in Cause.
type cause struct {
	Error string
	Cause string
}

// caused tells people what has ended an execution.
func caused(text string) string {
	if text == "" {
		return "the execution has failed"
	}
	var c cause
	if json.Unmarshal([]byte(text), &c) != nil {
		return "the execution has failed: " + veiled(text)
	}
	var inner struct {
		// ErrorMessage and ErrorType are of a function; a job run of Glue has an ErrorMessage and an Id too.
		ErrorMessage, ErrorType, ID, JobName string
	}
	if json.Unmarshal([]byte(c.Cause), &inner) != nil || inner.ErrorMessage == "" {
		return fmt.Sprintf("the execution has failed: %s %s", c.Error, veiled(c.Cause))
	}
	switch inner.ErrorType {
	case task.Failed, task.Busy, Unexpected:
		// Words of this function.
		return inner.ErrorMessage
	case "":
		return fmt.Sprintf("job run %s of %s has failed: %s", inner.ID, inner.JobName, veiled(inner.ErrorMessage))
	}
	return fmt.Sprintf("the function has ended with %s: %s", inner.ErrorType, veiled(inner.ErrorMessage))
}
