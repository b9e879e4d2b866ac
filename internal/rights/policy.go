// Package rights says what each actor of a lake in AWS may do: from the calls that it makes, by way of what IAM calls them, to
// policies for the places of one lake.
//
// A call of an API is not an action of IAM: HeadObject is allowed by s3:GetObject, ListObjectsV2 by s3:ListBucket, and a
// call of Glue needs its action on the catalog, the database and the table. The table of [Calls] has that once, each with
// its source. An actor ([Of]) is a list of calls on places, and its policy is made of both; so an action that no call needs
// cannot get in, and a call that the table does not have is an error.
package rights

import (
	"encoding/json"
	"slices"
	"strings"
)

// Policy is an IAM policy. Its JSON is that of IAM (IAM User Guide, "IAM JSON policy elements reference").
type Policy struct {
	Version   string      `json:"Version"`
	Statement []Statement `json:"Statement"`
}

// Statement allows or denies.
type Statement struct {
	Sid    string `json:"Sid,omitempty"`
	Effect Effect `json:"Effect"`
	// Principal has the kind of a principal, such as Service or AWS, and who that is; only in policies of resources and of who may
	// take a role on.
	Principal map[string]List `json:"Principal,omitempty"`
	Action    List            `json:"Action"`
	// Resource has ARNs. In those for a template, ${AWS::Partition}, ${AWS::Region}, ${AWS::AccountId} and attributes of its
	// resources are left for CloudFormation to fill in; a variable of IAM's own stands as ${!aws:…} there.
	Resource List `json:"Resource,omitempty"`
	// Condition has the values by operator and key, such as StringLike, s3:prefix.
	Condition map[string]map[string]List `json:"Condition,omitempty"`
}

// Effect is Allow or Deny.
type Effect string

// The effects.
const (
	Allow Effect = "Allow"
	Deny  Effect = "Deny"
)

// List is a list of texts, which IAM also writes as one text where there is one.
type List []string

// UnmarshalJSON takes one text, or a list.
func (l *List) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*l = List{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(l))
}

// version is that of the policy language (IAM User Guide, "Version").
const version = "2012-10-17"

func policy(statements ...Statement) Policy { return Policy{Version: version, Statement: statements} }

// Actions gives what a policy allows, each once, in order.
func (p Policy) Actions() []string {
	var out []string
	for _, s := range p.Statement {
		if s.Effect == Allow {
			out = append(out, s.Action...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Filled gives the policy with the variables of a template replaced, such as AWS::Region by eu-central-1; what values does not
// have stays.
func (p Policy) Filled(values map[string]string) Policy {
	var pairs []string
	for k, v := range values {
		pairs = append(pairs, "${"+k+"}", v)
	}
	r := strings.NewReplacer(append(pairs, "${!", "${")...)
	each := func(l List) List {
		out := slices.Clone(l)
		for i := range out {
			out[i] = r.Replace(out[i])
		}
		return out
	}
	out := policy()
	for _, s := range p.Statement {
		s.Action, s.Resource = slices.Clone(s.Action), each(s.Resource)
		if s.Principal != nil {
			filled := map[string]List{}
			for k, v := range s.Principal {
				filled[k] = each(v)
			}
			s.Principal = filled
		}
		if s.Condition != nil {
			filled := map[string]map[string]List{}
			for op, keys := range s.Condition {
				filled[op] = map[string]List{}
				for k, v := range keys {
					filled[op][k] = each(v)
				}
			}
			s.Condition = filled
		}
		out.Statement = append(out.Statement, s)
	}
	return out
}

// JSON writes a policy as people read it.
func (p Policy) JSON() string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(p); err != nil {
		panic(err) // texts and lists of them can be encoded
	}
	return b.String()
}
