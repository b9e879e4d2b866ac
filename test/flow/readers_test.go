package flow

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"tarn/internal/athena/athenatest"
	"tarn/internal/awsconf"
	"tarn/internal/deploy"
	"tarn/internal/notebook"
	"tarn/internal/rights"
	"tarn/internal/rights/rightstest"
	"tarn/internal/store/registry"
	"tarn/test/peers"
)

// What others make of the tables in the end, with the rights of the data scientist: Trino, the nearest to Athena, and the notebook,
// whose statement Trino executes.
func TestReaders(t *testing.T) {
	if os.Getenv("TARN_TRINO") == "" && os.Getenv("CI") == "" {
		t.Skip("TARN_TRINO is not set; test/peers/trino.sh installs Trino and sets it")
	}
	w := newWorld(t, config{})
	w.whole()
	w.same()
	w.guard.FilterTables = true
	t.Setenv("AWS_ENDPOINT_URL", w.s3.URL)
	t.Setenv("AWS_ENDPOINT_URL_GLUE", w.jobsURL)
	t.Setenv("AWS_ACCESS_KEY_ID", string(rights.Scientist))
	engine := athenatest.Trino{URL: peers.Trino(t), Catalog: "lake"}
	for sql, want := range map[string]int{"SELECT * FROM stedi.machine_learning_curated LIMIT 100": 100, "SELECT * FROM stedi.customers_curated": counts["customers_curated"]} {
		r, err := engine.Query(t.Context(), "stedi", sql)
		if err != nil || len(r.Rows) != want {
			t.Fatalf("%s: %v", sql, err)
		}
		names := make([]string, len(r.Columns))
		for i, c := range r.Columns {
			names[i] = c.Name
		}
		if want == 100 && !slices.Equal(names, []string{"timestamp", "serialnumber", "distancefromobject", "x", "y", "z"}) {
			t.Errorf("columns are %q", names)
		}
	}
	t.Run("no personal data", func(t *testing.T) {
		if r, err := engine.Query(t.Context(), "stedi", "SELECT * FROM stedi.customer_trusted"); err == nil {
			t.Errorf("a scientist sees %d rows of people", len(r.Rows))
		}
		w.guard.Forget()
	})
	t.Run("notebook", func(t *testing.T) {
		peers.Wrangler(t)
		folder := t.TempDir()
		c := notebook.Config{Database: w.spec.Database, Table: "machine_learning_curated", WorkGroup: w.spec.Names().Scientist, Region: rightstest.Region}
		model := w.spec.Models[slices.IndexFunc(w.spec.Models, func(m deploy.Model) bool { return m.Name == c.Table })]
		if err := c.Choose(model.Columns, "", ""); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string][]byte{notebook.File: notebook.JSON(notebook.Plain), notebook.ConfigFile: c.JSON()} {
			if err := os.WriteFile(filepath.Join(folder, name), text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		_, url := athenatest.Start(t, engine, registry.New(awsconf.Settings{}),
			map[string]athenatest.WorkGroup{w.spec.Names().Scientist: {Output: "s3://" + w.bucket + "/results/scientist/", Enforce: true}})
		peers.Notebook(t, folder, url, counts["machine_learning_curated"])
	})
}
