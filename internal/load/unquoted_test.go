package load

import "testing"

func TestLooksUnquoted(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"": false, " ": false, "8015551212": true, " -1.5 ": true, "1e400": true, "1_000": true, "NaN": true, "-Infinity": true, "true": true,
		"{}": true, "[1": true, "8e1f5ab2-93b1-4f4e-9c2a-000000000000": false, "1967-01-01": false, "+1 801 555": false, "Ruth": false,
	} {
		if got := looksUnquoted(text); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}
