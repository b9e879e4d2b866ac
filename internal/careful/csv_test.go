package careful

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/schema"
)

var (
	openCSV = Dialect{Separator: ',', Quote: '"', Escape: '\\'}
	lazy    = Dialect{Separator: ',', Null: `\N`}
	escaped = Dialect{Separator: ',', Escape: '\\', Null: `\N`}
)

// readCSV reads text in several ways that have to agree.
func readCSV(t testing.TB, text string, o Options, d Dialect) []string {
	t.Helper()
	want := told(t, NewCSV(strings.NewReader(text), o, d))
	for name, r := range map[string]io.Reader{
		"one byte a read":     iotest.OneByteReader(strings.NewReader(text)),
		"data with the error": iotest.DataErrReader(strings.NewReader(text)),
		"tiny window":         strings.NewReader(text),
	} {
		small := o
		small.window = 1
		if got := told(t, NewCSV(r, small, d)); !cmp.Equal(want, got) {
			t.Errorf("%s: %s", name, cmp.Diff(want, got))
		}
	}
	return want
}

func TestCSVFiles(t *testing.T) {
	t.Parallel()
	header := openCSV
	header.SkipLines = 1
	nullEmpty := lazy
	nullEmpty.Null = ""
	wide := Dialect{Separator: '§', Quote: '«', Escape: '¿'}
	tab := Dialect{Separator: '\t', Quote: '"', Escape: '\\'}
	same := Dialect{Separator: ',', Quote: '"', Escape: '"'}
	two := columns("n", "BIGINT", "s", "VARCHAR")
	one := columns("s", "VARCHAR")
	tests := []struct {
		name, text string
		columns    []schema.Column
		dialect    Dialect
		want       []string
	}{
		{"empty", "", two, openCSV, nil},
		{"only a BOM", "\xef\xbb\xbf", two, openCSV, nil},
		{"only a header", "n,s\n", two, header, nil},
		{"header without a line break", "n,s", two, header, nil},
		{"lines", "1,a\n2,b\n", two, openCSV, []string{"[1 a]", "[2 b]"}},
		{"no last line break", "1,a\n2,b", two, lazy, []string{"[1 a]", "[2 b]"}},
		{"CRLF", "1,a\r\n2,b\r\n", two, lazy, []string{"[1 a]", "[2 b]"}},
		{"CR", "1,a\r2,b\rx\r", two, lazy, []string{"[1 a]", "[2 b]", `bad 8:3 wrong_field_count "x"`}},
		{"BOM and header", "\xef\xbb\xbfn,s\r\n1,a\r\nx,b\n", two, header, []string{"[1 a]", `bad 13:3 wrong_type(n) "x,b"`}},
		{"empty lines", "\n\n1,a\r\n\r\n2,b\n\n", two, openCSV, []string{"[1 a]", "[2 b]"}},
		{"empty lines of one column", "a\n\nb\n", one, lazy, []string{"[a]", "[]", "[b]"}},
		{"too few and too many", "1\n1,a\n1,a,b\n2,b\n", two, lazy, []string{
			`bad 0:1 wrong_field_count "1"`, "[1 a]", `bad 6:3 wrong_field_count "1,a,b"`, "[2 b]"}},
		{"separator at the end", "1,a,\n", two, lazy, []string{`bad 0:1 wrong_field_count "1,a,"`}},
		{"casts", "1.5,a\ntrue,a\n9223372036854775807,a\n9223372036854775808,a\n1.69e12,a\n007,a\n+7,a\n 8 ,a\n-,a\n1 2,a\n", two, lazy, []string{
			`bad 0:1 wrong_type(n) "1.5,a"`, `bad 6:2 wrong_type(n) "true,a"`, "[9223372036854775807 a]", `bad 35:4 out_of_range(n) "9223372036854775808,a"`,
			"[1690000000000 a]", "[7 a]", "[7 a]", "[8 a]", `bad 84:9 wrong_type(n) "-,a"`, `bad 88:10 wrong_type(n) "1 2,a"`}},
		{"not UTF-8", "1,\xff\n2,b\n", two, lazy, []string{`bad 0:1 invalid_utf8(s) "1,\\xff"`, "[2 b]"}},

		{"nulls", "\\N,\\N\n,\n1,\\\\N\n", two, escaped, []string{"[<nil> <nil>]", "[<nil> ]", `[1 \N]`}},
		{"null is the empty text", ",\n1,\\N\n", two, nullEmpty, []string{"[<nil> <nil>]", `[1 \N]`}},
		{"no null in quotes", "\\N,\"\"\n,\\N\n", two, openCSV, []string{`bad 0:1 wrong_type(n) "\\N,\"\""`, `[<nil> \N]`}},
		{"escapes", "1,a\\,b\\\\\\n\\r\\t\n2,b\\\n", two, escaped, []string{"[1 a,b\\\n\rt]", `[2 b\]`}},
		{"no escapes", "1,a\\\n2,\"b\"\n3,\"b\n", two, lazy, []string{`[1 a\]`, `[2 "b"]`, `[3 "b]`}},

		{"quotes", "\"1\",\"a\"\n2, \"b,c\" \n3,\"\"\n4,\"\"\"\"\n5,\"x\"\"y\"\n", two, openCSV, []string{"[1 a]", "[2 b,c]", "[3 ]", `[4 "]`, `[5 x"y]`}},
		{"escapes in quotes", `1,"a\"b\\c\d"` + "\n" + `2,a\b` + "\n", two, openCSV, []string{`[1 a"b\c\d]`, `[2 a\b]`}},
		{"quote is the escape", "1,\"a\"\"b\\\"\n", two, same, []string{`[1 a"b\]`}},
		{"line breaks in quotes", "1,\"a\nb\r\nc\"\n2,b\nx\n", two, openCSV, []string{"[1 a\nb\r\nc]", "[2 b]", `bad 15:5 wrong_field_count "x"`}},
		{"space outside of quotes", "1,  a \n2,\" b \"\n", two, openCSV, []string{"[1   a ]", "[2  b ]"}},
		{"tab is the separator", "1\t\"a\tb\"\n\t\"\"\n", two, tab, []string{"[1 a\tb]", "[<nil> ]"}},
		{"text behind quotes", "1,\"a\"b\n2,b\n", two, openCSV, []string{`bad 0:1 bad_quoting "1,\"a\"b"`, "[2 b]"}},
		{"quote within", "1,5\" pipe\n2,b\n", two, openCSV, []string{`bad 0:1 bad_quoting "1,5\" pipe"`, "[2 b]"}},
		{"quote not closed", "1,\"a\n2,b\n3,c\n", two, openCSV, []string{`bad 0:1 bad_quoting "1,\"a"`, "[2 b]", "[3 c]"}},
		{"quote not closed, others follow", "1,\"a\n2,\"b\"\n3,\"c\"\n", two, openCSV, []string{`bad 0:1 bad_quoting "1,\"a"`, "[2 b]", "[3 c]"}},
		{"quote that swallows records", "\"1,a\n2,b\n\",c,d\n3,c\n", two, openCSV, []string{`bad 0:1 bad_quoting "\"1,a"`, "[2 b]", `bad 9:3 bad_quoting "\",c,d"`, "[3 c]"}},
		{"cut off in quotes", "1,a\n2,\"b", two, openCSV, []string{"[1 a]", `bad 4:2 cut_off "2,\"b"`}},
		{"wrong count over lines", "1,\"a\nb\",c\n2,b\n", two, openCSV, []string{`bad 0:1 wrong_field_count "1,\"a\nb\",c"`, "[2 b]"}},
		{"wide characters", "1§«a§b««¿«»\n»«\n2§ü\n", two, wide, []string{"[1 a§b««»\n»]", "[2 ü]"}},
		{"separator of Hive", "1\x01a\n", two, Dialect{Null: `\N`}, []string{"[1 a]"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, readCSV(t, tt.text, Options{Columns: tt.columns}, tt.dialect)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCSVTypes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		typ, field string
		dialect    Dialect
		want       string
	}{
		{"TINYINT", "128", lazy, "out_of_range"}, {"TINYINT", "-128", lazy, "-128"}, {"INTEGER", "2147483648", lazy, "out_of_range"},
		{"DOUBLE", "1e400", lazy, "out_of_range"}, {"DOUBLE", "NaN", lazy, "wrong_type"}, {"DOUBLE", ".5", lazy, "0.5"}, {"DOUBLE", "-0.0", lazy, "-0"},
		{"BOOLEAN", "TRUE", lazy, "true"}, {"BOOLEAN", "1", lazy, "wrong_type"}, {"BOOLEAN", "", lazy, "<nil>"},
		{"DATE", "2024-02-29", lazy, "2024-02-29 00:00:00 +0000 UTC"}, {"DATE", "2023-02-29", lazy, "wrong_type"}, {"DATE", "18276", lazy, "wrong_type"},
		{"DATE", "18276", openCSV, "2020-01-15 00:00:00 +0000 UTC"}, {"DATE", "99999999", openCSV, "out_of_range"}, {"DATE", "-1", openCSV, "1969-12-31 00:00:00 +0000 UTC"},
		{"TIMESTAMP", "1579059880001", openCSV, "2020-01-15 03:44:40.001 +0000 UTC"}, {"TIMESTAMP", "1579059880000", lazy, "wrong_type"},
		{"TIMESTAMP", "0", openCSV, "1970-01-01 00:00:00 +0000 UTC"}, {"TIMESTAMP", "9e12", openCSV, "wrong_type"},
		{"TIMESTAMP", "2020-01-15 03:44:40.5", lazy, "2020-01-15 03:44:40.5 +0000 UTC"}, {"TIMESTAMP", "2020-01-15 03:44:40.0000001", lazy, "out_of_range"},
		{"varchar(2)", "äöü", lazy, "out_of_range"}, {"varchar(3)", "äöü", lazy, "äöü"}, {"BLOB", "aGk=", lazy, "[104 105]"}, {"BLOB", "?", lazy, "wrong_type"},
		{"INTEGER[]", "1\x022", lazy, "[1 2]"}, {"INTEGER[]", "1\x02x", lazy, "wrong_type"}, {"INTEGER[]", "", lazy, "[]"}, {"INTEGER[]", `\N`, lazy, "<nil>"},
		{"VARCHAR[]", "a\\\x02b\x02\\N", Dialect{Separator: ',', Escape: '\\', Null: `\N`}, "[a\x02b <nil>]"},
		{"MAP(VARCHAR, BIGINT)", "a:1|b:2", Dialect{Separator: ',', Null: `\N`, Collection: '|', MapKey: ':'}, "[{a 1} {b 2}]"},
		{"MAP(VARCHAR, BIGINT)", "a:1|a:2", Dialect{Separator: ',', Null: `\N`, Collection: '|', MapKey: ':'}, "duplicate_key"},
		{"MAP(VARCHAR, BIGINT)", "a|b:2", Dialect{Separator: ',', Null: `\N`, Collection: '|', MapKey: ':'}, "wrong_type"},
		{"STRUCT(a BIGINT, b VARCHAR[])", "1\x02x\x03y", lazy, "[1 [x y]]"}, {"STRUCT(a BIGINT, b VARCHAR[])", "1", lazy, "wrong_type"},
		{"INTEGER[]", "1", openCSV, "wrong_type"},
	} {
		row, bad, err := NewCSV(strings.NewReader(tt.field+",x\n"), Options{Columns: columns("v", tt.typ, "x", "VARCHAR")}, tt.dialect).Next()
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if bad != nil {
			got = string(bad.Reason)
		} else {
			got = fmt.Sprint(row[0])
		}
		if got != tt.want {
			t.Errorf("%q as %s: got %s, want %s (%v)", tt.field, tt.typ, got, tt.want, bad)
		}
	}
	decimal := schema.Column{Name: "d", Type: schema.Type{Kind: schema.Decimal, Precision: 38, Scale: 10}}
	row, bad, err := NewCSV(strings.NewReader("1234567890123456789012345678.0123456789\n"), Options{Columns: []schema.Column{decimal}}, lazy).Next()
	if err != nil || bad != nil || row[0].(Decimal).Unscaled.String() != "12345678901234567890123456780123456789" {
		t.Error(row, bad, err)
	}
}

func TestCSVDrift(t *testing.T) {
	t.Parallel()
	d := openCSV
	d.SkipLines = 2
	r := NewCSV(strings.NewReader("# made by x\nn,s,\"more, or less\"\n1,a,7\n2,b,8,9\n3,c\n4\n"), Options{Columns: columns("n", "BIGINT", "s", "VARCHAR")}, d)
	told(t, r)
	s := r.Stats()
	want := map[string]*Unknown{"more, or less": {Count: 2, Example: "7"}, "number 4": {Count: 1, Example: "9"}}
	if diff := cmp.Diff(want, s.Unknown); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int64{4, 3}, s.Seen); diff != "" {
		t.Error(diff)
	}
}

// Records larger than MaxObject are refused without being held.
func TestCSVTooLarge(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		dialect Dialect
		before  string
	}{"line": {lazy, ""}, "quotes": {openCSV, `"`}} {
		text := io.MultiReader(strings.NewReader("1,a\n2,"+tt.before), io.LimitReader(letters{}, 64<<20), strings.NewReader("\n3,c\n"))
		r := NewCSV(text, Options{Columns: columns("n", "BIGINT", "s", "VARCHAR"), MaxObject: 1 << 20}, tt.dialect)
		var got []string
		for {
			row, bad, err := r.Next()
			if err == io.EOF {
				break
			}
			if bad != nil {
				got = append(got, fmt.Sprintf("%d %s %d %t", bad.Offset, bad.Reason, len(bad.Raw), bad.Cut))
			} else {
				got = append(got, fmt.Sprint(row))
			}
		}
		if diff := cmp.Diff([]string{"[1 a]", "4 too_large 65536 true", "[3 c]"}, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if n := len(r.src.buf); n > 4<<20 {
			t.Errorf("%s: the buffer has grown to %d bytes", name, n)
		}
	}
}

// letters is text without end.
type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// A file of nothing but wrong quotes must not take time that grows with the square of its size.
func TestCSVOnlyOpenQuotes(t *testing.T) {
	t.Parallel()
	const lines = 200_000
	text := strings.Repeat("1,\"abc\n2,d\"\"\n", lines)
	r := NewCSV(strings.NewReader(text), Options{Columns: columns("n", "BIGINT", "s", "VARCHAR")}, openCSV)
	got := told(t, r)
	if len(got) != 2*lines || r.wasted > 2*maxWaste+wasteFactor*int64(len(text)) {
		t.Errorf("%d rows, %d bytes wasted", len(got), r.wasted)
	}
}

func FuzzCSV(f *testing.F) {
	for _, s := range []string{"1,a\n2,\"b\nc\"\n", "\"\"\"\n\",\"", "a\\\r\n\\,b", "\xef\xbb\xbf1,2,3\r4", "1,\"a\n2,\"b\"\n", " \"x\" ,\"y\"z\n"} {
		f.Add(s, uint8(0))
		f.Add(s, uint8(6))
		f.Add(s, uint8(15))
	}
	f.Fuzz(func(t *testing.T, text string, how uint8) {
		d := []Dialect{openCSV, lazy, escaped, {Separator: '§', Quote: '«', Escape: '"'}, {Separator: ',', Quote: '"', Escape: '"'}}[int(how>>2)%5]
		d.SkipLines = int(how & 1)
		o := Options{Columns: columns("n", "BIGINT", "s", "VARCHAR"), MaxObject: 64}
		if how&2 != 0 {
			o.Columns = o.Columns[1:]
		}
		readCSV(t, text, o, d)
		covers(t, text, NewCSV(strings.NewReader(text), o, d), func(between string) bool {
			// Header lines, the byte order mark and line breaks lie between records, and nothing else.
			return strings.Trim(between, "\r\n") == ""
		}, d.SkipLines)
	})
}

// covers checks that every byte of a text is in a row, in what was refused, or in between where that is allowed.
func covers(t *testing.T, text string, r *CSVReader, allowed func(string) bool, skip int) {
	t.Helper()
	at := 0
	for {
		before := int(r.src.offset())
		row, bad, err := r.Next()
		if err != nil {
			break
		}
		after := int(r.src.offset())
		if after <= before && (bad == nil || bad.Raw != "") {
			t.Fatalf("no progress at %d: %v %v", before, row, bad)
		}
		if bad != nil {
			if skip == 0 && !allowed(strings.TrimPrefix(text[before:bad.Offset], "\xef\xbb\xbf")) {
				t.Fatalf("%q before %d was lost", text[before:bad.Offset], bad.Offset)
			}
			raw, _ := readable([]byte(strings.TrimRight(text[bad.Offset:after], "\r\n")), maxRaw)
			if !bad.Cut && strings.TrimRight(bad.Raw, "\r\n") != raw {
				t.Fatalf("refused %q, told %q", raw, bad.Raw)
			}
			if line := 1 + breaks([]byte(text[:bad.Offset])); line != bad.Line {
				t.Fatalf("line %d, told %d", line, bad.Line)
			}
		}
		at = after
	}
	if skip == 0 && !allowed(strings.TrimPrefix(text[at:], "\xef\xbb\xbf")) {
		t.Fatalf("%q at the end was lost", text[at:])
	}
}

// What a common writer writes is read back as it was.
func FuzzCSVWritten(f *testing.F) {
	f.Add("a", "b\nc", int64(5))
	f.Add(`x"y`, ` ""`, int64(-1))
	f.Fuzz(func(t *testing.T, a, b string, n int64) {
		var out bytes.Buffer
		w := csv.NewWriter(&out)
		for range 3 {
			if err := w.Write([]string{a, fmt.Sprint(n), b}); err != nil {
				t.Fatal(err)
			}
		}
		w.Flush()
		a, b = strings.ToValidUTF8(a, "?"), strings.ToValidUTF8(b, "?")
		text := strings.ToValidUTF8(out.String(), "?")
		want := fmt.Sprint([]any{a, n, b})
		got := readCSV(t, text, Options{Columns: columns("a", "VARCHAR", "n", "BIGINT", "b", "VARCHAR")}, Dialect{Separator: ',', Quote: '"'})
		if diff := cmp.Diff([]string{want, want, want}, got); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	})
}

func benchCSV(b *testing.B, d Dialect, quote string) {
	r := rand.New(rand.NewPCG(1, 2))
	var text bytes.Buffer
	for range 100_000 {
		fmt.Fprintf(&text, "%sperson.%d@example.com%s,%d,%.4f,%.4f,%.4f\n", quote, r.IntN(1000), quote, 1690000000000+r.IntN(1e6), r.Float64(), r.Float64(), r.Float64())
	}
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		c := NewCSV(bytes.NewReader(text.Bytes()), Options{Columns: columns("user", "VARCHAR", "timestamp", "BIGINT", "x", "DOUBLE", "y", "DOUBLE", "z", "DOUBLE")}, d)
		for {
			if _, bad, err := c.Next(); err == io.EOF {
				break
			} else if bad != nil || err != nil {
				b.Fatal(bad, err)
			}
		}
	}
}

func BenchmarkCSVQuoted(b *testing.B) { benchCSV(b, openCSV, `"`) }
func BenchmarkCSVPlain(b *testing.B)  { benchCSV(b, lazy, "") }
