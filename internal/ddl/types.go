package ddl

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tarn/internal/diag"
	"tarn/internal/schema"
)

// simple are Hive's types without parts (Athena User Guide, "Data types in Amazon Athena").
var simple = map[string]schema.Kind{
	"boolean": schema.Boolean, "tinyint": schema.TinyInt, "smallint": schema.SmallInt, "int": schema.Int, "integer": schema.Int,
	"bigint": schema.BigInt, "float": schema.Float, "real": schema.Float, "double": schema.Double, "string": schema.String,
	"binary": schema.Binary, "date": schema.Date, "timestamp": schema.Timestamp,
}

var typeNames = []string{"array", "bigint", "binary", "boolean", "char", "date", "decimal", "double", "float", "int", "integer",
	"map", "smallint", "string", "struct", "timestamp", "tinyint", "varchar"}

// elsewhere are types of other systems, and the hint for each.
var elsewhere = map[string]string{
	"text": "write string", "nvarchar": "write string", "varchar2": "write string", "uuid": "write string", "json": "write string, or struct<…> with its fields", "variant": "write string, or struct<…> with its fields",
	"enum": "write string", "long": "write bigint", "int8": "write bigint", "int64": "write bigint", "int32": "write int", "int4": "write int", "number": "write bigint or decimal(p,s)", "short": "write smallint",
	"byte": "write tinyint", "bool": "write boolean", "bytes": "write binary", "blob": "write binary", "varbinary": "write binary", "float4": "write float", "float8": "write double", "datetime": "write timestamp",
	"timestamptz": "write timestamp: zones in the files are turned into UTC", "time": "write string", "list": "write array<…>", "row": "write struct<name:type,…>", "object": "write struct<name:type,…>, or map<string,…>",
	"uniontype": "no engine reads it in Athena: write string", "interval_day_time": "write string", "interval_year_month": "write string", "interval": "write string",
}

// maxDepth bounds the nesting of types, so that no file can exhaust the stack.
const maxDepth = 32

func (p *parser) typ() (schema.Type, bool) { return p.nested(0) }

func (p *parser) nested(depth int) (t schema.Type, ok bool) {
	at := p.peek()
	if depth > maxDepth {
		return t, p.fail(at, "type", fmt.Sprintf("types are nested more than %d deep", maxDepth), "")
	}
	if at.kind != word {
		return t, p.fail(at, "syntax", "expected a type, found "+show(at), "")
	}
	p.at++
	low := strings.ToLower(at.value)
	if k, found := simple[low]; found {
		if low == "double" {
			p.eat("PRECISION")
		}
		if low == "timestamp" && (p.eat("WITH", "LOCAL", "TIME", "ZONE") || p.eat("WITH", "TIME", "ZONE") || p.eat("WITHOUT", "TIME", "ZONE")) {
			return t, p.fail(at, "unknown-type", "a timestamp has no zone in Athena's DDL", "write timestamp: zones in the files are turned into UTC")
		}
		return schema.Type{Kind: k}, true
	}
	switch low {
	case "decimal", "numeric", "dec":
		return p.decimal(at)
	case "varchar", "char":
		t.Kind = schema.Kind(low)
		if !p.peek().is("(") {
			return t, p.fail(at, "type", low+" needs a length", "write "+low+"(n), or string")
		}
		p.next()
		if t.Length, ok = p.number(1, 65535); !ok {
			return t, false
		}
		return t, p.need(")")
	case "array":
		t.Kind = schema.Array
		elem, ok := p.part("<", depth)
		t.Elem = &elem
		return t, ok && p.need(">")
	case "map":
		t.Kind = schema.Map
		key, ok := p.part("<", depth)
		if !ok {
			return t, false
		}
		if key.Nested() {
			return t, p.fail(at, "type", "the key of a map cannot be of type "+key.Hive(), "")
		}
		elem, ok := p.part(",", depth)
		t.Key, t.Elem = &key, &elem
		return t, ok && p.need(">")
	case "struct":
		return p.structType(depth)
	}
	hint := elsewhere[low]
	if hint == "" {
		hint = diag.DidYouMean(low, typeNames)
	}
	return t, p.fail(at, "unknown-type", "unknown type "+at.value, hint)
}

func (p *parser) part(before string, depth int) (schema.Type, bool) {
	if !p.need(before) {
		return schema.Type{}, false
	}
	return p.nested(depth + 1)
}

func (p *parser) decimal(at token) (schema.Type, bool) {
	// Without digits it is decimal(10,0), as in Hive.
	t := schema.Type{Kind: schema.Decimal, Precision: 10}
	if !p.eat("(") {
		return t, true
	}
	var ok bool
	if t.Precision, ok = p.number(1, 38); !ok {
		return t, false
	}
	if p.eat(",") {
		if t.Scale, ok = p.number(0, 38); !ok {
			return t, false
		}
	}
	if t.Scale > t.Precision {
		return t, p.fail(at, "type", fmt.Sprintf("decimal(%d,%d) has more digits behind the point than in all", t.Precision, t.Scale), "")
	}
	return t, p.need(")")
}

func (p *parser) number(lo, hi int) (int, bool) {
	at := p.next()
	n, err := strconv.Atoi(at.value)
	if at.kind != word || err != nil || n < lo || n > hi {
		return 0, p.fail(at, "syntax", fmt.Sprintf("expected a number from %d to %d, found %s", lo, hi, show(at)), "")
	}
	return n, true
}

func (p *parser) structType(depth int) (schema.Type, bool) {
	t := schema.Type{Kind: schema.Struct}
	if !p.need("<") {
		return t, false
	}
	for {
		id, ok := p.identifier("field")
		if !ok {
			return t, false
		}
		p.eat(":")
		f, ok := p.nested(depth + 1)
		if !ok {
			return t, false
		}
		field := schema.Field{Name: id.value, Type: f}
		if p.eat("COMMENT") {
			if field.Comment, ok = p.needText("the comment"); !ok {
				return t, false
			}
		}
		if slices.ContainsFunc(t.Fields, func(o schema.Field) bool { return strings.EqualFold(o.Name, field.Name) }) {
			return t, p.fail(id, "duplicate-column", "a second field "+id.value+" in the struct", "")
		}
		t.Fields = append(t.Fields, field)
		if p.eat(",") {
			continue
		}
		return t, p.need(">")
	}
}
