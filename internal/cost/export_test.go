package cost

import "testing"

// Builtin gives the prices and minimums that are part of the program.
func Builtin(t *testing.T) (map[string]Price, map[string]Minimum) {
	t.Helper()
	f, err := parse(builtin)
	if err != nil {
		t.Fatal(err)
	}
	return f.Prices, f.Minimums
}
