package query

import (
	"os"
	"slices"
	"strings"

	"tarn/internal/diag"
)

// readers are the words that a reading statement begins with.
var readers = []string{"select", "with", "from", "values", "table", "describe", "desc", "show", "summarize", "pivot", "unpivot"}

// tableFunctions are the engine's table functions that a query may use: they make rows of their arguments, or describe
// what the engine itself has. A test compares them and refusedFunctions with what the engine knows.
var tableFunctions = []string{
	"generate_series", "range", "repeat", "repeat_row", "unnest", "json_each", "json_tree", "histogram", "histogram_values",
	"duckdb_columns", "duckdb_functions", "duckdb_keywords", "duckdb_tables", "duckdb_types", "icu_calendar_names",
	"pg_timezone_names", "pragma_table_info", "pragma_show", "pragma_version", "test_all_types", "test_vector_types",
	"duckdb_optimizers", "duckdb_schemas", "duckdb_databases", "duckdb_memory", "pragma_collations", "pragma_platform", "pragma_user_agent",
}

// refusedFunctions read files, run text as SQL, or change or show what is not the lake's. Each is a table function, but
// for the scalar ones at the end.
var refusedFunctions = []string{
	"read_blob", "read_csv", "read_csv_auto", "read_duckdb", "read_json", "read_json_auto", "read_json_objects", "read_json_objects_auto",
	"read_ndjson", "read_ndjson_auto", "read_ndjson_objects", "read_parquet", "read_text", "parquet_scan", "glob", "sniff_csv",
	"parquet_bloom_probe", "parquet_file_metadata", "parquet_full_metadata", "parquet_kv_metadata", "parquet_metadata", "parquet_schema",
	"arrow_scan", "arrow_scan_dumb", "seq_scan", "query", "query_table", "json_execute_serialized_sql", "sql_auto_complete", "summary",
	"duckdb_secrets", "duckdb_secret_types", "which_secret", "duckdb_settings", "duckdb_views", "duckdb_table_sample", "duckdb_temporary_files",
	"duckdb_external_file_cache", "duckdb_extensions", "duckdb_variables", "duckdb_prepared_statements", "duckdb_sequences",
	"duckdb_indexes", "duckdb_constraints", "duckdb_dependencies", "duckdb_approx_database_count", "duckdb_connection_count",
	"duckdb_coordinate_systems", "duckdb_logs", "duckdb_log_contexts", "duckdb_logs_parsed", "duckdb_profiling_settings",
	"checkpoint", "force_checkpoint", "enable_logging", "disable_logging", "truncate_duckdb_logs", "enable_profiling", "disable_profiling",
	"check_peg_parser", "enable_peg_parser", "disable_peg_parser", "pragma_database_size", "pragma_metadata_info", "pragma_storage_info",
	"getenv", "write_log",
}

// check refuses what is not one statement that reads the lake's tables. It gives the statement without a semicolon.
func (s *Session) check(src diag.Source) (string, error) {
	list := tokens(src.Text)
	for len(list) > 0 && list[len(list)-1].text == ";" && list[len(list)-1].kind == mark {
		list = list[:len(list)-1]
	}
	for len(list) > 0 && list[0].text == ";" && list[0].kind == mark {
		list = list[1:]
	}
	if len(list) == 0 {
		return "", &Error{Diagnostic: src.AtLine(0, 0, codeNotReading, "there is no statement", "for example SELECT * FROM a table LIMIT 10; `tarn query \"SHOW TABLES\"` lists the tables")}
	}
	for i, t := range list {
		if t.kind == mark && t.text == ";" {
			return "", refuse(src, list[i+1].at, codeNotReading, "a second statement", "ask one thing at a time")
		}
	}
	if err := first(src, list); err != nil {
		return "", err
	}
	for i, t := range list {
		if err := s.checkToken(src, list, i, t); err != nil {
			return "", err
		}
	}
	return src.Text[list[0].at:list[len(list)-1].end], nil
}

