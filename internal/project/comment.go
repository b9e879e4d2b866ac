package project

import (
	"strings"
	"unicode/utf8"

	"tarn/internal/diag"
)

// headerMark begins the comment that holds a model's header.
const headerMark = "@tarn"

// head tells where the parts of a model's file are, in bytes.
type head struct {
	// The YAML text of the header is from..to; both are 0 if there is no header.
	from, to int
	// The SQL begins at sql, maybe with a comment, and its first word stands at word. Both are the length of the text if
	// there is no SQL.
	sql, word int
}

// split finds the header comment at the head of a model and where its SELECT begins. Only white space and other comments
// may stand before the header.
func split(src diag.Source) (h head, list diag.List) {
	text := src.Text
	i := len(text) - len(strings.TrimPrefix(text, "\uFEFF"))
	h.sql = -1
	for {
		i += len(text[i:]) - len(strings.TrimLeft(text[i:], " \t\r\n\f\v"))
		rest := text[i:]
		switch {
		case strings.HasPrefix(rest, "--"):
			if h.sql < 0 {
				h.sql = i
			}
			if end := strings.IndexByte(rest, '\n'); end >= 0 {
				i += end
				continue
			}
			i = len(text)
		case strings.HasPrefix(rest, "/*"):
			end := 2 + strings.Index(rest[2:], "*/")
			if end < 2 {
				list = append(list, src.At(i, "unclosed-comment", "the comment is not closed", "end it with */"))
				return head{sql: len(text), word: len(text)}, list
			}
			if mark, ok := headerStart(rest); ok {
				if h.to > 0 {
					list = append(list, src.At(i, "duplicate-header", "a second header", "keep all keys in one /* @tarn … */"))
				} else {
					h.from, h.to = i+mark, i+end
				}
				h.sql = -1
			} else if h.sql < 0 {
				h.sql = i
			}
			if word := misspelt(rest); word != "" {
				list = append(list, warning(src.At(i, "not-a-header", "a comment that begins with "+word+" is no header", "did you mean "+headerMark+"?")))
			}
			i += end + len("*/")
			continue
		}
		break
	}
	if i >= len(text) {
		h.sql, h.word = len(text), len(text)
		return h, list
	}
	if h.word = i; h.sql < 0 {
		h.sql = i
	}
	if late := lateHeader(text[i:]); late >= 0 {
		list = append(list, src.At(i+late, "late-header", "the header has to stand before the SELECT", "move /* @tarn … */ to the top of the file"))
	}
	return h, list
}

// headerStart reports whether a comment is a header, and the length of its /* @tarn.
func headerStart(comment string) (int, bool) {
	inner := strings.TrimLeft(comment[2:], " \t\r\n")
	after, ok := strings.CutPrefix(inner, headerMark)
	if !ok || after != "" && !strings.ContainsAny(after[:1], " \t\r\n*") {
		return 0, false
	}
	return len(comment) - len(after), true
}

// misspelt gives the first word of a comment that is nearly the header's mark.
func misspelt(comment string) string {
	if _, ok := headerStart(comment); ok {
		return ""
	}
	word, _, _ := strings.Cut(strings.TrimSpace(strings.TrimRight(comment[2:], "*/")), "\n")
	if word, _, _ = strings.Cut(strings.TrimSpace(word), " "); strings.HasPrefix(word, "@") && diag.Nearest(word, []string{headerMark}) != "" {
		return word
	}
	return ""
}

func warning(d diag.Diagnostic) diag.Diagnostic {
	d.Severity = diag.Warning
	return d
}

// lateHeader finds a header comment after the SQL has begun. Text in quotes is skipped.
func lateHeader(sql string) int {
	for i := 0; i < len(sql); i++ {
		switch c := sql[i]; {
		case c == '\'' || c == '"':
			end := strings.IndexByte(sql[i+1:], c)
			if end < 0 {
				return -1
			}
			i += end + 1
		case strings.HasPrefix(sql[i:], "--"):
			end := strings.IndexByte(sql[i:], '\n')
			if end < 0 {
				return -1
			}
			i += end
		case strings.HasPrefix(sql[i:], "/*"):
			if _, ok := headerStart(sql[i:]); ok {
				return i
			}
			end := strings.Index(sql[i+2:], "*/")
			if end < 0 {
				return -1
			}
			i += end + 3
		}
	}
	return -1
}

// headerDecoder gives a decoder whose places are those of the .sql file that the header stands in.
func headerDecoder(src diag.Source, from int) *decoder {
	line, _ := src.Place(from)
	lineStart := strings.LastIndexByte(src.Text[:from], '\n') + 1
	return &decoder{src: src, lines: line - 1, cols: utf8.RuneCountInString(src.Text[lineStart:from])}
}
