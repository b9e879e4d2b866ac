package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tarn/internal/cli"
	"tarn/internal/project"
)

// TestPages compares the pages of docs/ that are made of the code with what the code says now; -update rewrites them.
func TestPages(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(*testing.T) string{"cli.md": commandsPage, "json.md": objectsPage, "config.md": configPage, "header.md": headerPage} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join("..", "..", "docs", name)
			want := make(t)
			if *update {
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			got, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, string(got)); d != "" {
				t.Errorf("docs/%s is not what the code says (-code +page); go test ./internal/cli -run TestPages -update\n%s", name, d)
			}
		})
	}
}

const made = "<!-- Made of the code: go test ./internal/cli -run TestPages -update -->\n"

// cell makes a text fit into a cell of a table.
func cell(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(strings.TrimSpace(s), "\n", " "), "|", "\\|")
}

func commandsPage(t *testing.T) string {
	root := cli.Root()
	var b strings.Builder
	fmt.Fprintf(&b, "# Commands\n\n%s\n%s\n\n```\n%s\n```\n\n", made, root.Long, root.Example)
	b.WriteString("Results go to stdout, progress and messages to stderr. On a terminal progress is bars; elsewhere it is plain lines, and only for\n" +
		"what takes longer than a second; `-q` silences it. `NO_COLOR` is respected. With `--json` stdout is one object: see [json.md](json.md).\n\n")
	b.WriteString("## Exit codes\n\n| code | meaning |\n|---:|---|\n")
	for _, c := range cli.ExitCodes() {
		fmt.Fprintf(&b, "| %d | %s |\n", c.Code, cell(c.Meaning))
	}
	b.WriteString("\nWhoever closes the pipe of the output early, as `head` does, ends the command with 0.\n\n## Flags of every command\n\n")
	b.WriteString(flagsTable(root.PersistentFlags()))
	b.WriteString("\n")
	for _, g := range root.Groups() {
		for _, c := range root.Commands() {
			if c.GroupID != g.ID || c.Hidden {
				continue
			}
			for _, c := range append([]*cobra.Command{c}, c.Commands()...) {
				if c.Example == "" || c.Short == "" {
					t.Errorf("%s has no example or no short text", c.CommandPath())
				}
				commandSection(&b, c)
			}
		}
	}
	b.WriteString("## Shell completion\n\n`tarn completion bash|zsh|fish|powershell` prints a script for the shell; it completes commands, flags, tables, targets and runs.\n\n" +
		"```\nsource <(tarn completion bash)\n```\n")
	return b.String()
}

func commandSection(b *strings.Builder, c *cobra.Command) {
	long := c.Long
	if long == "" {
		long = c.Short + "."
	}
	fmt.Fprintf(b, "## %s\n\n```\n%s\n```\n\n%s\n\n", c.CommandPath(), strings.TrimSuffix(c.UseLine(), " [flags]"), long)
	if table := flagsTable(c.LocalNonPersistentFlags()); table != "" {
		b.WriteString(table + "\n")
	}
	fmt.Fprintf(b, "```\n%s\n```\n\n", c.Example)
}

// flagsTable is empty where there are no flags.
func flagsTable(flags *pflag.FlagSet) string {
	var b strings.Builder
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" || f.Hidden {
			return
		}
		if b.Len() == 0 {
			b.WriteString("| flag | default | |\n|---|---|---|\n")
		}
		name, usage := pflag.UnquoteUsage(f)
		form := "`--" + f.Name
		if name != "" {
			form += " " + name
		}
		form += "`"
		if f.Shorthand != "" {
			form = "`-" + f.Shorthand + "`, " + form
		}
		def := f.DefValue
		if def == "false" || def == "[]" || def == "0" && strings.Contains(usage, "default") {
			def = ""
		}
		if def != "" {
			def = "`" + def + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", form, def, cell(usage))
	})
	return b.String()
}

// keys is the part of a JSON Schema that the pages show.
type keys struct {
	Type                 any             `json:"type"`
	Description          string          `json:"description"`
	Properties           json.RawMessage `json:"properties"`
	Items                *keys           `json:"items"`
	AdditionalProperties any             `json:"additionalProperties"`
	OneOf                []keys          `json:"oneOf"`
	Enum                 []string        `json:"enum"`
	Required             []string        `json:"required"`
	Pattern              string          `json:"pattern"`
}

// ordered gives the properties in the order of the schema.
func ordered(t *testing.T, raw json.RawMessage) (names []string, values map[string]keys) {
	t.Helper()
	if len(raw) == 0 {
		return nil, nil
	}
	if err := json.Unmarshal(raw, &values); err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	depth := 0
	for key := true; d.More() || depth > 1; {
		tok, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		switch v := tok.(type) {
		case json.Delim:
			if v == '{' || v == '[' {
				depth++
			} else {
				depth--
			}
			key = true
		case string:
			if depth == 1 && key {
				names = append(names, v)
			}
		}
	}
	return names, values
}