// first looks at the words that a statement begins with.
func first(src diag.Source, list []token) error {
	explain := false
	for i := 0; i < len(list); i++ {
		t := list[i]
		switch {
		case t.kind == mark && t.text == "(":
			if explain && i+1 < len(list) && list[i+1].text != "select" {
				// The options of EXPLAIN, such as (FORMAT json).
				for i < len(list) && list[i].text != ")" {
					i++
				}
			}
		case t.text == "explain" && t.kind == word && !explain:
			explain = true
		case explain && t.text == "analyze" && t.kind == word:
		case t.kind == word && slices.Contains(readers, t.text):
			return nil
		default:
			return notReading(src, t.at)
		}
	}
	return refuse(src, list[0].at, codeNotReading, "the statement is not complete", "")
}

// writers are the words that a statement which writes can have behind WITH.
var writers = []string{"insert", "update", "delete", "merge"}

// writing finds such a word outside parentheses, or gives -1. A column can have the same name, so this only explains what
// has already failed.
func writing(src diag.Source) int {
	depth := 0
	for _, t := range tokens(src.Text) {
		switch {
		case t.kind == mark && t.text == "(":
			depth++
		case t.kind == mark && t.text == ")":
			depth--
		case depth == 0 && t.kind == word && slices.Contains(writers, t.text):
			return t.at
		}
	}
	return -1
}

// notReading refuses the statement whose verb stands at a place.
func notReading(src diag.Source, at int) error {
	if list := tokens(src.Text[at:]); len(list) > 0 && list[0].kind == word {
		t, hint := list[0], ""
		switch t.text {
		case "create", "insert", "update", "delete", "merge", "copy", "alter", "drop", "replace", "truncate", "export":
			hint = "tables are made by models: put a SELECT into trusted/ or curated/; `-o FILE` writes a result to a file"
		case "attach", "install", "load", "import":
			hint = onlyTables
		case "set", "reset", "pragma":
			hint = "--memory and --threads are flags of tarn"
		case "help":
			hint = "`tarn query --help`"
		default:
			if hint = diag.DidYouMean(strings.ToUpper(t.text), strings.Split(strings.ToUpper(strings.Join(readers, " ")), " ")); hint == "" {
				hint = verbs
			}
		}
		return refuse(src, at, codeNotReading, strings.ToUpper(t.text)+" is not possible: a query only reads", hint)
	}
	return refuse(src, at, codeNotReading, verbs, "")
}

const verbs = "a query begins with SELECT, WITH, FROM, VALUES, TABLE, DESCRIBE, SHOW, SUMMARIZE, PIVOT, UNPIVOT or EXPLAIN"

// checkToken refuses functions that reach beyond the tables, and names that are files of the tables.
func (s *Session) checkToken(src diag.Source, list []token, i int, t token) error {
	called := i+1 < len(list) && list[i+1].kind == mark && list[i+1].text == "("
	switch t.kind {
	case word, quoted:
		if name := strings.ToLower(t.text); called && slices.Contains(refusedFunctions, name) {
			return refuse(src, t.at, codeOnlyTables, name+" is not possible: a query reads the lake's tables only", onlyTables)
		}
		if t.text == "u" && t.kind == word && i+2 < len(list) && list[i+1].text == "&" && list[i+1].at == t.end && list[i+2].at == list[i+1].end && list[i+2].kind == quoted {
			return refuse(src, t.at, codeInvalid, `U&"…" is not possible`, "write the name as it is")
		}
	}
	if (t.kind == quoted || t.kind == literal) && s.isFile(t.text) {
		return refuse(src, t.at, codeOnlyTables, "this is a file of a table: a query reads tables by their names", onlyTables)
	}
	return nil
}

// isFile reports whether a text is the path of one of the tables' data files, which are the only ones that the engine
// would read.
func (s *Session) isFile(text string) bool {
	path := text
	for _, scheme := range []string{"file://", "file:"} {
		path = strings.TrimPrefix(path, scheme)
	}
	info, err := os.Stat(path)
	if err != nil || info.IsDir() {
		return false
	}
	for _, f := range s.files {
		if own, err := os.Stat(f); err == nil && os.SameFile(own, info) {
			return true
		}
	}
	return false
}

func refuse(src diag.Source, at int, code, message, hint string) error {
	return &Error{Diagnostic: src.At(at, code, message, hint)}
}
