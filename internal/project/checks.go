package project

import (
	"cmp"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"tarn/internal/diag"
)

// checkYAML is one check as written: one kind, and beside it name, description and on_fail.
type checkYAML struct {
	Name           text            `yaml:"name" jsonschema:"pattern=^[A-Za-z_][A-Za-z0-9_]*$" jsonschema_description:"Name of the check, unique in its table. Default: made of kind and columns, such as not_null_user."`
	Description    text            `yaml:"description" jsonschema_description:"What it means when the check fails."`
	OnFail         text            `yaml:"on_fail" jsonschema:"enum=fail,enum=warn,enum=drop,enum=quarantine" jsonschema_description:"fail (default): nothing is published; warn: it is told; drop: failing rows are left out; quarantine: they are left out and kept aside. drop and quarantine are for not_null, accepted_values, range, references and expect."`
	NotNull        names           `yaml:"not_null" jsonschema_description:"One column or a list: none of them is null."`
	Unique         names           `yaml:"unique" jsonschema_description:"One column or a list: together they differ in every row."`
	AcceptedValues *acceptedYAML   `yaml:"accepted_values" jsonschema_description:"A column has only the listed values, or null."`
	Range          *rangeYAML      `yaml:"range" jsonschema_description:"A column lies between two bounds, both included, or is null."`
	References     *referencesYAML `yaml:"references" jsonschema_description:"Each value of a column, unless null, is found in a column of another table."`
	RowCount       *rowCountYAML   `yaml:"row_count" jsonschema_description:"The table has this many rows."`
	Freshness      *freshnessYAML  `yaml:"freshness" jsonschema_description:"The newest value of a timestamp column is not older than this, seen from the start of the run."`
	Expect         text            `yaml:"expect" jsonschema_description:"An SQL condition that is true for every row; null fails. Put it into quotes if it holds a colon followed by a space, a comma inside { }, or #."`
	SQL            text            `yaml:"sql" jsonschema_description:"A SELECT that gives the rows that are wrong. It can read other tables."`

	node *yaml.Node
}

type acceptedYAML struct {
	Column text    `yaml:"column" jsonschema:"required" jsonschema_description:"The column."`
	Values []value `yaml:"values" jsonschema:"required,minItems=1" jsonschema_description:"The values that are right."`
}

type rangeYAML struct {
	Column text   `yaml:"column" jsonschema:"required" jsonschema_description:"The column."`
	Min    *value `yaml:"min" jsonschema_description:"The least value that is right."`
	Max    *value `yaml:"max" jsonschema_description:"The greatest value that is right."`
}

type referencesYAML struct {
	Column text `yaml:"column" jsonschema:"required" jsonschema_description:"The column of this table."`
	Table  text `yaml:"table" jsonschema:"required" jsonschema_description:"The other table."`
	To     text `yaml:"to" jsonschema_description:"The column of the other table. Default: the name of this one."`
}

type rowCountYAML struct {
	Min *count `yaml:"min" jsonschema_description:"The least number of rows."`
	Max *count `yaml:"max" jsonschema_description:"The greatest number of rows."`
}

type freshnessYAML struct {
	Column text      `yaml:"column" jsonschema:"required" jsonschema_description:"A timestamp column."`
	Within *duration `yaml:"within" jsonschema:"required" jsonschema_description:"Greatest age, such as 24h or 7d (w, d, h, m, s)."`
}

func (c *checkYAML) decodeNode(d *decoder, n *yaml.Node, path string) {
	c.node = n
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, v := n.Content[i], aliased(n.Content[i+1])
			if rest, ok := shapes[key.Value]; ok && v.Kind == yaml.ScalarNode && !isNull(v) {
				// Keys that stand beside instead of inside are the same mistake.
				d.errorAt(v, "wrong-value", join(path, key.Value)+": the keys of this check go inside", "write "+key.Value+": "+strings.ReplaceAll(rest, "COLUMN", v.Value))
				return
			}
		}
	}
	d.decodeStruct(n, reflect.ValueOf(c).Elem(), path)
}

