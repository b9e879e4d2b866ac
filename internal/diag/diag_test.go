package diag

import "testing"

func TestPlaceCountsCharacters(t *testing.T) {
	t.Parallel()
	s := Source{File: "a.sql", Text: "eins\nzwölf x\r\nend"}
	line, col := s.Place(len("eins\nzwölf "))
	if line != 2 || col != 7 {
		t.Errorf("place = %d:%d, want 2:7", line, col)
	}
	if got := s.Line(2); got != "zwölf x" {
		t.Errorf("line 2 = %q", got)
	}
	if line, _ := s.Place(1000); line != 3 {
		t.Errorf("an offset beyond the end is on line %d, want 3", line)
	}
}

func TestTextShowsLineCaretAndHint(t *testing.T) {
	t.Parallel()
	s := Source{File: "m.sql", Text: "SELECT emial FROM c"}
	got := s.At(7, "unknown-column", "no column emial", DidYouMean("emial", []string{"user", "email"})).Text()
	want := "m.sql:1:8: no column emial\n  SELECT emial FROM c\n         ^\n  hint: did you mean email?"
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, want string }{{"custmer_trusted", "customer_trusted"}, {"X", ""}, {"zzz", ""}, {"usre", "user"}} {
		if got := Nearest(c.name, []string{"user", "customer_trusted", "y"}); got != c.want {
			t.Errorf("Nearest(%q) = %q, want %q", c.name, got, c.want)
		}
	}
}
