package athenatest

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"tarn/internal/diag"
	"tarn/internal/lake"
	"tarn/internal/query"
	"tarn/internal/run"
	"tarn/internal/schema"
)

// Lake executes statements by DuckDB over what is published in a lake at that moment.
type Lake struct {
	// Dir is the lake's folder, Target one of its targets.
	Dir, Target string
}

// version is how Athena names a state of a table: FROM name FOR VERSION AS OF snapshot.
var version = regexp.MustCompile(`(?i)("?)([a-z0-9_]+)("?)\s+FOR\s+(?:VERSION|SYSTEM_VERSION)\s+AS\s+OF\s+(\d+)`)

// Query implements [Engine].
func (l Lake) Query(ctx context.Context, database, sql string) (r *Result, err error) {
	err = run.LookAt(ctx, l.Dir, run.Options{Target: l.Target}, "", func(t *run.Tables, v *lake.View) error {
		r, err = asked(ctx, t, v, database, sql)
		return err
	})
	return r, err
}

func asked(ctx context.Context, t *run.Tables, v *lake.View, database, sql string) (_ *Result, err error) {
	if database != "" && !strings.EqualFold(database, t.Project().Config.Stored) {
		return nil, &Failure{"SYNTAX_ERROR: Schema " + database + " does not exist"}
	}
	for _, m := range version.FindAllStringSubmatch(sql, -1) {
		id, _ := strconv.ParseInt(m[4], 10, 64)
		found := v.Table(strings.ToLower(m[2]))
		if found == nil {
			continue // which the engine will tell
		}
		then, ok := found.At(id)
		if !ok {
			return nil, &Failure{fmt.Sprintf("INVALID_ARGUMENTS: Iceberg snapshot ID does not exists: %d", id)}
		}
		v = v.With(then)
	}
	sql = version.ReplaceAllString(sql, "$1$2$3")
	s, err := query.Open(ctx, t.Project().Config.Stored, v, query.Options{About: sql, Memory: t.Memory(""), TempDir: t.TempDir()})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	r, err := ask(ctx, s, sql)
	if err != nil {
		return nil, mistake(err)
	}
	r.Scanned, err = scanned(ctx, v, sql)
	return r, err
}

// mistake words what the text is to blame for as Athena does.
func mistake(err error) error {
	var wrong *query.Error
	if !errors.As(err, &wrong) {
		return err
	}
	d := wrong.Diagnostic
	return &Failure{fmt.Sprintf("SYNTAX_ERROR: line %d:%d: %s", max(1, d.Line), max(1, d.Col), d.Message)}
}

func ask(ctx context.Context, s *query.Session, sql string) (*Result, error) {
	out := &Result{Rows: [][]*string{}}
	types, err := columnsOf(ctx, s, sql)
	if err != nil {
		return nil, err
	}
	rows, err := s.Ask(ctx, diag.Source{File: "query", Text: sql})
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for i, c := range rows.Columns() {
		typ := "varchar"
		if i < len(types) {
			typ = types[i]
		}
		out.Columns = append(out.Columns, Column{Name: strings.ToLower(c.Name), Type: typ})
	}
	for rows.Next() {
		row := make([]*string, len(out.Columns))
		for i, v := range rows.Row() {
			if v != nil {
				text := written(string(v), out.Columns[i].Type)
				row[i] = &text
			}
		}
		out.Rows = append(out.Rows, row)
	}
	return out, rows.Err()
}

// columnsOf asks the engine for the types of a statement's columns; of statements that show something, there are none.
func columnsOf(ctx context.Context, s *query.Session, sql string) ([]string, error) {
	if kind, _ := kindOf(sql); kind != "DML" {
		return nil, nil
	}
	rows, err := s.Ask(ctx, diag.Source{File: "query", Text: "DESCRIBE " + strings.TrimRight(strings.TrimSpace(sql), ";")})
	if err != nil {
		return nil, nil // the statement itself will say what is wrong, at its place
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		out = append(out, athenaType(string(rows.Row()[1])))
	}
	return out, rows.Err()
}

// athenaType is Athena's name for a type of DuckDB in a result.
func athenaType(duck string) string {
	t, err := schema.FromDuckDB(duck)
	if err != nil {
		if duck == "HUGEINT" { // a sum of whole numbers
			return "bigint"
		}
		return "varchar"
	}
	switch t.Kind {
	case schema.String, schema.Varchar, schema.Char:
		return "varchar"
	case schema.Int:
		return "integer"
	case schema.Array:
		return "array"
	case schema.Map:
		return "map"
	case schema.Struct:
		return "row"
	case schema.Binary:
		return "varbinary"
	case schema.TimestampTZ:
		return "timestamp with time zone"
	}
	return t.Hive()
}

// written is a value as Athena writes it.
func written(text, typ string) string {
	switch typ {
	case "timestamp":
		whole, part, _ := strings.Cut(text, ".")
		for len(part) < 3 {
			part += "0"
		}
		return whole + "." + part
	case "double", "float":
		switch text {
		case "nan":
			return "NaN"
		case "inf":
			return "Infinity"
		case "-inf":
			return "-Infinity"
		}
	}
	return text
}

// scanned adds up the files of the tables that a statement names.
func scanned(ctx context.Context, v *lake.View, sql string) (n int64, err error) {
	for _, name := range v.Names() {
		if !strings.Contains(strings.ToLower(sql), name) {
			continue
		}
		b, err := v.Table(name).Bytes(ctx)
		if err != nil {
			return 0, err
		}
		n += b
	}
	return n, nil
}

// Databases implements [Engine].
func (l Lake) Databases(ctx context.Context) (_ []string, err error) {
	t, err := run.OpenTables(ctx, l.Dir, run.Options{Target: l.Target})
	if err != nil {
		return nil, err
	}
	return []string{t.Project().Config.Stored}, t.Close()
}

// Tables implements [Engine].
func (l Lake) Tables(ctx context.Context, database string) (out []Table, ok bool, err error) {
	t, err := run.OpenTables(ctx, l.Dir, run.Options{Target: l.Target})
	if err != nil {
		return nil, false, err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	if !strings.EqualFold(database, t.Project().Config.Stored) {
		return nil, false, nil
	}
	v, err := t.View(ctx, "")
	if err != nil {
		return nil, false, err
	}
	for _, name := range v.Names() {
		columns, err := v.Table(name).Columns()
		if err != nil {
			return nil, false, err
		}
		described := Table{Name: name}
		for _, c := range columns {
			described.Columns = append(described.Columns, Column{Name: c.Name, Type: c.Type.Hive(), Comment: c.Comment})
		}
		out = append(out, described)
	}
	return out, true, nil
}