func (k keys) form() string {
	switch {
	case len(k.Enum) > 0:
		return strings.Join(k.Enum, ", ")
	case k.Type == nil && len(k.OneOf) > 0:
		parts := []string{}
		for _, o := range k.OneOf {
			if f := o.form(); !slices.Contains(parts, f) {
				parts = append(parts, f)
			}
		}
		return strings.Join(parts, " or ")
	case k.Items != nil:
		if f := k.Items.form(); f != "" && f != "object" {
			return "list of " + f + "s"
		}
		return "list"
	case k.Type == "object":
		return "map"
	case k.Type == "string":
		return "text"
	}
	return fmt.Sprint(k.Type)
}

func keysTable(t *testing.T, b *strings.Builder, k keys) {
	b.WriteString("| key | form | |\n|---|---|---|\n")
	names, values := ordered(t, k.Properties)
	for _, n := range names {
		v := values[n]
		text := v.Description
		if slices.Contains(k.Required, n) {
			text = "Needed. " + text
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", n, cell(v.form()), cell(text))
	}
	b.WriteString("\n")
}

func schema(t *testing.T, raw []byte) keys {
	t.Helper()
	var k keys
	if err := json.Unmarshal(raw, &k); err != nil {
		t.Fatal(err)
	}
	return k
}

func templateFile(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "template", "templates", "stedi", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(raw))
}

func configPage(t *testing.T) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# tarn.yaml\n\n%s\nA folder with a `tarn.yaml` is a lake. Definitions are in the folders `landing`, `trusted` and `curated` beside it: see [header.md](header.md).\n"+
		"An unknown key is an error, with the nearest known one. `tarn init` writes a JSON Schema for editors to `.tarn/schema.json`.\n\n", made)
	k := schema(t, project.JSONSchema())
	keysTable(t, &b, k)
	b.WriteString("## engine\n\nA map makes the models on Spark, in one job a run; [targets.md](targets.md) has examples. The keys that a place does not take are mistakes.\n\n")
	_, values := ordered(t, k.Properties)
	for _, form := range values["engine"].OneOf {
		if len(form.Properties) > 0 {
			keysTable(t, &b, form)
		}
	}
	b.WriteString("## deploy\n\nWhat `tarn deploy` makes in AWS; [deploy.md](deploy.md) says what the parts are. A target's `deploy` takes the place of the one at the top as a whole.\n\n")
	deploy := values["deploy"]
	keysTable(t, &b, deploy)
	parts, forms := ordered(t, deploy.Properties)
	for _, n := range parts {
		if len(forms[n].Properties) > 0 {
			fmt.Fprintf(&b, "### deploy: %s\n\n", n)
			keysTable(t, &b, forms[n])
		}
	}
	b.WriteString("## Values\n\nValues can hold `${NAME}`, a variable of the environment; `$${` stands for `${` itself. Folders are relative to the lake, or absolute.\n" +
		"`--target NAME`, `--memory SIZE` on the command line go before what the file says.\n\n")
	fmt.Fprintf(&b, "## Example\n\n```yaml\n%s\n```\n", templateFile(t, "tarn.yaml"))
	return b.String()
}

func headerPage(t *testing.T) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Header and sidecar\n\n%s\nA model has its options in a first comment `/* @tarn … */`, as YAML, or the same keys in `NAME.yml` beside it, never both. A landing\n"+
		"table is plain DDL that can be pasted into Athena, so its options are always in `NAME.yml`. An unknown key is an error, with the nearest known one.\n"+
		"`tarn init` writes a JSON Schema for editors to `.tarn/header.schema.json`.\n\n", made)
	k := schema(t, project.HeaderJSONSchema())
	keysTable(t, &b, k)
	_, values := ordered(t, k.Properties)
	checks := values["checks"]
	if checks.Items == nil {
		t.Fatal("the schema has no items of checks")
	}
	b.WriteString("## Checks\n\nEach item of `checks` has one of the kinds below, and beside it `name`, `description` and `on_fail`.\n\n")
	keysTable(t, &b, *checks.Items)
	names, kinds := ordered(t, checks.Items.Properties)
	for _, n := range names {
		if len(kinds[n].Properties) > 0 {
			fmt.Fprintf(&b, "### %s\n\n", n)
			keysTable(t, &b, kinds[n])
		}
	}
	b.WriteString("A check that fails on a run with `on_fail: fail` leaves readers on the last good run, and `tarn run` ends with code 3. `tarn check` tests what is published.\n\n")
	model := templateFile(t, "trusted/accelerometer_trusted.sql")
	head, _, ok := strings.Cut(model, "*/")
	if !ok {
		t.Fatal("the template's model has no header")
	}
	fmt.Fprintf(&b, "## Example\n\n```sql\n%s*/\nSELECT …\n```\n", head)
	return b.String()
}
