package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"tarn/internal/catalog/glue/gluetest"
	"tarn/internal/cli"
	"tarn/internal/deploy/stack/stacktest"
	"tarn/internal/store/s3/s3test"
)

// comments finds the comments of struct fields in the sources of this module.
type comments struct {
	t        *testing.T
	packages map[string]map[string]string // folder → Type.Field → text
	// told names the objects that a page has already, by type; in it they are not told again.
	told map[reflect.Type]string
}

// of gives the comment of a field, as one line.
func (c *comments) of(in reflect.Type, field string) string {
	dir, ok := strings.CutPrefix(in.PkgPath(), "tarn/")
	if !ok {
		return ""
	}
	known := c.packages[dir]
	if known == nil {
		known = map[string]string{}
		c.packages[dir] = known
		files, err := filepath.Glob(filepath.Join("..", "..", filepath.FromSlash(dir), "*.go"))
		if err != nil {
			c.t.Fatal(err)
		}
		for _, name := range files {
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
			if err != nil {
				c.t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				spec, ok := n.(*ast.TypeSpec)
				if !ok {
					return true
				}
				if s, ok := spec.Type.(*ast.StructType); ok {
					for _, field := range s.Fields.List {
						text := field.Doc.Text()
						if text == "" {
							text = field.Comment.Text()
						}
						for _, n := range field.Names {
							known[spec.Name.Name+"."+n.Name] = strings.Join(strings.Fields(text), " ")
						}
					}
				}
				return true
			})
		}
	}
	return known[in.Name()+"."+field]
}

// key is one documented key of an object.
type key struct{ path, form, text string }

// objectKeys lists the keys of a type as encoding/json writes them.
func (c *comments) objectKeys(t reflect.Type, prefix string) []key {
	var out []key
	for i := range t.NumField() {
		f := t.Field(i)
		tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		inner := f.Type
		for inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if f.Anonymous && tag == "" {
			out = append(out, c.objectKeys(inner, prefix)...)
			continue
		}
		if !f.IsExported() || tag == "-" {
			continue
		}
		if tag == "" {
			c.t.Errorf("%s.%s has no JSON name", t, f.Name)
		}
		text := inKeys(c.of(t, f.Name), t)
		if short := said[strings.TrimPrefix(t.String(), "*")][tag]; short != "" {
			text = short
		}
		if strings.Contains(options, "omitempty") {
			text = strings.TrimSpace(text + " (left out if empty)")
		}
		path := prefix + tag
		form, element := formOf(f.Type)
		if name := c.told[element]; element != nil && name != "" {
			text, element = strings.TrimSpace(text+" As in `"+name+"`."), nil
		}
		out = append(out, key{path, form, text})
		if element != nil {
			if form == "list" {
				path += "[]"
			}
			out = append(out, c.objectKeys(element, path+".")...)
		}
	}
	return out
}

// tell notes that a page has the objects of a type.
func (c *comments) tell(t reflect.Type, command string) {
	if c.told[t] != "" {
		return
	}
	c.told[t] = command
	for i := range t.NumField() {
		f := t.Field(i)
		if _, element := formOf(f.Type); element != nil && f.IsExported() {
			c.tell(element, command)
		}
	}
}

// inKeys writes the names of Go fields in a comment as the keys that they are in JSON. "Rows are those of the table" needs no
// subject in a table that has the key beside it.
func inKeys(text string, t reflect.Type) string {
	words := strings.Fields(text)
	for i, w := range words {
		bare := strings.TrimRight(w, ".,;:")
		f, ok := t.FieldByName(bare)
		if !ok || len(f.Index) > 1 {
			continue
		}
		// "Version of Go", "Tables in the lake" are words of the language that happen to be names of fields too.
		plain := strings.ToUpper(bare) == bare || !strings.ContainsFunc(bare[1:], unicode.IsUpper)
		if plain && i+1 < len(words) && slices.Contains([]string{"of", "in", "that"}, words[i+1]) {
			continue
		}
		if tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); tag != "" && tag != "-" {
			words[i] = "`" + tag + "`" + w[len(bare):]
		}
	}
	return strings.Join(words, " ")
}

// formOf names a type, and gives the struct inside it, if there is one.
func formOf(t reflect.Type) (form string, element reflect.Type) {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return "time", nil
	case t == reflect.TypeFor[json.RawMessage]():
		return "any", nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		form, element = formOf(t.Elem())
		if element == nil {
			form += " or null"
		}
		return form, element
	case reflect.Struct:
		return "object", t
	case reflect.Slice, reflect.Array:
		inner, element := formOf(t.Elem())
		if element != nil {
			return "list", element
		}
		return "list of " + inner, nil
	case reflect.Map:
		return "object", nil
	case reflect.Bool:
		return "true, false", nil
	case reflect.String:
		return "text", nil
	case reflect.Float64:
		return "number", nil
	case reflect.Interface:
		return "any", nil
	}
	return "integer", nil
}

