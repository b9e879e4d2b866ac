package machinetest

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
)

// expression is what a template's member that ends in .$ has: a path, or a call of a function.
type expression interface {
	eval(input any, context object) (any, error)
}

func (p path) eval(input any, context object) (any, error) { return p.need(input, context) }

type literal struct{ value any }

func (l literal) eval(any, object) (any, error) { return l.value, nil }

// call is a call of an intrinsic function.
type call struct {
	name string
	args []expression
}

// functions are those that are known, with how many arguments they take; -1 is one or more.
var functions = map[string]int{"States.Format": -1, "States.JsonMerge": 3, "States.StringToJson": 1, "States.JsonToString": 1, "States.MathAdd": 2}

// parseExpression reads a path or a call ("Intrinsic Functions" of the specification).
func parseExpression(text string) (expression, error) {
	e, rest, err := parseArgument(text)
	if err == nil && rest != "" {
		err = fmt.Errorf("more than one expression in %q", text)
	}
	if err == nil {
		if _, ok := e.(literal); ok {
			err = fmt.Errorf("%q is neither a path nor a function", text)
		}
	}
	return e, err
}

func parseArgument(text string) (_ expression, rest string, err error) {
	text = strings.TrimLeft(text, " ")
	switch {
	case strings.HasPrefix(text, "$"):
		end := strings.IndexAny(text, ",) ")
		if end < 0 {
			end = len(text)
		}
		p, err := parsePath(text[:end])
		return p, text[end:], err
	case strings.HasPrefix(text, "'"):
		s, rest, err := parseString(text[1:])
		return literal{s}, rest, err
	case strings.HasPrefix(text, "States."):
		return parseCall(text)
	}
	end := strings.IndexAny(text, ",) ")
	if end < 0 {
		end = len(text)
	}
	v, err := parse([]byte(text[:end]))
	if err != nil {
		return nil, "", fmt.Errorf("%q is not understood", text[:end])
	}
	return literal{v}, text[end:], nil
}

func parseCall(text string) (_ expression, rest string, err error) {
	name, rest, ok := strings.Cut(text, "(")
	most, known := functions[name]
	if !ok || !known {
		return nil, "", fmt.Errorf("function %q is not known here", name)
	}
	c := call{name: name}
	for {
		var arg expression
		if arg, rest, err = parseArgument(rest); err != nil {
			return nil, "", err
		}
		c.args = append(c.args, arg)
		rest = strings.TrimLeft(rest, " ")
		switch {
		case strings.HasPrefix(rest, ","):
			rest = rest[1:]
		case strings.HasPrefix(rest, ")"):
			if most >= 0 && len(c.args) != most {
				return nil, "", fmt.Errorf("%s takes %d arguments, not %d", name, most, len(c.args))
			}
			return c, rest[1:], nil
		default:
			return nil, "", fmt.Errorf("%q is not understood", text)
		}
	}
}

// escaped marks what a backslash has made plain, so that Format can tell {} from \{\}.
const escaped = '\x00'

// parseString reads up to the closing quote. A backslash stands before ' { } and \ only.
func parseString(text string) (s, rest string, err error) {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\'':
			return out.String(), text[i+1:], nil
		case '\\':
			if i++; i == len(text) || !strings.ContainsRune(`'{}\`, rune(text[i])) {
				return "", "", fmt.Errorf("a backslash stands before nothing that it can in '%s", text)
			}
			out.WriteByte(escaped)
		case '{', '}':
			// Only Format may have them.
		}
		out.WriteByte(text[i])
	}
	return "", "", fmt.Errorf("no end of '%s", text)
}

func unescape(s string) string { return strings.ReplaceAll(s, string(escaped), "") }

func (c call) eval(input any, context object) (any, error) {
	var args []any
	for i, a := range c.args {
		v, err := a.eval(input, context)
		if err != nil {
			return nil, err
		}
		if s, ok := v.(string); ok && !(c.name == "States.Format" && i == 0) {
			v = unescape(s)
		}
		args = append(args, v)
	}
	switch c.name {
	case "States.Format":
		return format(args)
	case "States.JsonMerge":
		a, ok := args[0].(object)
		b, also := args[1].(object)
		if !ok || !also || args[2] != false {
			return nil, fail(badFunc, "JsonMerge takes two objects and false")
		}
		out := maps.Clone(a)
		maps.Copy(out, b)
		return out, nil
	case "States.StringToJson":
		s, ok := args[0].(string)
		v, err := parse([]byte(s))
		if !ok || err != nil {
			return nil, fail(badFunc, "StringToJson takes a text that is JSON: %v", err)
		}
		return v, nil
	case "States.JsonToString":
		return text(args[0]), nil
	}
	var sum int64
	for _, a := range args {
		n, ok := a.(json.Number)
		i, err := n.Int64()
		if !ok || err != nil {
			return nil, fail(badFunc, "MathAdd takes whole numbers")
		}
		sum += i
	}
	return json.Number(fmt.Sprint(sum)), nil
}

// format replaces each {} of a template by the next argument.
func format(args []any) (any, error) {
	template, ok := args[0].(string)
	if !ok {
		return nil, fail(badFunc, "Format takes a text first")
	}
	parts := strings.Split(template, "{}")
	if len(parts) != len(args) {
		return nil, fail(badFunc, "Format has %d places for %d arguments", len(parts)-1, len(args)-1)
	}
	var out strings.Builder
	for i, p := range parts {
		if i > 0 {
			switch v := args[i].(type) {
			case string:
				out.WriteString(v)
			case object, []any:
				return nil, fail(badFunc, "Format takes no object and no array")
			default:
				out.WriteString(text(v))
			}
		}
		out.WriteString(unescape(p))
	}
	return out.String(), nil
}

// template is a payload template: JSON whose members that end in .$ are expressions.
type template struct{ raw any }

func parseTemplate(raw any) (template, error) {
	var check func(v any) error
	check = func(v any) error {
		switch v := v.(type) {
		case object:
			for name, member := range v {
				if !strings.HasSuffix(name, ".$") {
					if err := check(member); err != nil {
						return err
					}
					continue
				}
				s, ok := member.(string)
				if !ok {
					return fmt.Errorf("member %q has no text", name)
				}
				if _, err := parseExpression(s); err != nil {
					return fmt.Errorf("member %q: %w", name, err)
				}
			}
		case []any:
			for _, e := range v {
				if err := check(e); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return template{raw}, check(raw)
}

func (t template) fill(input any, context object) (any, error) {
	var fill func(v any) (any, error)
	fill = func(v any) (any, error) {
		switch v := v.(type) {
		case object:
			out := object{}
			for name, member := range v {
				var err error
				if plain, ok := strings.CutSuffix(name, ".$"); ok {
					e, parseErr := parseExpression(member.(string))
					if parseErr != nil {
						return nil, parseErr
					}
					out[plain], err = e.eval(input, context)
				} else {
					out[name], err = fill(member)
				}
				if err != nil {
					return nil, err
				}
			}
			return out, nil
		case []any:
			out := make([]any, len(v))
			for i, e := range v {
				var err error
				if out[i], err = fill(e); err != nil {
					return nil, err
				}
			}
			return out, nil
		}
		return v, nil
	}
	return fill(t.raw)
}
