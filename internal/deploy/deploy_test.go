package deploy_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/deploy"
	"tarn/internal/deploy/deploytest"
	"tarn/internal/model"
	"tarn/internal/project"
)

func TestSpec(t *testing.T) {
	t.Parallel()
	s := deploytest.Stedi(t, "database: stedi_prod\ndeploy: {results: \"s3://other/results/\"}", map[string]string{
		"queries/per_day.sql":   "-- Readings of each day\nSELECT 'stedi.x', stedi.customer_trusted.email, \"stedi\".\"customers_curated\" -- stedi.no\nFROM Stedi.customer_trusted, customers_curated__x;\n",
		"queries/empty.sql":     "-- nothing\n",
		"queries/deep/more.sql": "SELECT 1",
		"queries/notes.txt":     "no SQL",
		"data/customer/1.json":  "{}",
		".tarn/catalog.db":      "no definition",
	})
	type summary struct {
		Database, Warehouse, Results, Artefacts string
		Landing                                 map[string]string
		Titles                                  []string
		After                                   []string
		Variables                               map[string]string
		Queries                                 []deploy.Query
		Files                                   []string
	}
	got := summary{s.Database, s.Warehouse.Location(), s.Results.Location(), s.Artefacts.Location(), map[string]string{}, nil, nil, s.Variables, s.Queries, slices.Sorted(maps.Keys(s.Files))}
	for _, l := range s.Landing {
		got.Landing[l.Name] = l.At.Location()
	}
	for _, m := range s.Models {
		got.Titles = append(got.Titles, m.Title)
		got.After = append(got.After, m.Name+": "+strings.Join(m.After, ", "))
	}
	want := summary{"stedi_prod", "s3://my-bucket/warehouse/", "s3://other/results/", "s3://my-bucket/artefacts/",
		map[string]string{"customer_landing": "s3://my-bucket/landing/customer/landing/", "accelerometer_landing": "s3://my-bucket/landing/accelerometer/landing/",
			"step_trainer_landing": "s3://my-bucket/landing/step_trainer/landing/"},
		[]string{"Customer Trusted", "Accelerometer Trusted", "Customer Curated", "Step Trainer Trusted", "ML Aggregation"},
		[]string{"customer_trusted: ", "accelerometer_trusted: customer_trusted", "customers_curated: customer_trusted", "step_trainer_trusted: customers_curated",
			"machine_learning_curated: step_trainer_trusted, customer_trusted, accelerometer_trusted"},
		map[string]string{"BUCKET": "my-bucket"},
		[]deploy.Query{{Name: "per_day", Description: "Readings of each day", Tables: []string{"customer_trusted", "customers_curated"},
			SQL: "SELECT 'stedi.x', \"stedi_prod\".customer_trusted.email, \"stedi_prod\".\"customers_curated\" -- stedi.no\nFROM \"stedi_prod\".customer_trusted, customers_curated__x"}},
		[]string{"curated/customers_curated.sql", "curated/machine_learning_curated.sql", "landing/accelerometer_landing.sql", "landing/customer_landing.sql",
			"landing/step_trainer_landing.sql", "queries/deep/more.sql", "queries/empty.sql", "queries/per_day.sql", "tarn.yaml", "trusted/accelerometer_trusted.sql",
			"trusted/customer_trusted.sql", "trusted/step_trainer_trusted.sql"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// What cannot be deployed is told with a way out.
func TestUnfit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ tarn, want string }{
		"no target":  {"name: x\nwarehouse: s3://bucket/w/\ncatalog: glue\n", "a stack is made for a target"},
		"no bucket":  {"name: x\ntargets: {aws: {memory: 1GB}}\n", "a warehouse in a bucket"},
		"no glue":    {"name: x\ntargets: {aws: {warehouse: \"s3://bucket/w/\"}}\n", "catalog: sqlite"},
		"at the top": {"name: x\ndeploy: {bucket: existing}\ntargets: {aws: {warehouse: \"s3://bucket/w/\"}}\n", "catalog: sqlite"},
		"secret":     {"name: x\ntargets: {aws: {warehouse: \"s3://${AWS_SECRET_ACCESS_KEY}/w/\", catalog: glue}}\n", "AWS_SECRET_ACCESS_KEY"},
		"wildcard":   {"name: x\ntargets: {aws: {warehouse: \"s3://bucket/w*/\", catalog: glue}}\n", "has '*' in it"},
		"variable":   {"name: x\ntargets: {aws: {warehouse: \"s3://bucket/$${x}/\", catalog: glue}}\n", "has '$' in it"},
		"fits":       {"name: x\ntargets: {aws: {warehouse: \"s3://bucket/w/\", region: \"${AWS_REGION}\", catalog: glue}}\n", ""},
	} {
		dir, target := t.TempDir(), "aws"
		if name == "no target" {
			target = ""
		}
		if err := os.WriteFile(filepath.Join(dir, project.ConfigFile), []byte(c.tarn), 0o644); err != nil {
			t.Fatal(err)
		}
		lake, err := project.LoadWith(dir, project.Options{Target: target, LookupEnv: func(string) (string, bool) { return "eu-central-1", true }})
		if err == nil {
			err = lake.Diagnostics.Err()
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		s, err := deploy.New(lake, &model.Graph{})
		var hint interface{ Hint() string }
		switch {
		case c.want == "" && err == nil:
			if len(s.Variables) > 0 {
				t.Errorf("%s: the function is given %v", name, s.Variables)
			}
		case c.want == "" || err == nil || !strings.Contains(err.Error(), c.want) || !errors.As(err, &hint) || hint.Hint() == "":
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	s := deploytest.Stedi(t, "", nil)
	s.Landing = append(s.Landing, deploy.Landing{Name: "in_tables", At: deploy.Place{Bucket: deploytest.Bucket, Prefix: "warehouse/raw/"}})
	if got := s.Arrivals(deploytest.Bucket); len(got) != 4 {
		t.Errorf("places are %v: a folder around them would have the tables in it", got)
	}
}
