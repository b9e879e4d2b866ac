package project

import (
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"tarn/internal/diag"
)

// Header holds the options of a table: the comment /* @tarn … */ of a model, or NAME.yml beside a definition.
type Header struct {
	Description   string
	PartitionedBy []Partition
	Checks        []Check
	// MaxQuarantine fails a run in which more of a landing table's rows go to quarantine; nil is no limit.
	MaxQuarantine *Limit
	// Reference makes the raw Parquet files of a landing table its data files: nothing is copied.
	Reference bool
	// File is where the header stands, as diagnostics show it; "" if there is none.
	File string
	// Source is that file.
	Source diag.Source
}

// Partition is one part of partitioned_by.
type Partition struct {
	// Transform is identity, year, month, day, hour, bucket or truncate: Iceberg's names.
	Transform string
	Column    string
	// N is the number of buckets or the width of truncate, else 0.
	N         int
	File      string
	Line, Col int
}

// String writes the partition as partitioned_by has it, such as day(timestamp).
func (p Partition) String() string {
	switch {
	case p.Transform == "identity":
		return p.Column
	case p.N > 0:
		return p.Transform + "(" + strconv.Itoa(p.N) + ", " + p.Column + ")"
	}
	return p.Transform + "(" + p.Column + ")"
}

// Limit bounds rows by number or by share.
type Limit struct {
	// Rows is the most rows; it counts if Relative is false.
	Rows int64
	// Share is the largest part of all rows, 0 to 1; it counts if Relative is true.
	Share    float64
	Relative bool
}

// Exceeded reports whether n of total rows are too many.
func (l *Limit) Exceeded(n, total int64) bool {
	switch {
	case l == nil:
		return false
	case l.Relative:
		return float64(n) > l.Share*float64(total)
	}
	return n > l.Rows
}

// String writes the limit as in a header: 1% or 100.
func (l *Limit) String() string {
	switch {
	case l == nil:
		return ""
	case l.Relative:
		return strconv.FormatFloat(l.Share*100, 'g', 6, 64) + "%"
	}
	return strconv.FormatInt(l.Rows, 10)
}

// OnFail says what a failing check does.
type OnFail string

// What a check that fails can do. Drop and Quarantine are for checks that judge single rows.
const (
	Fail       OnFail = "fail"       // nothing is published
	Warn       OnFail = "warn"       // it is told
	Drop       OnFail = "drop"       // the failing rows are left out
	Quarantine OnFail = "quarantine" // the failing rows are left out and kept in quarantine
)

// Check is a statement about a table, tested before the table is published.
type Check struct {
	// Name is unique within its table.
	Name        string
	Description string
	// Kind is not_null, unique, accepted_values, range, references, row_count, freshness, expect or sql, and decides which
	// of the following fields are set.
	Kind string
	// Columns holds one or more for not_null and unique, one for accepted_values, range, references and freshness.
	Columns []string
	// Values holds int64, float64, string, bool or time.Time, as do Min and Max; nil is no bound.
	Values   []any
	Min, Max any
	// Table and To name the table and its column that references points to.
	Table, To string
	Within    time.Duration
	// Expect is the condition of an expect check, SQL the query of an sql check.
	Expect, SQL string
	OnFail      OnFail
	File        string
	Line, Col   int
	// TextLine and TextCol are where the text of Expect or SQL begins in the file, 0 where that cannot be told, as for
	// text folded over lines; the following lines begin at TextIndent characters.
	TextLine, TextCol, TextIndent int
}

// Place gives line and column in the file of a byte offset in the text of Expect or SQL; a negative one, or a text whose
// place is not known, gives the place of the check.
func (c Check) Place(offset int) (line, col int) {
	text := c.Expect + c.SQL
	if c.TextLine == 0 || offset < 0 || offset > len(text) {
		return c.Line, c.Col
	}
	before := text[:offset]
	line = strings.Count(before, "\n")
	if line == 0 {
		return c.TextLine, c.TextCol + utf8.RuneCountInString(before)
	}
	return c.TextLine + line, c.TextIndent + 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
}

// Row reports whether the check judges single rows, so that failing ones can be dropped or quarantined.
func (c Check) Row() bool { return slices.Contains(rowChecks, c.Kind) }

var rowChecks = []string{"not_null", "accepted_values", "range", "references", "expect"}

// headerYAML is a header as written.
type headerYAML struct {
	Description   text            `yaml:"description" jsonschema_description:"What the table holds; becomes the table's comment."`
	PartitionedBy *partitionsYAML `yaml:"partitioned_by" jsonschema_description:"How a model's rows are laid into folders, by columns of the SELECT: column, year(column), month(column), day(column), hour(column), bucket(16, column), truncate(4, column)."`
	Checks        []checkYAML     `yaml:"checks" jsonschema_description:"Statements about the table, tested before it is published."`
	Load          text            `yaml:"load" jsonschema:"enum=copy,enum=reference" jsonschema_description:"Landing tables only: copy (default) loads the rows of raw files into a table of their own; reference makes raw Parquet files the table's data files, and nothing is copied. See landing.md."`
	MaxQuarantine *limit          `yaml:"max_quarantine" jsonschema_description:"Landing tables only: the run fails if more rows than this go to quarantine. A number such as 100, or a share such as 0.01 or 1%. Default: no limit."`
}

