package gluetest

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// operations are what the stand-in can do. Each runs while nobody else looks.
var operations map[string]func(*Server, object) (object, error)

func init() {
	operations = map[string]func(*Server, object) (object, error){
		"CreateDatabase": (*Server).createDatabase, "GetDatabase": (*Server).getDatabase, "GetDatabases": (*Server).getDatabases,
		"UpdateDatabase": (*Server).updateDatabase, "DeleteDatabase": (*Server).deleteDatabase,
		"CreateTable": (*Server).createTable, "GetTable": (*Server).getTable, "GetTables": (*Server).getTables,
		"UpdateTable": (*Server).updateTable, "DeleteTable": (*Server).deleteTable, "BatchDeleteTable": (*Server).batchDeleteTable,
		"GetTableVersions": (*Server).getTableVersions,
		"CreatePartition":  (*Server).createPartition, "BatchCreatePartition": (*Server).batchCreatePartition,
		"GetPartition": (*Server).getPartition, "GetPartitions": (*Server).getPartitions, "BatchGetPartition": (*Server).batchGetPartition,
		"UpdatePartition": (*Server).updatePartition, "BatchUpdatePartition": (*Server).batchUpdatePartition,
		"DeletePartition": (*Server).deletePartition, "BatchDeletePartition": (*Server).batchDeletePartition,
		// Trino asks for these of every database and table; none of them has any.
		"GetUserDefinedFunctions": nothing("UserDefinedFunctions"), "GetColumnStatisticsForTable": nothing("ColumnStatisticsList"),
		"GetColumnStatisticsForPartition": nothing("ColumnStatisticsList"), "GetPartitionIndexes": nothing("PartitionIndexDescriptorList"),
	}
}

func nothing(member string) func(*Server, object) (object, error) {
	return func(*Server, object) (object, error) { return object{member: []any{}}, nil }
}

// paged cuts a list into pages; tokens are positions.
func paged(in object, member string, all []any, most int) (object, error) {
	if n, ok := in["MaxResults"].(float64); ok {
		if n < 1 || n > 1000 {
			return nil, failure("ValidationException", "1 validation error detected: Value at 'maxResults' failed to satisfy constraint")
		}
		most = min(most, int(n))
	}
	from := 0
	if t := text(in, "NextToken"); t != "" {
		n, err := strconv.Atoi(t)
		if err != nil || n < 0 || n > len(all) {
			return nil, failure("InvalidInputException", "Invalid NextToken")
		}
		from = n
	}
	to := min(len(all), from+most)
	out := object{member: all[from:to]}
	if all[from:to] == nil {
		out[member] = []any{}
	}
	if to < len(all) {
		out["NextToken"] = strconv.Itoa(to)
	}
	return out, nil
}

func (s *Server) database(in object, member string) (*database, error) {
	name := strings.ToLower(text(in, member))
	d, ok := s.databases[name]
	if id := text(in, "CatalogId"); !ok || id != "" && id != Account {
		return nil, failure("EntityNotFoundException", "Database %s not found.", name)
	}
	return d, nil
}

