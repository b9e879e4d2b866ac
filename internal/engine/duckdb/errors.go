package duckdb

import (
	"path/filepath"
	"strings"
)

// Misfit tells errors of values that do not fit a type from all others, and gives DuckDB's reason without the statement
// that it shows. It matches on the text of DuckDB's errors.
func Misfit(err error) (why string, misfit bool) {
	if err == nil {
		return "", false
	}
	text := firstLine(err)
	for _, kind := range []string{"Conversion Error: ", "Invalid Input Error: "} {
		if rest, found := strings.CutPrefix(text, kind); found {
			return strings.ToLower(rest[:1]) + rest[1:], true
		}
	}
	return "", false
}

// Brief gives DuckDB's reason without the kind of error, the statement that it shows, and the folders of files.
func Brief(err error) string {
	text := firstLine(err)
	if kind, rest, found := strings.Cut(text, " Error: "); found && len(kind) < 30 {
		text = rest
	}
	for {
		from := strings.Index(text, "'/")
		if from < 0 {
			return text
		}
		to := strings.IndexByte(text[from+1:], '\'')
		if to < 0 {
			return text
		}
		path := text[from+1 : from+1+to]
		text = text[:from] + filepath.Base(path) + text[from+to+2:]
	}
}

func firstLine(err error) string {
	text, _, _ := strings.Cut(err.Error(), "\n")
	return text
}
