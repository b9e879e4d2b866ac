package connect

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// script is a cell of Python on its way.
type script struct {
	pip     []string // requirements, as pip takes them
	needs   []string // what else has to be there, in words
	imports []string
	body    strings.Builder
}

// need adds requirements of pip, once each.
func (s *script) need(requirements ...string) {
	for _, r := range requirements {
		if !slices.Contains(s.pip, r) {
			s.pip = append(s.pip, r)
		}
	}
}

// use adds lines of imports, once each.
func (s *script) use(lines ...string) {
	for _, l := range lines {
		if !slices.Contains(s.imports, l) {
			s.imports = append(s.imports, l)
		}
	}
}

// line adds a line of code.
func (s *script) line(format string, args ...any) { fmt.Fprintf(&s.body, format+"\n", args...) }

// settings adds the arguments of a call, each on a line of its own.
func (s *script) settings(pairs []pair) {
	for _, p := range pairs {
		s.line("    %s: %s,", literal(p.key), p.value)
	}
}

// part gives the whole text: plain imports go before those of names, as Python's people write them.
func (s *script) part() Part {
	var b strings.Builder
	quoted := make([]string, len(s.pip))
	for i, r := range s.pip {
		if quoted[i] = r; strings.ContainsAny(r, "[<>") {
			quoted[i] = `"` + r + `"`
		}
	}
	fmt.Fprintf(&b, "# pip install %s\n", strings.Join(quoted, " "))
	for _, n := range s.needs {
		fmt.Fprintf(&b, "# %s\n", n)
	}
	whole := func(l string) bool { return strings.HasPrefix(l, "import ") }
	slices.SortStableFunc(s.imports, func(x, y string) int {
		if whole(x) == whole(y) {
			return strings.Compare(x, y)
		}
		if whole(x) {
			return -1
		}
		return 1
	})
	b.WriteString(strings.Join(s.imports, "\n") + "\n\n" + s.body.String())
	return Part{Language: "python", Text: b.String()}
}

// pair is an argument with its value as Python code.
type pair struct{ key, value string }

// literal writes a text as Python reads it. Go's escapes mean the same there.
func literal(text string) string {
	quoted := strconv.Quote(text)
	if strings.Contains(text, `"`) && !strings.Contains(text, "'") && strings.Count(quoted, `\`) == strings.Count(text, `"`) {
		return "'" + text + "'"
	}
	return quoted
}
