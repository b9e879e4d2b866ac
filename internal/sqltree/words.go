package sqltree

import (
	"regexp"
	"slices"
	"strings"
)

// spelling is a way of writing that DuckDB's parser takes and that leaves no trace in the tree. The printed SQL would be
// right, but the file itself could not be pasted anywhere else.
type spelling struct {
	pattern    *regexp.Regexp // on the text without comments and quoted parts
	what, hint string
}

var spellings = []spelling{
	{regexp.MustCompile(`(?i)(?:\A|\()\s*FROM\b`), "FROM before SELECT", "write SELECT … FROM …"},
	{regexp.MustCompile(`(?i)\A\s*TABLE\b`), "TABLE name", "write SELECT … FROM name"},
	{regexp.MustCompile(`(?i),\s*(?:FROM\b|WHERE\b|GROUP\s+BY\b|HAVING\b|ORDER\s+BY\b|\)|\z)`), "a comma with nothing behind it", "remove it"},
	{regexp.MustCompile(`==`), "==", "write ="},
	{regexp.MustCompile(`(?i)\b(?:ISNULL|NOTNULL)\b`), "ISNULL or NOTNULL", "write IS NULL or IS NOT NULL"},
	{regexp.MustCompile(`(?i)\bLATERAL\b`), "LATERAL", "write a join with ON, or a subquery in the SELECT list"},
	{regexp.MustCompile(`\$[A-Za-z_]*\$`), "text between $$", "write the text in single quotes"},
	{regexp.MustCompile(`(?i)\bto_(?:years|months|weeks|days|hours|minutes|seconds)\s*\(`), "a call in the place of INTERVAL", "write INTERVAL 3 DAY"},
	{regexp.MustCompile(`(?i)\b(?:date_part|datepart)\s*\(`), "date_part(…)", "write EXTRACT(year FROM ts)"},
	{regexp.MustCompile(`(?i)\bWITHIN\s+GROUP\b`), "WITHIN GROUP", "engines differ in the order of equal values: use min_by, max_by, min or max"},
}

// beforeFrom are calls whose arguments can begin with FROM, as in trim(FROM s).
var beforeFrom = regexp.MustCompile(`(?i)\b(?:trim|ltrim|rtrim|substring|overlay|extract)\s*\z`)

func (j *judge) spellings() {
	refuse := func(at int, what, hint string) {
		j.list = append(j.list, j.q.src.At(j.q.base+at, "not-portable", what+" is not in the portable subset", hint))
	}
	for _, s := range spellings {
		for _, m := range s.pattern.FindAllStringIndex(j.bare, -1) {
			at := m[0]
			if j.bare[at] == '(' {
				if beforeFrom.MatchString(j.bare[:at]) {
					continue
				}
				at++
			}
			at += len(j.bare[at:]) - len(strings.TrimLeft(j.bare[at:], " \t\r\n"))
			refuse(at, s.what, s.hint)
		}
	}
	pieces(j.q.text, func(kind byte, s span) {
		if kind != '\'' || s.start == 0 || !strings.ContainsRune("eExXbBuU&", rune(j.q.text[s.start-1])) {
			return
		}
		if s.start == 1 || !wordByte(j.q.text[s.start-2]) {
			refuse(s.start-1, "text with a letter before its quote", "write the text in plain single quotes, '' for one inside it")
		}
	})
}

func wordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// word finds the first of these words in the text, for nodes of which DuckDB gives no place; -1 if none is there.
func (j *judge) word(words ...string) location {
	for _, w := range words {
		quoted := strings.ReplaceAll(regexp.QuoteMeta(w), " ", `\s+`)
		if wordByte(w[0]) {
			quoted = `\b` + quoted + `\b`
		}
		if m := regexp.MustCompile(`(?i)` + quoted).FindStringIndex(j.bare); m != nil {
			return location(m[0])
		}
	}
	return -1
}

var typeAfterColons = regexp.MustCompile(`\A::\s*([A-Za-z_]+(?:\s*\([\d\s,]*\))?)`)

// castText gives the type of a cast as it is written, such as VARCHAR(3), or "" if it cannot be told.
func (j *judge) castText(e *expr) string {
	if e.At < 0 || int(e.At) >= len(j.bare) {
		return ""
	}
	rest := j.bare[e.At:]
	if m := typeAfterColons.FindStringSubmatch(rest); m != nil {
		return m[1]
	}
	open := strings.IndexByte(rest, '(')
	if open < 0 || !slices.Contains([]string{"CAST", "TRY_CAST"}, strings.ToUpper(strings.TrimSpace(rest[:open]))) {
		return ""
	}
	depth, as := 0, -1
	for i := open; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth == 0 {
				if as < 0 {
					return ""
				}
				return strings.Join(strings.Fields(rest[as+2:i]), " ")
			}
		case depth == 1 && (c == 'A' || c == 'a') && i+2 < len(rest) && (rest[i+1] == 'S' || rest[i+1] == 's') && !wordByte(rest[i-1]) && !wordByte(rest[i+2]):
			as = i
		}
	}
	return ""
}
