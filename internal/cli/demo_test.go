package cli

import (
	stdbytes "bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"charm.land/lipgloss/v2"
	"github.com/google/go-cmp/cmp"

	"tarn/internal/demo"
	"tarn/internal/sample"
)

// called is what a command line gave.
type called struct {
	code           int
	stdout, stderr string
}

func call(ctx context.Context, args ...string) called {
	var out, err stdbytes.Buffer
	code := Run(ctx, args, strings.NewReader(""), &out, &err)
	return called{code, out.String(), err.String()}
}

// mustCall is for commands that have to succeed.
func mustCall(t *testing.T, args ...string) string {
	t.Helper()
	c := call(context.Background(), args...)
	if c.code != exitDone {
		t.Fatalf("tarn %s: exit code %d\n%s%s", strings.Join(args, " "), c.code, c.stdout, c.stderr)
	}
	return c.stdout
}

// numbers asks a lake for one row of numbers.
func numbers(t *testing.T, dir, sql string) map[string]int64 {
	t.Helper()
	var rows []map[string]int64
	if err := json.Unmarshal([]byte(mustCall(t, "query", "-C", dir, "--format", "json", sql)), &rows); err != nil {
		t.Fatal(err)
	}
	return rows[0]
}

var lakeTables = []string{"customer_landing", "customer_trusted", "customers_curated", "accelerometer_landing", "accelerometer_trusted",
	"step_trainer_landing", "step_trainer_trusted", "machine_learning_curated"}

// counts asks a lake how many rows its tables have.
func counts(t *testing.T, dir string) map[string]int64 {
	t.Helper()
	parts := []string{}
	for _, name := range lakeTables {
		parts = append(parts, fmt.Sprintf("(SELECT count(*) FROM %[1]s) AS %[1]s", name))
	}
	return numbers(t, dir, "SELECT "+strings.Join(parts, ", "))
}

// drawn reads the rows of the picture: under each name stands its number.
func drawn(t *testing.T, lines []string) map[string]int64 {
	t.Helper()
	out := map[string]int64{}
	for i, l := range lines {
		names := regexp.MustCompile(`▌(\w+_\w+)`).FindAllStringSubmatch(l, -1)
		if len(names) == 0 {
			continue
		}
		figures := regexp.MustCompile(`▌([0-9,]+) rows`).FindAllStringSubmatch(lines[i+1], -1)
		if len(figures) != len(names) {
			t.Fatalf("%d numbers under %d names:\n%s\n%s", len(figures), len(names), l, lines[i+1])
		}
		for k, name := range names {
			if strings.Index(l, name[0]) != strings.Index(lines[i+1], figures[k][0]) && k == 0 {
				t.Errorf("the number of %s does not stand under it", name[1])
			}
			var n int64
			if _, err := fmt.Sscan(strings.ReplaceAll(figures[k][1], ",", ""), &n); err != nil {
				t.Fatal(err)
			}
			out[name[1]] = n
		}
	}
	return out
}

