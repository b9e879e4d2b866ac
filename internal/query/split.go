package query

import "strings"

// statement is one statement of a text: as written without its semicolon, and with comments and quoted parts blanked.
type statement struct{ text, bare string }

// split cuts a text at semicolons that stand outside quotes and comments. Empty statements are left out.
func split(text string) []statement {
	var out []statement
	var bare strings.Builder
	start := 0
	flush := func(end int) {
		if strings.TrimSpace(bare.String()) != "" {
			out = append(out, statement{text: strings.TrimSpace(text[start:end]), bare: bare.String()})
		}
		bare.Reset()
		start = end + 1
	}
	for i := 0; i < len(text); {
		switch end := quoted(text, i); {
		case end > i:
			if text[i] == '-' || text[i] == '/' {
				bare.WriteByte(' ')
			} else {
				bare.WriteByte('?')
			}
			i = end
		case text[i] == ';':
			flush(i)
			i++
		default:
			bare.WriteByte(text[i])
			i++
		}
	}
	flush(len(text))
	return out
}

// quoted gives the end of a string, quoted identifier, dollar-quoted string or comment that starts at i, or i if none does.
// One that is not closed reaches to the end of the text.
func quoted(text string, i int) int {
	rest := text[i:]
	until := func(mark string, from int) int {
		if j := strings.Index(rest[from:], mark); j >= 0 {
			return i + from + j + len(mark)
		}
		return len(text)
	}
	switch {
	case rest[0] == '\'' || rest[0] == '"':
		escapes := rest[0] == '\'' && i > 0 && (text[i-1] == 'e' || text[i-1] == 'E')
		for j := 1; j < len(rest); j++ {
			switch {
			case escapes && rest[j] == '\\':
				j++
			case rest[j] == rest[0] && j+1 < len(rest) && rest[j+1] == rest[0]:
				j++
			case rest[j] == rest[0]:
				return i + j + 1
			}
		}
		return len(text)
	case strings.HasPrefix(rest, "--"):
		return until("\n", 2)
	case strings.HasPrefix(rest, "/*"):
		return until("*/", 2)
	case rest[0] == '$':
		if end := strings.IndexByte(rest[1:], '$'); end >= 0 && !strings.ContainsAny(rest[1:1+end], " \t\n'\";,()") {
			return until(rest[:end+2], end+2)
		}
	}
	return i
}
