package load

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/schema"
)

// shapes are tables of all the column types that the fast reader takes. It reads those with booleans in another way.
var shapes = [][]schema.Column{
	cols("user", "VARCHAR", "timestamp", "BIGINT", "x", "DOUBLE"),
	cols("user", "VARCHAR", "timestamp", "BIGINT", "x", "DOUBLE", "ok", "BOOLEAN"),
	cols("a", "TINYINT", "b", "SMALLINT", "c", "INTEGER", "d", "DOUBLE"),
	cols("s", "VARCHAR", "t", "VARCHAR"),
	cols("timeStamp", "BIGINT"),
	cols("ok", "BOOLEAN", "n", "INTEGER"),
}

// hostile are JSON values that have fooled a reader, or could.
var hostile = []string{
	"0", "-0", "-0.0", "0.0", "1", "-1", "5.5", "1e15", "1e400", "-1e400", "1e-400", "1.69e12", "1E+2", "127", "128", "-128", "-129", "32768", "2147483647", "2147483648",
	"9007199254740991", "9007199254740992", "9007199254740993", "-9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "18446744073709551615", "18446744073709551616",
	"123456789012345678901234567890", "1.0000000000000000000000001", "0.1234567890123456789", "2.2250738585072011e-308", "4.9e-324", "1.7976931348623157e308", "999999999999999", "1000000000000000", "0.30000000000000004", "1e22", "1e23", "8.5e-3",
	"true", "false", "null", "NaN", "Infinity", "-Infinity", "nan", "+1", "01", ".5", "1.", "0x10", "1_0",
	`"NaN"`, `"nan"`, `"inf"`, `"Infinity"`, `"true"`, `"false"`, `"null"`, `"5"`, `"5.5"`, `" 5"`, `"8015551212"`, `"1e400"`, `"1.69e12"`, `""`, `" "`, `"-"`, `"0x1F"`, `"1_000"`,
	`"a@b.c"`, `"ü"`, `"😀"`, `"\u00e9"`, `"\ud83d\ude00"`, `"\ud83d"`, `"\ude00x"`, `"\u0000"`, `"a\u0000b"`, `"a\"b"`, `"\\"`, `"a\\nb"`, `"a\nb"`, `"\/"`, `"\u0022"`, `"\x"`, "\"\xff\"", "\"\xc3\"", "\"\xed\xa0\x80\"", "\"tab\tin\"",
	`"{"`, `"x{"`, `"}"`, `"x}{"`, `"["`, `"[1]"`, `"{}"`, `","`, `"null"`, `"2024-01-01"`, `"'"`, `"a'b"`,
	"[]", "[1]", `["x"]`, "{}", `{"x":1}`, `{"user":"x"}`, `[[[[[[[[1]]]]]]]]`, "[1,]", `{"a":1,}`,
}

// mild are values that a healthy file could have.
var mild = map[schema.Kind][]string{
	schema.String:   {`"a@b.c"`, `"ü"`, `"x y"`, `"223412"`, `"1e5"`, `"{x"`, `""`, `"\u00e9"`, `"a/b"`},
	schema.BigInt:   {"0", "1690000000000", "-5", "9007199254740991", "1.69e12", "7.0"},
	schema.Int:      {"0", "2147483647", "-2147483648", "7"},
	schema.SmallInt: {"0", "32767", "7"},
	schema.TinyInt:  {"0", "-128", "7"},
	schema.Double:   {"0", "1.5", "-0.25", "1e10", "0.1", "123456789.123456789", "5e-324"},
	schema.Boolean:  {"true", "false"},
}

