package careful

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/schema"
)

func column(name, duck string) schema.Column {
	switch {
	case strings.HasPrefix(duck, "varchar("), strings.HasPrefix(duck, "char("):
		var n int
		kind, rest, _ := strings.Cut(duck, "(")
		_, _ = fmt.Sscanf(rest, "%d)", &n)
		return schema.Column{Name: name, Type: schema.Type{Kind: schema.Kind(kind), Length: n}}
	}
	t, err := schema.FromDuckDB(duck)
	if err != nil {
		panic(err)
	}
	return schema.Column{Name: name, Type: t}
}

// columns reads pairs of a name and a type.
func columns(pairs ...string) []schema.Column {
	var out []schema.Column
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, column(pairs[i], pairs[i+1]))
	}
	return out
}

// told writes all that a reader gives, one line each.
func told(t testing.TB, r Reader) []string {
	t.Helper()
	var out []string
	for n := 0; ; n++ {
		row, bad, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			if s := r.Stats(); s.Objects != int64(len(out)) || s.Objects != s.Loaded+s.Quarantined {
				t.Errorf("%d objects counted (%d loaded, %d not), %d given", s.Objects, s.Loaded, s.Quarantined, len(out))
			}
			return out
		case err != nil:
			t.Fatal(err)
		case bad != nil:
			line := fmt.Sprintf("bad %d:%d %s", bad.Offset, bad.Line, bad.Reason)
			if bad.Column != "" {
				line += "(" + bad.Column + ")"
			}
			out = append(out, fmt.Sprintf("%s %q", line, bad.Raw))
		default:
			out = append(out, fmt.Sprint(row))
		}
	}
}

// readJSON reads text in several ways that have to agree.
func readJSON(t testing.TB, text string, o Options) []string {
	t.Helper()
	want := told(t, NewJSON(strings.NewReader(text), o))
	for name, r := range map[string]io.Reader{
		"one byte a read":     iotest.OneByteReader(strings.NewReader(text)),
		"data with the error": iotest.DataErrReader(strings.NewReader(text)),
		"tiny window":         strings.NewReader(text),
	} {
		small := o
		small.window = 1
		if got := told(t, NewJSON(r, small)); !cmp.Equal(want, got) {
			t.Errorf("%s: %s", name, cmp.Diff(want, got))
		}
	}
	return want
}

