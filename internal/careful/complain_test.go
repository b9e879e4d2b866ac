package careful

import (
	"strings"
	"testing"
)

func TestComplaints(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"a":1,"s":"x,"b":"e"}`:           `a quote missing or not escaped at byte 16: expected a comma or "}", found "b"`,
		`{"s":"it said "hi" to me"}`:       `a quote missing or not escaped at byte 16: expected a comma or "}", found "h"`,
		"{\n \"a\": 1,\n \"s\": \"x\"y\n}": `a quote missing or not escaped on line 3: expected a comma or "}", found "y"`,
		`{"a":1 "s":"x"}`:                  `a comma missing, or a quote not escaped at byte 8: expected a comma or "}", found "\""`,
		`{"a":1,"s":x"}`:                   `a quote missing at byte 12: expected a value, found "x"`,
		`{"a":01}`:                         `a JSON number has no zeros in front at byte 7: expected a comma or "}", found "1"`,
		`{"a":None}`:                       `JSON writes null at byte 6: expected a value, found "N"`,
		`{"a":NaN}`:                        `NaN and Infinity are not JSON at byte 6: expected a value, found "N"`,
		`{"a":True}`:                       `true and false have small letters at byte 6: expected a value, found "T"`,
		`{"s":'x'}`:                        `texts stand in double quotes at byte 6: expected a value, found "'"`,
		"{\"a\":1\n{\"a\":2}":              `the object before not closed on line 2: expected a comma or "}", found "{"`,
		"\xff\xfe{\x00}\x00":               "the file is UTF-16, not UTF-8: `iconv -f UTF-16 -t UTF-8` turns it into what can be read",
		"PK\x03\x04zip{\"a\":1}\n{}":       "the file is a zip archive, which tarn does not read: unpack it",
	} {
		_, bad, err := NewJSON(strings.NewReader(text), Options{Columns: columns("a", "BIGINT", "s", "VARCHAR", "b", "VARCHAR")}).Next()
		if err != nil || bad == nil || bad.Message != want {
			t.Errorf("%q: got %+v, %v; want %s", text, bad, err, want)
		}
	}
}

func TestForeignFileIsRefusedWhole(t *testing.T) {
	t.Parallel()
	text := "\x00{\x00\"\x00a\x00\"\x00:\x001\x00}\x00\n\x00{\x00}\x00\n"
	for name, r := range map[string]Reader{
		"json": NewJSON(strings.NewReader(text), Options{Columns: columns("a", "BIGINT"), window: 7}),
		"csv":  NewCSV(strings.NewReader(text), Options{Columns: columns("a", "BIGINT"), window: 7}, Dialect{Separator: ',', Quote: '"', SkipLines: 1}),
	} {
		_, bad, err := r.Next()
		if err != nil || bad == nil || bad.Reason != WrongFormat || !bad.Cut || bad.Offset != 0 || bad.Line != 1 {
			t.Errorf("%s: got %+v, %v", name, bad, err)
		}
		if row, bad, err := r.Next(); err == nil {
			t.Errorf("%s: after a refused file: %v, %v", name, row, bad)
		}
		if s := r.Stats(); s.Objects != 1 || s.Quarantined != 1 || s.Bytes != int64(len(text)) {
			t.Errorf("%s: counted %+v", name, s)
		}
	}
	// What begins like one of them by chance is text.
	r := NewCSV(strings.NewReader("PAR1,2\nBZh,3\n"), Options{Columns: columns("s", "VARCHAR", "a", "BIGINT")}, Dialect{Separator: ','})
	if row, bad, err := r.Next(); bad != nil || err != nil || row[0] != "PAR1" {
		t.Errorf("got %v, %v, %v", row, bad, err)
	}
}

func TestCSVHints(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"1;2;3\n":            `1 field, the table has 3 columns: is the separator ";", where the definition has ","?`,
		"1,2\n":              `2 fields, the table has 3 columns`,
		"1,2,\"x\" y\n":      `field 3 goes on with "y" behind its closing quote: is a quote within it not escaped?`,
		"1,\"x,3\n4,\"y,6\n": `field 2 goes on with "y" behind its closing quote: is it not closed on its first line?`,
	} {
		r := NewCSV(strings.NewReader(text), Options{Columns: columns("a", "BIGINT", "b", "VARCHAR", "c", "VARCHAR")}, Dialect{Separator: ',', Quote: '"'})
		if _, bad, err := r.Next(); err != nil || bad == nil || bad.Message != want {
			t.Errorf("%q: got %+v, %v; want %s", text, bad, err, want)
		}
	}
}
