package render

import (
	"fmt"
	"strings"

	"tarn/internal/deploy"
	"tarn/internal/deploy/cfn"
	"tarn/internal/rights"
)

// early reports whether a grant can be made before there are tables, and without knowing whether its place is registered with Lake
// Formation.
func early(g rights.Grant) bool { return g.Location == "" && (g.Table == "" || g.Table == "*") }

// granted are the actors that Lake Formation has to know.
var granted = []struct{ name, id string }{{"runner", "Runner"}, {"analyst", "Analyst"}, {"scientist", "Scientist"}}

// governed are the grants of Lake Formation that can be made with the stack. The others follow the first run: see [LaterGrants].
func (r *renderer) governed() {
	if !r.Settings.LakeFormation {
		return
	}
	var catalog any = cfn.Ref("AWS::AccountId")
	if r.Catalog != "" {
		catalog = r.Catalog
	}
	places := Places(r.Spec)
	for _, a := range granted {
		for _, g := range rights.Grants(actorOf(a.name), places) {
			if !early(g) {
				continue
			}
			id, on := a.id+"OnDatabase", cfn.Map{"Database": cfn.Map{"CatalogId": catalog, "Name": g.Database}}
			if g.Table != "" {
				id, on = a.id+"OnTables", cfn.Map{"Table": cfn.Map{"CatalogId": catalog, "DatabaseName": g.Database, "TableWildcard": cfn.Map{}}}
			}
			res := cfn.Resource{ID: id, Type: "AWS::LakeFormation::PrincipalPermissions", Properties: cfn.Map{
				"Principal": cfn.Map{"DataLakePrincipalIdentifier": r.role(a.name)}, "Resource": on, "Permissions": g.Permissions, "PermissionsWithGrantOption": cfn.List{}}}
			if r.t.Has("Database") {
				res.DependsOn = []string{"Database"}
			}
			r.t.Add(res)
		}
	}
}

// LaterGrants are the commands that make those grants of Lake Formation which need tables, once a run has made them. $ANALYST and
// $SCIENTIST are the ARNs of their roles.
func LaterGrants(s deploy.Spec) []string {
	var out []string
	for _, a := range granted {
		for _, g := range rights.Grants(actorOf(a.name), Places(s)) {
			if !early(g) && g.Location == "" {
				out = append(out, g.Command(fmt.Sprintf("\"$%s\"", strings.ToUpper(a.name))))
			}
		}
	}
	return out
}
