package careful

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/schema"
)

// only reads one value of a type and gives it, or the reason why it was refused.
func only(t *testing.T, typ schema.Column, value string) string {
	t.Helper()
	r := NewJSON(strings.NewReader(`{"v":`+value+`}`), Options{Columns: []schema.Column{typ}})
	row, bad, err := r.Next()
	switch {
	case err != nil:
		t.Fatal(err)
	case bad == nil:
		return shown(row[0])
	case bad.Offset != 0 || bad.Line != 1 || bad.Raw != `{"v":`+value+`}` || bad.Message == "" || bad.Column != "v" && bad.Reason != InvalidJSON:
		t.Errorf("%s: %+v", value, *bad)
	}
	return string(bad.Reason)
}

func shown(v any) string {
	switch v := v.(type) {
	case Decimal:
		return fmt.Sprintf("%se-%d", v.Unscaled, v.Scale)
	case string:
		return fmt.Sprintf("%q", v)
	}
	return fmt.Sprint(v)
}

func TestJSONValues(t *testing.T) {
	t.Parallel()
	for typ, tests := range map[string]map[string]string{
		"BIGINT": {
			"0": "0", "-0": "0", "-0.0": "0", "1": "1", "1.0": "1", "1.5": "wrong_type", "1.69e12": "1690000000000", "1690000000000.0": "1690000000000", "1e-1": "wrong_type", "10e-1": "1",
			"true": "wrong_type", "false": "wrong_type", "null": "<nil>", `""`: "wrong_type", `"8015551212"`: "8015551212", `"1.69e12"`: "1690000000000", `"-5"`: "-5", `" 5"`: "wrong_type", `"5 "`: "wrong_type",
			`"+5"`: "wrong_type", `"05"`: "wrong_type", `"0x5"`: "wrong_type", `"NaN"`: "wrong_type", `"null"`: "wrong_type", `"\u0035"`: "5", "[1]": "wrong_type", `{"a":1}`: "wrong_type", "[]": "wrong_type",
			"9223372036854775807": "9223372036854775807", "9223372036854775808": "out_of_range", "-9223372036854775808": "-9223372036854775808", "-9223372036854775809": "out_of_range",
			"9007199254740993": "9007199254740993", "9007199254740993.0": "out_of_range", "1e15": "1000000000000000", "1e19": "out_of_range", "1e400": "out_of_range", "1e-400": "0", "1e99999999999": "out_of_range",
			"123456789012345678901234567890": "out_of_range", `"9223372036854775808"`: "out_of_range", `"2024-01-01"`: "wrong_type",
		},
		"INTEGER":  {"2147483647": "2147483647", "2147483648": "out_of_range", "-2147483648": "-2147483648", "-2147483649": "out_of_range", "3e9": "out_of_range"},
		"SMALLINT": {"32767": "32767", "32768": "out_of_range", "-32768": "-32768", "-32769": "out_of_range"},
		"TINYINT":  {"127": "127", "128": "out_of_range", "-128": "-128", "-129": "out_of_range", "1.27e2": "127"},
		"DOUBLE": {
			"1": "1", "0.1": "0.1", "-0.0": "-0", "-0": "0", "1e308": "1e+308", "1e309": "out_of_range", "-1e400": "out_of_range", "5e-324": "5e-324", "1e-400": "0", `"1.5"`: "1.5", `"NaN"`: "wrong_type",
			`"Infinity"`: "wrong_type", `"-inf"`: "wrong_type", "true": "wrong_type", `"1,5"`: "wrong_type", `"0x1p3"`: "wrong_type", `"1_0"`: "wrong_type", "0.30000000000000004": "0.30000000000000004", "9007199254740993": "9.007199254740992e+15",
		},
		"FLOAT":   {"1.5": "1.5", "0.1": "0.1", "3.5e38": "out_of_range", "16777217": "1.6777216e+07"},
		"BOOLEAN": {"true": "true", "false": "false", `"true"`: "true", `"false"`: "false", `"TRUE"`: "wrong_type", "1": "wrong_type", "0": "wrong_type", `"1"`: "wrong_type", `"yes"`: "wrong_type", `""`: "wrong_type"},
		"VARCHAR": {
			`"x"`: `"x"`, `""`: `""`, "5": `"5"`, "1.50": `"1.50"`, "-0.0": `"-0.0"`, "1e400": `"1e400"`, "true": `"true"`, `{"b": 1,"a":[ 2]}`: `"{\"b\": 1,\"a\":[ 2]}"`, "[1, 2]": `"[1, 2]"`, "null": "<nil>", `"null"`: `"null"`,
			`"\u00e9\n\"\\\/\b\f\r\t"`: `"é\n\"\\/\b\f\r\t"`, `"\ud83d\ude00"`: `"😀"`, `"\u0000"`: `"\x00"`,
		},
		"varchar(3)": {`"äöü"`: `"äöü"`, `"äöüx"`: "out_of_range", "123": `"123"`, "1234": "out_of_range"},
		"DATE": {
			`"2024-02-29"`: "2024-02-29 00:00:00 +0000 UTC", `"2023-02-29"`: "wrong_type", `"2024-13-01"`: "wrong_type", `"2024-1-1"`: "2024-01-01 00:00:00 +0000 UTC", `"2024-01-01T00:00:00"`: "2024-01-01 00:00:00 +0000 UTC", `"2024-01-01 00:00:01"`: "wrong_type", `"24-01-01"`: "wrong_type", `"2024-1-"`: "wrong_type", "19000": "wrong_type", `"0000-01-01"`: "wrong_type",
			`"0001-01-01"`: "0001-01-01 00:00:00 +0000 UTC", `"9999-12-31"`: "9999-12-31 00:00:00 +0000 UTC", `"today"`: "wrong_type",
		},
		"TIMESTAMP": {
			`"2024-02-29 12:30:45"`: "2024-02-29 12:30:45 +0000 UTC", `"2024-02-29T12:30:45.123456Z"`: "2024-02-29 12:30:45.123456 +0000 UTC", `"2024-02-29T12:30:45.1234567Z"`: "out_of_range", `"2024-02-29T12:30:45.123456000Z"`: "2024-02-29 12:30:45.123456 +0000 UTC",
			`"2024-02-29T00:30:00+02:00"`: "2024-02-28 22:30:00 +0000 UTC", `"2024-02-29T00:30:00-0530"`: "2024-02-29 06:00:00 +0000 UTC", `"2024-02-29"`: "2024-02-29 00:00:00 +0000 UTC", `"2024-2-9 1:2:3.5"`: "2024-02-09 01:02:03.5 +0000 UTC", `"2024-02-29T12:30"`: "2024-02-29 12:30:00 +0000 UTC", `"2024-02-29 12:30Z"`: "2024-02-29 12:30:00 +0000 UTC", `"2024-02-29 12"`: "wrong_type", `"2024-02-29 12:30:45."`: "wrong_type", `"2024-02-29 12:30:"`: "wrong_type", `"2024-02-29 "`: "wrong_type", `"2024-02-29 24:00:00"`: "wrong_type", `"2024-02-29 12:60:00"`: "wrong_type", "1709208645000": "wrong_type",
		},
		"DECIMAL(38,10)": {
			"1": "10000000000e-10", "0.1": "1000000000e-10", "-1.5e3": "-15000000000000e-10", "1234567890123456789012345678.0123456789": "12345678901234567890123456780123456789e-10", `"1234567890123456789012345678.0123456789"`: "12345678901234567890123456780123456789e-10",
			"12345678901234567890123456789": "out_of_range", "0.00000000001": "out_of_range", "0.12345678900000": "1234567890e-10", "1e27": "10000000000000000000000000000000000000e-10", "1e28": "out_of_range", "1e-99999999": "out_of_range", "0e99999999": "0e-10", "true": "wrong_type", `"x"`: "wrong_type",
		},
		"BLOB":       {`"aGk="`: "[104 105]", `"aGk"`: "wrong_type", `""`: "[]", "1": "wrong_type"},
		"BIGINT[]":   {"[]": "[]", "[1,null,2]": "[1 <nil> 2]", "[1,]": "[1]", "[1.5]": "wrong_type", "[[1]]": "wrong_type", "1": "wrong_type", "null": "<nil>", `"[1]"`: "wrong_type", "[9223372036854775808]": "out_of_range"},
		"DOUBLE[][]": {"[[1.5],[]]": "[[1.5] []]"},
		"MAP(VARCHAR, BIGINT)": {
			`{}`: "[]", `{"b":1,"a":null}`: "[{b 1} {a <nil>}]", `{"a":1,"a":1}`: "duplicate_key", `{"a":1,"A":1}`: "[{a 1} {A 1}]", `{"a":1,"\u0061":1}`: "duplicate_key", `{"a":1.5}`: "wrong_type", "[]": "wrong_type",
		},
		"MAP(INTEGER, VARCHAR)": {`{"1":"x"}`: "[{1 x}]", `{"x":"x"}`: "wrong_type", `{"1":"x","1.0":"y"}`: "duplicate_key"},
		"STRUCT(a BIGINT, b STRUCT(c VARCHAR[]))": {
			`{"a":1,"b":{"c":["x"]}}`: "[1 [[x]]]", `{"B":{"C":[]},"A":2}`: "[2 [[]]]", `{}`: "[<nil> <nil>]", `{"a":1,"A":2}`: "duplicate_key", `{"a":1,"x":{"y":2}}`: "[1 <nil>]", `{"b":{"c":1}}`: "wrong_type", "[1]": "wrong_type", `"x"`: "wrong_type", "null": "<nil>",
		},
		"STRUCT(a BIGINT)[]": {`[{"a":1},{"a":1},null,{}]`: "[[1] [1] <nil> [<nil>]]"},
	} {
		for value, want := range tests {
			if got := only(t, column("v", typ), value); got != want {
				t.Errorf("%s as %s: got %s, want %s", value, typ, got, want)
			}
		}
	}
}

