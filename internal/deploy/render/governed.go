package render

import (
	"fmt"

	"tarn/internal/deploy"
	"tarn/internal/deploy/cfn"
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
	database := cfn.Map{"Database": cfn.Map{"CatalogId": catalog, "Name": r.Database}}
	tables := cfn.Map{"Table": cfn.Map{"CatalogId": catalog, "DatabaseName": r.Database, "TableWildcard": cfn.Map{}}}
	grant("RunnerOnDatabase", "runner", database, "ALTER", "CREATE_TABLE", "DESCRIBE")
	grant("RunnerOnTables", "runner", tables, "ALTER", "DELETE", "DESCRIBE", "DROP", "INSERT", "SELECT")
	grant("AnalystOnDatabase", "analyst", database, "DESCRIBE")
	grant("ScientistOnDatabase", "scientist", database, "DESCRIBE")
}

// Grants are the commands that let readers ask the tables of a database which Lake Formation governs, once a run has made them. $ANALYST
// and $SCIENTIST are the ARNs of their roles.
func Grants(s deploy.Spec) []string {
	r := &renderer{Spec: s}
	var out []string
	for _, m := range s.Models {
		grant := func(variable string) {
			out = append(out, fmt.Sprintf(`aws lakeformation grant-permissions --principal DataLakePrincipalIdentifier="$%s" --permissions SELECT DESCRIBE --resource '{"Table": {"DatabaseName": "%s", "Name": "%s"}}'`,
				variable, s.Database, m.Name))
		}
		if r.curated(m.Name) {
			grant("ANALYST")
		}
		if m.Zone == "curated" {
			grant("SCIENTIST")
		}
	}
	return out
}
