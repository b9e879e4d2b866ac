package machinetest

import (
	"encoding/json"
	"fmt"
	"time"
)

// rule is a rule of a Choice.
type rule struct {
	next string
	all  []rule
	any  []rule
	not  *rule
	path path
	test func(v any, there bool) (bool, error)
}

// operators are the comparisons that are known, by what they compare with ("Choice state" of the specification).
var operators = map[string]func(want any) (func(v any, there bool) (bool, error), error){
	"IsPresent":   asked(func(_ any, there bool) bool { return there }),
	"IsNull":      asked(func(v any, there bool) bool { return there && v == nil }),
	"IsTimestamp": asked(func(v any, there bool) bool { _, ok := moment(v); return there && ok }),
	"StringEquals": compared(func(v, want string) bool {
		return v == want
	}),
	"BooleanEquals": compared(func(v, want bool) bool { return v == want }),
	"NumericEquals": compared(func(v, want json.Number) bool { a, b := numbers(v, want); return a == b }),
	"NumericLessThan": compared(func(v, want json.Number) bool {
		a, b := numbers(v, want)
		return a < b
	}),
	"NumericGreaterThanEquals": compared(func(v, want json.Number) bool { a, b := numbers(v, want); return a >= b }),
}

func numbers(a, b json.Number) (float64, float64) {
	x, _ := a.Float64()
	y, _ := b.Float64()
	return x, y
}

// asked are operators that ask for a property, true or false. Of a value that is not there, only IsPresent may be asked.
func asked(is func(v any, there bool) bool) func(any) (func(any, bool) (bool, error), error) {
	return func(want any) (func(any, bool) (bool, error), error) {
		w, ok := want.(bool)
		if !ok {
			return nil, fmt.Errorf("%v is neither true nor false", want)
		}
		return func(v any, there bool) (bool, error) { return is(v, there) == w, nil }, nil
	}
}

// compared are operators that compare values of a type; one of another type is not equal.
func compared[T any](holds func(v, want T) bool) func(any) (func(any, bool) (bool, error), error) {
	return func(want any) (func(any, bool) (bool, error), error) {
		w, ok := want.(T)
		if !ok {
			return nil, fmt.Errorf("%v is of the wrong type", want)
		}
		return func(v any, there bool) (bool, error) {
			if !there {
				return false, fail(runtime, "the variable of a comparison is not there")
			}
			have, ok := v.(T)
			return ok && holds(have, w), nil
		}, nil
	}
}

// moment reads a timestamp (RFC 3339, with T and Z in capital letters).
func moment(v any) (time.Time, bool) {
	s, ok := v.(string)
	t, err := time.Parse(time.RFC3339Nano, s)
	return t, ok && err == nil
}

func parseRule(raw json.RawMessage, top bool) (rule, error) {
	v, err := parse(raw)
	if err != nil {
		return rule{}, err
	}
	o, ok := v.(object)
	if !ok {
		return rule{}, fmt.Errorf("a rule is an object")
	}
	var r rule
	if r.next, ok = o["Next"].(string); ok != top {
		return r, fmt.Errorf("rules have Next, and those in others have none")
	}
	delete(o, "Next")
	delete(o, "Comment")
	if p, ok := o["Variable"].(string); ok {
		if r.path, err = parsePath(p); err != nil {
			return r, err
		}
		delete(o, "Variable")
	} else if o["And"] == nil && o["Or"] == nil && o["Not"] == nil {
		return r, fmt.Errorf("a comparison has a Variable")
	}
	if len(o) != 1 {
		return r, fmt.Errorf("a rule has one operator, not %d", len(o))
	}
	for name, want := range o {
		switch name {
		case "And":
			r.all, err = parseRules(want)
		case "Or":
			r.any, err = parseRules(want)
		case "Not":
			var inner rule
			inner, err = parseRule([]byte(text(want)), false)
			r.not = &inner
		default:
			operator, ok := operators[name]
			if !ok {
				return r, fmt.Errorf("operator %s is not known here", name)
			}
			r.test, err = operator(want)
		}
		if err != nil {
			return r, fmt.Errorf("%s: %w", name, err)
		}
	}
	return r, nil
}

func parseRules(v any) ([]rule, error) {
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		return nil, fmt.Errorf("it needs rules")
	}
	var out []rule
	for _, e := range list {
		r, err := parseRule([]byte(text(e)), false)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

func (r rule) holds(input any, context object) (bool, error) {
	switch {
	case r.not != nil:
		ok, err := r.not.holds(input, context)
		return !ok, err
	case r.all != nil:
		for _, part := range r.all {
			if ok, err := part.holds(input, context); !ok || err != nil {
				return false, err
			}
		}
		return true, nil
	case r.any != nil:
		for _, part := range r.any {
			if ok, err := part.holds(input, context); ok || err != nil {
				return ok, err
			}
		}
		return false, nil
	}
	v, there := r.path.get(input, context)
	return r.test(v, there)
}