func objectsPage(t *testing.T) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# JSON\n\n%s\nWith `--json` each command prints one object on stdout, also when it fails; progress and messages stay on stderr. The objects only grow:\n"+
		"keys keep their names and meanings, so ignore those you do not know. Times are RFC 3339 in UTC, sizes bytes, durations seconds. The exit code\n"+
		"is that of [cli.md](cli.md#exit-codes), and a command that failed has it as `exit_code` too.\n\n", made)
	c := &comments{t, map[string]map[string]string{}, map[reflect.Type]string{}}
	commands, types := cli.Objects()
	first := map[reflect.Type]string{}
	for i, command := range commands {
		fmt.Fprintf(&b, "## %s\n\n", command)
		if same, ok := first[types[i]]; ok {
			fmt.Fprintf(&b, "The object of `%s`.\n\n", same)
			continue
		}
		first[types[i]] = command
		b.WriteString("| key | form | |\n|---|---|---|\n")
		for _, k := range c.objectKeys(types[i], "") {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", k.path, k.form, cell(k.text))
			if k.text == "" {
				t.Errorf("%s: nothing is said about %s", command, k.path)
			}
		}
		b.WriteString("\n")
		c.tell(types[i], command)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// TestDocumentedKeys runs every command with --json and compares the keys that it prints with the page.
func TestDocumentedKeys(t *testing.T) {
	documented := map[string]map[string]bool{}
	c := &comments{t, map[string]map[string]string{}, nil}
	commands, types := cli.Objects()
	for i, command := range commands {
		documented[command] = map[string]bool{}
		for _, k := range c.objectKeys(types[i], "") {
			documented[command][k.path] = true
		}
	}
	dir := filepath.Join(t.TempDir(), "shop")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "shop"))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "data", "sales", "2.json"), []byte("{\"id\": 9, \"extra\": 1}\nbroken\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	call := func(command string, args ...string) map[string]any {
		t.Helper()
		seen[command] = true
		var out, messages bytes.Buffer
		cli.Run(t.Context(), append(args, "--json"), strings.NewReader(""), &out, &messages)
		var o map[string]any
		d := json.NewDecoder(&out)
		if err := d.Decode(&o); err != nil || d.More() {
			t.Fatalf("tarn %s: not one object (%v): %s%s", strings.Join(args, " "), err, &out, &messages)
		}
		undocumented(t, command, documented[command], o, "")
		return o
	}
	temp := t.TempDir()
	call("tarn demo", "demo", filepath.Join(temp, "demo"))
	call("tarn init", "init", filepath.Join(temp, "new"))
	call("tarn init --from", "init", filepath.Join(temp, "from"), "--from", dir)
	call("tarn import, and tarn init --from glue://…", "init", filepath.Join(temp, "taken"), "--from", "glue://team", "--endpoint", team(t))
	call("tarn crawl", "crawl", filepath.Join(dir, "data"), "-C", dir)
	call("tarn sample", "sample", filepath.Join(temp, "sample"), "--people", "5", "--days", "1", "--mess", "1")
	call("tarn validate", "validate", "-C", dir)
	call("tarn doctor", "doctor", "-C", dir)
	call("tarn plan", "plan", "-C", dir)
	id := call("tarn run", "run", "-C", dir)["run"].(string)
	call("tarn run", "run", "-C", dir)
	call("tarn cost", "cost", "-C", dir)
	call("tarn query", "query", "-C", dir, "SELECT 1 AS x, {'a': 1} AS s")
	call("tarn query -o FILE", "query", "-C", dir, "SELECT 1 AS x", "-o", filepath.Join(temp, "x.csv"))
	call("tarn connect", "connect", "trino", "items_curated", "-C", dir)
	call("tarn check", "check", "-C", dir)
	call("tarn compile", "compile", "-C", dir, "items_curated")
	call("tarn compile --as glue", "compile", "-C", dir, "--as", "glue", filepath.Join(temp, "project"))
	call("tarn quarantine [list|show]", "quarantine", "-C", dir)
	call("tarn quarantine [list|show]", "quarantine", "show", "-C", dir)
	call("tarn quarantine retry", "quarantine", "retry", "-C", dir)
	call("tarn runs", "runs", "-C", dir)
	call("tarn rollback", "rollback", id, "-C", dir)
	if err := os.Remove(filepath.Join(dir, "curated", "items_curated.sql")); err != nil {
		t.Fatal(err)
	}
	call("tarn run", "run", "-C", dir, "--full-refresh")
	call("tarn drop", "drop", "items_curated", "-C", dir)
	if _, err := s3test.Serve(t.Context(), "documented-inputs"); err != nil {
		t.Fatal(err)
	}
	s3test.Removed(t, "documented-inputs")
	if err := os.WriteFile(filepath.Join(dir, "tarn.yaml"), []byte("name: shop\nlocations: {\"s3://shop/\": data/}\ntargets:\n  bucket: {warehouse: s3://documented-inputs/tables/, locations: {\"s3://shop/\": data/}}\n"+
		"  glue: {warehouse: s3://documented-inputs/shown/, catalog: glue, locations: {\"s3://shop/\": data/}}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	call("tarn run", "run", "-C", dir, "--target", "bucket")
	gluetest.Start(t)
	call("tarn run", "run", "-C", dir, "--target", "glue")
	call("tarn connect sagemaker --notebook", "connect", "sagemaker", "sales_trusted", "-C", dir, "--target", "glue", "--notebook", filepath.Join(temp, "notebook"))
	call("tarn connect sagemaker --training|--processing", "connect", "sagemaker", "sales_trusted", "--training", "-C", dir, "--target", "bucket")
	call("tarn holds", "holds", "-C", dir, "--target", "bucket")
	call("tarn recover", "recover", "-C", dir, "--target", "bucket")
	call("tarn gc", "gc", "-C", dir, "--older-than", "0", "--over-half")
	call("tarn recover", "recover", "-C", dir)
	deployments(t, filepath.Join(temp, "deployed"), call)
	call("tarn compare", "compare", "sales_trusted", "sales_trusted", "-C", dir)
	call("tarn compare --sql", "compare", "sales_trusted", "sales_trusted", "--sql", "-C", dir)
	call("tarn version", "version")
	call("a command that failed", "run", "-C", filepath.Join(temp, "nowhere"))
	call("a command that failed", "query", "-C", dir, "SELECT x")
	for command := range documented {
		if !seen[command] {
			t.Errorf("%s was not called", command)
		}
	}
}

// deployments calls the commands of a deployed lake, on a stand-in for its account.
func deployments(t *testing.T, dir string, call func(command string, args ...string) map[string]any) {
	t.Helper()
	server, _, stop, err := stacktest.Serve()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	call("tarn init", "init", dir)
	config := "name: deployed\ndatabase: stedi\ntargets:\n  aws:\n    database: deployed\n    warehouse: s3://deployed-keys/warehouse/\n    locations: {\"s3://stedi-lake/\": \"s3://deployed-keys/landing/\"}\n" +
		"    catalog: glue\n    region: us-east-1\n    endpoint: " + server.URL + "\n"
	if err := os.WriteFile(filepath.Join(dir, "tarn.yaml"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	binary, err := program(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	target := []string{"-C", dir, "--target", "aws"}
	call("tarn deploy --render", append([]string{"deploy", "--render", t.TempDir(), "--binary", binary}, target...)...)
	call("tarn deploy", append([]string{"deploy", "--yes", "--binary", binary}, target...)...)
	server.Executed("deployed-aws", stacktest.Execution{Name: "one", Status: "SUCCEEDED", Start: time.Now(), Stop: time.Now()})
	server.Logged("/aws/lambda/deployed-aws", stacktest.LogEvent{At: time.Now(), Stream: "one", Message: "a line"})
	call("tarn deploy status", append([]string{"deploy", "status"}, target...)...)
	call("tarn deploy logs", append([]string{"deploy", "logs"}, target...)...)
	call("tarn deploy destroy", append([]string{"deploy", "destroy", "--data", "--yes=deployed-keys"}, target...)...)
}

// team starts a Glue Data Catalog with a database of that name, and gives its URL.
func team(t *testing.T) string {
	t.Helper()
	if _, err := s3test.Serve(t.Context()); err != nil { // for credentials that are none
		t.Fatal(err)
	}
	catalog := gluetest.New()
	type object = map[string]any
	orders := object{"Name": "orders", "TableType": "EXTERNAL_TABLE", "StorageDescriptor": object{"Location": "s3://team/orders/",
		"Columns": []any{object{"Name": "id", "Type": "int"}}, "SerdeInfo": object{"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe"}}}
	_, err := catalog.Call("CreateDatabase", object{"DatabaseInput": object{"Name": "team"}})
	if err == nil {
		_, err = catalog.Call("CreateTable", object{"DatabaseName": "team", "TableInput": orders})
	}
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(catalog)
	t.Cleanup(s.Close)
	return s.URL
}

// undocumented reports keys that a command printed and the page does not have. Below an object of free keys nothing is
// documented.
func undocumented(t *testing.T, command string, known map[string]bool, v any, path string) {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			below := strings.TrimPrefix(path+"."+k, ".")
			if !known[below] {
				open := path != "" && !hasBelow(known, path)
				if !open {
					t.Errorf("%s: key %s is not documented", command, below)
				}
				continue
			}
			undocumented(t, command, known, inner, below)
		}
	case []any:
		for _, inner := range v {
			undocumented(t, command, known, inner, path+"[]")
		}
	}
}

func hasBelow(known map[string]bool, path string) bool {
	for k := range known {
		if strings.HasPrefix(k, path+".") {
			return true
		}
	}
	return false
}
