// Package rightstest holds an actor's calls against its policies: a small part of what IAM does, in front of the stand-ins for
// AWS's services, so that tests run with the rights that are deployed.
//
// It knows Allow and Deny, wild cards, and the operators of conditions that our policies use; an operator that it does not know is
// an error and not a yes. It knows no policies of resources, no boundaries and no policies of organisations.
package rightstest

import (
	"fmt"
	"slices"
	"strings"

	"tarn/internal/rights"
)

// Verdict is what came of one action on one resource.
type Verdict string

// The verdicts (IAM User Guide, "Policy evaluation logic").
const (
	Allowed Verdict = "allowed"
	// Refused says that a statement denies it.
	Refused Verdict = "denied by a statement"
	// Unsaid says that no statement allows it.
	Unsaid Verdict = "not allowed by any statement"
)

// Judge says whether policies let an action be done to a resource. context has the values of condition keys, such as s3:prefix.
func Judge(policies []rights.Policy, action, resource string, context map[string]string) (Verdict, error) {
	verdict := Unsaid
	for _, p := range policies {
		for _, s := range p.Statement {
			if !matches(s.Action, action, true) || !matches(s.Resource, resource, false) {
				continue
			}
			holds, err := holds(s.Condition, context)
			if err != nil {
				return Unsaid, fmt.Errorf("statement %s: %w", s.Sid, err)
			}
			switch {
			case !holds:
			case s.Effect == rights.Deny:
				return Refused, nil
			case s.Effect == rights.Allow:
				verdict = Allowed
			default:
				return Unsaid, fmt.Errorf("statement %s: the effect %q", s.Sid, s.Effect)
			}
		}
	}
	return verdict, nil
}

func matches(patterns rights.List, text string, fold bool) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		if fold {
			return like(strings.ToLower(p), strings.ToLower(text))
		}
		return like(p, text)
	})
}

// like matches * with any text and ? with any byte.
func like(pattern, text string) bool {
	for pattern != "" {
		switch {
		case pattern[0] == '*':
			for i := 0; i <= len(text); i++ {
				if like(pattern[1:], text[i:]) {
					return true
				}
			}
			return false
		case text == "" || pattern[0] != '?' && pattern[0] != text[0]:
			return false
		}
		pattern, text = pattern[1:], text[1:]
	}
	return text == ""
}

// holds reports whether all conditions do. A key that a request does not have matches nothing, but for operators that end in
// IfExists.
func holds(conditions map[string]map[string]rights.List, context map[string]string) (bool, error) {
	for op, keys := range conditions {
		plain, optional := strings.CutSuffix(op, "IfExists")
		for key, want := range keys {
			have, there := context[key]
			var ok bool
			switch plain {
			case "StringEquals", "ArnEquals", "Bool":
				ok = there && slices.Contains(want, have)
			case "StringLike", "ArnLike":
				ok = there && matches(want, have, false)
			case "StringNotEquals":
				ok = !slices.Contains(want, have)
			default:
				return false, fmt.Errorf("the operator %s is not known here", op)
			}
			if !ok && !(optional && !there) {
				return false, nil
			}
		}
	}
	return true, nil
}
