package sqltree

import (
	"regexp"
	"strings"
)

var (
	// pieceToken is what can begin or end a piece.
	pieceToken = regexp.MustCompile(`[(),;]|[\pL_][\pL\d_$]*`)
	pieceWord  = regexp.MustCompile(`(?i)\A(?:SELECT|DISTINCT|FROM|WHERE|AND|OR|ON|GROUP|HAVING|ORDER|BY|QUALIFY|AS|CASE|WHEN|THEN|ELSE|END|JOIN|INNER|CROSS|FULL|UNION|EXCEPT|INTERSECT|ASC|DESC|ROWS|RANGE)\z`)
	// carries finds what makes a part of the text be used elsewhere in it by a name, or AND stand for something else.
	carries = regexp.MustCompile(`(?i)\b(?:WITH|BETWEEN|(?:FROM|JOIN)\s*\()`)
)

// pieceAround gives the smallest part of a SELECT around an offset that NULL can stand for: an item of a list, one condition,
// what stands in parentheses. It is not ok for texts in which other mistakes could follow from that.
func pieceAround(text string, at int) (s span, ok bool) {
	bare := blank(text)
	if at < 0 || at >= len(bare) || carries.MatchString(bare) {
		return span{}, false
	}
	starts := []int{0} // of the pieces that are open, from the outermost
	level := -1        // of the piece in which the offset lies, once that is passed
	end := len(bare)
tokens:
	for _, m := range pieceToken.FindAllStringIndex(bare, -1) {
		token := bare[m[0]:m[1]]
		if level < 0 && m[0] >= at {
			level = len(starts) - 1
		}
		here := level == len(starts)-1 && (m[0] > at || token == ")")
		switch {
		case token == "(":
			starts = append(starts, m[1])
			continue
		case token != ")" && token != "," && token != ";" && !pieceWord.MatchString(token):
			continue
		case here:
			end = m[0]
			break tokens
		case token == ")" && len(starts) > 1:
			starts = starts[:len(starts)-1]
		case token != ")" && m[0] < at:
			starts[len(starts)-1] = m[1]
		}
	}
	if level < 0 {
		level = len(starts) - 1
	}
	start := starts[level]
	start += len(bare[start:end]) - len(strings.TrimLeft(bare[start:end], " \t\r\n"))
	end -= len(bare[start:end]) - len(strings.TrimRight(bare[start:end], " \t\r\n"))
	return span{start, end}, start <= at && at < end
}
