package sqltree

import (
	"strings"
	"testing"
)

// The piece around the mark | is what stands in brackets.
func TestPieceAround(t *testing.T) {
	t.Parallel()
	for _, c := range []string{
		"SELECT a, [x |+ 1] AS b FROM t",
		"SELECT [|upper(a)], b FROM t",
		"SELECT [round(a, 2) |+ b] FROM t",
		"SELECT round([a |- b], 2) FROM t",
		"SELECT CAST([a |- b] AS bigint) FROM t",
		"SELECT a FROM t WHERE [a |> 'x'] AND b = 1",
		"SELECT a FROM t WHERE b = 1\n  AND [NOT |f(a)]\nGROUP BY a",
		"SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE [u.a |= t.a])",
		"SELECT a FROM t JOIN u ON [t.a |= u.b] WHERE c",
		"SELECT CASE WHEN [a |> 1] THEN b ELSE c END FROM t",
		"SELECT sum([a || 'x, y (']) OVER (PARTITION BY b) FROM t",
		"SELECT a, -- x, y\n [b |+ c] -- z\n, d FROM t",
	} {
		text := strings.NewReplacer("[", "", "]", "").Replace(c)
		at := strings.IndexByte(text, '|')
		text = text[:at] + text[at+1:]
		_, want, _ := strings.Cut(c, "[")
		want, _, _ = strings.Cut(want, "]")
		want = strings.Replace(want, "|", "", 1)
		s, ok := pieceAround(text, at)
		if got := text[s.start:s.end]; !ok || got != want {
			t.Errorf("%s: %q (%v), want %q", c, got, ok, want)
		}
	}
	for _, text := range []string{"WITH w AS (SELECT 1) SELECT 1 + 'a' FROM w", "SELECT a FROM (SELECT 1 + 'a') u", "SELECT a FROM t WHERE 1 + a BETWEEN 1 AND 2", ""} {
		if s, ok := pieceAround(text, strings.IndexByte(text, '+')); ok {
			t.Errorf("%s: %v", text, s)
		}
	}
}

func FuzzPieceAround(f *testing.F) {
	f.Add("SELECT a, (x + 1) AS b FROM t", 14)
	f.Add(")),(SELECT", 2)
	f.Fuzz(func(t *testing.T, text string, at int) {
		if s, ok := pieceAround(text, at); ok && (s.start < 0 || s.end > len(text) || s.start > at || at >= s.end) {
			t.Fatalf("%q at %d: %v", text, at, s)
		}
	})
}
