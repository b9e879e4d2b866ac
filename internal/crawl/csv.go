package crawl

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"
)

// dialect is how a table's text files are written.
type dialect struct {
	separator byte
	quoted    bool // fields stand in quotes
	escaped   bool // backslashes take separators and line breaks their meaning
	fields    int
	header    []string // nil for none
	// backslashes stand in quoted text and are no escapes: serdes differ on them.
	backslashes bool
	lineBreaks  bool // a quoted field goes over several lines
}

var separators = []byte{',', '\t', ';', '|', '\x01'}

// sniffCSV finds the dialect in which most records of some files have the same number of fields.
func sniffCSV(heads []*head) (dialect, bool) {
	best, bestScore := dialect{}, -1.0
	for _, sep := range separators {
		counts := map[int]int{}
		total, quotes, escapes := 0, 0, 0
		for _, h := range heads {
			for _, r := range records(h.text, sep, 200, !h.ended) {
				counts[len(r.fields)]++
				total++
				quotes += r.quoted
				escapes += r.escapes
			}
		}
		n, most := 0, 0
		for fields, c := range counts {
			if c > most || c == most && fields > n {
				n, most = fields, c
			}
		}
		if total == 0 {
			continue
		}
		score := float64(most) / float64(total)
		if n == 1 {
			score -= 2 // a separator that does not occur separates nothing
		}
		// Of two that fit the one with more fields is not chance.
		score += float64(min(n, 50)) / 1000
		if score > bestScore {
			best, bestScore = dialect{separator: sep, fields: n, quoted: quotes > 0, escaped: quotes == 0 && escapes > 0}, score
		}
	}
	return best, bestScore > -2 && (best.fields == 1 || bestScore > 0.5)
}

// record is one record of a text file, split without judging it.
type record struct {
	fields  []string
	quoted  int // fields in quotes
	escapes int // backslashes before a separator, a backslash or n, r, t outside of quotes
}

// records splits the beginning of a file into up to limit records; the last one of a text that is cut is left out.
func records(b []byte, sep byte, limit int, isCut bool) []record {
	var out []record
	for len(b) > 0 && len(out) < limit {
		r, rest, whole := splitRecord(b, sep)
		if !whole && isCut {
			break
		}
		if len(r.fields) > 1 || r.fields[0] != "" || r.quoted > 0 {
			out = append(out, r)
		}
		b = rest
	}
	return out
}

// splitRecord splits the record that b begins with; whole says that a line break ends it.
func splitRecord(b []byte, sep byte) (r record, rest []byte, whole bool) {
	i := 0
	for {
		var f []byte
		from := i
		if i < len(b) && b[i] == '"' {
			if end, text, ok := quotedField(b, i); ok && (end == len(b) || b[end] == sep || b[end] == '\n' || b[end] == '\r') {
				r.quoted++
				f, i = text, end
			}
		}
		if i == from {
			for i < len(b) && b[i] != sep && b[i] != '\n' && b[i] != '\r' {
				if b[i] == '\\' && i+1 < len(b) && (b[i+1] == sep || b[i+1] == '\\' || b[i+1] == 'n' && sep == '\t') {
					r.escapes++
					i++
				}
				i++
			}
			i = min(i, len(b))
			f = b[from:i]
		}
		r.fields = append(r.fields, string(f))
		switch {
		case i >= len(b):
			return r, nil, false
		case b[i] == sep:
			i++
			continue
		case b[i] == '\r' && i+1 < len(b) && b[i+1] == '\n':
			return r, b[i+2:], true
		}
		return r, b[i+1:], true
	}
}

func quotedField(b []byte, i int) (end int, text []byte, ok bool) {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '\\':
			if i+1 < len(b) && (b[i+1] == '"' || b[i+1] == '\\') {
				i++
			}
			text = append(text, b[i])
		case '"':
			if i+1 < len(b) && b[i+1] == '"' {
				i++
				text = append(text, '"')
				continue
			}
			return i + 1, text, true
		default:
			text = append(text, b[i])
		}
	}
	return i, nil, false
}

// The length is not part of the pattern: a large class, repeated, takes megabytes to compile, at every start of the program.
var identifier = regexp.MustCompile(`^[\p{L}_][\p{L}\p{N}_ .\-/()#%]*$`)

const longestName = 128 // characters

// findHeader decides whether the first records of files are names. It is one where files begin alike, or where its fields
// could not be values of their columns.
func (d *dialect) findHeader(heads []*head) {
	var firsts [][]string
	var bodies [][]record
	for _, h := range heads {
		if list := records(h.text, d.separator, 100, !h.ended); len(list) > 0 && len(list[0].fields) == d.fields {
			firsts = append(firsts, list[0].fields)
			bodies = append(bodies, list[1:])
		}
	}
	if len(firsts) == 0 {
		return
	}
	first := firsts[0]
	names := map[string]bool{}
	twice := false
	for _, f := range first {
		f = strings.TrimSpace(f)
		if !utf8.ValidString(f) || kindOf(f) != texts {
			return
		}
		twice = twice || names[strings.ToLower(f)]
		names[strings.ToLower(f)] = true
	}
	alike := 0
	for _, f := range firsts[1:] {
		if strings.Join(f, "\x00") == strings.Join(first, "\x00") {
			alike++
		}
	}
	if len(firsts) > 1 && alike*2 >= len(firsts)-1 {
		d.header = first
		return
	}
	identifiers, typed, again, rows := true, false, false, 0
	for i, f := range first {
		name := strings.TrimSpace(f)
		identifiers = identifiers && utf8.RuneCountInString(name) <= longestName && identifier.MatchString(name)
		kinds := map[kind]int{}
		n := 0
		for _, r := range bodies[0] {
			if i >= len(r.fields) {
				continue
			}
			n++
			kinds[kindOf(strings.TrimSpace(r.fields[i]))]++
			again = again || r.fields[i] == f
		}
		rows = max(rows, n)
		typed = typed || n > 0 && kinds[texts] == 0 && kinds[emptyTexts] < n
	}
	if typed || identifiers && !again && !twice && (rows > 0 || len(first) > 1) {
		d.header = first
	}
}

// oddities looks for what serdes take differently.
func (d *dialect) oddities(heads []*head) {
	if !d.quoted {
		return
	}
	for _, h := range heads {
		for _, r := range records(h.text, d.separator, 200, !h.ended) {
			for _, f := range r.fields {
				d.lineBreaks = d.lineBreaks || strings.ContainsAny(f, "\r\n")
				d.backslashes = d.backslashes || strings.Contains(f, `\`)
			}
		}
	}
}

// firstRecord gives the first record of a file's beginning.
func (d *dialect) firstRecord(h *head) []string {
	list := records(h.text, d.separator, 1, !h.ended)
	if len(list) == 0 {
		return nil
	}
	return list[0].fields
}

// null markers that text files have, and that are no values.
var nullMarkers = map[string]bool{"NULL": true, "null": true, "Null": true, "NA": true, "N/A": true, "n/a": true, "NaN": true, "nan": true, "None": true, "none": true, "-": true, `\N`: true, "#N/A": true}

var newline = []byte{'\n'}

// lines counts the lines of a text.
func lines(b []byte) int { return bytes.Count(b, newline) }
