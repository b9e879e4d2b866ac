package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"tarn/internal/diag"
	"tarn/internal/store"
)

// switchKey is the object of a bucket that remembers who has switched its EventBridge notification on. It is the same for all lakes
// that use the bucket, so that the last one to go switches it off, and only if one of them has switched it on.
const switchKey = "_tarn/eventbridge.json"

// switched is what that object says.
type switched struct {
	// Before has what else was configured then, for people.
	Before json.RawMessage `json:"before,omitempty"`
	At     time.Time       `json:"at"`
	// By names the lake and target that have done it.
	By string `json:"by"`
	// Users are those that need it, as LAKE/TARGET.
	Users []string `json:"users"`
}

func (s *Stack) user() string { return s.o.Spec.Lake + "/" + s.target() }

// switchOn switches the EventBridge notification on of buckets with landing files, but for those that the stack has just made with it: an
// import leaves a bucket as it is.
func (x *deployment) switchOn(ctx context.Context) error {
	if x.found.spec.Settings.Events.Off {
		return nil
	}
	made := []string{}
	for _, r := range x.found.make {
		if r.kind == bucketType {
			made = append(made, r.name)
		}
	}
	for _, name := range x.s.o.Spec.Buckets() {
		if slices.Contains(made, name) {
			continue
		}
		did, err := x.s.notify(ctx, name)
		if err != nil {
			return err
		}
		if did {
			x.result.SwitchedOn, x.result.Changed = append(x.result.SwitchedOn, name), true
		}
	}
	return nil
}

// notify switches a bucket's EventBridge notification on, if it is off. A bucket's configuration is written as a whole (Amazon S3 API
// Reference, PutBucketNotificationConfiguration), so what else is in it goes along and is compared afterwards.
func (s *Stack) notify(ctx context.Context, name string) (did bool, err error) {
	b := s.bucket(name)
	before, err := s.configured(ctx, name)
	if err != nil {
		return false, err
	}
	mark, object, err := s.mark(ctx, name)
	if err != nil {
		return false, err
	}
	on := before.EventBridgeConfiguration != nil
	if on && object.ETag == "" {
		return false, nil // somebody else's: there is nothing to remember
	}
	if !slices.Contains(mark.Users, s.user()) || !on {
		// Before the deed: after a crash in between, it is still known whose it is.
		if !on {
			mark.By, mark.At = s.user(), s.now().UTC()
			if mark.Before, err = json.Marshal(rest(before)); err != nil {
				return false, err
			}
		}
		mark.Users = append(slices.DeleteFunc(mark.Users, func(u string) bool { return u == s.user() }), s.user())
		slices.Sort(mark.Users)
		if err := s.remember(ctx, b, mark, object); err != nil {
			return false, err
		}
	}
	if on {
		return false, nil
	}
	after := rest(before)
	after.EventBridgeConfiguration = &types.EventBridgeConfiguration{}
	return true, s.configure(ctx, name, after, before)
}

// silence takes the lake from the users of a bucket's notification, and switches it off if a lake had switched it on and none is left.
func (s *Stack) silence(ctx context.Context, name string) (did bool, err error) {
	mark, object, err := s.mark(ctx, name)
	if err != nil || object.ETag == "" {
		return false, err
	}
	b := s.bucket(name)
	mark.Users = slices.DeleteFunc(mark.Users, func(u string) bool { return u == s.user() })
	if len(mark.Users) > 0 {
		return false, s.remember(ctx, b, mark, object)
	}
	before, err := s.configured(ctx, name)
	if err != nil {
		return false, err
	}
	if before.EventBridgeConfiguration != nil {
		if err := s.configure(ctx, name, rest(before), before); err != nil {
			return false, err
		}
		did = true
	}
	return did, b.Delete(ctx, switchKey)
}

// mark reads who has switched a bucket's notification on; the object has no ETag where nobody has.
func (s *Stack) mark(ctx context.Context, name string) (switched, store.Object, error) {
	raw, object, err := s.bucket(name).Get(ctx, switchKey)
	if errors.Is(err, store.ErrNotFound) {
		return switched{}, store.Object{}, nil
	}
	if err != nil {
		return switched{}, store.Object{}, err
	}
	var m switched
	if err := json.Unmarshal(raw, &m); err != nil {
		return m, object, fmt.Errorf("%s of bucket %s: %w", switchKey, name, err)
	}
	return m, object, nil
}

func (s *Stack) remember(ctx context.Context, b store.Store, m switched, was store.Object) error {
	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	_, err = b.Put(ctx, switchKey, bytes.NewReader(raw), store.Condition{ETag: was.ETag, Absent: was.ETag == ""})
	return err
}

// configured is what a bucket notifies of.
func (s *Stack) configured(ctx context.Context, name string) (*types.NotificationConfiguration, error) {
	out, err := s.bucket(name).Client().GetBucketNotificationConfiguration(ctx, &awss3.GetBucketNotificationConfigurationInput{Bucket: &name})
	if err != nil {
		return nil, s.failed("read the notifications of bucket "+name, err)
	}
	return &types.NotificationConfiguration{EventBridgeConfiguration: out.EventBridgeConfiguration, LambdaFunctionConfigurations: out.LambdaFunctionConfigurations,
		QueueConfigurations: out.QueueConfigurations, TopicConfigurations: out.TopicConfigurations}, nil
}

// rest is all of a configuration but EventBridge.
func rest(c *types.NotificationConfiguration) *types.NotificationConfiguration {
	out := *c
	out.EventBridgeConfiguration = nil
	return &out
}

// configure writes a bucket's notifications, reads them again, and makes sure that the others are as they were.
func (s *Stack) configure(ctx context.Context, name string, c, before *types.NotificationConfiguration) error {
	in := &awss3.PutBucketNotificationConfigurationInput{Bucket: &name, NotificationConfiguration: c,
		// The destinations of others are none of our business, and S3 would send each a test message.
		SkipDestinationValidation: aws.Bool(true)}
	if _, err := s.bucket(name).Client().PutBucketNotificationConfiguration(ctx, in); err != nil {
		return s.failed("write the notifications of bucket "+name, err)
	}
	wait := s.pauses()
	for tries := 0; ; tries++ {
		after, err := s.configured(ctx, name)
		if err != nil {
			return err
		}
		same := reflect.DeepEqual(byID(rest(before)), byID(rest(after)))
		if same && (after.EventBridgeConfiguration != nil) == (c.EventBridgeConfiguration != nil) {
			return nil
		}
		const most = 10 // what was written may be seen only after a while
		if tries == most {
			wrote, _ := json.Marshal(c)
			has, _ := json.Marshal(after)
			return diag.WithHint(fmt.Errorf("the notifications of bucket %s are not what was written: that was %s, and they are %s", name, wrote, has),
				"somebody else has changed them at the same time: compare them, and call this again")
		}
		if err := wait.pause(ctx); err != nil {
			return err
		}
	}
}

// byID gives the parts of a configuration by their ids, as S3 keeps no order.
func byID(c *types.NotificationConfiguration) map[string]any {
	out := map[string]any{}
	for _, l := range c.LambdaFunctionConfigurations {
		out["function "+aws.ToString(l.Id)+aws.ToString(l.LambdaFunctionArn)] = l
	}
	for _, q := range c.QueueConfigurations {
		out["queue "+aws.ToString(q.Id)+aws.ToString(q.QueueArn)] = q
	}
	for _, t := range c.TopicConfigurations {
		out["topic "+aws.ToString(t.Id)+aws.ToString(t.TopicArn)] = t
	}
	return out
}
