package sqltree

import (
	"fmt"
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode"
)

// javaPattern writes a regular expression of RE2, which DuckDB and Go have, so that Java's matches the same texts: what a dot,
// a class, an anchor or an ignored case mean is written out.
func javaPattern(pattern string) (string, error) {
	tree, err := syntax.Parse(pattern, syntax.Perl&^syntax.OneLine|syntax.OneLine)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	java(&b, tree)
	return b.String(), nil
}

func java(b *strings.Builder, r *syntax.Regexp) {
	switch r.Op {
	case syntax.OpNoMatch:
		b.WriteString(`(?!)`)
	case syntax.OpEmptyMatch:
		b.WriteString(`(?:)`)
	case syntax.OpLiteral:
		for _, c := range r.Rune {
			if r.Flags&syntax.FoldCase != 0 && unicode.SimpleFold(c) != c {
				javaClass(b, folded(c))
				continue
			}
			b.WriteString(javaRune(c))
		}
	case syntax.OpCharClass:
		javaClass(b, r.Rune)
	case syntax.OpAnyCharNotNL:
		b.WriteString(`[^\n]`)
	case syntax.OpAnyChar:
		b.WriteString(`(?s:.)`)
	case syntax.OpBeginLine:
		b.WriteString(`(?:\A|(?<=\n))`)
	case syntax.OpEndLine:
		b.WriteString(`(?=\n|\z)`)
	case syntax.OpBeginText:
		b.WriteString(`^`)
	case syntax.OpEndText:
		b.WriteString(`\z`)
	case syntax.OpWordBoundary:
		b.WriteString(`(?:(?<=[0-9A-Z_a-z])(?![0-9A-Z_a-z])|(?<![0-9A-Z_a-z])(?=[0-9A-Z_a-z]))`)
	case syntax.OpNoWordBoundary:
		b.WriteString(`(?:(?<=[0-9A-Z_a-z])(?=[0-9A-Z_a-z])|(?<![0-9A-Z_a-z])(?![0-9A-Z_a-z]))`)
	case syntax.OpCapture:
		b.WriteString("(")
		java(b, r.Sub[0])
		b.WriteString(")")
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		javaRepeat(b, r)
	case syntax.OpConcat:
		for _, s := range r.Sub {
			if s.Op == syntax.OpAlternate {
				group(b, s)
			} else {
				java(b, s)
			}
		}
	case syntax.OpAlternate:
		for i, s := range r.Sub {
			if i > 0 {
				b.WriteString("|")
			}
			java(b, s)
		}
	}
}

func group(b *strings.Builder, r *syntax.Regexp) {
	b.WriteString("(?:")
	java(b, r)
	b.WriteString(")")
}

func javaRepeat(b *strings.Builder, r *syntax.Regexp) {
	of := r.Sub[0]
	switch {
	case of.Op == syntax.OpCapture, of.Op == syntax.OpCharClass, of.Op == syntax.OpAnyCharNotNL, of.Op == syntax.OpAnyChar,
		of.Op == syntax.OpLiteral && len(of.Rune) == 1:
		java(b, of)
	default:
		group(b, of)
	}
	switch r.Op {
	case syntax.OpStar:
		b.WriteString("*")
	case syntax.OpPlus:
		b.WriteString("+")
	case syntax.OpQuest:
		b.WriteString("?")
	case syntax.OpRepeat:
		switch {
		case r.Max < 0:
			b.WriteString("{" + strconv.Itoa(r.Min) + ",}")
		case r.Max == r.Min:
			b.WriteString("{" + strconv.Itoa(r.Min) + "}")
		default:
			b.WriteString("{" + strconv.Itoa(r.Min) + "," + strconv.Itoa(r.Max) + "}")
		}
	}
	if r.Flags&syntax.NonGreedy != 0 {
		b.WriteString("?")
	}
}

// folded lists a character in all its cases, as pairs of a class.
func folded(c rune) []rune {
	out := []rune{c, c}
	for o := unicode.SimpleFold(c); o != c; o = unicode.SimpleFold(o) {
		out = append(out, o, o)
	}
	return out
}

// javaClass writes pairs of first and last characters as a class.
func javaClass(b *strings.Builder, pairs []rune) {
	not := len(pairs) > 0 && pairs[0] == 0 && pairs[len(pairs)-1] == unicode.MaxRune
	if not {
		// Shorter as what it leaves out, and as it was written.
		var rest []rune
		for i := 1; i+1 < len(pairs); i += 2 {
			rest = append(rest, pairs[i]+1, pairs[i+1]-1)
		}
		pairs = rest
	}
	if len(pairs) == 0 {
		b.WriteString(map[bool]string{true: `(?s:.)`, false: `(?!)`}[not])
		return
	}
	b.WriteString("[")
	if not {
		b.WriteString("^")
	}
	for i := 0; i < len(pairs); i += 2 {
		b.WriteString(javaRune(pairs[i]))
		switch pairs[i+1] {
		case pairs[i]:
		case pairs[i] + 1:
			b.WriteString(javaRune(pairs[i+1]))
		default:
			b.WriteString("-" + javaRune(pairs[i+1]))
		}
	}
	b.WriteString("]")
}

// javaRune writes one character so that it stands for itself, also in a class.
func javaRune(c rune) string {
	switch {
	case c == '\n':
		return `\n`
	case c == '\t':
		return `\t`
	case strings.ContainsRune(`\.+*?()|[]{}^$-&`, c):
		return `\` + string(c)
	case c < ' ' || c == 0x7f || !unicode.IsGraphic(c) || unicode.Is(unicode.M, c):
		return fmt.Sprintf(`\x{%x}`, c)
	}
	return string(c)
}

// sparkPattern writes the pattern of a call.
func sparkPattern(p *printer, e *expr) string {
	text, ok := e.Children[1].text()
	if !ok {
		return p.fail(e.At, "a computed regular expression")
	}
	pattern, err := javaPattern(text)
	if err != nil {
		return p.fail(e.At, "this regular expression")
	}
	return p.d.literal(pattern)
}

func sparkRegexpLike(p *printer, e *expr, _ string) (text, gives string) {
	return "regexp_like(" + p.expr(e.Children[0]) + ", " + sparkPattern(p, e) + ")", "BOOLEAN"
}

func sparkRegexpReplace(p *printer, e *expr, _ string) (text, gives string) {
	with, ok := e.Children[2].text()
	if !ok {
		return p.fail(e.At, "a computed replacement"), ""
	}
	with = strings.NewReplacer(`\`, `\\`, "$", `\$`).Replace(with)
	return "regexp_replace(" + p.expr(e.Children[0]) + ", " + sparkPattern(p, e) + ", " + p.d.literal(with) + ")", "VARCHAR"
}

func sparkRegexpExtract(p *printer, e *expr, _ string) (text, gives string) {
	return "nullif(regexp_extract(" + p.expr(e.Children[0]) + ", " + sparkPattern(p, e) + ", " + p.as(e.Children[2], "INTEGER") + "), '')", "VARCHAR"
}
