package template

import (
	"regexp"
	"strings"
)

// statement is one SQL statement of a script, without the comments before it and the semicolon after it.
type statement struct {
	text string
	line int // of its first character, from 1
	kind kind
}

type kind int

const (
	other kind = iota
	externalTable
	query
)

var (
	createExternal = regexp.MustCompile(`(?i)^CREATE\s+EXTERNAL\s+TABLE\b`)
	queryStart     = regexp.MustCompile(`(?i)^(SELECT|WITH)\b`)
)

// statements splits a script at semicolons, and before each CREATE EXTERNAL TABLE that begins a line, because scripts put
// together from copies often lack the semicolon. Quotes, back-ticks and comments hide what is in them.
func statements(script string) []statement {
	var out []statement
	start, lineStart := 0, true
	flush := func(end int) {
		if s, ok := trimmed(script, start, end); ok {
			out = append(out, s)
		}
		start = end
	}
	for i := 0; i < len(script); {
		if end := skipped(script, i); end > i {
			i, lineStart = end, script[end-1] == '\n'
			continue
		}
		switch script[i] {
		case ';':
			flush(i)
			start, lineStart = i+1, true
		case '\n':
			lineStart = true
		case ' ', '\t', '\r':
		default:
			if lineStart && createExternal.MatchString(script[i:]) {
				flush(i)
			}
			lineStart = false
		}
		i++
	}
	flush(len(script))
	return out
}

// skipped gives the end of the comment or quoted text that begins at i, or i.
func skipped(s string, i int) int {
	switch c := s[i]; {
	case strings.HasPrefix(s[i:], "--"):
		if end := strings.IndexByte(s[i:], '\n'); end >= 0 {
			return i + end + 1
		}
		return len(s)
	case strings.HasPrefix(s[i:], "/*"):
		if end := strings.Index(s[i+2:], "*/"); end >= 0 {
			return i + 2 + end + 2
		}
		return len(s)
	case c == '\'' || c == '"' || c == '`':
		for j := i + 1; j < len(s); j++ {
			switch {
			case s[j] == '\\' && c != '`':
				j++ // Hive escapes with a backslash
			case s[j] == c:
				return j + 1
			}
		}
		return len(s)
	}
	return i
}

// trimmed cuts comments and white space off the front of a statement, and white space off its end.
func trimmed(script string, start, end int) (statement, bool) {
	i := start
	for i < end {
		if strings.ContainsRune(" \t\r\n\f\v\uFEFF", rune(script[i])) || strings.HasPrefix(script[i:], "\uFEFF") {
			i++
			if strings.HasPrefix(script[i-1:], "\uFEFF") {
				i += len("\uFEFF") - 1
			}
			continue
		}
		if c := script[i]; c == '-' || c == '/' {
			if next := skipped(script, i); next > i {
				i = next
				continue
			}
		}
		break
	}
	if i >= end {
		return statement{}, false
	}
	s := statement{text: strings.TrimRight(script[i:end], " \t\r\n\f\v"), line: 1 + strings.Count(script[:i], "\n")}
	switch {
	case createExternal.MatchString(s.text):
		s.kind = externalTable
	case queryStart.MatchString(s.text):
		s.kind = query
	}
	return s, s.text != ""
}
