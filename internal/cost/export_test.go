package cost

import "testing"

// Builtin gives the prices and minimums that are part of the program.
func Builtin(t *testing.T) (map[string]Price, map[string]Minimum) {
	t.Helper()
	var f builtinFile
	if err := parse(builtin, &f); err != nil {
		t.Fatal(err)
	}
	return f.Prices, f.Minimums
}
