package careful

import (
	"strings"

	"tarn/internal/schema"
)

// fields finds the columns of a table, or the fields of a struct, by the keys of an object.
type fields struct {
	plans  []*plan
	names  []string // of the columns
	prefix string   // of the names of unknown fields
	exact  map[string]int
	folded map[string]int

	dots bool // a dot in a key can stand for _ in the column's name

	seen []int64 // by column: the object that had it last

	// refs holds keys met so far, as written between the quotes; order is how the last objects had them, so that most keys
	// need one comparison; rest holds those of the current object that have no place in refs.
	refs    map[string]*ref
	decoded map[string]*ref
	order   []*ref
	rest    map[string]int64
}

// ref is a key that was met.
type ref struct {
	raw     string // as written
	name    string // decoded, with the prefix
	column  int    // -1 for none
	seen    int64  // the object that had it last
	counted int64  // the top-level object in which it was counted last
	unknown *Unknown
	others  bool // it is counted among Stats.Others
}

const (
	maxRefs    = 4096
	maxRefName = 256
)

func newFields(columns []schema.Column, keys map[string]string, prefix string) *fields {
	f := &fields{
		prefix: prefix, exact: map[string]int{}, folded: map[string]int{}, seen: make([]int64, len(columns)),
		refs: map[string]*ref{}, decoded: map[string]*ref{}, rest: map[string]int64{},
	}
	for i, c := range columns {
		f.plans = append(f.plans, newPlan(c.Type, prefix+c.Name))
		f.names = append(f.names, c.Name)
		key := c.Name
		if k, renamed := keys[c.Name]; renamed {
			key = k
		}
		if _, taken := f.exact[key]; !taken {
			f.exact[key] = i
		}
		// Keys that differ only in case can tell columns apart only as they are written.
		low := strings.ToLower(key)
		if _, taken := f.folded[low]; taken {
			f.folded[low] = -1
		} else {
			f.folded[low] = i
		}
	}
	return f
}

// find gives the column of a decoded key, -1 for none.
func (f *fields) find(key string) int {
	if i, known := f.exact[key]; known {
		return i
	}
	low := strings.ToLower(key)
	if i, known := f.folded[low]; known {
		return i
	}
	if f.dots && strings.Contains(key, ".") {
		if i, known := f.folded[strings.ReplaceAll(low, ".", "_")]; known {
			return i
		}
	}
	return -1
}

// allowDots sets dots here and in all structs within.
func (f *fields) allowDots() {
	f.dots = true
	for _, p := range f.plans {
		p.allowDots()
	}
}

func (p *plan) allowDots() {
	if p == nil {
		return
	}
	p.elem.allowDots()
	if p.fields != nil {
		p.fields.allowDots()
	}
}

// lookup finds the ref of a key that stands at place k of an object. There is none (nil) if too many keys were met or the
// key is very long.
func (f *fields) lookup(raw []byte, escaped bool, k int) *ref {
	r := f.refs[string(raw)]
	if r == nil {
		if len(raw) > maxRefName || len(f.refs) >= maxRefs {
			return nil
		}
		r = &ref{raw: string(raw), column: -1}
		key := r.raw
		if escaped {
			key = string(unescape(nil, raw))
		}
		if same := f.decoded[key]; same != nil {
			r = same
		} else {
			r.name = f.prefix + key
			r.column = f.find(key)
			f.decoded[key] = r
		}
		f.refs[string(raw)] = r
	}
	if r.raw == string(raw) {
		switch {
		case k < len(f.order):
			f.order[k] = r
		case k == len(f.order) && k < maxRefs:
			f.order = append(f.order, r)
		}
	}
	return r
}
