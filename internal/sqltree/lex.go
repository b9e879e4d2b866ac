package sqltree

import "strings"

// span is a piece of SQL text, by byte offsets.
type span struct{ start, end int }

// pieces cuts SQL into comments, quoted parts and the rest, in order.
func pieces(text string, each func(kind byte, s span)) {
	plain := 0
	flush := func(to int) {
		if to > plain {
			each(' ', span{plain, to})
		}
	}
	for i := 0; i < len(text); {
		kind, end := byte(0), i
		rest := text[i:]
		switch {
		case strings.HasPrefix(rest, "--"):
			kind, end = '-', i+lineEnd(rest)
		case strings.HasPrefix(rest, "/*"):
			kind, end = '*', len(text)
			if j := strings.Index(rest[2:], "*/"); j >= 0 {
				end = i + j + 4
			}
		case rest[0] == '\'' || rest[0] == '"':
			kind, end = rest[0], i+quoteEnd(rest)
		}
		if kind == 0 {
			i++
			continue
		}
		flush(i)
		each(kind, span{i, end})
		i, plain = end, end
	}
	flush(len(text))
}

// lineEnd gives the offset of the line break, or the length.
func lineEnd(s string) int {
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		return i
	}
	return len(s)
}

// quoteEnd gives the offset behind the closing quote of the quote that s begins with; a doubled quote does not close.
func quoteEnd(s string) int {
	for i := 1; i < len(s); i++ {
		if s[i] != s[0] {
			continue
		}
		if i+1 < len(s) && s[i+1] == s[0] {
			i++
			continue
		}
		return i + 1
	}
	return len(s)
}

// blank gives the text with comments and quoted parts overwritten by spaces and question marks, so that offsets stay.
func blank(text string) string {
	out := []byte(text)
	pieces(text, func(kind byte, s span) {
		if kind == ' ' {
			return
		}
		fill := byte('?')
		if kind == '-' || kind == '*' {
			fill = ' '
		}
		for i := s.start; i < s.end; i++ {
			if out[i] != '\n' {
				out[i] = fill
			}
		}
	})
	return string(out)
}

// statements cuts a text at its semicolons; pieces of white space and comments alone are left out.
func statements(text string) []span {
	var out []span
	bare := blank(text)
	start := 0
	for start <= len(bare) {
		end := strings.IndexByte(bare[start:], ';')
		if end < 0 {
			end = len(bare)
		} else {
			end += start
		}
		if trimmed := strings.TrimLeft(bare[start:end], " \t\r\n"); trimmed != "" {
			out = append(out, span{end - len(trimmed), end})
		}
		start = end + 1
	}
	return out
}

// firstWord gives the offset of the first character that is neither white space nor comment.
func firstWord(text string) int {
	if s := statements(text); len(s) > 0 {
		return s[0].start
	}
	return 0
}

// lineComment finds the -- comment on the line of an offset, behind it. It gives the comment's text without dashes.
func lineComment(text string, offset int) (string, bool) {
	found, ok := "", false
	end := offset + lineEnd(text[min(offset, len(text)):])
	pieces(text, func(kind byte, s span) {
		if kind == '-' && s.start >= offset && s.start <= end && !ok {
			found, ok = strings.TrimSpace(strings.TrimLeft(text[s.start:s.end], "-")), true
		}
	})
	return found, ok
}
