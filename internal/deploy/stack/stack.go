// Package stack brings a lake's stack into an AWS account, looks after it, and takes it away.
//
// # How the first bucket comes to be
//
// The function's code has to be in S3 before the stack that needs it, and the bucket for it is part of the stack. So the
// first deployment goes in steps of one stack: a template with nothing but what is kept (the bucket and the database, and what they
// refer to), then the upload, then a change set with the whole template, which is read from the bucket too. Each step ends in a
// stack that is sound, so one that fails, or is interrupted, is gone on with by the same call.
//
// # What is there already
//
// Buckets and databases outlive their stack. [Stack.Apply] looks before it does anything: what is not there is made; what is there
// and carries the lake's mark is imported into the stack; what is somebody else's is refused by name. The marks are the tags tarn:lake
// and tarn:target of a bucket, and parameters of a database: the same two, or the tarn.lake of one that a run has made.
package stack

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"tarn/internal/awsconf"
	"tarn/internal/deploy"
	"tarn/internal/deploy/artefact"
	"tarn/internal/deploy/render"
	"tarn/internal/store/s3"
)

// Options says what is deployed.
type Options struct {
	Spec deploy.Spec
	AWS  awsconf.Settings
	// Render writes the whole template of a spec. It is called again with [deployconf.Existing] where something turns out to be
	// there that cannot be part of the stack.
	Render func(deploy.Spec) ([]byte, error)
	// Bundle is the function's code; only [Stack.Apply] needs it.
	Bundle *artefact.Bundle
	// Estimate says in lines what the stack will cost a month; nil says nothing.
	Estimate func(context.Context, deploy.Spec) ([]string, error)
	// Idle fails while somebody writes to the lake's tables. Only [Stack.Destroy] needs it, which asks it before data is removed.
	Idle func(context.Context) error
	Talk Talk
	// Poll is how often AWS is asked how far it is; 0 is every two seconds.
	Poll time.Duration
}

// Talk is how a long operation speaks with a person. All members are needed.
type Talk struct {
	// Tell says a line.
	Tell func(line string)
	// Agree shows what would be done and asks whether to. False ends the operation with [ErrDeclined].
	Agree func(Proposal) (bool, error)
	// Event tells of a resource that has come further.
	Event func(Event)
	// Moved tells how many bytes of how many are done of packing and uploading the function's code.
	Moved func(doing string, done, total int64)
}

// Stack is a lake's stack in one account and region, whether it is there or not.
type Stack struct {
	o            Options
	name         string
	cfg          aws.Config
	cf           *cloudformation.Client
	glue         *glue.Client
	region       string
	account, who string
	now          func() time.Time
}

// New looks who is asking and where. Nothing is changed.
func New(ctx context.Context, o Options) (*Stack, error) {
	cfg, err := awsconf.Load(ctx, o.AWS)
	if err != nil {
		return nil, err
	}
	if o.Poll == 0 {
		o.Poll = 2 * time.Second
	}
	s := &Stack{o: o, name: o.Spec.Names().Stack, cfg: cfg, cf: cloudformation.NewFromConfig(cfg), glue: glue.NewFromConfig(cfg), region: cfg.Region, now: time.Now}
	out, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return nil, s.failed("ask who you are", err)
	}
	s.account, s.who = aws.ToString(out.Account), aws.ToString(out.Arn)
	return s, nil
}

// Name is the stack's, Region and Account where it is.
func (s *Stack) Name() string    { return s.name }
func (s *Stack) Region() string  { return s.region }
func (s *Stack) Account() string { return s.account }

// where says which stack it is, for people.
func (s *Stack) where() string {
	return fmt.Sprintf("stack %s in %s, account %s", s.name, s.region, s.account)
}

func (s *Stack) bucket(name string) *s3.Store { return s3.New(name, s.cfg, s.o.AWS) }

// tags are those of the stack, which CloudFormation hands on to what is in it.
func (s *Stack) tags() map[string]string {
	out := map[string]string{render.LakeTag: s.o.Spec.Lake, render.TargetTag: s.target()}
	for k, v := range s.o.Spec.Settings.Tags {
		out[k] = v
	}
	return out
}

// target names the target as the template's tags do; the settings at the top of tarn.yaml are one as well.
func (s *Stack) target() string { return cmp.Or(s.o.Spec.Target, "-") }

// lakeID is what a run calls the lake in the catalog.
func (s *Stack) lakeID() string {
	return strings.TrimSuffix(s.o.Spec.Warehouse.Location(), "/") + "/" + s.o.Spec.Database
}

// pauses are waits between looks: short at first, as much is done quickly, and then as long as [Options.Poll].
type pauses struct{ next, most time.Duration }

func (s *Stack) pauses() *pauses { return &pauses{min(s.o.Poll, 200*time.Millisecond), s.o.Poll} }

func (p *pauses) pause(ctx context.Context) error {
	t := time.NewTimer(p.next)
	defer t.Stop()
	p.next = min(p.next*3/2, p.most)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
