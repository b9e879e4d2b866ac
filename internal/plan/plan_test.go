package plan

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/engine/duckdb"
	"tarn/internal/load"
	"tarn/internal/model"
	"tarn/internal/project"
)

// compiled is a lake of two landing tables and three models: raw → clean → joined ← other, joined → top.
func compiled(t *testing.T) *model.Graph {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"tarn.yaml":          "name: l\ndatabase: l\nlocations: {\"s3://raw/\": data/}\n",
		"landing/raw.sql":    "CREATE EXTERNAL TABLE l.raw (id bigint)\nROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'\nLOCATION 's3://raw/raw/'\n",
		"landing/other.sql":  "CREATE EXTERNAL TABLE l.other (id bigint)\nROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'\nLOCATION 's3://raw/other/'\n",
		"trusted/clean.sql":  "SELECT id FROM raw\n",
		"trusted/joined.sql": "SELECT c.id FROM clean c JOIN other o ON o.id = c.id\n",
		"curated/top.sql":    "SELECT count(*) AS n FROM joined\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	lk, err := project.Load(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	e, err := duckdb.Open(t.Context(), duckdb.Options{Database: "l", TempDir: filepath.Join(t.TempDir(), "spill")})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	g, list, err := model.Compile(t.Context(), e, lk)
	if err != nil || list.Err() != nil {
		t.Fatal(err, list.Err())
	}
	return g
}

// settled is how the lake is recorded when everything was made by run r1.
func settled(g *model.Graph) Published {
	now := Published{"tarn__files": {KeyRun: "r1"}, "tarn__runs": {KeyRun: "r1"}}
	for _, t := range g.Tables {
		inputs := []string{}
		for _, in := range t.Inputs {
			inputs = append(inputs, `"`+in+`": "r1"`)
		}
		now[t.Stored()] = map[string]string{KeyRun: "r1", KeyHash: t.Hash, KeyNotes: t.Notes, KeyInputs: "{" + strings.Join(inputs, ", ") + "}"}
	}
	return now
}

func files(names ...string) []load.File {
	out := make([]load.File, len(names))
	for i, n := range names {
		out[i] = load.File{Name: n}
	}
	return out
}

func set(names ...string) map[string]bool {
	out := map[string]bool{}
	for _, n := range names {
		out[n] = true
	}
	return out
}

