package rights

import (
	"encoding/json"
	"strings"
)

// Grant is what Lake Formation has to grant a principal where it governs the database, beside the rights of IAM (AWS Lake Formation
// Developer Guide, "Lake Formation permissions reference").
type Grant struct {
	// Database is always set. Table is "" for the database itself, and * for all tables in it. Location is an S3 ARN, for the right to
	// put tables there.
	Database, Table, Location string
	Permissions               []string
}

// Grants are those of an actor; only who works with tables of the catalog needs any.
func Grants(a Actor, p Places) []Grant {
	switch a {
	case Runner, Laptop:
		out := []Grant{{Database: p.Database, Permissions: []string{"CREATE_TABLE", "DESCRIBE"}},
			{Database: p.Database, Table: "*", Permissions: []string{"ALTER", "DELETE", "DESCRIBE", "DROP", "INSERT", "SELECT"}},
			{Location: strings.TrimSuffix(p.lake().at(""), "/"), Permissions: []string{"DATA_LOCATION_ACCESS"}}}
		for _, l := range p.Landing {
			out = append(out, Grant{Location: strings.TrimSuffix(l.at(""), "/"), Permissions: []string{"DATA_LOCATION_ACCESS"}})
		}
		return out
	case Analyst, Scientist:
		if a == Scientist {
			p.Grant = nil
		}
		out := []Grant{{Database: p.Database, Permissions: []string{"DESCRIBE"}}}
		for _, name := range p.readable() {
			out = append(out, Grant{Database: p.Database, Table: name, Permissions: []string{"DESCRIBE", "SELECT"}})
		}
		return out
	}
	return nil
}

// Command writes the command of the AWS CLI that makes a grant to a principal, an ARN.
func (g Grant) Command(principal string) string {
	return "aws lakeformation grant-permissions --principal DataLakePrincipalIdentifier=" + principal + " --permissions " + strings.Join(g.Permissions, " ") +
		" --resource '" + g.resource() + "'"
}

// resource is the grant's resource as the API writes it.
func (g Grant) resource() string {
	type table struct {
		DatabaseName  string
		Name          string    `json:",omitempty"`
		TableWildcard *struct{} `json:",omitempty"`
	}
	var v any
	switch {
	case g.Location != "":
		v = map[string]any{"DataLocation": map[string]string{"ResourceArn": g.Location}}
	case g.Table == "*":
		v = map[string]any{"Table": table{DatabaseName: g.Database, TableWildcard: &struct{}{}}}
	case g.Table != "":
		v = map[string]any{"Table": table{DatabaseName: g.Database, Name: g.Table}}
	default:
		v = map[string]any{"Database": map[string]string{"Name": g.Database}}
	}
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts can be encoded
	}
	return string(raw)
}
