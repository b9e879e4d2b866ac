package cli

import "testing"

func TestVisible(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a\tb\nc":         "a\tb\nc",
		"\x1b[31mred\a":   `\u001b[31mred\u0007`,
		"nul\x00 del\x7f": `nul\u0000 del\u007f`,
		"é 😀 👩\u200d🚀":    "é 😀 👩\u200d🚀",
		"a\u202eb":        `a\u202eb`,
	} {
		if got := visible(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
