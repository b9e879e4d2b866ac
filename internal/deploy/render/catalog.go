package render

import (
	"cmp"

	"tarn/internal/deploy/cfn"
	"tarn/internal/deployconf"
)

// database is the Glue database. Its tables are made and changed by runs alone.
func (r *renderer) database() {
	if r.Settings.Database != deployconf.New {
		return
	}
	r.t.Add(kept(cfn.Resource{ID: "Database", Type: "AWS::Glue::Database",
		Comment: "Table names for Athena, Spark and others. It stays when the stack goes.",
		Properties: cfn.Map{
			"CatalogId":     cfn.Ref("AWS::AccountId"),
			"DatabaseInput": cfn.Map{"Name": r.Database, "Description": "The lake " + r.Lake + about(r.Target), "Parameters": cfn.Map{LakeTag: r.Lake, TargetTag: cmp.Or(r.Target, "-")}},
		}}))
}

// crawler looks at the landing places on demand. It has a database of its own, so that it never changes a table that tarn keeps, and
// without a schedule it costs nothing until somebody starts it.
func (r *renderer) crawler() {
	if !r.Settings.Crawler || len(r.Landing) == 0 {
		return
	}
	var targets cfn.List
	for _, l := range r.Landing {
		targets = append(targets, cfn.Map{"Path": l.At.Location()})
	}
	props := cfn.Map{
		"Name": r.n.Crawler, "Description": "What Glue makes of the raw files", "DatabaseName": cfn.Ref("CrawlerDatabase"), "Role": r.role("crawler"),
		"Targets":            cfn.Map{"S3Targets": targets},
		"SchemaChangePolicy": cfn.Map{"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"},
		"RecrawlPolicy":      cfn.Map{"RecrawlBehavior": "CRAWL_EVERYTHING"},
		"Tags":               r.tagMap(),
	}
	if r.key() != nil {
		props["CrawlerSecurityConfiguration"] = cfn.Ref("JobSecurity")
	}
	r.t.Add(cfn.Resource{ID: "CrawlerDatabase", Type: "AWS::Glue::Database", Properties: cfn.Map{
		"CatalogId":     cfn.Ref("AWS::AccountId"),
		"DatabaseInput": cfn.Map{"Name": r.n.CrawlerDatabase, "Description": "What the crawler found of the lake " + r.Lake + about(r.Target)},
	}}, accept(cfn.Resource{ID: "Crawler", Type: "AWS::Glue::Crawler", Properties: props}, r.unkeyed(noCrawlKey)...))
}