// shapes are the checks that have keys of their own, and what those look like.
var shapes = map[string]string{
	"accepted_values": "{column: COLUMN, values: [a, b]}", "range": "{column: COLUMN, min: 0, max: 1}", "references": "{column: …, table: …, to: …}",
	"row_count": "{min: 1}", "freshness": "{column: COLUMN, within: 24h}",
}

// checks turns what is written into checks, without those that have mistakes.
func checks(d *decoder, list []checkYAML) []Check {
	var out []Check
	seen := map[string]bool{}
	for _, y := range list {
		before := len(d.list)
		c := check(d, &y)
		if len(d.list) > before || c.Kind == "" {
			continue
		}
		if seen[c.Name] {
			hint := "give one of them another name"
			if !y.Name.set() {
				hint = "remove it, or give it a name of its own with name:"
			}
			d.errorAt(cmp.Or(y.Name.node, y.node), "duplicate-name", "a second check named "+c.Name, hint)
			continue
		}
		seen[c.Name] = true
		out = append(out, c)
	}
	return out
}

var checkName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func check(d *decoder, y *checkYAML) Check {
	at := d.place(y.node)
	c := Check{Description: y.Description.value, OnFail: Fail, File: d.src.File, Line: at.line, Col: at.col}
	var kinds []string
	kind := func(name string, there bool) bool {
		if there {
			kinds = append(kinds, name)
			c.Kind = name
		}
		return there
	}
	if kind("not_null", y.NotNull != nil) {
		c.Columns = y.NotNull
	}
	if kind("unique", y.Unique != nil) {
		c.Columns = y.Unique
	}
	if kind("accepted_values", y.AcceptedValues != nil) {
		c.Columns = []string{need(d, y, y.AcceptedValues.Column, "accepted_values.column")}
		for _, v := range y.AcceptedValues.Values {
			c.Values = append(c.Values, v.v)
		}
		if len(c.Values) == 0 {
			d.errorAt(y.node, "missing-key", "accepted_values.values is missing", "list the values that are right")
		}
	}
	if kind("range", y.Range != nil) {
		c.Columns = []string{need(d, y, y.Range.Column, "range.column")}
		c.Min, c.Max = bounds(d, y, "range", y.Range.Min, y.Range.Max)
	}
	if kind("references", y.References != nil) {
		c.Columns = []string{need(d, y, y.References.Column, "references.column")}
		c.Table = need(d, y, y.References.Table, "references.table")
		c.To = cmp.Or(y.References.To.value, c.Columns[0])
	}
	if kind("row_count", y.RowCount != nil) {
		c.Min, c.Max = bounds(d, y, "row_count", y.RowCount.Min.value(), y.RowCount.Max.value())
	}
	if kind("freshness", y.Freshness != nil) {
		c.Columns = []string{need(d, y, y.Freshness.Column, "freshness.column")}
		if y.Freshness.Within == nil {
			d.errorAt(y.node, "missing-key", "freshness.within is missing", "write a time such as 24h or 7d")
		} else {
			c.Within = y.Freshness.Within.d
		}
	}
	if kind("expect", y.Expect.set()) {
		c.Expect = strings.TrimSpace(y.Expect.value)
		d.textPlace(&c, y.Expect)
	}
	if kind("sql", y.SQL.set()) {
		c.SQL = strings.TrimRight(strings.TrimSpace(y.SQL.value), "; \n\r\t")
		d.textPlace(&c, y.SQL)
	}
	switch {
	case len(kinds) == 0 && d.spoken(y.node):
	case len(kinds) == 0:
		d.errorAt(y.node, "missing-key", "the check does not say what it tests",
			"add one of not_null, unique, accepted_values, range, references, row_count, freshness, expect, sql")
	case len(kinds) > 1:
		d.errorAt(y.node, "wrong-value", "one check tests "+strings.Join(kinds, " and "), "make a check of each")
	}
	c.Name = cmp.Or(y.Name.value, defaultName(c))
	if !checkName.MatchString(c.Name) && c.Kind != "" {
		d.errorAt(cmp.Or(y.Name.node, y.node), "invalid-name", quoted(c.Name)+" cannot be the name of a check: use letters, digits and _",
			"for example name: "+Clean(c.Name))
	}
	if y.OnFail.set() {
		onFail(d, y, &c)
	}
	return c
}

