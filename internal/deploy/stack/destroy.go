package stack

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
)

// Destroyed is what [Stack.Destroy] has done.
type Destroyed struct {
	// Name of the stack.
	Stack string `json:"stack"`
	// AWS region that it is in.
	Region string `json:"region"`
	// Number of the account.
	Account string `json:"account"`
	// Removed are the resources that are gone.
	Removed []Change `json:"removed"`
	// Kept are those that stay.
	Kept []Change `json:"kept"`
	// How many objects with code and templates were removed.
	Artefacts int `json:"artefacts"`
	// How many other objects were removed.
	Data int `json:"data"`
	// LogGroups are those that were there without the stack.
	LogGroups []string `json:"log_groups"`
	// SwitchedOff are buckets whose EventBridge notification a deployment had switched on.
	SwitchedOff []string `json:"switched_off"`
}

// Destroy takes the stack away, the code in the bucket, and what the deployment has switched on. Bucket, database and tables stay
// unless data is true, which is an error while somebody writes to the tables. It is shown to [Talk] first; after a failure, or an interruption, the same call goes on.
func (s *Stack) Destroy(ctx context.Context, data bool) (*Destroyed, error) {
	out := &Destroyed{Stack: s.name, Region: s.region, Account: s.account, Removed: []Change{}, Kept: []Change{}, LogGroups: []string{}, SwitchedOff: []string{}}
	st, err := s.describe(ctx)
	if err != nil {
		return nil, err
	}
	groups := []string{}
	if st != nil {
		if err := s.ours(st); err != nil {
			return nil, err
		}
		if groups, err = s.groups(ctx); err != nil {
			return nil, err
		}
		if err := s.leaving(ctx, out); err != nil {
			return nil, err
		}
	}
	n := s.o.Spec.Names()
	groups = append(groups, n.FunctionLogs, n.MachineLogs, n.JobLogs+"/output", n.JobLogs+"/error")
	slices.Sort(groups)
	if data {
		out.withData(s.o.Spec.Settings.Bucket, s.o.Spec.Settings.Database)
	}
	p := s.proposed()
	if p.New = st == nil; p.New {
		p.Before = append(p.Before, "code and logs that one from before may have left are removed")
	}
	p.Changes = append(slices.Clone(out.Removed), out.Kept...)
	if data {
		if err := s.o.Idle(ctx); err != nil {
			return nil, err
		}
		what, err := s.doomed(ctx)
		if err != nil {
			return nil, err
		}
		p.Before = append(p.Before, what...)
	}
	if err := s.agreed(p); err != nil {
		return nil, err
	}
	if st != nil {
		if err := s.gone(ctx, st); err != nil {
			return out, err
		}
	}
	return out, s.sweep(ctx, out, slices.Compact(groups), data)
}

// leaving lists what goes with the stack and what stays.
func (s *Stack) leaving(ctx context.Context, out *Destroyed) error {
	held, err := s.held(ctx)
	if err != nil {
		return err
	}
	kept := map[string]bool{}
	if len(held) > 0 {
		current, err := (&deployment{s: s}).current(ctx)
		if err != nil {
			return err
		}
		for _, r := range current.resources() {
			policy := scalar(section(r.node, "DeletionPolicy"))
			kept[r.id] = policy == "Retain" || policy == "RetainExceptOnCreate"
		}
	}
	for _, id := range slices.Sorted(maps.Keys(held)) {
		c := Change{Action: Remove, Resource: id, Type: aws.ToString(held[id].ResourceType), Kind: kindOf(aws.ToString(held[id].ResourceType)), Name: aws.ToString(held[id].PhysicalResourceId), Kept: kept[id]}
		if c.Kept {
			out.Kept = append(out.Kept, c)
		} else {
			out.Removed = append(out.Removed, c)
		}
	}
	return nil
}

// withData moves what goes with the data, by the settings of bucket and database, to what is removed.
func (d *Destroyed) withData(bucket, database string) {
	stays := d.Kept[:0:0]
	for _, c := range d.Kept {
		if c.Type == databaseType && alone(database) || (c.Type == bucketType || c.Type == policyType) && alone(bucket) {
			c.Kept = false
			d.Removed = append(d.Removed, c)
		} else {
			stays = append(stays, c)
		}
	}
	d.Kept = append([]Change{}, stays...)
}

// gone deletes the stack, after whatever somebody is doing to it.
func (s *Stack) gone(ctx context.Context, st *types.Stack) error {
	if status := st.StackStatus; strings.HasSuffix(string(status), "_IN_PROGRESS") && status != types.StackStatusReviewInProgress {
		s.o.Talk.Tell(fmt.Sprintf("somebody is at work on the %s (%s): waiting for its end", s.where(), status))
		if err := s.await(ctx); err != nil {
			return err
		}
	}
	return s.delete(ctx)
}

// sweep removes what is no part of the stack.
func (s *Stack) sweep(ctx context.Context, out *Destroyed, groups []string, data bool) error {
	for _, name := range s.o.Spec.Buckets() {
		did, err := s.silence(ctx, name)
		if err != nil && !isMissing(err) {
			return err
		}
		if did {
			out.SwitchedOff = append(out.SwitchedOff, name)
		}
	}
	// The function may have written a line after its group was gone.
	client := cloudwatchlogs.NewFromConfig(s.cfg)
	for _, g := range groups {
		switch _, err := client.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: &g}); {
		case err == nil:
			out.LogGroups = append(out.LogGroups, g)
		case code(err) != "ResourceNotFoundException":
			return s.failed("delete the log group "+g, err)
		}
	}
	var err error
	if out.Artefacts, err = s.empty(ctx, s.o.Spec.Artefacts.Bucket, s.folder()); err != nil {
		return err
	}
	if !data {
		return nil
	}
	// The function is no more, but a run elsewhere may have begun.
	if err := s.o.Idle(ctx); err != nil {
		return err
	}
	return s.erase(ctx, out)
}
