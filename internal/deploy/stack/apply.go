package stack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// Result is what a deployment has come to.
type Result struct {
	// Name of the stack.
	Stack string `json:"stack"`
	// AWS region that it is in.
	Region string `json:"region"`
	// Number of the account.
	Account string `json:"account"`
	// Status is the stack's, as CloudFormation has it.
	Status string `json:"status"`
	// Changed says that something was changed.
	Changed bool `json:"changed"`
	// Changes are those that were made.
	Changes []Change `json:"changes"`
	// Artefact is the location of the function's code.
	Artefact string `json:"artefact"`
	// Outputs are those of the template, by name.
	Outputs map[string]Output `json:"outputs"`
	// SwitchedOn are buckets whose EventBridge notification was off before.
	SwitchedOn []string `json:"switched_on,omitempty"`
}

// Output is what a stack tells about itself.
type Output struct {
	// What it is.
	Value string `json:"value"`
	// What it is about.
	Description string `json:"description,omitempty"`
}

// Apply makes the stack what the template says, or the nearest to it that AWS lets: it is shown to [Talk] first. Calling it again after any
// end goes on from there. Errors are [TakenError], [MissingError], [FailedError], [GoesOnError], [ErrDeclined] and [Error].
func (s *Stack) Apply(ctx context.Context) (*Result, error) {
	st, err := s.settled(ctx)
	if err != nil {
		return nil, err
	}
	found, err := s.look(ctx, st)
	if err != nil {
		return nil, err
	}
	x := &deployment{s: s, found: found, stack: st, result: &Result{Stack: s.name, Region: s.region, Account: s.account, Changes: []Change{}, Outputs: map[string]Output{}}}
	err = x.work(ctx)
	var on *GoesOnError
	if err != nil && ctx.Err() != nil && x.result.Changed && !errors.As(err, &on) {
		err = &GoesOnError{s.name, errors.Join(errBetween, ctx.Err())}
	}
	return x.result, err
}

// deployment is one call of Apply.
type deployment struct {
	s     *Stack
	found *surroundings
	// stack is as it was last seen; nil where there is none.
	stack *types.Stack
	// agreed says that a person has agreed to all additions.
	agreed bool
	// read is the key of the template in the bucket.
	read   string
	result *Result
}

func (x *deployment) work(ctx context.Context) error {
	s := x.s
	if x.fresh() || len(x.found.take)+len(x.found.make) > 0 {
		// AWS cannot say yet what the whole would change, as it has to read the template from a bucket.
		if err := x.agree(ctx); err != nil {
			return err
		}
	}
	if err := x.first(ctx); err != nil {
		return err
	}
	url, err := x.upload(ctx)
	if err != nil {
		return err
	}
	kind := types.ChangeSetTypeUpdate
	if x.fresh() {
		kind = types.ChangeSetTypeCreate
	}
	spec := x.found.spec
	cs, err := s.change(ctx, request{kind: kind, url: url, template: x.found.whole, values: map[string]string{"ArtefactBucket": spec.Artefacts.Bucket,
		"ArtefactKey": s.key()}}, x.stack)
	if err != nil {
		return err
	}
	if cs != nil {
		if err := x.confirm(ctx, cs); err != nil {
			s.discard(ctx, cs)
			return err
		}
		if err := s.execute(ctx, cs); err != nil {
			return err
		}
		x.result.Changes, x.result.Changed = append(x.result.Changes, cs.changes...), true
	}
	if err := x.switchOn(ctx); err != nil {
		return err
	}
	if err := x.tidy(ctx); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.o.Talk.Tell(fmt.Sprintf("note: code of earlier deployments could not be removed: %v", err))
	}
	return x.finish(ctx)
}

// fresh reports whether there is no stack with anything in it.
func (x *deployment) fresh() bool {
	return x.stack == nil || x.stack.StackStatus == types.StackStatusReviewInProgress
}

// agree asks before there is a change set.
func (x *deployment) agree(ctx context.Context) error {
	p, err := x.s.proposal(ctx, x.found)
	if err != nil {
		return err
	}
	p.New = x.fresh()
	for _, r := range named(x.found.take) {
		p.Before = append(p.Before, fmt.Sprintf("%s %s is there from before, and is taken into the stack as it is", kindOf(r.kind), r.name))
	}
	for _, r := range named(x.found.make) {
		p.Before = append(p.Before, fmt.Sprintf("%s %s is made first", kindOf(r.kind), r.name))
		if h, ok := x.found.held[r.id]; ok {
			p.Before = append(p.Before, fmt.Sprintf("%s %s, which the stack has in its place, stays and leaves the stack", kindOf(r.kind), aws.ToString(h.PhysicalResourceId)))
		}
	}
	if p.New {
		p.Changes = additions(x.found)
	}
	x.agreed = p.New
	return x.s.agreed(p)
}

