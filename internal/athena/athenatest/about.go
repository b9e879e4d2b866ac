package athenatest

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// workGroup describes a workgroup.
func (s *Server) workGroup(name string) (object, error) {
	g, ok := s.groups[name]
	if !ok {
		return nil, invalid("WorkGroup %s is not found.", name)
	}
	results := object{}
	if g.Output != "" {
		results["OutputLocation"] = g.Output
	}
	settings := object{"ResultConfiguration": results, "EnforceWorkGroupConfiguration": g.Enforce, "PublishCloudWatchMetricsEnabled": false, "RequesterPaysEnabled": false,
		"EngineVersion": engineVersion(), "ManagedQueryResultsConfiguration": object{"Enabled": false}}
	if g.Cutoff > 0 {
		settings["BytesScannedCutoffPerQuery"] = g.Cutoff
	}
	return object{"WorkGroup": object{"Name": name, "State": "ENABLED", "Configuration": settings, "Description": ""}}, nil
}

func (s *Server) workGroups() object {
	list := []object{}
	for _, name := range slices.Sorted(maps.Keys(s.groups)) {
		list = append(list, object{"Name": name, "State": "ENABLED", "Description": "", "EngineVersion": engineVersion()})
	}
	return object{"WorkGroups": list}
}

// metadata answers what there is.
func (s *Server) metadata(ctx context.Context, op string, in request) (object, error) {
	if in.CatalogName != "" && !strings.EqualFold(in.CatalogName, Catalog) {
		return nil, &problem{"MetadataException", "Catalog " + in.CatalogName + " not found"}
	}
	if op == "ListDatabases" {
		names, err := s.engine.Databases(ctx)
		list := []object{}
		for _, n := range names {
			list = append(list, object{"Name": n})
		}
		return object{"DatabaseList": list}, err
	}
	tables, ok, err := s.engine.Tables(ctx, in.DatabaseName)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, &problem{"MetadataException", "Database " + in.DatabaseName + " not found"}
	case op == "GetDatabase":
		return object{"Database": object{"Name": in.DatabaseName}}, nil
	}
	matches, err := regexp.Compile("^(?:" + in.Expression + ")$")
	if err != nil {
		return nil, invalid("Expression: %v", err)
	}
	list := []object{}
	for _, t := range tables {
		columns := []object{}
		for _, c := range t.Columns {
			columns = append(columns, object{"Name": strings.ToLower(c.Name), "Type": c.Type, "Comment": c.Comment})
		}
		about := object{"Name": t.Name, "TableType": "EXTERNAL_TABLE", "Columns": columns, "PartitionKeys": []object{}, "Parameters": object{"table_type": "ICEBERG"}}
		if op == "GetTableMetadata" && strings.EqualFold(t.Name, in.TableName) {
			return object{"TableMetadata": about}, nil
		}
		if in.Expression == "" || matches.MatchString(t.Name) {
			list = append(list, about)
		}
	}
	if op == "GetTableMetadata" {
		return nil, &problem{"MetadataException", "EntityNotFoundException: Table " + in.TableName + " not found"}
	}
	return object{"TableMetadataList": list}, nil
}