// TestDemo holds what the demo shows against the lake that it left.
func TestDemo(t *testing.T) { // not parallel: the demo names a folder below the working directory
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	const dir = "tarn-demo"
	text := mustCall(t, "demo")
	_, shown, _ := strings.Cut(string(readme), "```text\n")
	shown, _, _ = strings.Cut(shown, "```")
	if diff := cmp.Diff(timeless(shown), timeless(text)); diff != "" {
		t.Errorf("the README (-) and the demo (+):\n%s", diff)
	}
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if len(lines) > 45 {
		t.Errorf("%d lines are more than fit a screen:\n%s", len(lines), text)
	}
	prompt := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "$ ") })
	for i, l := range lines {
		limit := 80
		if strings.Contains(l, "landing/") || strings.Contains(l, " init ") || strings.Contains(l, "-C ") || i == prompt {
			limit = 100 // only where the terminal is wide enough, and commands
		}
		if n := lipgloss.Width(l); n > limit || strings.Contains(l, "\x1b") || l != strings.TrimRight(l, " ") {
			t.Errorf("line %d is %d wide, or has colours or blanks that nobody sees: %q", i+1, n, l)
		}
	}
	have := counts(t, dir)
	if diff := cmp.Diff(have, drawn(t, lines)); diff != "" {
		t.Errorf("the lake (-) and the picture (+):\n%s", diff)
	}
	if have["machine_learning_curated"] < 10_000 || have["customers_curated"] >= have["customer_trusted"] {
		t.Errorf("nothing to see in %v", have)
	}

	// The account, worked out anew from the tables.
	raw := have["customer_landing"] + have["accelerometer_landing"] + have["step_trainer_landing"]
	for _, want := range [][]any{
		{"raw files", raw + 3, raw, "−3 quarantined"},
		{"customer_trusted", have["customer_landing"], have["customer_trusted"], "no_consent"},
		{"accelerometer_trusted", have["accelerometer_landing"], have["accelerometer_trusted"], "no_consent"},
		{"customers_curated", have["customer_trusted"], have["customers_curated"], "no_readings"},
		{"step_trainer_trusted", have["step_trainer_landing"], have["step_trainer_trusted"], "unknown_device"},
		{"machine_learning_curated", have["step_trainer_trusted"], have["machine_learning_curated"], "by the join"},
	} {
		in, out := want[1].(int64), want[2].(int64)
		why := want[3].(string)
		if !strings.HasPrefix(why, "−") {
			why = map[bool]string{true: "+", false: "−"}[out > in] + grouped(max(out-in, in-out)) + " " + why
		}
		line := fmt.Sprintf("%s %s → %s %s", want[0], grouped(in), grouped(out), why)
		if !slices.ContainsFunc(lines, func(l string) bool { return strings.Join(strings.Fields(l), " ") == line }) {
			t.Errorf("no line %q", line)
		}
	}

	// Each record in quarantine stands where it is said to.
	places := regexp.MustCompile(`(?m)^  (data/\S+\.json):(\d+)  (.+)$`).FindAllStringSubmatch(text, -1)
	if len(places) != 3 {
		t.Errorf("%d places of records in quarantine", len(places))
	}
	for _, p := range places {
		file, err := os.ReadFile(filepath.Join(dir, p[1]))
		if err != nil {
			t.Fatal(err)
		}
		var n int
		if _, err := fmt.Sscan(p[2], &n); err != nil {
			t.Fatal(err)
		}
		record := strings.Split(string(file), "\n")[n-1]
		sound := json.Valid([]byte(record))
		if numberIsText := strings.Contains(p[3], `"fast"`); sound != numberIsText || numberIsText && !strings.Contains(record, `"fast"`) {
			t.Errorf("%s:%s is said to be wrong (%s): %s", p[1], p[2], p[3], record)
		}
	}

	// The comparison, counted in another way than the demo does: readings of a moment times steps of that moment.
	joined := numbers(t, dir, `
		WITH a AS (SELECT timestamp AS t, "user" AS who, count(*) AS n FROM accelerometer_trusted GROUP BY ALL),
		     s AS (SELECT sensorReadingTime AS t, email AS who, count(*) AS n FROM step_trainer_trusted JOIN customer_trusted USING (serialNumber) GROUP BY ALL)
		SELECT sum(a.n * s.n)::BIGINT AS alone, (sum(a.n * s.n) FILTER (WHERE a.who <> s.who))::BIGINT AS wrong FROM a JOIN s USING (t)`)
	if joined["wrong"] < 1000 || joined["alone"]-joined["wrong"] != have["machine_learning_curated"] {
		t.Errorf("the join on time alone: %v, the right one %d", joined, have["machine_learning_curated"])
	}
	early := numbers(t, dir, `SELECT count(*) AS n FROM accelerometer_trusted JOIN customer_trusted ON email = "user" WHERE timestamp < shareWithResearchAsOfDate`)
	for _, want := range []string{
		fmt.Sprintf("Joined on timestamp alone: %s rows, %s of which pair different people.", grouped(joined["alone"]), grouped(joined["wrong"])),
		"43,681", "before_consent warned: " + grouped(early["n"]) + " rows", "✓ published 8 tables in one step as run ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the demo does not say %q", want)
		}
	}
	triesCommands(t, lines, prompt)
}