// named leaves out what goes along with a bucket.
func named(resources []resource) []resource {
	return slices.DeleteFunc(slices.Clone(resources), func(r resource) bool { return r.kind == policyType || r.kind == aliasType })
}

// confirm asks about a change set, unless it is what was agreed to before.
func (x *deployment) confirm(ctx context.Context, cs *changeSet) error {
	if x.agreed && !slices.ContainsFunc(cs.changes, func(c Change) bool { return c.Action != Add && c.Action != Modify || c.Maybe }) {
		return nil
	}
	p, err := x.s.proposal(ctx, x.found)
	if err != nil {
		return err
	}
	p.Changes = cs.changes
	return x.s.agreed(p)
}

// first brings what is kept into the stack: what is there by import, what is not by making it.
func (x *deployment) first(ctx context.Context) error {
	if len(x.found.take) > 0 {
		if err := x.bring(ctx, x.found.take, types.ChangeSetTypeImport); err != nil {
			return err
		}
	}
	if !x.needsBucket() {
		return nil
	}
	kind := types.ChangeSetTypeUpdate
	if x.fresh() {
		kind = types.ChangeSetTypeCreate
	}
	return x.bring(ctx, x.found.make, kind)
}

// needsBucket reports whether the bucket for artefacts is among what has to be made.
func (x *deployment) needsBucket() bool {
	return slices.ContainsFunc(x.found.make, func(r resource) bool {
		return r.kind == bucketType && r.name == x.found.spec.Artefacts.Bucket
	})
}

// mostBody is the longest template that can be given as it is, in bytes (AWS CloudFormation User Guide, "Understand CloudFormation quotas").
const mostBody = 51_200

// parameter is the value of a stack's parameter, or "".
func parameter(st *types.Stack, name string) string {
	for _, p := range st.Parameters {
		if aws.ToString(p.ParameterKey) == name {
			return aws.ToString(p.ParameterValue)
		}
	}
	return ""
}

// bring adds some resources to what the stack has, or puts them in the place of others of the same logical name.
func (x *deployment) bring(ctx context.Context, resources []resource, kind types.ChangeSetType) error {
	s, ids := x.s, []string{}
	for _, r := range resources {
		ids = append(ids, r.id)
	}
	raw, err := x.found.whole.only(ids)
	if !x.fresh() && err == nil {
		var current *template
		if current, err = x.current(ctx); err == nil {
			raw, err = current.with(x.found.whole, ids)
		}
	}
	if err != nil {
		return err
	}
	t, err := parse(raw)
	if err != nil {
		return err
	}
	r := request{kind: kind, body: string(raw), template: t}
	if len(raw) > mostBody {
		if r.body = ""; x.stack == nil {
			return fmt.Errorf("the template of what is kept has %d bytes, and AWS takes %d", len(raw), mostBody)
		}
		at := s.bucket(cmp.Or(parameter(x.stack, "ArtefactBucket"), x.found.spec.Artefacts.Bucket))
		var key string
		if key, r.url, err = s.putTemplate(ctx, at, raw); err != nil {
			return err
		}
		// It is read once, and one that stays does no harm.
		defer func() { _ = at.Delete(context.WithoutCancel(ctx), key) }()
	}
	if kind == types.ChangeSetTypeImport {
		if r.take, err = s.importable(ctx, x.found.whole, resources); err != nil {
			return err
		}
	}
	cs, err := s.change(ctx, r, x.stack)
	if err != nil || cs == nil {
		return err
	}
	if err := s.execute(ctx, cs); err != nil {
		return err
	}
	x.result.Changes, x.result.Changed = append(x.result.Changes, cs.changes...), true
	x.stack, err = s.describe(ctx)
	return err
}

// current is the template that the stack has now.
func (x *deployment) current(ctx context.Context) (*template, error) {
	out, err := x.s.cf.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: &x.s.name, TemplateStage: types.TemplateStageOriginal})
	if err != nil {
		return nil, x.s.failed("read the stack's template", err)
	}
	return parse([]byte(aws.ToString(out.TemplateBody)))
}

