package crawl

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/careful"
	"tarn/internal/schema"
)

// sampled reads JSON as a crawl reads file number file.
func sampled(text []byte, file int) *fieldSet {
	set, budget := newFieldSet(), maxPlaces
	w := &walker{next: spot(file) << fileBits, budget: &budget}
	r := careful.NewJSON(bytes.NewReader(text), careful.Options{MaxObject: 1 << 20})
	for {
		_, bad, err := r.Next()
		if errors.Is(err, io.EOF) {
			return set
		}
		if bad == nil {
			object, line := r.Text()
			w.object(object, line, set)
		}
	}
}

func joined(sets ...*fieldSet) *fieldSet {
	out := newFieldSet()
	for _, s := range sets {
		out.join(s, nil)
	}
	return out
}

// defined gives the columns that evidence makes, as a table has them.
func defined(set *fieldSet) (*builder, string) {
	b := &builder{Table: &Table{}, profile: newProfile(), taken: map[string]bool{}}
	b.profile.set = set
	b.def = newDefinition("json")
	b.def.Location, b.def.Name = "x/", "t"
	b.json()
	return b, b.def.String() + textsOf(b.Conflicts) + strings.Join(b.Notes, "\n")
}

func textsOf(list []Conflict) string {
	var out []string
	for _, c := range list {
		out = append(out, c.Text(nil))
	}
	return strings.Join(out, "\n")
}

// refusedBy gives what does not load by columns though it is good JSON, each key once.
func refusedBy(text []byte, b *builder) []careful.Bad {
	columns := make([]schema.Column, len(b.def.Columns))
	for i, c := range b.def.Columns {
		columns[i] = c.Column
	}
	var out []careful.Bad
	r := careful.NewJSON(bytes.NewReader(text), careful.Options{Columns: columns, Keys: b.def.JSON().Mapping, MaxObject: 1 << 20})
	for {
		_, bad, err := r.Next()
		if err != nil {
			return out
		}
		if bad == nil {
			continue
		}
		// What no definition loads is none of the types' concern: broken objects, and those that have a key twice.
		plain := careful.NewJSON(bytes.NewReader(text[bad.Offset:]), careful.Options{MaxObject: 1 << 20})
		if row, _, _ := plain.Next(); row != nil && !repeats(sampled([]byte(bad.Raw), 0)) {
			out = append(out, *bad)
		}
	}
}

// repeats reports whether some object within has a key twice. Of the top, the reader has refused such objects.
func repeats(s *fieldSet) bool {
	if s == nil {
		return false
	}
	if s.repeated || s.objects == 0 {
		return true
	}
	for _, f := range s.byName {
		for e := &f.evidence; e != nil; e = e.elem {
			if e.fields != nil && repeats(e.fields) {
				return true
			}
		}
	}
	return false
}

