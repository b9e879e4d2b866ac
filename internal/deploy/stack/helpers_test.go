package stack_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"tarn/internal/awsconf"
	"tarn/internal/deploy"
	"tarn/internal/deploy/artefact"
	"tarn/internal/deploy/deploytest"
	"tarn/internal/deploy/render"
	"tarn/internal/deploy/stack"
	"tarn/internal/store"
	"tarn/internal/store/s3"
	"tarn/internal/store/s3/s3test"
)

// account is one in which lakes are deployed, with all that was said.
type account struct {
	t       *testing.T
	program string
	// aws are the settings by which stacks are opened.
	aws awsconf.Settings

	mu     sync.Mutex
	told   []string
	moved  map[string][2]int64
	asked  []stack.Proposal
	events []stack.Event
	// agree answers; nil agrees.
	agree func(stack.Proposal) (bool, error)
	// busy is what is said of whoever writes to the tables.
	busy error
	// seen is called with each event.
	seen func(stack.Event)
}

func newAccount(t *testing.T) *account {
	t.Helper()
	dir := t.TempDir()
	a := &account{t: t, moved: map[string][2]int64{}, program: filepath.Join(dir, "program")}
	source := filepath.Join(dir, "main.c")
	if err := os.WriteFile(source, []byte("int main(void) { return 0; }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cc", "-o", a.program, source).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if artefact.Inspect(a.program, artefact.X86) != nil {
		t.Skip("the programs of this machine do not run on Lambda")
	}
	return a
}

// rendered are specs by the keys of their target, as compiling a lake takes a while.
var rendered sync.Map

// spec is that of the STEDI lake in a bucket.
func spec(t *testing.T, bucket, keys string) deploy.Spec {
	t.Helper()
	s3test.Removed(t, bucket)
	made, ok := rendered.Load(keys)
	if !ok {
		made = deploytest.Stedi(t, keys, nil)
		rendered.Store(keys, made)
	}
	s := made.(deploy.Spec)
	s.Landing, s.Files = slices.Clone(s.Landing), maps.Clone(s.Files)
	for _, p := range []*deploy.Place{&s.Warehouse, &s.Results, &s.Artefacts} {
		p.Bucket = bucket
	}
	for i := range s.Landing {
		s.Landing[i].At.Bucket = bucket
	}
	s.Database = strings.ReplaceAll(bucket, "-", "_")
	return s
}

// template renders a spec; change makes another one of it.
func template(change func(string) string) func(deploy.Spec) ([]byte, error) {
	return func(s deploy.Spec) ([]byte, error) {
		t, err := render.Template(s)
		if err != nil {
			return nil, err
		}
		raw, err := t.YAML()
		if change != nil {
			raw = []byte(change(string(raw)))
		}
		return raw, err
	}
}

// open gives the stack of a spec.
func (a *account) open(s deploy.Spec, change func(string) string) *stack.Stack {
	a.t.Helper()
	b, err := artefact.New(a.program, artefact.X86, s.Files)
	if err != nil {
		a.t.Fatal(err)
	}
	st, err := stack.New(a.t.Context(), stack.Options{Spec: s, AWS: a.aws, Render: template(change), Bundle: b, Poll: time.Millisecond, Idle: func(context.Context) error { return a.busy },
		Estimate: func(context.Context, deploy.Spec) ([]string, error) { return []string{"about 1 USD a month"}, nil },
		Talk: stack.Talk{
			Tell: func(line string) { a.mu.Lock(); defer a.mu.Unlock(); a.told = append(a.told, line) },
			Moved: func(doing string, done, total int64) {
				a.mu.Lock()
				defer a.mu.Unlock()
				a.moved[doing] = [2]int64{done, total}
			},
			Agree: func(p stack.Proposal) (bool, error) {
				a.asked = append(a.asked, p)
				if a.agree != nil {
					return a.agree(p)
				}
				return true, nil
			},
			Event: func(e stack.Event) {
				a.events = append(a.events, e)
				if a.seen != nil {
					a.seen(e)
				}
			},
		}})
	if err != nil {
		a.t.Fatal(err)
	}
	return st
}

// apply deploys a spec, which has to go well.
func (a *account) apply(s deploy.Spec, change func(string) string) *stack.Result {
	a.t.Helper()
	r, err := a.open(s, change).Apply(a.t.Context())
	if err != nil {
		a.t.Fatalf("%v\ntold: %s", err, strings.Join(a.told, "\n"))
	}
	return r
}

func bucketOf(t *testing.T, name string) *s3.Store {
	t.Helper()
	b, err := s3.Open(t.Context(), name, awsconf.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func hasBucket(t *testing.T, name string) bool {
	t.Helper()
	_, err := bucketOf(t, name).Client().HeadBucket(t.Context(), &awss3.HeadBucketInput{Bucket: &name})
	return err == nil
}

// keys lists a bucket.
func keys(t *testing.T, bucket, prefix string) (out []string) {
	t.Helper()
	for o, err := range bucketOf(t, bucket).List(t.Context(), prefix, store.ListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, o.Key)
	}
	return out
}

func put(t *testing.T, bucket, key, content string) {
	t.Helper()
	if _, err := bucketOf(t, bucket).Put(t.Context(), key, strings.NewReader(content), store.Condition{}); err != nil {
		t.Fatal(err)
	}
}

// hint is what an error says to do.
func hint(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}
