package query

import (
	"regexp"
	"strings"
)

// kind says what a token is.
type kind int

const (
	word kind = iota
	quoted
	literal
	number
	mark
)

// token is a part of an SQL text outside comments.
type token struct {
	kind kind
	// text is the word in lower case, the content of quotes, or the mark.
	text string
	at   int // byte offset
	end  int
}

// dollar is the beginning of a dollar-quoted string.
var dollar = regexp.MustCompile(`^\$([A-Za-z_\x{80}-\x{10ffff}][A-Za-z0-9_\x{80}-\x{10ffff}]*)?\$`)

// tokens cuts an SQL text as the engine's own lexer does. Where the two could differ, more is taken for code rather than
// less. What is not closed reaches to the end of the text.
func tokens(text string) []token {
	var out []token
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c <= ' ':
			i++
		case strings.HasPrefix(text[i:], "--"):
			n := strings.IndexAny(text[i:], "\r\n")
			if n < 0 {
				return out
			}
			i += n
		case strings.HasPrefix(text[i:], "/*"):
			n := strings.Index(text[i+2:], "*/")
			if n < 0 {
				return out
			}
			i += n + 4
		case c == '\'' || c == '"':
			// E'…' has escapes; its E is then the word before.
			escapes := c == '\'' && len(out) > 0 && out[len(out)-1].end == i && out[len(out)-1].text == "e"
			content, end := closed(text, i, escapes)
			k := literal
			if c == '"' {
				k = quoted
			}
			out = append(out, token{kind: k, text: content, at: i, end: end})
			i = end
		case c == '$' && dollar.MatchString(text[i:]):
			tag := dollar.FindString(text[i:])
			start := i + len(tag)
			end, next := len(text), len(text)
			if n := strings.Index(text[start:], tag); n >= 0 {
				end, next = start+n, start+n+len(tag)
			}
			out = append(out, token{kind: literal, text: text[start:end], at: i, end: next})
			i = next
		case letter(c):
			end := i + 1
			for end < len(text) && (letter(text[end]) || digit(text[end]) || text[end] == '$') {
				end++
			}
			out = append(out, token{kind: word, text: strings.ToLower(text[i:end]), at: i, end: end})
			i = end
		case digit(c):
			end := i + 1
			for end < len(text) && (digit(text[end]) || text[end] == '.') {
				end++
			}
			out = append(out, token{kind: number, text: text[i:end], at: i, end: end})
			i = end
		default:
			out = append(out, token{kind: mark, text: text[i : i+1], at: i, end: i + 1})
			i++
		}
	}
	return out
}

func letter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}
func digit(c byte) bool { return c >= '0' && c <= '9' }

// closed gives the content of a quoted part that starts at i, and where it ends.
func closed(text string, i int, escapes bool) (content string, end int) {
	quote := text[i]
	var b strings.Builder
	for j := i + 1; j < len(text); j++ {
		switch {
		case escapes && text[j] == '\\' && j+1 < len(text):
			j++
			b.WriteByte(text[j])
		case text[j] == quote && j+1 < len(text) && text[j+1] == quote:
			b.WriteByte(quote)
			j++
		case text[j] == quote:
			return b.String(), j + 1
		default:
			b.WriteByte(text[j])
		}
	}
	return b.String(), len(text)
}
