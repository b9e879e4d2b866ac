package schema

import (
	"fmt"
	"strconv"
	"strings"
)

// FromDuckDB reads a type as DuckDB's DESCRIBE prints it, such as `DECIMAL(18,3)` or `STRUCT(a INTEGER, "b c" VARCHAR[])`.
// Types that no Iceberg v2 table can hold (unsigned and 128-bit integers, INTERVAL, ENUM, BIT, …) are errors that name the type.
func FromDuckDB(text string) (Type, error) {
	p := &duckParser{rest: text}
	t, err := p.parse()
	if err == nil && strings.TrimSpace(p.rest) != "" {
		err = fmt.Errorf("unexpected %q", p.rest)
	}
	if err != nil {
		return Type{}, fmt.Errorf("type %s: %w", text, err)
	}
	return t, nil
}

var duckNames = map[string]Kind{
	"BOOLEAN": Boolean, "TINYINT": TinyInt, "SMALLINT": SmallInt, "INTEGER": Int, "BIGINT": BigInt, "FLOAT": Float,
	"DOUBLE": Double, "VARCHAR": String, "BLOB": Binary, "DATE": Date, "TIMESTAMP": Timestamp, "TIME": Time,
	"TIMESTAMP WITH TIME ZONE": TimestampTZ, "UUID": UUID, "JSON": String, "TIMESTAMP_S": Timestamp, "TIMESTAMP_MS": Timestamp,
}

type duckParser struct{ rest string }

func (p *duckParser) eat(s string) bool {
	p.rest = strings.TrimLeft(p.rest, " ")
	if strings.HasPrefix(p.rest, s) {
		p.rest = p.rest[len(s):]
		return true
	}
	return false
}

func (p *duckParser) parse() (Type, error) {
	t, err := p.base()
	for err == nil && p.eat("[") {
		if !p.eat("]") {
			return t, fmt.Errorf("arrays of fixed length are not supported")
		}
		elem := t
		t = Type{Kind: Array, Elem: &elem}
	}
	return t, err
}

func (p *duckParser) base() (Type, error) {
	switch {
	case p.eat("DECIMAL("):
		var t Type
		var err error
		head, tail, ok := strings.Cut(p.rest, ")")
		a, b, two := strings.Cut(head, ",")
		if !ok || !two {
			return t, fmt.Errorf("malformed DECIMAL")
		}
		t.Kind, p.rest = Decimal, tail
		if t.Precision, err = strconv.Atoi(strings.TrimSpace(a)); err != nil {
			return t, err
		}
		t.Scale, err = strconv.Atoi(strings.TrimSpace(b))
		return t, err
	case p.eat("MAP("):
		key, err := p.parse()
		if err != nil {
			return key, err
		}
		if !p.eat(",") {
			return key, fmt.Errorf("malformed MAP")
		}
		elem, err := p.parse()
		if err == nil && !p.eat(")") {
			err = fmt.Errorf("malformed MAP")
		}
		return Type{Kind: Map, Key: &key, Elem: &elem}, err
	case p.eat("STRUCT("):
		t := Type{Kind: Struct}
		for {
			name, err := p.name()
			if err != nil {
				return t, err
			}
			f, err := p.parse()
			if err != nil {
				return t, err
			}
			t.Fields = append(t.Fields, Field{Name: name, Type: f})
			if p.eat(",") {
				continue
			}
			if p.eat(")") {
				return t, nil
			}
			return t, fmt.Errorf("malformed STRUCT")
		}
	}
	p.rest = strings.TrimLeft(p.rest, " ")
	end := strings.IndexAny(p.rest, "[(),")
	if end < 0 {
		end = len(p.rest)
	}
	name := strings.TrimSpace(p.rest[:end])
	kind, ok := duckNames[name]
	if !ok {
		return Type{}, fmt.Errorf("%s has no counterpart in an Iceberg table", name)
	}
	p.rest = p.rest[end:]
	return Type{Kind: kind}, nil
}

func (p *duckParser) name() (string, error) {
	if !p.eat(`"`) {
		name, rest, ok := strings.Cut(p.rest, " ")
		if !ok {
			return "", fmt.Errorf("a struct field without a type")
		}
		p.rest = rest
		return name, nil
	}
	var b strings.Builder
	for i := 0; i < len(p.rest); i++ {
		if p.rest[i] != '"' {
			b.WriteByte(p.rest[i])
			continue
		}
		if i+1 < len(p.rest) && p.rest[i+1] == '"' {
			b.WriteByte('"')
			i++
			continue
		}
		p.rest = p.rest[i+1:]
		return b.String(), nil
	}
	return "", fmt.Errorf("a name without its closing quote")
}
