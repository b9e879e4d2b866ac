package careful

import (
	"encoding/binary"
	"fmt"
	"math"

	"tarn/internal/schema"
)

// op is what is to be done with a value, one for each kind of type.
type op uint8

const (
	opString  op = iota
	opLimited    // varchar and char
	opInt8
	opInt16
	opInt32
	opInt64
	opDouble
	opFloat
	opBoolean
	opDecimal
	opDate
	opTimestamp
	opBinary
	opArray
	opMap
	opStruct
	opNone // types that no landing table has
)

var ops = map[schema.Kind]op{
	schema.String: opString, schema.Varchar: opLimited, schema.Char: opLimited, schema.TinyInt: opInt8, schema.SmallInt: opInt16,
	schema.Int: opInt32, schema.BigInt: opInt64, schema.Double: opDouble, schema.Float: opFloat, schema.Boolean: opBoolean,
	schema.Decimal: opDecimal, schema.Date: opDate, schema.Timestamp: opTimestamp, schema.TimestampTZ: opTimestamp,
	schema.Binary: opBinary, schema.Array: opArray, schema.Map: opMap, schema.Struct: opStruct,
}

// plan is a type made ready for reading values of it.
type plan struct {
	op        op
	typ       schema.Type
	elem, key *plan
	fields    *fields
	recent    []any // values met lately, so that repeated ones are allocated once
}

func newPlan(t schema.Type, path string) *plan {
	o, known := ops[t.Kind]
	if !known {
		o = opNone
	}
	p := &plan{op: o, typ: t}
	if t.Elem != nil {
		p.elem = newPlan(*t.Elem, path)
	}
	if t.Key != nil {
		p.key = newPlan(*t.Key, path)
	}
	if o == opStruct {
		columns := make([]schema.Column, len(t.Fields))
		for i, f := range t.Fields {
			columns[i] = schema.Column{Name: f.Name, Type: f.Type}
		}
		p.fields = newFields(columns, nil, path+".")
	}
	return p
}

// recentSize is a power of two.
const (
	recentBits = 8
	recentSize = 1 << recentBits
)

func (p *plan) slot(hash uint64) *any {
	if p.recent == nil {
		p.recent = make([]any, recentSize)
	}
	return &p.recent[hash*0x9e3779b97f4a7c15>>(64-recentBits)]
}

// text gives a string as a value.
func (p *plan) text(b []byte) any {
	if len(b) > 64 {
		return string(b)
	}
	h := uint64(len(b))
	if n := len(b); n >= 8 {
		h ^= binary.LittleEndian.Uint64(b)*3 + binary.LittleEndian.Uint64(b[n-8:])*7
	} else {
		for _, c := range b {
			h = h<<8 ^ h>>56 ^ uint64(c)
		}
	}
	at := p.slot(h)
	if s, fine := (*at).(string); fine && s == string(b) {
		return *at
	}
	*at = string(b)
	return *at
}

func (p *plan) double(f float64) any {
	bits := math.Float64bits(f)
	at := p.slot(bits)
	if v, fine := (*at).(float64); fine && math.Float64bits(v) == bits {
		return *at
	}
	*at = f
	return *at
}

func (p *plan) int64(n int64) any {
	at := p.slot(uint64(n))
	if v, fine := (*at).(int64); fine && v == n {
		return *at
	}
	*at = n
	return *at
}

// trouble says why a value cannot be loaded.
type trouble struct {
	reason  Reason
	message string
}

func (t *trouble) Error() string { return t.message }

// article gives a type as it stands in messages.
func (p *plan) name() string { return p.typ.Hive() }

func (p *plan) wrong(shown []byte) *trouble {
	return &trouble{WrongType, fmt.Sprintf("%s is no %s", excerpt(shown), p.name())}
}

func (p *plan) range_(shown []byte) *trouble {
	return &trouble{OutOfRange, fmt.Sprintf("%s does not fit into %s", excerpt(shown), p.name())}
}

// number turns a number into a value.
func (p *plan) number(n *number) (any, *trouble) {
	switch p.op {
	case opInt8, opInt16, opInt32, opInt64:
		return p.wholeNumber(n)
	case opDouble:
		f, fits := n.float()
		if !fits {
			return nil, p.range_(n.text)
		}
		return p.double(f), nil
	case opFloat:
		f, fits := n.float32()
		if !fits {
			return nil, p.range_(n.text)
		}
		return f, nil
	case opDecimal:
		d, fits := n.decimal(p.typ.Precision, p.typ.Scale)
		if !fits {
			return nil, p.range_(n.text)
		}
		return d, nil
	case opTimestamp, opDate:
		t := p.wrong(n.text)
		t.message += ": a number of seconds, milliseconds or days belongs into a bigint column"
		return nil, t
	}
	return nil, p.wrong(n.text)
}

func (p *plan) wholeNumber(n *number) (any, *trouble) {
	size := uint(8) << (p.op - opInt8)
	v, reason := n.int(size)
	switch reason {
	case WrongType:
		return nil, p.wrong(n.text)
	case OutOfRange:
		return nil, p.range_(n.text)
	}
	switch p.op {
	case opInt8:
		return int8(v), nil
	case opInt16:
		return int16(v), nil
	case opInt32:
		return int32(v), nil
	}
	return p.int64(v), nil
}
