package stack

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// Action is what happens to a resource.
type Action string

// The actions.
const (
	Add    Action = "add"
	Modify Action = "change"
	Remove Action = "remove"
	// Replace makes a resource anew and removes the old one.
	Replace Action = "replace"
	// Import takes what is there into the stack.
	Import Action = "import"
)

// Change is one resource of a proposal.
type Change struct {
	// add, change, remove, replace or import.
	Action Action `json:"action"`
	// Resource is the logical name in the template.
	Resource string `json:"resource"`
	// CloudFormation's type, such as AWS::S3::Bucket.
	Type string `json:"type"`
	// The type in words.
	Kind string `json:"kind"`
	// Name is what the resource is called in AWS, where that is known.
	Name string `json:"name,omitempty"`
	// Maybe says that a change may turn out to replace the resource.
	Maybe bool `json:"maybe_replaced,omitempty"`
	// Kept says that what is removed from the stack stays in the account.
	Kept bool `json:"kept,omitempty"`
	// Why are the properties that change.
	Why []string `json:"why,omitempty"`
}

// Proposal is what a deployment would do.
type Proposal struct {
	// Name of the stack.
	Stack string `json:"stack"`
	// AWS region that it is in.
	Region string `json:"region"`
	// Number of the account.
	Account string `json:"account"`
	// Who asks, as an ARN.
	Who string `json:"who"`
	// New says that there is no stack yet.
	New bool `json:"new"`
	// Before are things to be done before the changes, in words.
	Before  []string `json:"before,omitempty"`
	Changes []Change `json:"changes"`
	// Estimate says in lines what the stack will cost a month.
	Estimate []string `json:"estimate,omitempty"`
}

func (s *Stack) proposal(ctx context.Context, found *surroundings) (Proposal, error) {
	p := Proposal{Stack: s.name, Region: s.region, Account: s.account, Who: s.who, Changes: []Change{}}
	if s.o.Estimate != nil {
		var err error
		if p.Estimate, err = s.o.Estimate(ctx, found.spec); err != nil {
			return p, err
		}
	}
	return p, nil
}

// additions are the changes of a stack that is not there yet.
func additions(found *surroundings) []Change {
	out := []Change{}
	for _, r := range found.whole.resources() {
		c := Change{Action: Add, Resource: r.id, Type: r.kind, Kind: kindOf(r.kind), Name: r.name}
		if slices.ContainsFunc(found.take, func(t resource) bool { return t.id == r.id }) {
			c.Action = Import
		}
		out = append(out, c)
	}
	return out
}

// changeSet is one that AWS has made and that was not executed.
type changeSet struct {
	id, name string
	changes  []Change
}

// request is what a change set is made of.
type request struct {
	kind types.ChangeSetType
	// body is the template, or url where it is.
	body, url string
	template  *template
	// values are of parameters that the template declares; others stay as they are.
	values map[string]string
	// take says how resources to import are identified, by logical name.
	take map[string]map[string]string
}

// prefix is how the names of our change sets begin.
const prefix = "tarn-"

// change makes a change set. It is nil where nothing would change.
func (s *Stack) change(ctx context.Context, r request, st *types.Stack) (*changeSet, error) {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails (its documentation)
	name := prefix + s.now().UTC().Format("20060102T150405Z") + "-" + hex.EncodeToString(b[:])
	in := &cloudformation.CreateChangeSetInput{StackName: &s.name, ChangeSetName: &name, ChangeSetType: r.kind, ClientToken: &name,
		Capabilities: []types.Capability{types.CapabilityCapabilityIam, types.CapabilityCapabilityNamedIam}, Tags: s.stackTags(), Parameters: parameters(r, st)}
	if r.url != "" {
		in.TemplateURL = &r.url
	} else {
		in.TemplateBody = &r.body
	}
	for _, res := range r.template.resources() {
		if names := r.take[res.id]; names != nil {
			in.ResourcesToImport = append(in.ResourcesToImport, types.ResourceToImport{LogicalResourceId: aws.String(res.id), ResourceType: aws.String(res.kind), ResourceIdentifier: names})
		}
	}
	out, err := s.cf.CreateChangeSet(ctx, in)
	if err != nil {
		return nil, s.failed("make a change set", err)
	}
	cs := &changeSet{id: aws.ToString(out.Id), name: name}
	empty, err := s.ready(ctx, cs)
	if err != nil || empty {
		s.discard(ctx, cs)
		if st == nil {
			s.unname(ctx)
		}
		return nil, err
	}
	return cs, nil
}

