package render_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"tarn/internal/deploy/cfn"
	"tarn/internal/deploy/deploytest"
	"tarn/internal/deploy/render"
	"tarn/internal/diag"
	"tarn/internal/notebook"
)

// TestNotebookIsOfTheLakesOwnTable opens what the lifecycle script brings, and looks at which table and columns it is about.
func TestNotebookIsOfTheLakesOwnTable(t *testing.T) {
	t.Parallel()
	more := map[string]string{"curated/visits.sql": "SELECT c.email, c.customerName AS name, length(c.phone) AS digits, c.registrationDate AS since FROM customer_trusted c\n"}
	for _, c := range []struct {
		keys, table, person, predict, learn string
	}{
		{"{enabled: true}", notebook.Table, "serialnumber", "distancefromobject", "timestamp x y z"},
		{"{enabled: true, table: Visits, predict: Digits}", "visits", "email", "digits", "since"},
		{"{enabled: true, table: visits, person: name}", "visits", "name", "", "digits since"},
	} {
		spec := deploytest.Stedi(t, "deploy: {notebook: "+c.keys+"}", more)
		got := brought(t, template(t, spec))
		if got.Table != c.table || got.Person != c.person || got.Predict != c.predict || strings.Join(got.LearnFrom, " ") != c.learn || got.WorkGroup != "stedi-aws-scientist" {
			t.Errorf("%s: %+v", c.keys, got)
		}
	}
	for keys, want := range map[string][2]string{
		"{enabled: true, table: customer_trusted}":      {"no curated table customer_trusted", "machine_learning_curated"},
		"{enabled: true, person: who}":                  {"column who: the table does not have it", "serialnumber"},
		"{enabled: true, predict: serialNumber}":        {"it says whose a row is", "distancefromobject"},
		"{enabled: true, table: visits, predict: name}": {"it is no number", "digits"},
	} {
		_, err := render.Template(deploytest.Stedi(t, "deploy: {notebook: "+keys+"}", more))
		if err == nil || !strings.Contains(err.Error(), want[0]) || !strings.Contains(diag.Hint(err), want[1]) {
			t.Errorf("%s: %v, hint %s", keys, err, diag.Hint(err))
		}
	}
}

// brought gives the settings that the lifecycle script of a template writes beside the notebook.
func brought(t *testing.T, tmpl *cfn.Template) (c notebook.Config) {
	t.Helper()
	for _, r := range tmpl.Resources {
		if r.Type != "AWS::SageMaker::NotebookInstanceLifecycleConfig" {
			continue
		}
		script := r.Properties["OnStart"].(cfn.List)[0].(cfn.Map)["Content"].(cfn.Map)["Fn::Base64"].(string)
		_, rest, _ := strings.Cut(script, "/"+notebook.ConfigFile+"\" <<'END'\n")
		text, _, found := strings.Cut(rest, "\nEND\n")
		raw, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(text, "\n", ""))
		if err == nil {
			err = json.Unmarshal(raw, &c)
		}
		if !found || err != nil {
			t.Fatalf("%v: the script does not write the settings:\n%s", err, script)
		}
	}
	return c
}
