package crawl

import (
	"strings"
	"unicode/utf8"

	"tarn/internal/careful"
	"tarn/internal/schema"
)

// kind is what one value is, as far as types differ by it.
type kind uint8

const (
	booleans kind = iota
	wholes
	fractions
	texts // that are none of the following
	emptyTexts
	numberTexts
	booleanTexts
	dateTexts
	timeTexts  // timestamps of at most microseconds
	zonedTexts // the same with a T or a zone, which not every reader takes
	fineTexts  // timestamps finer than microseconds
	objects
	arrays
	deep // nested deeper than maxDepth
	kinds
)

// spoken names kinds for people.
var spoken = [kinds]string{"boolean", "whole number", "number with a fraction", "text", "empty text", "number in quotes", "true or false in quotes",
	"date", "timestamp", "timestamp with T or zone", "timestamp finer than microseconds", "object", "array", "deeply nested value"}

// spot is a place in the sample: the number of the file in the high bits, a running number in the low ones.
type spot int64

const fileBits = 40

func (s spot) file() int { return int(s >> fileBits) }

// met says how often a kind of value was met and where first.
type met struct {
	count   int64
	at      spot
	line    int64
	example string
}

func (m *met) join(o met) {
	if o.count == 0 {
		return
	}
	if m.count == 0 || o.at < m.at {
		m.at, m.line, m.example = o.at, o.line, o.example
	}
	m.count += o.count
}

// evidence is what is known of the values of a field. Evidence of two samples joins to that of both, in any order; the type
// is a function of it (see decide).
type evidence struct {
	first spot
	// seen counts objects that have the field, null or not.
	seen, nulls int64
	kinds       [kinds]met

	numbers numbers // those that are no texts
	quoted  numbers // those that are
	// markers are texts that stand for nothing in text files, such as NULL; they are in no kind.
	markers map[string]met

	min, max string // of texts, cut
	longest  int    // bytes of the longest text
	loose    bool   // they stood in text files

	fields *fieldSet
	elem   *evidence
	// distinct is there for scalars at the top only.
	distinct *distinct
}

// join takes o up. Budget is how many places may be added; nil is no limit.
func (e *evidence) join(o *evidence, budget *int) {
	if o == nil || o.seen == 0 && o.nulls == 0 {
		return
	}
	hadText := e.texts()
	if e.seen == 0 || o.first < e.first {
		e.first = o.first
	}
	e.seen += o.seen
	e.nulls += o.nulls
	for k := range e.kinds {
		e.kinds[k].join(o.kinds[k])
	}
	e.numbers.join(o.numbers)
	e.quoted.join(o.quoted)
	for name, m := range o.markers {
		e.marker(name, m)
	}
	switch {
	case !o.texts():
	case !hadText:
		e.min, e.max = o.min, o.max
	default:
		e.min, e.max = min(e.min, o.min), max(e.max, o.max)
	}
	e.longest = max(e.longest, o.longest)
	e.loose = e.loose || o.loose
	if o.fields != nil {
		if e.fields == nil {
			e.fields = newFieldSet()
		}
		e.fields.join(o.fields, budget)
	}
	if o.elem != nil {
		if e.elem == nil {
			e.elem = &evidence{}
		}
		e.elem.join(o.elem, budget)
	}
	if o.distinct != nil {
		if e.distinct == nil {
			e.distinct = &distinct{}
		}
		e.distinct.join(o.distinct)
	}
}

// texts reports whether min and max are set. In text files an empty field is no text, and leaves them as they are.
func (e *evidence) texts() bool { return e.longest > 0 || e.kinds[emptyTexts].count > 0 && !e.loose }

func (e *evidence) marker(name string, m met) {
	if e.markers == nil {
		e.markers = map[string]met{}
	}
	have := e.markers[name]
	have.join(m)
	e.markers[name] = have
}

// field is one key of objects.
type field struct {
	name     string
	evidence evidence
	fold     *fold
}

// fold is what keys have in common that differ only in case.
type fold struct {
	last  int64 // the object that had one of them last
	key   string
	twice bool // one object had two
}

// fieldSet are the keys of the objects that stand in one place.
type fieldSet struct {
	byName map[string]*field
	folds  map[string]*fold
	// rest is what was found under further keys, once there are too many.
	rest *evidence
	// repeated says that one object had a key twice, which no table can hold.
	repeated bool
	// values counts all values, objects all objects.
	values, objects int64
}

func newFieldSet() *fieldSet {
	return &fieldSet{byName: map[string]*field{}, folds: map[string]*fold{}}
}

// maxFields bounds the keys of one place that are told apart.
const maxFields = 2000