func TestMake(t *testing.T) {
	t.Parallel()
	g := compiled(t)
	for name, c := range map[string]struct {
		change  func(now Published)
		work    map[string]load.Work
		options Options
		want    map[string]string // without tables that are up to date
		orphans []string
	}{
		"nothing new": {},
		"an empty lake": {
			change: func(now Published) { clear(now) },
			want: map[string]string{"raw": "load: new table", "other": "load: new table", "clean": "rebuild: new table",
				"joined": "rebuild: new table", "top": "rebuild: new table"},
		},
		"files new and changed": {
			work: map[string]load.Work{"raw": {New: files("a", "b"), Changed: files("c"), Unchanged: 1}},
			want: map[string]string{"raw": "load: 2 new files, 1 changed file", "clean": "rebuild: raw changes",
				"joined": "rebuild: clean changes", "top": "rebuild: joined changes"},
		},
		"a file has vanished, and its rows stay": {work: map[string]load.Work{"raw": {Vanished: []load.Known{{Name: "a"}}}}},
		"a file has vanished, with prune": {
			work:    map[string]load.Work{"other": {Vanished: []load.Known{{Name: "a"}}}},
			options: Options{Prune: true},
			want:    map[string]string{"other": "load: 1 vanished file to prune", "joined": "rebuild: other changes", "top": "rebuild: joined changes"},
		},
		"another landing definition": {
			change: func(now Published) { now["raw__rows"][KeyHash] = "old" },
			work:   map[string]load.Work{"raw": {Reload: files("a")}},
			want: map[string]string{"raw": "load: 1 file to read again under the new definition", "clean": "rebuild: raw changes",
				"joined": "rebuild: clean changes", "top": "rebuild: joined changes"},
		},
		"another landing definition, without files": {
			change: func(now Published) { now["other__rows"][KeyHash] = "old" },
			want: map[string]string{"other": "load: the definition has changed", "joined": "rebuild: other changes",
				"top": "rebuild: joined changes"},
		},
		"other SQL": {
			change: func(now Published) { now["joined"][KeyHash] = "old" },
			want:   map[string]string{"joined": "rebuild: the SQL or its options have changed", "top": "rebuild: joined changes"},
		},
		"other SQL in the middle, and only the table before it chosen": {
			change:  func(now Published) { now["joined"][KeyHash] = "old" },
			options: Options{Chosen: set("raw", "clean")},
		},
		"only comments or checks": {
			change: func(now Published) { now["clean"][KeyNotes], now["raw__rows"][KeyNotes] = "old", "old" },
			want:   map[string]string{"clean": "amend: its checks or comments have changed", "raw": "amend: its checks or comments have changed"},
		},
		"an input has moved on without the table": {
			change: func(now Published) { now["clean"][KeyRun] = "r2" },
			want:   map[string]string{"joined": "rebuild: clean has changed", "top": "rebuild: joined changes"},
		},
		"an input has moved on, another changes now": {
			change: func(now Published) { now["clean"][KeyRun] = "r2" },
			work:   map[string]load.Work{"other": {New: files("a")}},
			want: map[string]string{"other": "load: 1 new file", "joined": "rebuild: clean has changed, other changes",
				"top": "rebuild: joined changes"},
		},
		"a table is gone from the catalog": {
			change: func(now Published) { delete(now, "clean") },
			want:   map[string]string{"clean": "rebuild: new table", "joined": "rebuild: clean changes", "top": "rebuild: joined changes"},
		},
		"a table of another program, without a word on its inputs": {
			change: func(now Published) { delete(now["top"], KeyInputs) },
			want:   map[string]string{"top": "rebuild: its inputs are not recorded"},
		},
		"full refresh of a part": {
			work:    map[string]load.Work{"raw": {Reload: files("a", "b")}},
			options: Options{Chosen: set("raw", "clean"), FullRefresh: set("raw", "clean")},
			want:    map[string]string{"raw": "load: full refresh", "clean": "rebuild: raw changes"},
		},
		"full refresh of a model alone": {
			options: Options{Chosen: set("raw", "other", "clean", "joined"), FullRefresh: set("joined")},
			want:    map[string]string{"joined": "rebuild: full refresh"},
		},
		"definitions are gone": {
			change:  func(now Published) { now["old"], now["lost__rows"] = map[string]string{}, nil },
			orphans: []string{"lost__rows", "old"},
		},
		"the rows of a former landing table, now a model": {
			change:  func(now Published) { now["clean__rows"] = map[string]string{} },
			orphans: []string{"clean__rows"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := settled(g)
			for k, v := range now {
				now[k] = maps.Clone(v)
			}
			if c.change != nil {
				c.change(now)
			}
			p := Make(g, now, c.work, c.options)
			got := map[string]string{}
			for _, s := range p.Steps {
				if s.Action != None {
					got[s.Table.Name] = string(s.Action) + ": " + strings.Join(s.Reasons, ", ")
				}
				if (s.Action == Load || s.Action == Rebuild) != s.Changes() {
					t.Errorf("%s: action %s, changes %t", s.Table.Name, s.Action, s.Changes())
				}
			}
			if c.want == nil {
				c.want = map[string]string{}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if p.Empty() != (len(got) == 0) {
				t.Errorf("empty: %t", p.Empty())
			}
			if diff := cmp.Diff(c.orphans, p.Orphans); diff != "" {
				t.Errorf("orphans (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFullRefreshReadsAllFiles(t *testing.T) {
	t.Parallel()
	g := compiled(t)
	p := Make(g, settled(g), map[string]load.Work{"raw": {New: files("n"), Reload: files("a", "b")}}, Options{FullRefresh: set("raw")})
	for _, s := range p.Steps {
		if s.Table.Name == "raw" && len(s.Work.Read()) != 3 {
			t.Errorf("reads %d of 3 files: %v", len(s.Work.Read()), s.Reasons)
		}
	}
}