func TestJSONColumns(t *testing.T) {
	t.Parallel()
	o := Options{Columns: columns("user", "VARCHAR", "timeStamp", "BIGINT", "TEMP", "DOUBLE", "ts", "BIGINT"), Keys: map[string]string{"ts": "x-ts"}}
	got := readJSON(t, `{"USER":"a","timestamp":1,"temp":2,"X-TS":4}{"user":"b","TimeStamp":"2","Temp":"1e1","ts":9}{"x-ts":5.5}`, o)
	want := []string{"[a 1 2 4]", "[b 2 10 <nil>]", `bad 92:1 wrong_type(ts) "{\"x-ts\":5.5}"`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got = readJSON(t, `{"a.B":1,"s":{"x.y":2}}{"a_b":1}{"a.b":1,"a_b":2}`, Options{Columns: columns("a_b", "BIGINT", "s", "STRUCT(x_y BIGINT)"), DotsInKeys: true})
	if diff := cmp.Diff([]string{"[1 [2]]", "[1 <nil>]", `bad 32:1 duplicate_key(a_b) "{\"a.b\":1,\"a_b\":2}"`}, got); diff != "" {
		t.Error(diff)
	}
	// Columns that only case tells apart go by the exact key; in any other case it stands for neither.
	got = readJSON(t, `{"a":1,"A":2}{"a":3}`, Options{Columns: columns("a", "BIGINT", "A", "BIGINT")})
	if diff := cmp.Diff([]string{"[1 2]", "[3 <nil>]"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestJSONDrift(t *testing.T) {
	t.Parallel()
	r := NewJSON(strings.NewReader(`{"a":1,"x":{"y":[1,2]}}{"x":2,"s":{"f":1,"g":"h"}}{"s":{"g":2}}{"A":"bad","z":1}`),
		Options{Columns: columns("a", "BIGINT", "b", "BIGINT", "s", "STRUCT(f BIGINT)")})
	told(t, r)
	want := map[string]*Unknown{"x": {Count: 2, Example: `{"y":[1,2]}`}, "s.g": {Count: 2, Example: `"h"`}, "z": {Count: 1, Example: "1"}}
	if diff := cmp.Diff(want, r.Stats().Unknown); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int64{2, 0, 2}, r.Stats().Seen); diff != "" {
		t.Error(diff)
	}
}

// Keys that never repeat must not fill the memory: names are kept for 200 of them, the others are counted.
func TestJSONEndlessKeys(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	const n = 20_000
	for i := range n {
		fmt.Fprintf(&b, "{\"a\":1,\"key-%d\":2}\n", i)
	}
	r := NewJSON(strings.NewReader(b.String()), Options{Columns: columns("a", "BIGINT")})
	told(t, r)
	s := r.Stats()
	if len(s.Unknown) != maxUnknown || s.Others != n-maxUnknown || s.Loaded != n {
		t.Errorf("%d names, %d others, %d loaded", len(s.Unknown), s.Others, s.Loaded)
	}
	if len(r.p.top.refs) > maxRefs {
		t.Errorf("%d keys are remembered", len(r.p.top.refs))
	}
}

func TestRawIsCut(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"wrong type": `{"v":true,"s":"` + strings.Repeat("ü", 70_000) + `"}`,
		"garbage":    strings.Repeat("garbage ", 20_000),
		"invalid":    `{"v":` + strings.Repeat("x", 100_000) + `}`,
		"bytes":      strings.Repeat("\xff", 70_000),
	} {
		r := NewJSON(strings.NewReader(text+"\n"+`{"v":1}`), Options{Columns: columns("v", "BIGINT")})
		_, bad, err := r.Next()
		if err != nil || bad == nil || !bad.Cut || len(bad.Raw) > maxRaw || len(bad.Raw) < maxRaw-8 {
			t.Errorf("%s: %v %v", name, err, bad != nil)
			continue
		}
		if row, bad, err := r.Next(); err != nil || bad != nil || row[0] != int64(1) {
			t.Errorf("%s: what follows is lost: %v %v %v", name, row, bad, err)
		}
	}
}

// endless is a text that begins in one way and then repeats itself.
type endless struct {
	head string
	unit string
}

func (e *endless) Read(p []byte) (int, error) {
	if e.head != "" {
		n := copy(p, e.head)
		e.head = e.head[n:]
		return n, nil
	}
	n := 0
	for n+len(e.unit) <= len(p) {
		n += copy(p[n:], e.unit)
	}
	if n == 0 {
		n = copy(p, e.unit[:min(len(p), len(e.unit))])
	}
	return n, nil
}

// Files that end exactly where the reader's window does.
func TestJSONEndsWithTheWindow(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`{"a":1}garbage`, `{"a":1}{"a":x`, "{\"a\":1}   ", `{"a":1}[[[1`, `{"a":1}12`, `{"a":1}"x`} {
		o := Options{Columns: columns("a", "BIGINT")}
		want := told(t, NewJSON(strings.NewReader(text), o))
		for w := 1; w <= len(text); w++ {
			o.window = w
			if got := told(t, NewJSON(strings.NewReader(text), o)); !cmp.Equal(want, got) {
				t.Errorf("%q in a window of %d: %s", text, w, cmp.Diff(want, got))
			}
		}
	}
}

func TestJSONMemoryIsBounded(t *testing.T) {
	for name, e := range map[string]*endless{
		"string":  {`{"v":1}{"s":"`, "x"},
		"array":   {`{"v":1}{"s":[`, "1,"},
		"nesting": {`{"v":1}{"s":`, "["},
		"space":   {`{"v":1}{"v":`, " "},
		"lines":   {`{"v":1}{"s":[`, "\n"},
		"garbage": {`{"v":1}`, "x"},
		"commas":  {`{"v":1}`, ","},
	} {
		const size = 20 << 20
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		r := NewJSON(io.LimitReader(e, size), Options{Columns: columns("v", "BIGINT"), MaxObject: 2 << 20})
		loaded, refused, high := 0, 0, uint64(0)
		for {
			_, bad, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if bad != nil {
				refused++
			} else {
				loaded++
			}
			if refused < 4 {
				runtime.ReadMemStats(&after)
				high = max(high, after.HeapInuse)
			}
		}
		runtime.ReadMemStats(&after)
		high = max(high, after.HeapInuse)
		if loaded != 1 || name != "commas" && refused != 1 || r.Stats().Bytes != size {
			t.Errorf("%s: %d loaded, %d refused, %d bytes", name, loaded, refused, r.Stats().Bytes)
		}
		if grown := int64(high) - int64(before.HeapInuse); grown > 64<<20 || len(r.src.buf) > 16<<20 {
			t.Errorf("%s: %d MiB more on the heap, a window of %d MiB", name, grown>>20, len(r.src.buf)>>20)
		}
	}
}

// FuzzJSON checks what must hold for any bytes: however they come in, the answer is the same; every byte that is no white
// space, comma or bracket between objects is in a row or in what was refused; valid lines of objects are all loaded.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{"{\"a\":1}\n{\"a\":2}", "[{\"a\":1},{\"a\":\"2\",}]", "\xef\xbb\xbf{\"A\":1.5}{", "{\"a\":x}{\"a\":[{}]}", "{\n \"a\": 1\n}\n]", "{\"s\":\"\\ud83d\\ude00\"}\r\nx", "{\"a\":1,\"a\":2}}", "{\"s\":{\"a\":[[\"}\"]]}}\x00"} {
		f.Add(s)
	}
	o := Options{Columns: columns("a", "BIGINT", "s", "VARCHAR", "n", "STRUCT(a BIGINT, b DOUBLE[])"), MaxObject: 4096}
	f.Fuzz(func(t *testing.T, text string) {
		readJSON(t, text, o)
		r := NewJSON(strings.NewReader(text), o)
		at := int64(0)
		for {
			row, bad, err := r.Next()
			if err != nil {
				break
			}
			after := r.src.offset()
			start := int64(strings.IndexByte(text[at:after], '{')) + at
			if bad != nil {
				start = bad.Offset
				if bad.Line != 1+int64(strings.Count(text[:start], "\n")) {
					t.Fatalf("offset %d is not on line %d", start, bad.Line)
				}
				if raw, _ := readable([]byte(strings.TrimRight(text[start:after], " \t\r\n")), maxRaw); !bad.Cut && raw != strings.TrimRight(bad.Raw, " \t\r\n") {
					t.Fatalf("refused %q, told %q", raw, bad.Raw)
				}
			} else if !json.Valid([]byte(strings.NewReplacer(",}", "}", ",]", "]").Replace(text[start:after]))) && !strings.ContainsAny(text[start:after], ",") {
				t.Fatalf("%q was loaded as %v", text[start:after], row)
			}
			if lost := strings.Trim(strings.TrimPrefix(text[at:start], "\xef\xbb\xbf"), " \t\r\n,[]"); lost != "" {
				t.Fatalf("%q was lost", lost)
			}
			at = after
		}
		if lost := strings.Trim(strings.TrimPrefix(text[at:], "\xef\xbb\xbf"), " \t\r\n,[]"); lost != "" {
			t.Fatalf("%q was lost at the end", lost)
		}
	})
}

func BenchmarkJSON(b *testing.B) {
	var text bytes.Buffer
	for i := range 100_000 {
		fmt.Fprintf(&text, "{\"user\":\"person.%d@example.com\",\"timestamp\":%d,\"x\":%.1f,\"y\":%.1f,\"z\":%.1f}\n", i%1000, 1690000000000+i/10, float64(i%30)/10, float64(i%20), -1.5)
	}
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		r := NewJSON(bytes.NewReader(text.Bytes()), Options{Columns: columns("user", "VARCHAR", "timestamp", "BIGINT", "x", "DOUBLE", "y", "DOUBLE", "z", "DOUBLE")})
		for {
			if _, bad, err := r.Next(); err == io.EOF {
				break
			} else if bad != nil || err != nil {
				b.Fatal(bad, err)
			}
		}
	}
}
