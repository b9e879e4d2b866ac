package ddl

import (
	"strings"
	"unicode/utf8"

	"tarn/internal/diag"
)

type kind int

const (
	end kind = iota
	word
	name   // in back-ticks
	text   // in quotes
	symbol // one character
)

// token is one word of DDL. Its value is without quotes and escapes.
type token struct {
	kind   kind
	value  string
	offset int // bytes
	stop   int // offset behind it
}

// is reports whether the token is this keyword or symbol, in any letter case.
func (t token) is(value string) bool {
	return (t.kind == word || t.kind == symbol) && strings.EqualFold(t.value, value)
}

// lex cuts a source into tokens, the last of kind end. Comments are skipped with a warning, as Athena refuses them.
func lex(src diag.Source) ([]token, diag.List) {
	var out []token
	var list diag.List
	s := src.Text
	i := 0
	if strings.HasPrefix(s, "\ufeff") {
		i = len("\ufeff")
	}
	warned := false
	comment := func(at int) {
		if !warned {
			d := src.At(at, "comment", "Athena refuses comments inside DDL", "put what has to be said into COMMENT '…', or into the .yml file beside it")
			d.Severity = diag.Warning
			list = append(list, d)
			warned = true
		}
	}
	for i < len(s) {
		c := s[i]
		switch {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v':
			i++
		case strings.HasPrefix(s[i:], "--"):
			comment(i)
			if j := strings.IndexByte(s[i:], '\n'); j >= 0 {
				i += j
			} else {
				i = len(s)
			}
		case strings.HasPrefix(s[i:], "/*"):
			comment(i)
			j := strings.Index(s[i+2:], "*/")
			if j < 0 {
				return append(out, token{kind: end, offset: len(s), stop: len(s)}), append(list, src.At(i, "unclosed-comment", "the comment is not closed", "close it with */, or remove it"))
			}
			i += j + 4
		case c == '`' || c == '\'' || c == '"':
			t, ok := quoted(s, i)
			if !ok {
				return append(out, token{kind: end, offset: len(s), stop: len(s)}), append(list, src.At(i, "unclosed-quote", "the quote is not closed", "close it with "+string(c)))
			}
			out = append(out, t)
			i = t.stop
		case wordByte(c):
			j := i
			for j < len(s) && wordByte(s[j]) {
				j++
			}
			out = append(out, token{kind: word, value: s[i:j], offset: i, stop: j})
			i = j
		default:
			_, n := utf8.DecodeRuneInString(s[i:])
			out = append(out, token{kind: symbol, value: s[i : i+n], offset: i, stop: i + n})
			i += n
		}
	}
	return append(out, token{kind: end, offset: len(s), stop: len(s)}), list
}

func wordByte(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// quoted reads a name in back-ticks or a text in quotes. A doubled quote stands for one; in texts a backslash escapes.
func quoted(s string, at int) (token, bool) {
	q := s[at]
	var b strings.Builder
	for i := at + 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && q != '`' && i+1 < len(s):
			n := escape(&b, s[i+1:])
			i += n
		case s[i] == q && i+1 < len(s) && s[i+1] == q:
			b.WriteByte(q)
			i++
		case s[i] == q:
			k := text
			if q == '`' {
				k = name
			}
			return token{kind: k, value: b.String(), offset: at, stop: i + 1}, true
		default:
			b.WriteByte(s[i])
		}
	}
	return token{}, false
}

// escape writes what stands behind a backslash and gives how many bytes it took: \t, \n, \r, \0, octal \001, \u0001, or
// the character itself (Hive's BaseSemanticAnalyzer.unescapeSQLString).
func escape(b *strings.Builder, s string) int {
	if len(s) >= 3 && s[0] >= '0' && s[0] <= '1' && digits(s[1:3], 8) {
		b.WriteRune(rune(s[0]-'0')<<6 | rune(s[1]-'0')<<3 | rune(s[2]-'0'))
		return 3
	}
	if len(s) >= 5 && s[0] == 'u' && digits(s[1:5], 16) {
		var r rune
		for _, c := range s[1:5] {
			r = r<<4 | rune(strings.IndexRune("0123456789abcdef", lower(c)))
		}
		b.WriteRune(r)
		return 5
	}
	switch s[0] {
	case 't':
		b.WriteByte('\t')
	case 'n':
		b.WriteByte('\n')
	case 'r':
		b.WriteByte('\r')
	case 'b':
		b.WriteByte('\b')
	case '0':
		b.WriteByte(0)
	case 'Z':
		b.WriteByte(0x1a)
	case '%', '_':
		b.WriteString(`\` + s[:1])
	default:
		b.WriteByte(s[0])
	}
	return 1
}

func digits(s string, base int) bool {
	for _, c := range s {
		if i := strings.IndexRune("0123456789abcdef", lower(c)); i < 0 || i >= base {
			return false
		}
	}
	return true
}

func lower(r rune) rune {
	if r >= 'A' && r <= 'Z' {
		return r + 'a' - 'A'
	}
	return r
}