// finish reads what the stack has become.
func (x *deployment) finish(ctx context.Context) error {
	st, err := x.s.describe(ctx)
	if err != nil {
		return err
	}
	if st == nil {
		return &MissingError{"the " + x.s.where(), "somebody has deleted it meanwhile"}
	}
	x.result.Status = string(st.StackStatus)
	x.result.Outputs = outputs(st)
	return nil
}

// settled gives the stack once it is in a state from which it can be changed, or nil where there is none.
func (s *Stack) settled(ctx context.Context) (*types.Stack, error) {
	again := false
	for {
		st, err := s.describe(ctx)
		if err != nil || st == nil {
			return nil, err
		}
		if err := s.ours(st); err != nil {
			return nil, err
		}
		switch status := st.StackStatus; {
		case status == types.StackStatusReviewInProgress:
			return st, nil
		case strings.HasSuffix(string(status), "_IN_PROGRESS"):
			s.o.Talk.Tell(fmt.Sprintf("somebody is at work on the %s (%s): waiting for its end", s.where(), status))
			if err := s.await(ctx); err != nil {
				return nil, err
			}
			continue
		case again && status == types.StackStatusUpdateRollbackFailed:
			return nil, s.rested(st, nil)
		case status == types.StackStatusUpdateRollbackFailed:
			s.o.Talk.Tell(fmt.Sprintf("the last change of the %s failed, and so did the way back: trying that once more", s.where()))
			if err := s.wayBack(ctx); err != nil {
				return nil, err
			}
		case status == types.StackStatusImportRollbackFailed:
			return nil, s.rested(st, nil)
		default:
			gone, err := s.clear(ctx, st)
			if err != nil || !gone {
				return st, err
			}
		}
		again = true
	}
}

// await waits for the end of what somebody does to the stack, however that is.
func (s *Stack) await(ctx context.Context) error {
	since, err := s.last(ctx)
	if err != nil {
		return err
	}
	var failed *FailedError
	if err := s.follow(ctx, begun{since: since, seen: true}); err != nil && !errors.As(err, &failed) {
		return err
	}
	return nil
}

// wayBack tries once more to bring the stack to where it was before its last change.
func (s *Stack) wayBack(ctx context.Context) error {
	since, err := s.last(ctx)
	if err != nil {
		return err
	}
	if _, err := s.cf.ContinueUpdateRollback(ctx, &cloudformation.ContinueUpdateRollbackInput{StackName: &s.name}); err != nil {
		return s.failed("continue the way back", err)
	}
	var failed *FailedError
	if err := s.follow(ctx, begun{since: since}); err != nil && (!errors.As(err, &failed) || !failed.Sound) {
		return err
	}
	return nil
}

// clear deletes a stack that is no ground to build on, most of which AWS lets nobody change (AWS CloudFormation User Guide, "Stack status
// codes"), and reports whether it was one.
// What it still has is shown first.
func (s *Stack) clear(ctx context.Context, st *types.Stack) (bool, error) {
	why := "could not be made earlier"
	switch st.StackStatus {
	case types.StackStatusRollbackComplete, types.StackStatusRollbackFailed, types.StackStatusCreateFailed, types.StackStatusImportRollbackComplete:
	case types.StackStatusDeleteFailed:
		why = "could not be removed whole earlier"
	default:
		return false, nil
	}
	what := Destroyed{Removed: []Change{}, Kept: []Change{}}
	if err := s.leaving(ctx, &what); err != nil {
		return false, err
	}
	has := append(what.Removed, what.Kept...)
	if len(has) > 0 && st.StackStatus == types.StackStatusImportRollbackComplete {
		return false, nil // it is as it was before the import
	}
	line := fmt.Sprintf("the %s %s (%s): it is deleted, and made anew; buckets and databases stay", s.where(), why, st.StackStatus)
	if len(has) == 0 {
		s.o.Talk.Tell(line)
		return true, s.delete(ctx)
	}
	p := s.proposed()
	p.Before, p.Changes = []string{line}, has
	if err := s.agreed(p); err != nil {
		return false, err
	}
	return true, s.delete(ctx)
}

// agreed asks about a proposal; the error is [ErrDeclined] where nobody agrees.
func (s *Stack) agreed(p Proposal) error {
	ok, err := s.o.Talk.Agree(p)
	if err == nil && !ok {
		err = ErrDeclined
	}
	return err
}

// delete deletes the stack and waits for that; what it keeps stays.
func (s *Stack) delete(ctx context.Context) error {
	since, err := s.last(ctx)
	if err != nil {
		return err
	}
	if _, err := s.cf.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: &s.name}); err != nil {
		return s.failed("delete the stack", err)
	}
	return s.follow(ctx, begun{since: since})
}