// landing writes a file as devices might. The more mess, the more of it is wrong.
func landing(r *rand.Rand, columns []schema.Column, mess float64) string {
	pick := func(from []string) string { return from[r.IntN(len(from))] }
	now := func(p float64) bool { return r.Float64() < p*mess }
	var b strings.Builder
	if now(.02) {
		b.WriteString("\xef\xbb\xbf")
	}
	if now(.05) {
		b.WriteString("[")
	}
	end := "\n"
	if now(.1) {
		end = "\r\n"
	}
	explicit := r.IntN(2) == 0 // nulls are written down
	for n := r.IntN(30); n >= 0; n-- {
		switch {
		case now(.02):
			b.WriteString(pick([]string{"null", "1", `"x"`, "[]", "nonsense", "{", "}", "\x00", "[null]", "true", `{"user":"cut`, "{}{}", "//", "/* */", "#", "NaN"}) + end)
			continue
		case now(.02):
			b.WriteString(pick([]string{"", " ", "\t"}) + end)
		}
		b.WriteString("{")
		fields := 0
		field := func(key, value string) {
			if fields++; fields > 1 {
				b.WriteString(pick([]string{",", ",", ",", ", "}))
			}
			b.WriteString(key + pick([]string{":", ":", ":", ": "}) + value)
		}
		for _, i := range r.Perm(len(columns)) {
			c := columns[i]
			key := `"` + c.Name + `"`
			switch {
			case r.IntN(10) == 0:
				continue
			case now(.01):
				key = strings.ToUpper(key)
			case now(.01):
				key = fmt.Sprintf(`"\u%04x%s"`, c.Name[0], c.Name[1:])
			}
			value := pick(mild[c.Type.Kind])
			if explicit && r.IntN(4) == 0 {
				value = "null"
			}
			if now(.04) {
				value = pick(hostile)
			}
			field(key, value)
			if now(.005) {
				field(key, value)
			}
		}
		if now(.01) {
			field(pick([]string{`"extra"`, `""`, `"\u0000"`, `"{"`, `"User"`}), pick(hostile))
		}
		if now(.01) {
			b.WriteString(",")
		}
		b.WriteString("}")
		switch {
		case now(.02):
		case now(.02):
			b.WriteString("," + end)
		case now(.01):
			b.WriteString("\r")
		default:
			b.WriteString(end)
		}
	}
	text := b.String()
	if now(.1) {
		text = text[:r.IntN(len(text)+1)]
	}
	if now(.2) {
		text = strings.TrimRight(text, "\r\n")
	}
	return text
}

// agree loads one table with and without the fast reader.
func agree(t testing.TB, b *bench, table Table) (fast int) {
	t.Helper()
	free, forced := b.load(t, table, false), b.load(t, table, true)
	if forced.Careful != len(forced.Counts) {
		t.Errorf("%d of %d files were read carefully", forced.Careful, len(forced.Counts))
	}
	fast = len(free.Counts) - free.Careful
	free.Careful, forced.Careful = 0, 0
	if diff := cmp.Diff(forced, free); diff != "" {
		t.Errorf("careful (-) and fast (+) do not agree:\n%s", diff)
	}
	return fast
}

func TestReadersAgree(t *testing.T) {
	t.Parallel()
	seeds := 200
	if testing.Short() {
		seeds = 30
	}
	b := setup(t)
	total, fast := 0, 0
	for seed := range seeds {
		r := rand.New(rand.NewPCG(uint64(seed), 7))
		table := Table{Name: "t", Location: "s3://lake/t/", Dir: t.TempDir(), Format: JSON, Columns: shapes[seed%len(shapes)]}
		files := 1 + r.IntN(4)
		mess := []float64{0, .1, .3, 1}[r.IntN(4)]
		var texts []string
		for i := range files {
			texts = append(texts, landing(r, table.Columns, mess))
			write(t, filepath.Join(table.Dir, fmt.Sprintf("%d.json", i)), []byte(texts[i]))
		}
		fast += agree(t, b, table)
		total += files
		if t.Failed() {
			t.Fatalf("seed %d: %q", seed, texts)
		}
	}
	// If hardly any file takes the fast way, the test proves nothing.
	if fast < total/5 {
		t.Errorf("only %d of %d files were read fast", fast, total)
	}
}

// Each hostile value alone, so that nothing else sends the file to the careful reader.
func TestReadersAgreeOnEachValue(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, typ := range []string{"VARCHAR", "BIGINT", "INTEGER", "TINYINT", "DOUBLE", "BOOLEAN"} {
		for _, other := range []string{"VARCHAR", "BOOLEAN"} {
			table := Table{Name: "t", Location: "s3://lake/t", Dir: t.TempDir(), Format: JSON, Columns: cols("v", typ, "o", other)}
			for i, v := range hostile {
				write(t, filepath.Join(table.Dir, fmt.Sprintf("%d.json", i)), []byte(`{"v":`+v+"}\n"))
			}
			agree(t, b, table)
		}
	}
}