// timeless takes out of the demo's text what is another each time, and how the program was called.
func timeless(text string) string {
	text = regexp.MustCompile(`as run \S+ in \S+ s`).ReplaceAllString(text, "as run … in … s")
	return regexp.MustCompile(`go run \S*cmd/tarn`).ReplaceAllString(text, "tarn")
}

// triesCommands runs the commands that the demo shows, as they stand there.
func triesCommands(t *testing.T, lines []string, prompt int) {
	t.Helper()
	program := strings.TrimPrefix(strings.SplitN(lines[prompt], " query ", 2)[0], "$ ")
	end := prompt + slices.IndexFunc(lines[prompt:], func(l string) bool { return strings.HasSuffix(l, `LIMIT 3"`) })
	shown := strings.Join(lines[prompt:end+1], "\n")
	_, sql, _ := strings.Cut(shown, `"`)
	answer := mustCall(t, "query", "-C", "tarn-demo", strings.TrimSuffix(sql, `"`))
	for i, want := range strings.Split(strings.TrimSpace(answer), "\n") {
		if !strings.HasPrefix(want, "(") && lines[end+1+i] != "  "+want {
			t.Errorf("the query now answers %q, the demo shows %q", want, lines[end+1+i])
		}
	}
	next := slices.Index(lines, "What next")
	tried := 0
	for _, l := range lines[next+1:] {
		_, command, ok := strings.Cut(l, program+" ")
		if !ok {
			t.Errorf("no command in %q", l)
			continue
		}
		mustCall(t, strings.Fields(command)...)
		tried++
	}
	if tried != 4 {
		t.Errorf("%d commands", tried)
	}
	// One more day was sampled and loaded.
	if n := numbers(t, "tarn-demo", "SELECT count(DISTINCT timestamp::DATE) AS days FROM machine_learning_curated")["days"]; n != sample.DefaultDays+1 {
		t.Errorf("%d days after what the demo says to try next", n)
	}
}

func TestDemoTwice(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a demo's lake")
	first := mustCall(t, "demo", dir)
	again := mustCall(t, "demo", dir)
	status := regexp.MustCompile(`(?m)^✓ .*\n`)
	if diff := cmp.Diff(status.ReplaceAllString(first, ""), status.ReplaceAllString(again, "")); diff != "" {
		t.Errorf("the first demo (-) and the second (+):\n%s", diff)
	}
	id := regexp.MustCompile(`as run (\S+)`).FindStringSubmatch(first)[1]
	if want := "✓ nothing to do: all 8 tables are as of run " + id + "\n"; !strings.Contains(again, want) {
		t.Errorf("no %q in\n%s", want, again)
	}
	if runs := strings.Count(mustCall(t, "runs", "-C", dir), id[:9]); runs != 1 {
		t.Errorf("%d runs", runs)
	}
	// What the user changed is run, and the rest is still told.
	model := filepath.Join(dir, "curated", "machine_learning_curated.sql")
	text, err := os.ReadFile(model)
	if err != nil {
		t.Fatal(err)
	}
	careless := strings.Replace(string(text), "  a.user = c.email AND -- the same owner; without this line, rows pair different people\n", "", 1)
	if careless == string(text) {
		t.Fatal("the line that the README speaks of is not there")
	}
	if err := os.WriteFile(model, []byte(careless), 0o644); err != nil {
		t.Fatal(err)
	}
	changed := mustCall(t, "demo", dir)
	alone := regexp.MustCompile(`alone: ([0-9,]+) rows`).FindStringSubmatch(first)[1]
	for _, want := range []string{"✓ published 1 table in one step", "▌" + alone + " rows", "one_owner warned", "no_consent", "raw files"} {
		if !strings.Contains(changed, want) {
			t.Errorf("no %q in\n%s", want, changed)
		}
	}
	if n := strings.Count(changed, "\n"); n > 45 {
		t.Errorf("%d lines", n)
	}
}

