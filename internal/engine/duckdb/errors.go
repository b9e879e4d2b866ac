package duckdb

import "strings"

// Misfit tells errors of values that do not fit a type from all others, and gives DuckDB's reason without the statement
// that it shows. It matches on the text of DuckDB's errors.
func Misfit(err error) (why string, misfit bool) {
	if err == nil {
		return "", false
	}
	text, _, _ := strings.Cut(err.Error(), "\n")
	for _, kind := range []string{"Conversion Error: ", "Invalid Input Error: "} {
		if rest, found := strings.CutPrefix(text, kind); found {
			return strings.ToLower(rest[:1]) + rest[1:], true
		}
	}
	return "", false
}