// FuzzTypes holds types to what they promise: the evidence of two samples joins to the same whatever the order and however
// they are grouped, seeing a sample twice changes nothing, and every object that was read loads as the columns say.
func FuzzTypes(f *testing.F) {
	for _, s := range []string{
		"{\"a\":1}\n{\"a\":2.5}\n{\"a\":\"x\"}",
		"{\"a\":9007199254740993}\n{\"a\":0.1}\n{\"a\":null}",
		"{\"a\":1e400}\n{\"a\":1}\n{}",
		"{\"a\":123456789012345678901234567890123456789}\n{\"a\":1.5}\n{\"a\":-0}",
		"{\"a\":{\"b\":1}}\n{\"a\":{\"b\":[1]}}\n{\"a\":{\"2024-01-01\":true}}",
		"{\"A\":1,\"a\":2}\n{\"a\":{\"B\":1,\"b\":2}}\n{\"a\":[]}",
		"{\"a\":\"2024-01-01\"}\n{\"a\":\"2024-01-01 10:00:00\"}\n{\"a\":\"2024-02-30\"}",
		"{\"a\":\"2024-01-01T10:00:00Z\"}\n{\"a\":\"2024-01-01 10:00:00.123456789\"}\n{\"a\":\"\"}",
		"{\"a\":true}\n{\"a\":\"true\"}\n{\"a\":\"yes\"}",
		"{\"a\":5}\n{\"a\":\"5\"}\n{\"a\":\"05\"}",
		"{\"a b\":1,\"a_b\":2,\"\":3}\n{\"_file\":1}\n{\"a.b\":{}}",
		"{\"a\":[[1],[\"x\"]]}\n{\"a\":[null]}\n{\"a\":[[[]]]}",
		"{\"a\":0.1234567890123456789}\n{\"a\":12345678901234567890123}\n{\"a\":1e-40}",
		"{\"a\":{\"x\":1,\"x\":2}}\n{\"a\":{\"\\u0041\":1,\"A\":2}}\n{\"\\u00e9\":1}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		parts := bytes.SplitN(data, []byte("\n"), 3)
		for len(parts) < 3 {
			parts = append(parts, nil)
		}
		read := func() [3]*fieldSet {
			return [3]*fieldSet{sampled(parts[0], 0), sampled(parts[1], 1), sampled(parts[2], 2)}
		}
		s := read()
		b, want := defined(joined(s[0], s[1], s[2]))
		for name, other := range map[string]func() *fieldSet{
			"the other way round": func() *fieldSet { s := read(); return joined(s[2], s[1], s[0]) },
			"grouped to the right": func() *fieldSet {
				s := read()
				s[1].join(s[2], nil)
				s[0].join(s[1], nil)
				return s[0]
			},
			"grouped to the left": func() *fieldSet {
				s := read()
				s[0].join(s[1], nil)
				s[0].join(s[2], nil)
				return s[0]
			},
		} {
			if _, got := defined(other()); got != want {
				t.Errorf("%s: -want +got\n%s", name, cmp.Diff(want, got))
			}
		}
		s, again := read(), read()
		twice, _ := defined(joined(s[0], s[1], s[2], again[0], again[1], again[2]))
		if got, want := twice.def.String(), b.def.String(); got != want {
			t.Errorf("seen twice: -want +got\n%s", cmp.Diff(want, got))
		}
		for _, p := range parts {
			for _, bad := range refusedBy(p, b) {
				t.Errorf("%s: %s: %s (%s)\n%s", bad.Raw, bad.Column, bad.Message, bad.Reason, b.def)
			}
		}
	})
}

// TestTypesOfMadeUpValues does the same with values that are likelier to meet than those of the fuzzer.
func TestTypesOfMadeUpValues(t *testing.T) {
	t.Parallel()
	pool := []string{"null", "true", "false", "1", "0", "-1", "2147483648", "9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775809", "1.5", "1.0", "0.1", "1e3", "1E-7", "1.7976931348623157e308",
		"1e309", "1e-400", "0.12345678901234567890", "12345678901234567890123456789012345678", "123456789012345678901234567890123456789", "0.000000000000000000000000000000000000001", "\"\"", "\"x\"", "\"5\"", "\"05\"", "\"1.5\"",
		"\"true\"", "\"2024-01-31\"", "\"2024-02-30\"", "\"2024-01-31 10:00:00\"", "\"2024-01-31T10:00:00Z\"", "\"2024-01-31T10:00:00+02:00\"", "\"2024-01-31 10:00:00.123456789\"", "\"967-01-01\"", "\"1e400\"", "[]", "[1]", "[\"x\",null]",
		"[[1],[2.5]]", "{}", "{\"k\":1}", "{\"K\":\"x\"}", "{\"k\":null,\"l\":[1]}", "{\"a b\":1}", "{\"2024-01-01\":1,\"2024-01-02\":2}", "{\"k\":1,\"K\":2}", "-0", "-0.0", "100000000000000000000", "0.5e1"}
	r := rand.New(rand.NewPCG(1, 2))
	for range 4000 {
		var parts [][]byte
		n := 2 + r.IntN(3)
		for range n {
			parts = append(parts, []byte("{\"f\":"+pool[r.IntN(len(pool))]+"}\n"))
		}
		sets := func() []*fieldSet {
			out := make([]*fieldSet, n)
			for i, p := range parts {
				out[i] = sampled(p, i)
			}
			return out
		}
		b, want := defined(joined(sets()...))
		back := sets()
		slices.Reverse(back)
		if _, got := defined(joined(back...)); got != want {
			t.Fatalf("%s: the other way round: -want +got\n%s", parts, cmp.Diff(want, got))
		}
		for _, p := range parts {
			if bad := refusedBy(p, b); len(bad) > 0 {
				t.Fatalf("%s: %s does not load: %s\n%s", parts, p, bad[0].Message, b.def)
			}
		}
	}
}
