package render

import (
	"fmt"
	"slices"
	"strings"

	"tarn/internal/deploy"
	"tarn/internal/deploy/cfn"
)

// reader is who queries by a workgroup of its own.
type reader struct {
	id, name, folder, text string
}

// readers are the workgroups: each puts results into its own folder, so that nobody reads there what another role was shown.
func (r *renderer) readers() []reader {
	return []reader{
		{"OwnersWorkgroup", r.n.Owners, "owners", "for those who may read everything"},
		{"AnalystWorkgroup", r.n.Analyst, "analyst", "for analysts"},
		{"ScientistWorkgroup", r.n.Scientist, "scientist", "for data scientists"},
	}
}

func (r *renderer) athena() {
	for _, w := range r.readers() {
		encryption := cfn.Map{"EncryptionOption": "SSE_S3"}
		if key := r.key(); key != nil {
			encryption = cfn.Map{"EncryptionOption": "SSE_KMS", "KmsKey": key}
		}
		config := cfn.Map{
			"EnforceWorkGroupConfiguration":   true,
			"EngineVersion":                   cfn.Map{"SelectedEngineVersion": "Athena engine version 3"},
			"PublishCloudWatchMetricsEnabled": true,
			"ResultConfiguration":             cfn.Map{"OutputLocation": r.Results.Location() + w.folder + "/", "EncryptionConfiguration": encryption},
		}
		if r.Settings.Athena.Cutoff > 0 {
			config["BytesScannedCutoffPerQuery"] = r.Settings.Athena.Cutoff
		}
		r.t.Add(cfn.Resource{ID: w.id, Type: "AWS::Athena::WorkGroup", Properties: cfn.Map{
			"Name": w.name, "Description": "The lake " + r.Lake + about(r.Target) + ", " + w.text, "State": "ENABLED",
			// Else a workgroup in which anybody has queried could not be deleted.
			"RecursiveDeleteOption":  true,
			"WorkGroupConfiguration": config,
			"Tags":                   r.tags(),
		}})
	}
	if !r.Settings.Athena.NoQueries {
		r.namedQueries()
	}
}

// namedQueries are a look at each table and the lake's own queries, in the workgroup of those who may read all that they read.
func (r *renderer) namedQueries() {
	var all []deploy.Query
	all = append(all, deploy.Query{Name: "tables", Description: "Names of all tables", SQL: "SHOW TABLES IN `" + r.Database + "`"})
	look := func(name, description string) {
		all = append(all, deploy.Query{Name: name, Description: description, SQL: fmt.Sprintf("SELECT * FROM %q.%q LIMIT 100", r.Database, name), Tables: []string{name}})
	}
	for _, l := range r.Landing {
		look(l.Name, l.Description)
	}
	for _, m := range r.Models {
		look(m.Name, m.Description)
	}
	for _, q := range append(all, r.Queries...) {
		id := logical("Query", q.Name)
		for n := 2; r.t.Has(id); n++ {
			id = fmt.Sprintf("%sN%d", logical("Query", q.Name), n)
		}
		workgroup := "OwnersWorkgroup"
		if !slices.ContainsFunc(q.Tables, func(name string) bool { return !r.curated(name) }) {
			workgroup = "AnalystWorkgroup"
		}
		props := cfn.Map{"Name": cut(q.Name, 128), "Database": r.Database, "QueryString": q.SQL, "WorkGroup": cfn.Ref(workgroup)}
		if q.Description != "" {
			props["Description"] = cut(strings.Join(strings.Fields(q.Description), " "), 1024)
		}
		r.t.Add(cfn.Resource{ID: id, Type: "AWS::Athena::NamedQuery", Properties: props})
	}
}

// curated reports whether analysts may read a table.
func (r *renderer) curated(name string) bool {
	grant := r.Settings.Roles.Grant
	for _, m := range r.Models {
		if m.Name == name {
			return m.Zone == "curated" || slices.Contains(grant, m.Zone)
		}
	}
	return slices.Contains(grant, "landing")
}

// cut keeps a text to a number of characters.
func cut(s string, most int) string {
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return s
}
