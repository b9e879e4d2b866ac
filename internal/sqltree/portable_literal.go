package sqltree

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
)

// literals judges arguments that have to be written out, as what they may be differs between engines.
func (j *judge) literals(name string, args []*expr) {
	at := func(i int) location { return args[i].first() }
	switch name {
	case "round":
		if len(args) == 2 && !args[1].wholeNumber() {
			j.refuse(at(1), "round to a computed number of decimals", "write the number")
		}
	case "substring":
		if len(args) == 3 && strings.HasPrefix(args[2].valueText(), "-") {
			j.refuse(at(2), "a negative length", "one engine counts backwards from there, another gives nothing")
		}
	case "lpad", "rpad":
		if text, ok := args[2].text(); !ok || text == "" {
			j.refuse(at(2), name+" with anything but a text that is written out", "write the text to fill up with, such as '0'")
		}
	case "split_part":
		if text, ok := args[1].text(); !ok || text == "" {
			j.refuse(at(1), "split_part with anything but a separator that is written out", "write the separator, such as ','")
		}
		if !args[2].wholeNumber() || !args[2].notZero() {
			j.refuse(at(2), "split_part with anything but the number of a part", "write the number, from 1, or from -1 to count from the end")
		}
	case "lag", "lead":
		if len(args) > 1 && !args[1].wholeNumber() {
			j.refuse(at(1), name+" by a computed number of rows", "write the number")
		}
	case "ntile":
		if !args[0].wholeNumber() || !args[0].notZero() || strings.HasPrefix(args[0].valueText(), "-") {
			j.refuse(at(0), "ntile with anything but a number that is written out", "write the number of parts")
		}
	case "get_json_object":
		if path, ok := args[1].text(); !ok || !jsonPath.MatchString(path) {
			j.refuse(at(1), "this path", "write names and numbers, such as '$.a.b[0]'")
		}
	case "regexp_like", "regexp_replace", "regexp_extract":
		j.pattern(name, args)
	}
}

var jsonPath = regexp.MustCompile(`\A\$(\.[A-Za-z_][A-Za-z_0-9]*|\[[0-9]+\])+\z`)

// wholeNumber reports whether an argument is a whole number that is written out.
func (e *expr) wholeNumber() bool {
	_, err := strconv.Atoi(e.valueText())
	return err == nil
}

var groupReference = regexp.MustCompile(`[$\\]\d`)

// pattern judges a regular expression: Go's are RE2's, which are DuckDB's, and are written for others from what they mean.
func (j *judge) pattern(name string, args []*expr) {
	text, ok := args[1].text()
	if !ok {
		j.refuse(args[1].first(), "a computed regular expression", "engines read them differently: write it out, or use LIKE, strpos or starts_with")
		return
	}
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		reason := err.Error()
		if i := strings.LastIndex(reason, "parsing regexp: "); i >= 0 {
			reason = reason[i+len("parsing regexp: "):]
		}
		j.refuse(args[1].At, "this regular expression ("+reason+")", "write it without look-around and back-references")
		return
	}
	switch name {
	case "regexp_replace":
		if shortest(tree) == 0 {
			j.refuse(args[1].At, "replacing what can be an empty text", "engines find different empty texts: write a pattern with at least one character, such as x+ for x*")
		}
		switch with, ok := args[2].text(); {
		case !ok:
			j.refuse(args[2].first(), "a computed replacement", "write it out, or use replace")
		case groupReference.MatchString(with):
			j.refuse(args[2].At, "a group in the replacement", "engines write it differently: put texts together with regexp_extract and concat")
		case strings.Contains(with, `\`):
			j.refuse(args[2].At, "a backslash in the replacement", "engines take it differently: use replace for it")
		}
	case "regexp_extract":
		n, err := strconv.Atoi(args[2].valueText())
		if err != nil || n < 0 || n > tree.MaxCap() {
			j.refuse(args[2].first(), "this group", fmt.Sprintf("write its number: the pattern has groups 0 to %d", tree.MaxCap()))
		}
	}
}

// shortest gives the length of the shortest text that a regular expression matches.
func shortest(r *syntax.Regexp) int {
	switch r.Op {
	case syntax.OpLiteral:
		return len(r.Rune)
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 1
	case syntax.OpCapture, syntax.OpPlus:
		return shortest(r.Sub[0])
	case syntax.OpRepeat:
		return r.Min * shortest(r.Sub[0])
	case syntax.OpConcat:
		n := 0
		for _, s := range r.Sub {
			n += shortest(s)
		}
		return n
	case syntax.OpAlternate:
		n := shortest(r.Sub[0])
		for _, s := range r.Sub[1:] {
			n = min(n, shortest(s))
		}
		return n
	}
	return 0
}

// escapes reports whether an escape character in a pattern of LIKE stands only where it means something: before % and _ and itself.
func escapes(pattern, escape string) bool {
	for rest := []rune(pattern); len(rest) > 0; rest = rest[1:] {
		if string(rest[0]) != escape {
			continue
		}
		if len(rest) == 1 || rest[1] != '%' && rest[1] != '_' && string(rest[1]) != escape {
			return false
		}
		rest = rest[1:]
	}
	return true
}
