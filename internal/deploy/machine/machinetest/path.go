package machinetest

import (
	"fmt"
	"strings"
	"unicode"
)

// path is a reference path: the names from the root down. Of JSONPath, that is $.a and $['a']; all else is refused.
type path struct {
	text string
	// context says that it begins with $$, in the context object.
	context bool
	names   []string
}

func parsePath(text string) (path, error) {
	p := path{text: text}
	rest, ok := strings.CutPrefix(text, "$")
	if !ok {
		return p, fmt.Errorf("path %q does not begin with $", text)
	}
	rest, p.context = strings.CutPrefix(rest, "$")
	for rest != "" {
		var name string
		switch {
		case strings.HasPrefix(rest, "['"):
			name, rest, ok = strings.Cut(rest[2:], "']")
			if !ok || strings.ContainsAny(name, `'\`) {
				return p, fmt.Errorf("path %q is not understood", text)
			}
		case rest[0] == '.':
			rest = rest[1:]
			end := strings.IndexFunc(rest, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' })
			if end < 0 {
				end = len(rest)
			}
			name, rest = rest[:end], rest[end:]
		default:
			return p, fmt.Errorf("path %q is not understood at %q", text, rest)
		}
		if name == "" {
			return p, fmt.Errorf("path %q has an empty name", text)
		}
		p.names = append(p.names, name)
	}
	return p, nil
}

// get follows a path. There may be nothing.
func (p path) get(input any, context object) (any, bool) {
	v := input
	if p.context {
		v = context
	}
	for _, name := range p.names {
		o, ok := v.(object)
		if !ok {
			return nil, false
		}
		if v, ok = o[name]; !ok {
			return nil, false
		}
	}
	return v, true
}

// need follows a path that has to lead somewhere.
func (p path) need(input any, context object) (any, error) {
	v, ok := p.get(input, context)
	if !ok {
		return nil, fail(badPath, "the path %s leads nowhere in %s", p.text, text(input))
	}
	return clone(v), nil
}

// put gives the input with a value at the path, where objects are made as they are needed. Into what is no object, nothing is put.
func (p path) put(input, value any) (any, error) {
	if len(p.names) == 0 {
		return value, nil
	}
	root, ok := clone(input).(object)
	if !ok {
		return nil, fail("States.ResultPathMatchFailure", "%s cannot be put into %s", p.text, text(input))
	}
	o := root
	for _, name := range p.names[:len(p.names)-1] {
		if _, there := o[name]; !there {
			o[name] = object{}
		}
		if o, ok = o[name].(object); !ok {
			return nil, fail("States.ResultPathMatchFailure", "%s cannot be put into %s", p.text, text(input))
		}
	}
	o[p.names[len(p.names)-1]] = value
	return root, nil
}
