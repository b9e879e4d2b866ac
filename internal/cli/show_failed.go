package cli

import (
	"encoding/json"
	"strings"

	"tarn/internal/check"
	"tarn/internal/run"
)

// showFailed tells which checks stopped the publish.
func (a *app) showFailed(rec *run.Record) {
	st := stylesFor(a.stderr)
	for _, c := range rec.Checks {
		if c.Status != check.Failed {
			continue
		}
		a.tell("%s:%d: %s check %s of %s: %s", c.File, c.Line, st.bad("failed"), c.Name, c.Table, c.Message)
		for _, row := range c.Sample {
			if file, values := apart(row); file != "" {
				a.tell("    %s: %s", file, cut(values, mostOfRow))
			} else {
				a.tell("    %s", cut(row, mostOfRow))
			}
		}
		if int64(len(c.Sample)) < c.Failing && len(c.Sample) > 0 {
			a.tell("    … %s in all", grouped(c.Failing))
		}
		if c.Rest != "" {
			a.tell("    all of them, until the next run: %s", here(c.Rest))
		}
	}
	a.tell("%s", nothingPublished)
	a.tell("hint: mend the rows or the SQL, or let the check warn, drop or quarantine with on_fail")
}

// mostOfRow is how much of a failing row is shown; the whole is in the file that is named with it.
const mostOfRow = 200

// apart takes the landing file out of a failing row, which has it last if it is known: as a text, or as a list for rows
// that were taken together.
func apart(row string) (file, values string) {
	const key = `,"_file":`
	at := strings.LastIndex(row, key)
	if at < 0 {
		return "", row
	}
	tail := []byte(strings.TrimSuffix(row[at+len(key):], "}"))
	var files []string
	if json.Unmarshal(tail, &file) == nil && file != "" {
		return file, row[:at] + "}"
	}
	if json.Unmarshal(tail, &files) == nil && len(files) > 0 {
		return strings.Join(files, ", "), row[:at] + "}"
	}
	return "", row
}
