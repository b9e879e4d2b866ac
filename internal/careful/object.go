package careful

import "fmt"

// parser reads one object into a row. Where the text is JSON but no row can come of it, bad says why and the object is
// read to its end all the same.
type parser struct {
	scanner
	top       *fields
	row       []any
	objects   int64 // objects and structs begun so far; the number of each names it in fields and ref
	current   int64 // that of the row
	column    string
	bad       *trouble
	badColumn string
	badText   bool // badUTF8 was turned into bad
	touched   []touch
	scratch   []byte
}

// touch is a field without a column that the object has.
type touch struct {
	ref      *ref // nil for one that is only counted
	from, to int  // its value
}

// object reads the object that b begins with.
func (p *parser) object(b []byte) status {
	p.reset(b)
	p.column, p.bad, p.badColumn, p.badText = "", nil, "", false
	p.touched = p.touched[:0]
	p.current = p.objects + 1
	return p.members(p.top, p.row)
}

func (p *parser) refuse(t *trouble) {
	if p.bad == nil {
		p.bad, p.badColumn = t, p.column
	}
}

// members reads an object from its opening to its closing brace into the values of its fields.
func (p *parser) members(f *fields, row []any) status {
	p.objects++
	me, top := p.objects, f == p.top
	if len(f.rest) > 0 {
		clear(f.rest)
	}
	if st := p.enter(); st != ok {
		return st
	}
	p.at++
	for k := 0; ; k++ {
		more, st := p.next(k == 0, '}')
		if st != ok {
			return st
		}
		if !more {
			break
		}
		if st := p.quote(); st != ok {
			return st
		}
		if top {
			p.column = ""
		}
		r, column, twice, st := p.key(f, k, me)
		if st != ok {
			return st
		}
		if top && column >= 0 {
			p.column = f.names[column]
		}
		if twice != "" {
			p.refuse(&trouble{DuplicateKey, twice})
		}
		if st := p.colon(); st != ok {
			return st
		}
		start := p.at
		switch {
		case column < 0:
			st = p.skip()
			p.touched = append(p.touched, touch{r, start, p.at})
		case twice != "":
			st = p.skip()
		default:
			row[column], st = p.value(f.plans[column])
		}
		if st != ok {
			return st
		}
		if p.badUTF8 != "" && !p.badText {
			// Of several things wrong with an object, text that cannot be read is the one to tell.
			p.badText = true
			p.bad, p.badColumn = &trouble{InvalidUTF8, p.badUTF8}, p.column
		}
	}
	p.depth--
	for i, seen := range f.seen {
		if seen != me {
			row[i] = nil
		}
	}
	return ok
}

// key reads a key from behind its opening quote and finds what it stands for: a column, or -1. Twice is the complaint
// about a key that the object numbered me had before.
func (p *parser) key(f *fields, k int, me int64) (r *ref, column int, twice string, st status) {
	var raw []byte
	var escaped bool
	if k < len(f.order) {
		guess := f.order[k]
		if end := p.at + len(guess.raw); end < len(p.b) && p.b[end] == '"' && string(p.b[p.at:end]) == guess.raw {
			r = guess
			p.at = end + 1
		}
	}
	if r == nil {
		var from, to int
		from, to, escaped, st = p.text()
		if st != ok {
			return nil, -1, "", st
		}
		raw = p.b[from:to]
		// A key that is no UTF-8 must be looked at each time it is met, so it is not remembered.
		if p.badUTF8 == "" {
			r = f.lookup(raw, escaped, k)
		}
	}
	if r == nil {
		name := string(raw)
		if escaped {
			name = string(unescape(nil, raw))
		}
		column = f.find(name)
		if column < 0 {
			if f.rest[name] == me {
				twice = fmt.Sprintf("the key %s stands twice", excerpt([]byte(name)))
			}
			f.rest[name] = me
			return nil, column, twice, ok
		}
	} else {
		column = r.column
		if column < 0 {
			if r.seen == me {
				twice = fmt.Sprintf("the key %s stands twice", excerpt([]byte(r.name)))
			}
			r.seen = me
			return r, column, twice, ok
		}
	}
	if f.seen[column] == me {
		twice = fmt.Sprintf("the column %s stands twice", f.names[column])
	}
	f.seen[column] = me
	return r, column, twice, ok
}

