package cli

import (
	"strings"
	"testing"
	"time"

	"tarn/internal/run"
)

func TestShowLooked(t *testing.T) {
	t.Parallel()
	swept := time.Date(2026, 11, 25, 3, 4, 5, 0, time.UTC)
	since := swept.AddDate(0, 0, -3)
	for want, l := range map[string]run.LoadRecord{
		"": {Table: "x_landing", Files: 12},
		"x_landing: all 1,000,000 files listed; for now the next runs list recent dates only\n":                     {Table: "x_landing", Files: 1_000_000, Swept: &swept},
		"x_landing: listed from 2026-11-22 on; everything was listed 2026-11-25 03:04 UTC (--relist does it now)\n": {Table: "x_landing", Files: 12, Since: &since, Swept: &swept},
	} {
		var out strings.Builder
		a := &app{stdout: &out}
		a.showRun(&run.Record{Status: run.NothingToDo, Tables: []run.TableRecord{{Name: "x"}}, Load: []run.LoadRecord{l}})
		if got := strings.TrimPrefix(out.String(), "nothing to do: x is up to date\n"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