func (s *Stack) stackTags() []types.Tag {
	tags := s.tags()
	var out []types.Tag
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, types.Tag{Key: aws.String(k), Value: aws.String(tags[k])})
	}
	return out
}

// parameters gives values to what the template declares: ours, or what the stack has had.
func parameters(r request, st *types.Stack) []types.Parameter {
	had := map[string]bool{}
	if st != nil {
		for _, p := range st.Parameters {
			had[aws.ToString(p.ParameterKey)] = true
		}
	}
	var out []types.Parameter
	for _, name := range r.template.parameters() {
		if v, ok := r.values[name]; ok {
			out = append(out, types.Parameter{ParameterKey: aws.String(name), ParameterValue: aws.String(v)})
		} else if had[name] {
			out = append(out, types.Parameter{ParameterKey: aws.String(name), UsePreviousValue: aws.Bool(true)})
		}
	}
	return out
}

// ready waits for a change set, and reads it. empty says that nothing would change.
func (s *Stack) ready(ctx context.Context, cs *changeSet) (empty bool, err error) {
	in := &cloudformation.DescribeChangeSetInput{StackName: &s.name, ChangeSetName: &cs.id}
	wait := s.pauses()
	for {
		out, err := s.cf.DescribeChangeSet(ctx, in)
		if err != nil {
			return false, s.failed("look at the change set", err)
		}
		switch out.Status {
		case types.ChangeSetStatusCreateComplete:
			for _, c := range out.Changes {
				if c.ResourceChange != nil {
					cs.changes = append(cs.changes, changeOf(c.ResourceChange))
				}
			}
			if in.NextToken = out.NextToken; in.NextToken == nil {
				return false, nil
			}
			continue
		case types.ChangeSetStatusFailed:
			why := aws.ToString(out.StatusReason)
			// AWS CloudFormation User Guide, "Troubleshooting", and what it answers: there is no code for it.
			if strings.Contains(why, "didn't contain changes") || strings.Contains(why, "No updates are to be performed") {
				return true, nil
			}
			return false, &FailedError{Stack: s.name, Status: string(out.Status), Reason: why, Sound: true}
		}
		if err := wait.pause(ctx); err != nil {
			return false, err
		}
	}
}

func changeOf(c *types.ResourceChange) Change {
	out := Change{Resource: aws.ToString(c.LogicalResourceId), Type: aws.ToString(c.ResourceType), Kind: kindOf(aws.ToString(c.ResourceType)), Name: aws.ToString(c.PhysicalResourceId)}
	switch c.Action {
	case types.ChangeActionAdd:
		out.Action = Add
	case types.ChangeActionRemove:
		out.Action, out.Kept = Remove, c.PolicyAction == types.PolicyActionRetain
	case types.ChangeActionImport:
		out.Action = Import
	default:
		out.Action = Modify
		switch c.Replacement {
		case types.ReplacementTrue:
			out.Action = Replace
		case types.ReplacementConditional:
			out.Maybe = true
		}
	}
	for _, d := range c.Details {
		if d.Target == nil {
			continue
		}
		name := aws.ToString(d.Target.Name)
		if name == "" {
			name = strings.ToLower(string(d.Target.Attribute))
		}
		if !slices.Contains(out.Why, name) {
			out.Why = append(out.Why, name)
		}
	}
	slices.Sort(out.Why)
	return out
}

// discard takes a change set away that will not be executed, also after an interruption. What cannot be taken away does no harm.
func (s *Stack) discard(ctx context.Context, cs *changeSet) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	_, _ = s.cf.DeleteChangeSet(ctx, &cloudformation.DeleteChangeSetInput{StackName: &s.name, ChangeSetName: &cs.id})
}

// unname takes a stack away that is nothing but a name and a change set.
func (s *Stack) unname(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if st, err := s.describe(ctx); err == nil && st != nil && st.StackStatus == types.StackStatusReviewInProgress {
		_, _ = s.cf.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: &s.name}) // one that stays does no harm
	}
}

// execute does what a change set says, and waits for the end.
func (s *Stack) execute(ctx context.Context, cs *changeSet) error {
	since, err := s.last(ctx)
	if err != nil {
		return err
	}
	token := cs.name
	if _, err := s.cf.ExecuteChangeSet(ctx, &cloudformation.ExecuteChangeSetInput{StackName: &s.name, ChangeSetName: &cs.id, ClientRequestToken: &token}); err != nil {
		return s.failed("begin", err)
	}
	return s.follow(ctx, since, len(cs.changes))
}