// value reads one value.
func (p *parser) value(pl *plan) (any, status) {
	start := p.at
	switch c := p.b[start]; c {
	case '"':
		p.at++
		from, to, escaped, st := p.text()
		if st != ok {
			return nil, st
		}
		b := p.b[from:to]
		if escaped {
			p.scratch = unescape(p.scratch[:0], b)
			b = p.scratch
		}
		if pl.op == opString {
			return pl.text(b), ok
		}
		return p.take(pl.fromText(b, false))
	case '{', '[':
		switch {
		case c == '{' && pl.op == opStruct:
			out := make(StructValue, len(pl.fields.plans))
			st := p.members(pl.fields, out)
			return out, st
		case c == '{' && pl.op == opMap:
			return p.entries(pl)
		case c == '[' && pl.op == opArray:
			return p.elements(pl)
		}
		if st := p.skip(); st != ok {
			return nil, st
		}
	case 'n':
		return nil, p.literal("null")
	case 't', 'f':
		word := "true"
		if c == 'f' {
			word = "false"
		}
		if st := p.literal(word); st != ok {
			return nil, st
		}
		if pl.op == opBoolean {
			return c == 't', ok
		}
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		n, st := p.number()
		if st != ok {
			return nil, st
		}
		if pl.op > opLimited {
			return p.take(pl.number(&n))
		}
	default:
		return nil, p.noValue()
	}
	// What is not a string is kept in text columns as it is written.
	raw := p.b[start:p.at]
	if pl.op == opString || pl.op == opLimited {
		return p.take(pl.fromText(raw, false))
	}
	return p.take(nil, pl.wrong(raw))
}

func (p *parser) take(v any, t *trouble) (any, status) {
	if t != nil {
		p.refuse(t)
		return nil, ok
	}
	return v, ok
}

func (p *parser) elements(pl *plan) (any, status) {
	if st := p.enter(); st != ok {
		return nil, st
	}
	p.at++
	out := []any{}
	for first := true; ; first = false {
		more, st := p.next(first, ']')
		if st != ok {
			return nil, st
		}
		if !more {
			p.depth--
			return out, ok
		}
		v, st := p.value(pl.elem)
		if st != ok {
			return nil, st
		}
		out = append(out, v)
	}
}

func (p *parser) entries(pl *plan) (any, status) {
	if st := p.enter(); st != ok {
		return nil, st
	}
	p.at++
	out := []MapEntry{}
	var had map[any]bool
	for first := true; ; first = false {
		more, st := p.next(first, '}')
		if st != ok {
			return nil, st
		}
		if !more {
			p.depth--
			return out, ok
		}
		if st := p.quote(); st != ok {
			return nil, st
		}
		from, to, escaped, st := p.text()
		if st != ok {
			return nil, st
		}
		key := p.b[from:to]
		if escaped {
			key = unescape(nil, key)
		}
		k, t := pl.key.fromText(key, false)
		if t != nil {
			p.refuse(t)
		} else {
			if had == nil {
				had = map[any]bool{}
			}
			if id := identity(k); had[id] {
				p.refuse(&trouble{DuplicateKey, fmt.Sprintf("the key %s stands twice", excerpt(key))})
			} else {
				had[id] = true
			}
		}
		if st := p.colon(); st != ok {
			return nil, st
		}
		v, st := p.value(pl.elem)
		if st != ok {
			return nil, st
		}
		out = append(out, MapEntry{Key: k, Value: v})
	}
}

// identity makes a map key comparable.
func identity(v any) any {
	switch v := v.(type) {
	case []byte:
		return string(v)
	case Decimal:
		return v.Unscaled.String()
	}
	return v
}
