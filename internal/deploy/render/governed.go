package render

import (
	"strings"

	"tarn/internal/deploy"
	"tarn/internal/deploy/cfn"
	"tarn/internal/rights"
)

// governed are the grants of Lake Formation that can be made before there are tables: runs make and change all tables of the database,
// and readers see that it is there. Those on single tables follow the first run: see [Grants].
func (r *renderer) governed() {
	if !r.Settings.LakeFormation {
		return
	}
	grant := func(id, actor string, on cfn.Map, permissions ...string) {
		r.t.Add(cfn.Resource{ID: id, Type: "AWS::LakeFormation::PrincipalPermissions", Properties: cfn.Map{
			"Principal": cfn.Map{"DataLakePrincipalIdentifier": r.role(actor)}, "Resource": on, "Permissions": permissions, "PermissionsWithGrantOption": cfn.List{}}})
		if r.t.Has("Database") {
			r.t.Resource(id).DependsOn = []string{"Database"}
		}
	}
	var catalog any = cfn.Ref("AWS::AccountId")
	if r.Catalog != "" {
		catalog = r.Catalog
	}
	places := Places(r.Spec)
	for _, a := range []struct {
		id    string
		actor rights.Actor
	}{{"Runner", rights.Runner}, {"Analyst", rights.Analyst}, {"Scientist", rights.Scientist}} {
		for _, g := range rights.Grants(a.actor, places) {
			switch {
			case g.Location != "":
				// Most places are not registered, and then there is nothing to grant: tarn doctor tells those that are.
			case g.Table == "":
				grant(a.id+"OnDatabase", string(a.actor), cfn.Map{"Database": cfn.Map{"CatalogId": catalog, "Name": g.Database}}, g.Permissions...)
			case g.Table == "*":
				grant(a.id+"OnTables", string(a.actor), cfn.Map{"Table": cfn.Map{"CatalogId": catalog, "DatabaseName": g.Database, "TableWildcard": cfn.Map{}}}, g.Permissions...)
			}
		}
	}
}

// Grants are the commands that let readers ask the tables of a database which Lake Formation governs, once a run has made them. $ANALYST
// and $SCIENTIST are the ARNs of their roles.
func Grants(s deploy.Spec) []string {
	var out []string
	for _, a := range []rights.Actor{rights.Analyst, rights.Scientist} {
		for _, g := range rights.Grants(a, Places(s)) {
			if g.Table != "" && g.Table != "*" {
				out = append(out, g.Command(`"$`+strings.ToUpper(string(a))+`"`))
			}
		}
	}
	return out
}
