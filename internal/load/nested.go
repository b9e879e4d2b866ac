package load

import (
	"strings"

	"tarn/internal/schema"
)

// widensParts reports whether every value of a type with parts, as a Parquet file has it, is a value of the declared type
// with each part unchanged. Fields of structs go by name in any case, in any order; DuckDB's cast takes them so too. A
// declared field that the file lacks is null, as a column is. A field that is not declared would be lost by the cast, so
// such a file does not fit.
func widensParts(file, declared schema.Type) bool {
	if file.Kind != declared.Kind {
		return false
	}
	switch file.Kind {
	case schema.Array:
		return Widens(file.Elem.DuckDB(), *declared.Elem)
	case schema.Map:
		return Widens(file.Key.DuckDB(), *declared.Key) && Widens(file.Elem.DuckDB(), *declared.Elem)
	case schema.Struct:
		want := map[string]schema.Type{}
		for _, f := range declared.Fields {
			want[strings.ToLower(f.Name)] = f.Type
		}
		for _, f := range file.Fields {
			t, ok := want[strings.ToLower(f.Name)]
			if !ok || !Widens(f.Type.DuckDB(), t) {
				return false
			}
			delete(want, strings.ToLower(f.Name)) // a second field of that name has no place
		}
		return true
	}
	return false
}
