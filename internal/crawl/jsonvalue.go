package crawl

import (
	"bytes"
	"encoding/json"
)

// walker takes the values of JSON objects up as evidence. The text was read by the careful reader before, so it is known to
// be JSON with at most a comma too much.
type walker struct {
	b    []byte
	i    int
	next spot
	line int64
	// objects numbers the objects, so that each is known by its number.
	objects int64
	budget  *int // how many more places may be told apart
}

const (
	// maxDepth is how deep types may nest: what is below stays text.
	maxDepth = 12
	// maxPlaces bounds the places of values in one file that are told apart; each takes about a kilobyte.
	maxPlaces = 20_000
)

func (w *walker) space() {
	for w.i < len(w.b) {
		switch w.b[w.i] {
		case ' ', '\t', '\r', '\n', ',', ':':
			w.i++
		default:
			return
		}
	}
}

// object takes one top-level object up.
func (w *walker) object(text []byte, line int64, into *fieldSet) {
	w.b, w.i, w.line = text, 0, line
	w.space()
	w.members(into, 0)
}

func (w *walker) members(into *fieldSet, depth int) {
	w.objects++
	into.objects++
	me := w.objects
	w.i++
	for {
		w.space()
		if w.b[w.i] == '}' {
			w.i++
			return
		}
		key := w.string()
		w.space()
		f := into.get(key)
		known := f != nil && f.evidence.seen > 0
		if f == nil || !known && *w.budget <= 0 {
			w.value(into.others(), depth+1, false)
			into.values++
			continue
		}
		if !known {
			*w.budget--
		}
		if f.fold.last == me {
			f.fold.twice = f.fold.twice || f.fold.key != f.name
			into.repeated = into.repeated || f.fold.key == f.name
		}
		f.fold.last, f.fold.key = me, f.name
		into.values++
		w.value(&f.evidence, depth+1, depth == 0)
	}
}

// string reads a string, decoded.
func (w *walker) string() []byte {
	start := w.i
	w.i++
	escaped := false
	for w.b[w.i] != '"' {
		if w.b[w.i] == '\\' {
			escaped = true
			w.i++
		}
		w.i++
	}
	w.i++
	if !escaped {
		return w.b[start+1 : w.i-1]
	}
	var s string
	if json.Unmarshal(w.b[start:w.i], &s) != nil {
		return w.b[start+1 : w.i-1] // the careful reader took it
	}
	return []byte(s)
}

func (w *walker) value(e *evidence, depth int, top bool) {
	w.next++
	at := w.next
	if e.seen++; e.seen == 1 {
		e.first = at
	}
	switch c := w.b[w.i]; c {
	case '"':
		s := string(w.string())
		e.text(s, at, w.line, false)
		if top {
			e.count(s)
		}
	case '{', '[':
		start := w.i
		if depth >= maxDepth {
			w.skip()
			e.add(deep, at, w.line, string(w.b[start:min(w.i, start+2*exampleBytes)]))
			return
		}
		if c == '{' {
			if e.fields == nil {
				e.fields = newFieldSet()
			}
			w.members(e.fields, depth)
		} else {
			w.elements(e, depth)
		}
		k := objects
		if c == '[' {
			k = arrays
		}
		if e.kinds[k].count == 0 {
			e.add(k, at, w.line, string(bytes.Join(bytes.Fields(w.b[start:min(w.i, start+4*exampleBytes)]), []byte(" "))))
		} else {
			e.kinds[k].count++
		}
	case 'n':
		w.i += len("null")
		e.nulls++
	case 't', 'f':
		word := "true"
		if c == 'f' {
			word = "false"
		}
		w.i += len(word)
		e.add(booleans, at, w.line, word)
		if top {
			e.count(word)
		}
	default:
		start := w.i
		for w.i < len(w.b) && w.b[w.i] != ',' && w.b[w.i] != '}' && w.b[w.i] != ']' && w.b[w.i] > ' ' {
			w.i++
		}
		s := string(w.b[start:w.i])
		n, _ := parseNumber(s, false)
		k := wholes
		if !n.whole {
			k = fractions
		}
		e.numbers.add(n, s)
		e.add(k, at, w.line, s)
		if top {
			e.count(s)
		}
	}
}

func (e *evidence) count(value string) {
	if e.distinct == nil {
		e.distinct = &distinct{}
	}
	e.distinct.add(value)
}

func (w *walker) elements(e *evidence, depth int) {
	w.i++
	for {
		w.space()
		if w.b[w.i] == ']' {
			w.i++
			return
		}
		if e.elem == nil {
			e.elem = &evidence{}
		}
		w.value(e.elem, depth+1, false)
	}
}

// skip goes over an object or array.
func (w *walker) skip() {
	depth := 0
	for {
		switch w.b[w.i] {
		case '"':
			w.string()
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		w.i++
		if depth == 0 {
			return
		}
	}
}