// textPlace notes where the SQL of a check begins, if the file has it as it is.
func (d *decoder) textPlace(c *Check, t text) {
	at := d.place(t.node)
	switch t.node.Style {
	case yaml.SingleQuotedStyle, yaml.DoubleQuotedStyle:
		at.col++
	case yaml.LiteralStyle:
		at.line += 1 + strings.Count(t.value[:len(t.value)-len(strings.TrimLeft(t.value, " \t\r\n"))], "\n")
		line := d.src.Line(at.line)
		at.col = 1 + len(line) - len(strings.TrimLeft(line, " "))
	}
	first, _, _ := strings.Cut(c.Expect+c.SQL, "\n")
	line := []rune(d.src.Line(at.line))
	if at.col < 1 || at.col > len(line) || !strings.HasPrefix(string(line[at.col-1:]), first) || t.node.Style != yaml.LiteralStyle && strings.Contains(c.Expect+c.SQL, "\n") {
		return
	}
	c.TextLine, c.TextCol, c.TextIndent = at.line, at.col, at.col-1
}

func onFail(d *decoder, y *checkYAML, c *Check) {
	c.OnFail = OnFail(y.OnFail.value)
	known := []string{string(Fail), string(Warn), string(Drop), string(Quarantine)}
	switch {
	case !slices.Contains(known, y.OnFail.value):
		hint := diag.DidYouMean(y.OnFail.value, known)
		d.errorAt(y.OnFail.node, "wrong-value", "on_fail: "+quoted(y.OnFail.value)+" is not known", cmp.Or(hint, "known are "+strings.Join(known, ", ")))
	case (c.OnFail == Drop || c.OnFail == Quarantine) && c.Kind != "" && !c.Row():
		d.errorAt(y.OnFail.node, "wrong-value", "on_fail: "+y.OnFail.value+" needs a check of single rows, and "+c.Kind+" judges the whole table",
			"use fail or warn, or one of "+strings.Join(rowChecks, ", "))
	}
}

// spoken reports whether a mistake inside the node has been told already.
func (d *decoder) spoken(n *yaml.Node) bool {
	at := d.place(n)
	last := d.place(lastNode(n))
	return slices.ContainsFunc(d.list, func(g diag.Diagnostic) bool { return g.Line >= at.line && g.Line <= last.line })
}

func lastNode(n *yaml.Node) *yaml.Node {
	for len(n.Content) > 0 {
		n = n.Content[len(n.Content)-1]
	}
	return n
}

func need(d *decoder, y *checkYAML, t text, key string) string {
	if t.value == "" && !d.spoken(y.node) {
		d.errorAt(y.node, "missing-key", key+" is missing", "")
	}
	return t.value
}

func (c *count) value() *value {
	if c == nil || c.node == nil {
		return nil
	}
	return &value{v: c.n}
}

func bounds(d *decoder, y *checkYAML, kind string, lo, hi *value) (low, high any) {
	if lo != nil {
		low = lo.v
	}
	if hi != nil {
		high = hi.v
	}
	if low == nil && high == nil && !d.spoken(y.node) {
		d.errorAt(y.node, "missing-key", kind+" needs min or max", "")
	}
	a, aok := number(low)
	b, bok := number(high)
	if aok && bok && a > b {
		d.errorAt(y.node, "wrong-value", kind+": min is greater than max, so every row fails", "")
	}
	return low, high
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

var notWord = regexp.MustCompile(`[^A-Za-z0-9]+`)

// defaultName makes a name that stays the same when other checks come and go.
func defaultName(c Check) string {
	parts := append([]string{c.Kind}, c.Columns...)
	if c.Kind == "expect" {
		parts = append(parts, c.Expect)
	}
	name := strings.Trim(notWord.ReplaceAllString(strings.Join(parts, "_"), "_"), "_")
	if len(name) > 60 {
		name = strings.TrimRight(name[:60], "_")
	}
	return name
}