func TestDemoJSON(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "demo")
	var r demo.Report
	d := json.NewDecoder(strings.NewReader(mustCall(t, "demo", dir, "--json")))
	if err := d.Decode(&r); err != nil {
		t.Fatal(err)
	}
	if d.More() {
		t.Error("more than one object")
	}
	got := map[string]int64{}
	for _, x := range r.Tables {
		got[x.Name] = x.Rows
	}
	if diff := cmp.Diff(counts(t, dir), got); diff != "" {
		t.Errorf("the lake (-) and the object (+):\n%s", diff)
	}
	var rows []map[string]any
	if err := json.Unmarshal(r.Query.Rows, &rows); err != nil || len(rows) != 3 {
		t.Errorf("the answer is %s (%v)", r.Query.Rows, err)
	}
	if r.Dir != dir || !r.Created || len(r.Quarantine) != 3 || r.Sample.BrokenTotal != 3 || len(r.Checks) == 0 || r.Last != r.Run.Run ||
		r.Comparison.Rows+r.Comparison.Wrong != r.Comparison.TimeOnly {
		t.Errorf("%+v", r)
	}
	if e := r.Sample.Expected; e.MachineLearningCurated != got["machine_learning_curated"] || e.StepTrainerTrusted != got["step_trainer_trusted"] {
		t.Errorf("the sample promised %+v, there are %v", e, got)
	}
}

func TestDemoKeepsOffOtherFolders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "thesis.txt"), []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	c := call(context.Background(), "demo", dir)
	if c.code != exitUsage || !strings.Contains(c.stderr, "thesis.txt") || !strings.Contains(c.stderr, "hint: name a new folder") {
		t.Errorf("exit code %d\n%s", c.code, c.stderr)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("it wrote into a folder of somebody else: %v", entries)
	}
	lake := filepath.Join(t.TempDir(), "lake")
	mustCall(t, "init", lake)
	if c := call(context.Background(), "demo", lake); c.code != exitUsage {
		t.Errorf("over a lake: exit code %d\n%s", c.code, c.stderr)
	}
}

// TestDemoInterrupted ends a demo at moments spread over its time, and lets the next one finish it.
func TestDemoInterrupted(t *testing.T) {
	t.Parallel()
	whole := filepath.Join(t.TempDir(), "whole")
	mustCall(t, "demo", whole)
	want := counts(t, whole)
	dir := filepath.Join(t.TempDir(), "demo")
	interrupted := 0
	for _, steps := range []int{1, 2, 5, 12, 30, 60, 100, 150, 200, 260, 330} {
		ctx := &countdown{Context: context.Background(), left: steps, done: make(chan struct{})}
		c := call(ctx, "demo", dir)
		if c.code == exitDone {
			continue
		}
		interrupted++
		if c.code != exitInterrupted || c.stdout != "" {
			t.Errorf("after %d looks at the context: exit code %d\n%s%s", steps, c.code, c.stdout, c.stderr)
		}
	}
	if interrupted < 5 {
		t.Errorf("only %d demos were interrupted", interrupted)
	}
	text := mustCall(t, "demo", dir)
	if diff := cmp.Diff(want, drawn(t, strings.Split(text, "\n"))); diff != "" {
		t.Errorf("an undisturbed demo (-) and one that was interrupted (+):\n%s", diff)
	}
	if diff := cmp.Diff(want, counts(t, dir)); diff != "" {
		t.Errorf("an undisturbed demo (-) and one that was interrupted (+):\n%s", diff)
	}
}