// FuzzReadersAgree looks for a file that the two readers see with different eyes.
func FuzzReadersAgree(f *testing.F) {
	for seed := range 40 {
		r := rand.New(rand.NewPCG(uint64(seed), 9))
		f.Add([]byte(landing(r, shapes[seed%len(shapes)], .3)), uint8(seed%len(shapes)))
	}
	for i, s := range []string{"{\"user\":\"x{\"}\nnull\n", "{\"s\":\"x{\",\"t\":5}\n", "{\"user\":1e400,\"x\":null}\n", "{\"timestamp\":\"5\",\"user\":5}\n", "{\"x\":-0}\n",
		"{\"user\":null,\"USER\":\"x\"}\n", "{\"user\":null,\"user\":null}\n", "{\"x\":null,\"\\\"x\":1}\n", "{\"x\":null,\"\\u0078\":null}\n", "{\"x\":null}\n{\"x\" :null,\"user\":\"5\"}\n"} {
		f.Add([]byte(s), uint8(i))
	}
	b := setup(f)
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte, shape uint8) {
		table := Table{Name: "t", Location: "s3://lake/t/", Dir: dir, Format: JSON, Columns: shapes[int(shape)%len(shapes)]}
		write(t, filepath.Join(dir, "f.json"), text)
		agree(t, b, table)
	})
}

// Explicit nulls do not send a file to the careful reader, wherever the blocks of the scan begin and end.
func TestNullsAreReadFast(t *testing.T) {
	t.Parallel()
	b := setup(t)
	table := Table{Name: "t", Location: "l", Dir: t.TempDir(), Format: JSON, Columns: cols("user", "VARCHAR", "timestamp", "BIGINT", "x", "DOUBLE")}
	var nulls, none strings.Builder
	for i := range 60_000 {
		fmt.Fprintf(&nulls, "{\"user\": null, \"timestamp\":%d,\"x\":null}\n{\"user\":\"%d\",\"timestamp\":null,\"x\":%d.5}\n", i, i, i)
		fmt.Fprintf(&none, "{\"user\":\"u%d\",\"timestamp\":%d}\n", i, i)
	}
	write(t, filepath.Join(table.Dir, "nulls.json"), []byte(nulls.String()))
	write(t, filepath.Join(table.Dir, "none.json"), []byte(none.String()))
	if fast := agree(t, b, table); fast != 2 {
		t.Errorf("%d of 2 files were read fast", fast)
	}
	for _, size := range []int{64, 65, 97, 1000} {
		got, err := scanFile(filepath.Join(table.Dir, "nulls.json"), make([]byte, size), []string{"user", "timestamp", "x", "ser", "a:b"})
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]int64{"user": 120_000, "timestamp": 120_000, "x": 120_000, "ser": 0}
		if diff := cmp.Diff(want, got.Keys); diff != "" || got.Braces != 120_000 || got.Lines != 120_000 || got.Quotes != 120_000*6+60_000*2 {
			t.Errorf("in blocks of %d: %s %+v", size, diff, got)
		}
	}
}

// Around the size that an object may have, the readers' limits must not differ.
func TestReadersAgreeOnLongLines(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, size := range []int{11 << 20, 13 << 20, 16<<20 - 100, 16 << 20, 16<<20 + 100, 20 << 20} {
		table := Table{Name: "t", Location: "l", Dir: t.TempDir(), Format: JSON, Columns: shapes[0]}
		before, after := "{\"timestamp\":1}\n{\"user\":\"", "\"}\n{\"timestamp\":3}\n"
		write(t, filepath.Join(table.Dir, "f"), []byte(before+strings.Repeat("x", size-len("{\"user\":\"\"}"))+after))
		agree(t, b, table)
		rows := 3
		if size > 16<<20 {
			rows = 2
		}
		if got := b.load(t, table, false); len(got.Rows) != rows || len(got.Quarantined) != 3-rows {
			t.Errorf("%d bytes: %d rows, %d in quarantine", size, len(got.Rows), len(got.Quarantined))
		}
	}
}
