package careful

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"tarn/internal/schema"
)

// Text reads a value of a type from its text form, as CSV fields and partition folders have it. Numbers may have zeros in
// front; true and false are taken in any case. Arrays, maps and structs have no text form.
func Text(s string, t schema.Type) (any, error) {
	v, bad := newPlan(t, "").fromText([]byte(s), true)
	if bad != nil {
		return nil, bad
	}
	return v, nil
}

// fromText reads a value from text. Loose takes what text files have and JSON strings may not.
func (p *plan) fromText(b []byte, loose bool) (any, *trouble) {
	switch p.op {
	case opString:
		return p.text(b), nil
	case opLimited:
		if n := utf8.RuneCount(b); n > p.typ.Length {
			return nil, &trouble{OutOfRange, fmt.Sprintf("%s has %d characters, more than %s holds", excerpt(b), n, p.name())}
		}
		return p.text(b), nil
	case opInt8, opInt16, opInt32, opInt64, opDouble, opFloat, opDecimal:
		n, fine := parseNumber(b, loose)
		if !fine {
			return nil, p.wrong(b)
		}
		return p.number(&n)
	case opBoolean:
		switch {
		case string(b) == "true", loose && strings.EqualFold(string(b), "true"):
			return true, nil
		case string(b) == "false", loose && strings.EqualFold(string(b), "false"):
			return false, nil
		}
	case opDate:
		if d, rest, fine := readDate(b); fine && len(rest) == 0 {
			return d, nil
		} else if fine {
			// A time is dropped only where it says nothing.
			if t, form := readTimestamp(b); form == formGood && t.Equal(d) {
				return d, nil
			}
		}
	case opTimestamp:
		t, form := readTimestamp(b)
		switch form {
		case formGood:
			return t, nil
		case formTooFine:
			return nil, &trouble{OutOfRange, fmt.Sprintf("%s is finer than the microseconds that %s holds", excerpt(b), p.name())}
		}
	case opBinary:
		out := make([]byte, base64.StdEncoding.DecodedLen(len(b)))
		n, err := base64.StdEncoding.Strict().Decode(out, b)
		if err == nil {
			return out[:n], nil
		}
		t := p.wrong(b)
		t.message += " in base64"
		return nil, t
	}
	if p.op == opDate || p.op == opTimestamp {
		if n, fine := parseNumber(b, loose); fine {
			return p.number(&n)
		}
	}
	return nil, p.wrong(b)
}

// digits reads n digits at the start of b.
func digits(b []byte, n int) (int, bool) {
	if len(b) < n {
		return 0, false
	}
	v := 0
	for _, c := range b[:n] {
		if c-'0' > 9 {
			return 0, false
		}
		v = v*10 + int(c-'0')
	}
	return v, true
}

// oneOrTwo reads the one or two digits at the start of b: Hive writes two and takes one.
func oneOrTwo(b []byte) (v int, rest []byte, fine bool) {
	if v, fine := digits(b, 2); fine {
		return v, b[2:], true
	}
	v, fine = digits(b, 1)
	return v, b[min(1, len(b)):], fine
}

// after drops the byte that has to come next.
func after(b []byte, want byte) ([]byte, bool) {
	if len(b) == 0 || b[0] != want {
		return b, false
	}
	return b[1:], true
}

// readDate reads YYYY-MM-DD (or YYYY-M-D), a real day of the years 1 to 9999, at the start of b.
func readDate(b []byte) (day time.Time, rest []byte, fine bool) {
	y, fine := digits(b, 4)
	if !fine || y < 1 || len(b) < 5 || b[4] != '-' {
		return day, b, false
	}
	m, rest, fine := oneOrTwo(b[5:])
	if !fine || m < 1 || m > 12 || len(rest) == 0 || rest[0] != '-' {
		return day, b, false
	}
	d, rest, fine := oneOrTwo(rest[1:])
	if !fine || d < 1 {
		return day, b, false
	}
	day = time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	return day, rest, day.Day() == d
}

type form uint8

const (
	formWrong form = iota
	formTooFine
	formGood
)

// readTimestamp reads a date alone, which is its midnight, or with hh:mm or hh:mm:ss behind a blank or a T, up to nine
// decimals and a zone: Z, +hh, +hhmm or +hh:mm.
func readTimestamp(b []byte) (time.Time, form) {
	t, b, fine := readDate(b)
	if !fine {
		return t, formWrong
	}
	if len(b) == 0 {
		return t, formGood
	}
	if b[0] != ' ' && b[0] != 'T' {
		return t, formWrong
	}
	h, b, good1 := oneOrTwo(b[1:])
	b, good2 := after(b, ':')
	m, b, good3 := oneOrTwo(b)
	if !good1 || !good2 || !good3 || h > 23 || m > 59 {
		return t, formWrong
	}
	s, nanos, form := 0, 0, formGood
	if rest, seconds := after(b, ':'); seconds {
		if s, b, fine = oneOrTwo(rest); !fine || s > 59 {
			return t, formWrong
		}
		if nanos, b, form = decimals(b); form == formWrong {
			return t, formWrong
		}
	}
	east, fine := readZone(b)
	if !fine {
		return t, formWrong
	}
	y, mo, d := t.Date()
	return time.Date(y, mo, d, h, m-east, s, nanos, time.UTC), form
}

// decimals reads the decimals of seconds, if there are any.
func decimals(b []byte) (nanos int, rest []byte, f form) {
	b, some := after(b, '.')
	if !some {
		return 0, b, formGood
	}
	n := 0
	for ; n < 9 && len(b) > 0 && b[0]-'0' <= 9; b = b[1:] {
		nanos = nanos*10 + int(b[0]-'0')
		n++
	}
	if n == 0 {
		return 0, b, formWrong
	}
	for ; n < 9; n++ {
		nanos *= 10
	}
	if nanos%1000 != 0 {
		return nanos, b, formTooFine
	}
	return nanos, b, formGood
}

// readZone gives the minutes east of UTC.
func readZone(b []byte) (int, bool) {
	if len(b) == 0 || len(b) == 1 && (b[0] == 'Z' || b[0] == 'z') {
		return 0, true
	}
	if b[0] != '+' && b[0] != '-' {
		return 0, false
	}
	h, good := digits(b[1:], 2)
	m := 0
	switch {
	case len(b) == 5:
		var fine bool
		m, fine = digits(b[3:], 2)
		good = good && fine
	case len(b) == 6 && b[3] == ':':
		var fine bool
		m, fine = digits(b[4:], 2)
		good = good && fine
	case len(b) != 3:
		return 0, false
	}
	if !good || h > 15 || m > 59 {
		return 0, false
	}
	if b[0] == '-' {
		return -(h*60 + m), true
	}
	return h*60 + m, true
}