// get finds the field of a key, or makes it; nil says that there are too many.
func (s *fieldSet) get(name []byte) *field {
	if f := s.byName[string(name)]; f != nil {
		return f
	}
	if len(s.byName) >= maxFields || len(name) > 1024 {
		return nil
	}
	return s.make(string(name))
}

func (s *fieldSet) make(name string) *field {
	low := strings.ToLower(name)
	if s.folds[low] == nil {
		s.folds[low] = &fold{}
	}
	f := &field{name: name, fold: s.folds[low]}
	s.byName[name] = f
	return f
}

func (s *fieldSet) others() *evidence {
	if s.rest == nil {
		s.rest = &evidence{}
	}
	return s.rest
}

func (s *fieldSet) join(o *fieldSet, budget *int) {
	for name, f := range o.byName {
		to := s.byName[name]
		switch {
		case to != nil:
		case len(s.byName) < maxFields && (budget == nil || *budget > 0):
			to = s.make(name)
			if budget != nil {
				*budget--
			}
		default:
			s.others().join(&f.evidence, budget)
			continue
		}
		to.evidence.join(&f.evidence, budget)
		to.fold.twice = to.fold.twice || f.fold.twice
	}
	if o.rest != nil {
		s.others().join(o.rest, budget)
	}
	s.repeated = s.repeated || o.repeated
	s.values += o.values
	s.objects += o.objects
}

// add takes a value of a kind up.
func (e *evidence) add(k kind, at spot, line int64, example string) {
	m := &e.kinds[k]
	if m.count++; m.count == 1 {
		m.at, m.line, m.example = at, line, cut(example)
	}
}

// text takes a text up, as one of the kinds that it can be read as.
func (e *evidence) text(s string, at spot, line int64, loose bool) {
	e.loose = e.loose || loose
	short := s
	if len(short) > exampleBytes {
		short = cut(short)
	}
	if s == "" && loose {
		// It will be null.
	} else if e.longest == 0 && (loose || e.kinds[emptyTexts].count == 0) {
		e.min, e.max = strings.Clone(short), strings.Clone(short)
	} else if short < e.min {
		e.min = strings.Clone(short)
	} else if short > e.max {
		e.max = strings.Clone(short)
	}
	e.longest = max(e.longest, len(s))
	k := kindOf(s)
	if k == texts && loose {
		// In text files these have no quotes, and white space around them is the writer's.
		if t := strings.Trim(s, " \t"); t != s {
			switch loosely := kindOf(t); loosely {
			case emptyTexts, numberTexts, booleanTexts:
				k, s = loosely, t
			}
		}
		if strings.EqualFold(s, "true") || strings.EqualFold(s, "false") {
			k = booleanTexts
		}
	}
	n, isNumber := number{}, k == numberTexts
	if isNumber {
		n, _ = parseNumber(s, false)
	} else if k == texts && loose {
		if n, isNumber = parseNumber(s, true); isNumber {
			k = numberTexts
		}
	}
	if isNumber {
		e.quoted.add(n, s)
	}
	e.add(k, at, line, s)
}

var (
	dateType      = schema.Type{Kind: schema.Date}
	timestampType = schema.Type{Kind: schema.Timestamp}
)

// kindOf finds what a text reads as; the careful reader has the last word on dates and timestamps.
func kindOf(s string) kind {
	switch {
	case s == "":
		return emptyTexts
	case s == "true" || s == "false":
		return booleanTexts
	case s[0] == '-' || s[0] >= '0' && s[0] <= '9':
	default:
		return texts
	}
	if len(s) >= 10 && s[4] == '-' && s[7] == '-' {
		if len(s) == 10 {
			if _, err := careful.Text(s, dateType); err == nil {
				return dateTexts
			}
			return texts
		}
		if len(s) >= 19 && s[13] == ':' {
			return timeKind(s)
		}
	}
	if _, ok := parseNumber(s, false); ok {
		return numberTexts
	}
	return texts
}

func timeKind(s string) kind {
	if _, err := careful.Text(s, timestampType); err != nil {
		// Reading less of its decimals tells whether they are all that is wrong.
		if i := strings.IndexByte(s, '.'); i > 0 {
			rest := s[i+1:]
			digits := leadingDigits(rest)
			if len(digits) > 6 && len(digits) <= 9 {
				if _, err := careful.Text(s[:i]+rest[len(digits):], timestampType); err == nil {
					return fineTexts
				}
			}
		}
		return texts
	}
	if s[10] != ' ' || strings.ContainsAny(s[19:], "Zz+-") {
		return zonedTexts
	}
	return timeTexts
}

// exampleBytes is how much of a value is kept to be shown.
const exampleBytes = 60

// cut shortens a text to what is shown of it, at a character.
func cut(s string) string {
	if len(s) <= exampleBytes {
		return strings.Clone(s)
	}
	end := exampleBytes - len("…")
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