func TestJSONFiles(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		want       []string
	}{
		{"empty", "", nil},
		{"only white space", " \r\n\n\t", nil},
		{"lines", "{\"a\":1}\n{\"a\":2}\n", []string{"[1]", "[2]"}},
		{"no last line break", "{\"a\":1}\n{\"a\":2}", []string{"[1]", "[2]"}},
		{"nothing between", `{"a":1}{"a":2} {"a":3}`, []string{"[1]", "[2]", "[3]"}},
		{"commas between", "{\"a\":1},\n{\"a\":2},{\"a\":3},\n", []string{"[1]", "[2]", "[3]"}},
		{"comma in front", "{\"a\":1}\n,{\"a\":2}\n", []string{"[1]", "[2]"}},
		{"comma within", `{"a":1,}{"b":[1,2,],"a":2}`, []string{"[1]", "[2]"}},
		{"only a comma within", `{,}{"a":2}`, []string{`bad 0:1 invalid_json "{,}"`, "[2]"}},
		{"two commas within", `{"a":1,,}{"a":2}`, []string{`bad 0:1 invalid_json "{\"a\":1,,}"`, "[2]"}},
		{"array", `[{"a":1},{"a":2}]`, []string{"[1]", "[2]"}},
		{"array over lines", "[\n  {\"a\":1},\n  {\"a\":2},\n]\n", []string{"[1]", "[2]"}},
		{"arrays", `[{"a":1}]` + "\n" + `[[{"a":2}],[{"a":3}]]`, []string{"[1]", "[2]", "[3]"}},
		{"array three deep", `[[[{"a":2}]]]{"a":1}`, []string{`bad 2:1 not_an_object "[{\"a\":2}]"`, "[1]"}},
		{"array not closed", "[{\"a\":1},\n{\"a\":2}\n", []string{"[1]", "[2]", `bad 18:3 cut_off ""`}},
		{"array closed twice", "[{\"a\":1}]]\n{\"a\":2}\n", []string{"[1]", `bad 9:1 invalid_json "]"`, "[2]"}},
		{"CRLF", "{\"a\":1}\r\n{\"a\":2}\r\n", []string{"[1]", "[2]"}},
		{"BOM", "\xef\xbb\xbf{\"a\":1}\nx\n", []string{"[1]", `bad 11:2 invalid_json "x"`}},
		{"only a BOM", "\xef\xbb\xbf", nil},
		{"half a BOM", "\xef\xbb{\"a\":1}", []string{`bad 0:1 invalid_json "\\xef\\xbb"`, "[1]"}},
		{"blank lines", "\n\n{\"a\":1}\n\n\n{\"a\":\n2}\n!\n", []string{"[1]", "[2]", `bad 21:8 invalid_json "!"`}},
		{"printed", "{\n  \"a\": 1,\n  \"o\": {\n    \"x\": [\n      {\"a\": 5}\n    ]\n  }\n}\n{\n  \"a\": 2\n}\nx", []string{"[1]", "[2]", `bad 72:12 invalid_json "x"`}},
		{"not objects", "1\n\"x\"\ntrue\nnull\n-2.5e3\n{}\n[3,{\"a\":1}]\n0", []string{
			`bad 0:1 not_an_object "1"`, `bad 2:2 not_an_object "\"x\""`, `bad 6:3 not_an_object "true"`, `bad 11:4 not_an_object "null"`,
			`bad 16:5 not_an_object "-2.5e3"`, "[<nil>]", `bad 27:7 not_an_object "3"`, "[1]", `bad 38:8 not_an_object "0"`}},
		{"text before an object", "INFO {\"a\":1}\n", []string{`bad 0:1 invalid_json "INFO"`, "[1]"}},
		{"tail of an object", "\"x\", \"n\":{\"a\":1}}\n{\"a\":2}\n", []string{`bad 0:1 not_an_object "\"x\""`, `bad 5:1 invalid_json "\"n\":{\"a\":1}}"`, "[2]"}},
		{"brace too many", "{\"a\":1}}\n{\"a\":2}\n", []string{"[1]", `bad 7:1 invalid_json "}"`, "[2]"}},

		{"string not closed", "{\"a\":1}\n{\"a\":2,\"b\n{\"a\":3}\n", []string{"[1]", `bad 8:2 invalid_json "{\"a\":2,\"b"`, "[3]"}},
		{"last one cut off", `{"a":1}{"a":2`, []string{"[1]", `bad 7:1 cut_off "{\"a\":2"`}},
		{"last one cut off before its line break", "{\"a\":1}\n{\"a\":2,\"b\n", []string{"[1]", `bad 8:2 cut_off "{\"a\":2,\"b"`}},
		{"last one cut off in a literal", "{\"a\":1}\n{\"a\":tr\n", []string{"[1]", `bad 8:2 cut_off "{\"a\":tr"`}},
		{"last one cut off in an escape", `{"a":"\u12`, []string{`bad 0:1 cut_off "{\"a\":\"\\u12"`}},
		{"last one cut off in a character", "{\"a\":\"\xc3", []string{`bad 0:1 cut_off "{\"a\":\"\\xc3"`}},
		{"last one broken", "{\"a\":1}\n{\"a\":x\n", []string{"[1]", `bad 8:2 invalid_json "{\"a\":x"`}},
		{"broken in its line", `{"a":x}{"a":2}`, []string{`bad 0:1 invalid_json "{\"a\":x}"`, "[2]"}},
		{"braces in strings", `{"a":x,"b":"}\"}"}{"a":2}`, []string{`bad 0:1 invalid_json "{\"a\":x,\"b\":\"}\\\"}\"}"`, "[2]"}},
		{"inner object of a broken one", "{\"a\":x,\"n\":{\"a\":1}}\n{\"a\":2}\n", []string{`bad 0:1 invalid_json "{\"a\":x,\"n\":{\"a\":1}}"`, "[2]"}},
		{"closing brace lost", "{\"a\":1\n{\"a\":2}\n", []string{`bad 0:1 invalid_json "{\"a\":1"`, "[2]"}},
		{"cut before a value", "{\"a\":1,\"n\":\n{\"a\":2}\n{\"a\":3}\n", []string{`bad 0:1 invalid_json "{\"a\":1,\"n\":"`, "[2]", "[3]"}},
		{"cut in an array", "{\"a\":1,\"n\":[\n{\"a\":2},\n{\"a\":3}\n", []string{`bad 0:1 invalid_json "{\"a\":1,\"n\":["`, "[2]", "[3]"}},
		{"line break in a string", "{\"a\":1,\"b\":\"x\ny\"}\n{\"a\":2}\n", []string{`bad 0:1 invalid_json "{\"a\":1,\"b\":\"x\ny\"}"`, "[2]"}},
		{"broken in the middle of an array", "[\n{\"a\":1},\n{\"a\":},\n{\"a\":3}\n]\n", []string{"[1]", `bad 11:3 invalid_json "{\"a\":}"`, "[3]"}},
		{"broken at the end of an array", "[\n{\"a\":1},\n{\"a\":\n]\n[{\"a\":3}]", []string{"[1]", `bad 11:3 invalid_json "{\"a\":"`, "[3]"}},
		{"broken before an array", "{\"a\":\n[{\"a\":3}]", []string{`bad 0:1 invalid_json "{\"a\":"`, "[3]"}},
		{"broken and printed", "{\n  \"a\": x,\n  \"n\": [\n    {\"a\": 1},\n    {\n      \"a\": 2\n    }\n  ]\n}\n{\n  \"a\": 3\n}\n",
			[]string{`bad 0:1 invalid_json "{\n  \"a\": x,\n  \"n\": [\n    {\"a\": 1},\n    {\n      \"a\": 2\n    }\n  ]\n}"`, "[3]"}},
		{"broken and printed in an array", "[\n  {\n    \"a\": x\n  }, {\n    \"a\": 2\n  }\n]\n{\"a\":3}", []string{`bad 4:2 invalid_json "{\n    \"a\": x\n  }"`, "[2]", "[3]"}},
		{"printed and not closed", "{\n  \"a\": 1,\n  \"n\": {\n    \"x\": 1\n  }\n{\n  \"a\": 2\n}\n",
			[]string{`bad 0:1 invalid_json "{\n  \"a\": 1,\n  \"n\": {\n    \"x\": 1\n  }"`, "[2]"}},
		{"printed and cut off", "{\n  \"a\": 1,\n  \"n\": [\n    {\n      \"x\": 1", []string{`bad 0:1 cut_off "{\n  \"a\": 1,\n  \"n\": [\n    {\n      \"x\": 1"`}},
		{"NUL bytes", "{\"a\":1}\n\x00\x00\x00\n{\"a\":2}", []string{"[1]", `bad 8:2 invalid_json "\x00\x00\x00"`, "[2]"}},

		{"key twice", `{"a":1,"a":1}{"a":2}`, []string{`bad 0:1 duplicate_key(a) "{\"a\":1,\"a\":1}"`, "[2]"}},
		{"column twice in other case", `{"a":1,"A":null}{"A":2}`, []string{`bad 0:1 duplicate_key(a) "{\"a\":1,\"A\":null}"`, "[2]"}},
		{"key twice by an escape", `{"a":1,"\u0061":1}{"\u0061":2}`, []string{`bad 0:1 duplicate_key(a) "{\"a\":1,\"\\u0061\":1}"`, "[2]"}},
		{"unknown key twice", `{"x":1,"x":1}{"x":1,"X":2}`, []string{`bad 0:1 duplicate_key "{\"x\":1,\"x\":1}"`, "[<nil>]"}},
		{"key twice in a value", `{"x":{"y":1,"y":1}}`, []string{"[<nil>]"}},
		{"absent and null", `{}{"a":null}`, []string{"[<nil>]", "[<nil>]"}},
		{"type and then syntax", `{"a":true,"b":x}`, []string{`bad 0:1 invalid_json "{\"a\":true,\"b\":x}"`}},
		{"type", "{\"a\":true,\n\"b\":1}\n{\"a\":1}", []string{`bad 0:1 wrong_type(a) "{\"a\":true,\n\"b\":1}"`, "[1]"}},

		{"byte that is not UTF-8", "{\"a\":1,\"b\":\"\xff\"}\n{\"a\":2}", []string{`bad 0:1 invalid_utf8 "{\"a\":1,\"b\":\"\\xff\"}"`, "[2]"}},
		{"key that is not UTF-8", "{\"\xff\":1}\n{\"a\":2}", []string{`bad 0:1 invalid_utf8 "{\"\\xff\":1}"`, "[2]"}},
		{"key that is not UTF-8, again", "{\"\xff\":1}{\"\xff\":1}{\"\\ud83d\":1}{\"\\ud83d\":1}", []string{
			`bad 0:1 invalid_utf8 "{\"\\xff\":1}"`, `bad 7:1 invalid_utf8 "{\"\\xff\":1}"`,
			`bad 14:1 invalid_utf8 "{\"\\ud83d\":1}"`, `bad 26:1 invalid_utf8 "{\"\\ud83d\":1}"`}},
		{"half a surrogate pair", `{"b":"\ud83d"}{"b":"\ud83dx"}{"b":"\ud83d\u0041"}{"b":"\ude00"}{"b":"\ud83d\ude00"}`, []string{
			`bad 0:1 invalid_utf8 "{\"b\":\"\\ud83d\"}"`, `bad 14:1 invalid_utf8 "{\"b\":\"\\ud83dx\"}"`,
			`bad 29:1 invalid_utf8 "{\"b\":\"\\ud83d\\u0041\"}"`, `bad 49:1 invalid_utf8 "{\"b\":\"\\ude00\"}"`, "[<nil>]"}},
		{"control character", "{\"b\":\"\t\"}{\"a\":2}", []string{`bad 0:1 invalid_json "{\"b\":\"\t\"}"`, "[2]"}},
		{"escapes that are none", `{"b":"\x"}{"b":"\u00g0"}{"b":"\'"}{"a":1}`, []string{
			`bad 0:1 invalid_json "{\"b\":\"\\x\"}"`, `bad 10:1 invalid_json "{\"b\":\"\\u00g0\"}"`, `bad 24:1 invalid_json "{\"b\":\"\\'\"}"`, "[1]"}},
		{"single quotes", `{'a':1}{"a":1}`, []string{`bad 0:1 invalid_json "{'a':1}"`, "[1]"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, readJSON(t, tt.text, Options{Columns: columns("a", "BIGINT")})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestJSONNumbersThatAreNone(t *testing.T) {
	t.Parallel()
	for _, v := range []string{"01", "-01", "00", "+1", ".5", "1.", "1.e3", "1e", "1e+", "-", "--1", "0x1F", "1_000", "NaN", "Infinity", "-Infinity", "nul", "TRUE", "1 2", "-.5"} {
		for _, typ := range []string{"BIGINT", "DOUBLE", "VARCHAR"} {
			text := `{"v":` + v + `}`
			want := []string{fmt.Sprintf("bad 0:1 invalid_json %q", text), "[<nil>]"}
			if diff := cmp.Diff(want, readJSON(t, text+"{}", Options{Columns: columns("v", typ)})); diff != "" {
				t.Errorf("%s as %s: %s", v, typ, diff)
			}
		}
	}
}
