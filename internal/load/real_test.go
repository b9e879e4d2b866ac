package load

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/stedi"
)

// landed are the STEDI tables with the number of objects in their files.
var landed = []struct {
	Table
	objects int
}{
	{Table{Name: "customer", Columns: cols("customerName", "VARCHAR", "email", "VARCHAR", "phone", "VARCHAR", "birthDay", "VARCHAR", "serialNumber", "VARCHAR", "registrationDate", "BIGINT", "lastUpdateDate", "BIGINT",
		"shareWithResearchAsOfDate", "BIGINT", "shareWithPublicAsOfDate", "BIGINT", "shareWithFriendsAsOfDate", "BIGINT")}, 956},
	{Table{Name: "accelerometer", Columns: cols("user", "VARCHAR", "timestamp", "BIGINT", "x", "DOUBLE", "y", "DOUBLE", "z", "DOUBLE")}, 81_273},
	{Table{Name: "step_trainer", Columns: cols("sensorReadingTime", "BIGINT", "serialNumber", "VARCHAR", "distanceFromObject", "INTEGER")}, 28_680},
}

// unzipped gives the text of each file of a folder.
func unzipped(t *testing.T, dir string) [][]byte {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.gz"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no files in %s: %v", dir, err)
	}
	var out [][]byte
	for _, name := range names {
		out = append(out, stedi.Text(t, name))
	}
	return out
}

// contents leaves the file out of rows, so that the same rows in other files are the same.
func contents(rows []string) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i], _, _ = strings.Cut(r, " _file=")
	}
	return sorted(out)
}

func TestRealFiles(t *testing.T) {
	t.Parallel()
	from := stedi.Files(t)
	b := setup(t)
	for _, table := range landed {
		table.Format, table.Location = JSON, "s3://stedi-lake/"+table.Name+"/landing/"
		table.Dir = filepath.Join(from, table.Name, "landing")
		timed := func(what string, slow bool) outcome {
			began := time.Now()
			got := b.load(t, table.Table, slow)
			t.Logf("%s %s: %d files, %d of them carefully, %d rows in %v", table.Name, what, len(got.Counts), got.Careful, len(got.Rows), time.Since(began).Round(time.Millisecond))
			return got
		}
		gz := timed("gzipped", false)
		if len(gz.Rows) != table.objects || gz.Careful != 0 || len(gz.Quarantined) > 0 {
			t.Errorf("%s: %d rows, want %d; %d files read carefully", table.Name, len(gz.Rows), table.objects, gz.Careful)
		}
		want := contents(gz.Rows)
		same := func(what string, got outcome) {
			t.Helper()
			if diff := cmp.Diff(want, contents(got.Rows)); diff != "" {
				t.Errorf("%s %s: %.2000s", table.Name, what, diff)
			}
		}
		same("carefully", timed("carefully", true))

		texts := unzipped(t, table.Dir)
		table.Dir = t.TempDir()
		for i, text := range texts {
			write(t, filepath.Join(table.Dir, fmt.Sprint(i, ".json")), text)
		}
		same("unzipped", timed("unzipped", false))

		table.Dir = t.TempDir()
		lines := bytes.SplitAfter(bytes.Join(texts, nil), []byte("\n"))
		for i := range 500 {
			write(t, filepath.Join(table.Dir, fmt.Sprint(i, ".json")), bytes.Join(lines[len(lines)*i/500:len(lines)*(i+1)/500], nil))
		}
		split := timed("in 500 files", false)
		same("in 500 files", split)
		if split.Careful > 0 {
			t.Errorf("%s: %d of 500 files were read carefully", table.Name, split.Careful)
		}

		// One file ends in the middle of an object, one has no line breaks.
		cutOff := filepath.Join(table.Dir, "7.json")
		text, err := os.ReadFile(cutOff)
		if err != nil {
			t.Fatal(err)
		}
		write(t, cutOff, text[:len(text)-10])
		joined := filepath.Join(table.Dir, "8.json")
		if text, err = os.ReadFile(joined); err != nil {
			t.Fatal(err)
		}
		write(t, joined, bytes.ReplaceAll(text, []byte("\n"), nil))
		broken := timed("with a truncated and a concatenated file", false)
		if len(broken.Rows) != table.objects-1 || broken.Careful > 2 {
			t.Errorf("%s: %d rows, want %d; %d files read carefully", table.Name, len(broken.Rows), table.objects-1, broken.Careful)
		}
		if len(broken.Quarantined) != 1 || !strings.Contains(broken.Quarantined[0], `7.json"`) || !strings.Contains(broken.Quarantined[0], `reason="cut_off"`) {
			t.Errorf("%s: %v", table.Name, broken.Quarantined)
		}
	}
}