func (s *Server) createDatabase(in object) (object, error) {
	about := maps.Clone(part(in, "DatabaseInput"))
	name := strings.ToLower(text(about, "Name"))
	if err := member("databaseInput.name", name, longestName, singleLine); err != nil || name == "" {
		return nil, failure("ValidationException", "1 validation error detected: Value at 'databaseInput.name' failed to satisfy constraint")
	}
	if err := member("databaseInput.description", text(about, "Description"), longestDescription, multiLine); err != nil {
		return nil, err
	}
	if s.databases[name] != nil {
		return nil, failure("AlreadyExistsException", "Database already exists.")
	}
	about["Name"], about["CatalogId"], about["CreateTime"] = name, Account, now()
	if about["CreateTableDefaultPermissions"] == nil && !s.Governed {
		// What an account is set to that leaves its catalog to IAM.
		about["CreateTableDefaultPermissions"] = []any{object{"Principal": object{"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}, "Permissions": []any{"ALL"}}}
	}
	s.databases[name] = &database{about: about, tables: map[string]*table{}}
	return nil, nil
}

func (s *Server) getDatabase(in object) (object, error) {
	d, err := s.database(in, "Name")
	if err != nil {
		return nil, err
	}
	return object{"Database": d.about}, nil
}

func (s *Server) getDatabases(in object) (object, error) {
	var all []any
	for _, name := range slices.Sorted(maps.Keys(s.databases)) {
		all = append(all, s.databases[name].about)
	}
	return paged(in, "DatabaseList", all, 100)
}

func (s *Server) updateDatabase(in object) (object, error) {
	d, err := s.database(in, "Name")
	if err != nil {
		return nil, err
	}
	about := maps.Clone(part(in, "DatabaseInput"))
	about["Name"], about["CatalogId"], about["CreateTime"] = d.about["Name"], Account, d.about["CreateTime"]
	d.about = about
	return nil, nil
}

func (s *Server) deleteDatabase(in object) (object, error) {
	if _, err := s.database(in, "Name"); err != nil {
		return nil, err
	}
	delete(s.databases, strings.ToLower(text(in, "Name")))
	return nil, nil
}

func (s *Server) table(in object, member string) (*database, *table, error) {
	d, err := s.database(in, "DatabaseName")
	if err != nil {
		return nil, nil, err
	}
	name := strings.ToLower(text(in, member))
	t, ok := d.tables[name]
	if !ok {
		return d, nil, failure("EntityNotFoundException", "Table %s not found.", name)
	}
	return d, t, nil
}

// view is a table as answers have it.
func (t *table) view() object {
	v := maps.Clone(t.about)
	v["VersionId"] = strconv.Itoa(t.version)
	return v
}

func (s *Server) createTable(in object) (object, error) {
	d, err := s.database(in, "DatabaseName")
	if err != nil {
		return nil, err
	}
	about := maps.Clone(part(in, "TableInput"))
	if err := validTable(about); err != nil {
		return nil, err
	}
	name := strings.ToLower(text(about, "Name"))
	if d.tables[name] != nil {
		return nil, failure("AlreadyExistsException", "Table already exists.")
	}
	about["Name"], about["DatabaseName"], about["CatalogId"] = name, d.about["Name"], Account
	about["CreateTime"], about["UpdateTime"], about["IsRegisteredWithLakeFormation"] = now(), now(), false
	if about["Retention"] == nil {
		about["Retention"] = 0
	}
	d.tables[name] = &table{about: about, partitions: map[string]object{}}
	return nil, nil
}

func (s *Server) getTable(in object) (object, error) {
	_, t, err := s.table(in, "Name")
	if err != nil {
		return nil, err
	}
	return object{"Table": t.view()}, nil
}

func (s *Server) getTables(in object) (object, error) {
	d, err := s.database(in, "DatabaseName")
	if err != nil {
		return nil, err
	}
	matches, err := pattern(text(in, "Expression"))
	if err != nil {
		return nil, err
	}
	var all []any
	for _, name := range slices.Sorted(maps.Keys(d.tables)) {
		if matches(name) {
			all = append(all, d.tables[name].view())
		}
	}
	return paged(in, "TableList", all, 100)
}

func (s *Server) updateTable(in object) (object, error) {
	about := maps.Clone(part(in, "TableInput"))
	if err := validTable(about); err != nil {
		return nil, err
	}
	d, t, err := s.table(object{"DatabaseName": in["DatabaseName"], "CatalogId": in["CatalogId"], "Name": about["Name"]}, "Name")
	if err != nil {
		return nil, err
	}
	if v := text(in, "VersionId"); v != "" && v != strconv.Itoa(t.version) {
		return nil, failure("ConcurrentModificationException", "Update table failed due to concurrent modifications.")
	}
	if skip, _ := in["SkipArchive"].(bool); !skip {
		t.archived = append(t.archived, t.view())
		s.archived++
	}
	about["Name"], about["DatabaseName"], about["CatalogId"] = t.about["Name"], d.about["Name"], Account
	about["CreateTime"], about["UpdateTime"], about["IsRegisteredWithLakeFormation"] = t.about["CreateTime"], now(), false
	if about["Retention"] == nil {
		about["Retention"] = 0
	}
	t.about = about
	t.version++
	return nil, nil
}

func (s *Server) deleteTable(in object) (object, error) {
	d, _, err := s.table(in, "Name")
	if err != nil {
		return nil, err
	}
	delete(d.tables, strings.ToLower(text(in, "Name")))
	return nil, nil
}

func (s *Server) batchDeleteTable(in object) (object, error) {
	d, err := s.database(in, "DatabaseName")
	if err != nil {
		return nil, err
	}
	var errors []any
	for _, v := range list(in, "TablesToDelete") {
		name, _ := v.(string)
		if d.tables[strings.ToLower(name)] == nil {
			errors = append(errors, object{"TableName": name, "ErrorDetail": object{"ErrorCode": "EntityNotFoundException", "ErrorMessage": "Table not found"}})
		}
		delete(d.tables, strings.ToLower(name))
	}
	return object{"Errors": errors}, nil
}

func (s *Server) getTableVersions(in object) (object, error) {
	_, t, err := s.table(in, "TableName")
	if err != nil {
		return nil, err
	}
	all := []any{object{"Table": t.view(), "VersionId": strconv.Itoa(t.version)}}
	for _, v := range slices.Backward(t.archived) {
		all = append(all, object{"Table": v, "VersionId": v["VersionId"]})
	}
	return paged(in, "TableVersions", all, 100)
}
