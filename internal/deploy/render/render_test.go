package render_test

import (
	"os"
	"path/filepath"
	"testing"

	"tarn/internal/deploy/cfn"
	"tarn/internal/deploy/deploytest"
	"tarn/internal/deploy/render"
	"tarn/internal/golden"
)

// Each case is a folder of testdata with the keys of a target, and the templates that belong to it.
func TestTemplates(t *testing.T) {
	t.Parallel()
	golden.Cases(t, "testdata/*", func(t *testing.T, path string) {
		keys, err := os.ReadFile(filepath.Join(path, "target.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		spec := deploytest.Stedi(t, string(keys), map[string]string{
			"queries/readings_per_day.sql": "-- Readings of each day\nSELECT date_trunc('day', timestamp) AS day, count(*) AS readings\nFROM stedi.machine_learning_curated\nGROUP BY 1 ORDER BY 1;\n",
			"queries/consents.sql":         "SELECT 'stedi.x' AS text, count(*) FROM \"stedi\".customer_trusted -- of stedi.customer_trusted\n",
		})
		for file, make := range map[string]func() (*cfn.Template, error){
			"template.yaml": func() (*cfn.Template, error) { return render.Template(spec) },
			"first.yaml":    func() (*cfn.Template, error) { return render.First(spec) },
		} {
			tmpl, err := make()
			if err != nil {
				t.Fatal(err)
			}
			if len(tmpl.Resources) == 0 {
				continue // nothing to be made first
			}
			text, err := tmpl.YAML()
			if err != nil {
				t.Fatal(err)
			}
			golden.Equal(t, filepath.Join(path, file), string(text))
		}
	})
}