// readHeader reads the YAML text of a header. The decoder tells where it stands; landing tells whose it is.
func readHeader(d *decoder, yamlText string, landing bool) Header {
	var f headerYAML
	d.document(yamlText, &f)
	h := Header{Description: strings.TrimSpace(f.Description.value), File: d.src.File, Source: d.src}
	switch {
	case f.PartitionedBy == nil:
	case landing:
		d.errorAt(f.PartitionedBy.node, "wrong-key", "partitioned_by is for models", "a landing table's partitions are those of its DDL")
	default:
		h.PartitionedBy = f.PartitionedBy.items
	}
	switch {
	case f.MaxQuarantine == nil:
	case !landing:
		d.errorAt(f.MaxQuarantine.node, "wrong-key", "max_quarantine is for landing tables", "here, a check with on_fail: fail does the same")
	default:
		h.MaxQuarantine = &f.MaxQuarantine.Limit
	}
	switch {
	case !f.Load.set():
	case !landing:
		d.errorAt(f.Load.node, "wrong-key", "load is for landing tables", "a model's rows are what its SELECT gives")
	case f.Load.value != "copy" && f.Load.value != "reference":
		d.errorAt(f.Load.node, "wrong-value", "load: "+quoted(f.Load.value)+" is not known", "write copy or reference")
	default:
		h.Reference = f.Load.value == "reference"
	}
	h.Checks = checks(d, f.Checks)
	for _, c := range h.Checks {
		if h.Reference && (c.OnFail == Drop || c.OnFail == Quarantine) {
			d.list = append(d.list, diag.Diagnostic{File: c.File, Line: c.Line, Col: c.Col, Severity: diag.Error, Code: "wrong-value",
				Message: "on_fail: " + string(c.OnFail) + " cannot take rows out of files that are taken by reference", Hint: "let it fail or warn, or leave out load: reference"})
		}
	}
	return h
}

// partitionsYAML is the list of partitioned_by.
type partitionsYAML struct {
	items []Partition
	node  *yaml.Node
}

var partitionPattern = regexp.MustCompile(`^\s*(?:(\w+)\s*\(\s*(?:(\d+)\s*,\s*)?([^(),]+?)\s*\)|([^(),]+?))\s*$`)

func (p *partitionsYAML) decodeNode(d *decoder, n *yaml.Node, path string) {
	p.node = n
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	for i := 0; i < len(items); i++ {
		var t text
		t.decodeNode(d, aliased(items[i]), path)
		if !t.set() {
			continue
		}
		// In [bucket(16, user)] YAML sees two items.
		for strings.Count(t.value, "(") > strings.Count(t.value, ")") && i+1 < len(items) && items[i+1].Kind == yaml.ScalarNode {
			i++
			t.value += ", " + items[i].Value
		}
		p.add(d, t)
	}
}

func (p *partitionsYAML) add(d *decoder, t text) {
	m := partitionPattern.FindStringSubmatch(t.value)
	if m == nil {
		d.errorAt(t.node, "wrong-value", "partitioned_by: "+quoted(t.value)+" is not a partition", "write column, day(column), bucket(16, column) or truncate(4, column)")
		return
	}
	at := d.place(t.node)
	part := Partition{Transform: "identity", Column: unquote(m[4]), File: d.src.File, Line: at.line, Col: at.col}
	if m[4] == "" {
		part.Transform, part.Column = strings.ToLower(m[1]), unquote(m[3])
		known := []string{"year", "month", "day", "hour", "bucket", "truncate"}
		numbered := part.Transform == "bucket" || part.Transform == "truncate"
		switch {
		case !slices.Contains(known, part.Transform):
			hint := diag.DidYouMean(part.Transform, known)
			if hint == "" {
				hint = "known are " + strings.Join(known, ", ")
			}
			d.errorAt(t.node, "wrong-value", "partitioned_by: no transform "+quoted(m[1]), hint)
			return
		case numbered != (m[2] != ""):
			hint := "write " + part.Transform + "(" + part.Column + ")"
			if numbered {
				hint = "write " + part.Transform + "(16, " + part.Column + ")"
			}
			d.errorAt(t.node, "wrong-value", "partitioned_by: "+quoted(t.value)+" is not a partition", hint)
			return
		case numbered:
			var err error
			if part.N, err = strconv.Atoi(m[2]); err != nil || part.N < 1 || part.N > 1<<20 {
				d.errorAt(t.node, "wrong-value", "partitioned_by: "+m[2]+" is out of range", "take a number from 1 to 1048576")
				return
			}
		}
	}
	for _, have := range p.items {
		if have.Transform == part.Transform && strings.EqualFold(have.Column, part.Column) {
			d.errorAt(t.node, "duplicate-key", "partitioned_by: "+part.String()+" is there twice", "keep one of them")
			return
		}
	}
	p.items = append(p.items, part)
}

func unquote(s string) string { return strings.Trim(s, "\"`") }

// structValue gives the settable value of a pointer to a struct.
func structValue(p any) reflect.Value { return reflect.ValueOf(p).Elem() }
