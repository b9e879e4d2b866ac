package render_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tarn/internal/deploy"
	"tarn/internal/deploy/cfn"
	"tarn/internal/deploy/deploytest"
	"tarn/internal/deploy/render"
)

const (
	role = `"arn:aws:iam::123456789012:role/service/x"`
	key  = "kms_key: arn:aws:kms:eu-central-1:123456789012:key/mrk-11112222333344445555666677778888\n"
)

// settings are keys of a target by which each setting of deploy: has each of its kinds of values once, alone or with those that matter to it.
// What the golden files have is not repeated.
var settings = map[string]string{
	"small":     "deploy: {function: {memory: 512, disk: 512, timeout: 1m}, job: {timeout: 1m}, athena: {cutoff: 10MB}, events: {min_interval: 1m, settle: 1s}, result_days: 1, log_days: 1}",
	"large":     "deploy: {function: {memory: 10240, disk: 10240}, job: {workers: 299, worker_type: G.16X, timeout: 7d}, athena: {cutoff: 1000TB}, events: {min_interval: 1d, settle: 15m}, log_days: 3653}",
	"memory":    "deploy: {engine: glue, job: {worker_type: R.8X}, events: {schedule: \"cron(0/15 * ? * MON-FRI *)\"}}",
	"lambda":    "deploy: {engine: lambda, database: existing, crawler: true, events: {schedule: rate(12 hours)}}",
	"crawled":   "deploy: {engine: lambda, own_key: true, crawler: true}",
	"silent":    "deploy: {events: {enabled: false}, athena: {queries: false}}",
	"by hand":   "deploy: {events: {schedule: none, email: a.b+c@example.co.uk}, job: {enabled: false}}",
	"elsewhere": "deploy: {results: \"s3://other/r\", artefacts: \"s3://my-bucket/deep/a\", versioned: true}",
	"key":       key + "deploy: {crawler: true, notebook: {enabled: true}, versioned: true}",
	"key there": key + "deploy: {bucket: existing, job: {states: models}}",
	"notebook":  "deploy: {notebook: {enabled: true}, roles: {scientist: " + role + "}}",
	"one role":  key + "deploy: {roles: {job: " + role + ", path: /a/b/}}",
	"roles": "deploy: {crawler: true, lake_formation: true, roles: {runner: " + role + ", job: " + role + ", pipeline: " + role + ", analyst: " + role + ", scientist: " + role +
		", operator: " + role + ", crawler: " + role + "}}",
	"granted":  "deploy: {roles: {grant: [trusted, landing], assume: [\"arn:aws:iam::123456789012:user/y\", \"arn:aws:iam::123456789012:root\"]}, tags: {\"Kosten/Stelle\": \"a = b @ c: +\", Größe: Müller}}",
	"governed": "catalog_id: \"999999999999\"\nregion: us-gov-west-1\ndeploy: {lake_formation: true, database: existing}",
}

// TestSettings writes a template for each of the settings into the folder TARN_TEMPLATES, and the definition of its state machine, for the linters:
// see test/aws/lint.sh and test/aws/asl.sh.
func TestSettings(t *testing.T) {
	folder := os.Getenv("TARN_TEMPLATES")
	if folder == "" {
		t.Skip("TARN_TEMPLATES is not set; test/aws/lint.sh sets it")
	}
	specs := map[string]deploy.Spec{}
	for name, keys := range settings {
		specs[name] = deploytest.Stedi(t, keys, nil)
	}
	// A lake of 65 models with long names and texts that are YAML, SQL and CloudFormation themselves.
	odd := map[string]string{
		"queries/größe und \"x\".sql": "-- Grö \"ße\" ${x} \\ '\nSELECT '${AWS::Region} \\ \"' AS \"x\"\"y\" FROM stedi.customer_trusted\n",
		"queries/日本.sql":              "SELECT 1", "queries/-.sql": "SELECT 2"}
	for i := range 60 {
		odd[fmt.Sprintf("curated/m%02d_%s.sql", i, strings.Repeat("long_", 20))] = "/* @tarn\ndescription: 'Model \\ \" ${Function} ${x} `y` <b>: " +
			strings.Repeat("wörd 日本 ", 300) + "'\n*/\nSELECT count(*) AS n FROM stedi.customer_trusted\n"
	}
	specs["odd"], specs["odd models"] = deploytest.Stedi(t, "", odd), deploytest.Stedi(t, "deploy: {job: {states: models}}", odd)
	long := maps.Clone(odd)
	long["tarn.yaml"] = "name: l" + strings.Repeat("ong_name_", 22) + "\ndatabase: stedi\ntargets:\n  aws:\n    warehouse: s3://my-bucket/w/\n" +
		"    locations: {\"s3://stedi-lake/\": \"s3://my-bucket/landing/\"}\n    catalog: glue\n    deploy: {own_key: true, crawler: true, notebook: {enabled: true}}\n"
	specs["long"] = deploytest.Stedi(t, "", long)
	for name, s := range specs {
		for file, make := range map[string]func(deploy.Spec) (*cfn.Template, error){"template": render.Template, "first": render.First} {
			tmpl, err := make(s)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if len(tmpl.Resources) == 0 {
				continue
			}
			files := map[string]string{file + ".yaml": text(t, tmpl)}
			if r := tmpl.Resource("StateMachine"); r != nil {
				files["asl.json"] = r.Properties["DefinitionString"].(string)
			}
			for end, text := range files {
				if err := os.WriteFile(filepath.Join(folder, strings.ReplaceAll(name, " ", "_")+"."+end), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}
