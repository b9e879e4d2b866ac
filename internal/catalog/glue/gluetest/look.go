package gluetest

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
)

// Call is one request from inside the test, which no fault meets and no count counts. in and the answer have the members of
// the API.
func (s *Server) Call(op string, in map[string]any) (map[string]any, error) {
	raw, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	return s.call(op, raw)
}

// Location is the metadata_location of a table, or "" if there is no table.
func (s *Server) Location(database, name string) string {
	out, err := s.Call("GetTable", object{"DatabaseName": database, "Name": name})
	if err != nil {
		return ""
	}
	return text(part(part(out, "Table"), "Parameters"), "metadata_location")
}

// Commit moves a table to a metadata file as another engine does that looks at no journal. With forget it writes its own
// parameters only, as Trino does, and otherwise keeps those that it finds, as Spark does. It panics if there is no such
// table.
func (s *Server) Commit(database, name, to string, forget bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, t, err := s.table(object{"DatabaseName": database, "Name": name}, "Name")
	if err != nil {
		panic(err)
	}
	old := part(t.about, "Parameters")
	parameters := object{}
	if !forget {
		parameters = maps.Clone(old)
	}
	parameters["table_type"], parameters["metadata_location"], parameters["previous_metadata_location"] = "iceberg", to, old["metadata_location"]
	t.about = maps.Clone(t.about)
	t.about["Parameters"] = parameters
	t.version++
}

// Text shows a table's parameters and place, for messages of tests.
func (s *Server) Text(database, name string) string {
	out, err := s.Call("GetTable", object{"DatabaseName": database, "Name": name})
	if err != nil {
		return err.Error()
	}
	raw, err := json.MarshalIndent(out["Table"], "", " ")
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(fmt.Sprintf("%s\n", raw))
}
