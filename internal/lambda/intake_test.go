package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	lambdaevents "github.com/aws/aws-lambda-go/events"

	"tarn/internal/deployconf"
	"tarn/internal/lambda/hints"
	"tarn/internal/lambda/task"
	"tarn/internal/project"
	"tarn/internal/store"
	"tarn/internal/store/memory"
)

// place gives one store for every location.
type place struct{ store.Store }

func (p place) Locate(_ context.Context, location string) (store.Store, string, error) {
	return p.Store, strings.TrimPrefix(location, "s3://lake/"), nil
}

// machine is a state machine that remembers its executions.
type machine struct {
	mu sync.Mutex
	// at has when each begins its work, by name.
	at map[string]time.Time
	// fail, if not nil, is asked before each start.
	fail func() error
}

func (m *machine) Start(_ context.Context, name string, input []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		if err := m.fail(); err != nil {
			return err
		}
	}
	if m.at == nil {
		m.at = map[string]time.Time{}
	}
	if _, ok := m.at[name]; ok {
		return nil
	}
	var in task.Start
	if err := json.Unmarshal(input, &in); err != nil {
		return err
	}
	at, err := time.Parse(time.RFC3339, in.At)
	if err != nil || in.Reason != task.ByEvent {
		return fmt.Errorf("input %s: %w", input, err)
	}
	m.at[name] = at
	return nil
}

func (m *machine) Alive(context.Context, string) (bool, error) { return false, nil }

// last is when the last execution begins.
func (m *machine) last() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	var last time.Time
	for at := range maps.Values(m.at) {
		if at.After(last) {
			last = at
		}
	}
	return last
}

// intakeOf gives a function that can only take events.
func intakeOf(t *testing.T, s store.Store, m Executions) *Function {
	t.Helper()
	h, err := hints.Open(t.Context(), place{s}, "s3://lake/db/_tarn", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	p := &project.Lake{Config: project.Config{Name: "stedi"}, Landing: []*project.LandingTable{{Name: "a", Dir: "s3://lake/landing/a"}, {Name: "b", Dir: "s3://lake/landing/b/"}}}
	return &Function{o: Options{Target: "aws", Executions: m, Now: time.Now}, project: p, settings: deployconf.Defaults(), hints: h, log: newLog(nil, time.Now, "stedi", "aws")}
}

// message is one of a queue, with an event of EventBridge as S3 documents it.
func message(id, key string) record {
	body, _ := json.Marshal(map[string]any{"version": "0", "source": "aws.s3", "detail-type": "Object Created", "detail": map[string]any{
		"bucket": map[string]any{"name": "lake"}, "object": map[string]any{"key": key, "size": 5}}})
	return record{ID: id, Source: "aws:sqs", Body: string(body)}
}

func batchOf(t *testing.T, records ...record) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(map[string]any{"Records": records})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// handle gives the ids of the messages that come again.
func handle(t *testing.T, f *Function, records ...record) ([]string, error) {
	t.Helper()
	out, err := f.Handle(t.Context(), batchOf(t, records...))
	if err != nil {
		return nil, err
	}
	var failed []string
	for _, r := range out.(lambdaevents.SQSEventResponse).BatchItemFailures {
		failed = append(failed, r.ItemIdentifier)
	}
	return failed, nil
}

func objects(t *testing.T, f *Function) []string {
	t.Helper()
	taken, err := f.hints.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return taken.Objects
}

func TestManyEventsAreOneRun(t *testing.T) {
	t.Parallel()
	for _, spread := range []time.Duration{0, 10 * time.Second, 40 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			s, m := memory.New("s3://lake/"), &machine{}
			var wg sync.WaitGroup
			var want []string
			for b := range 50 {
				var batch []record
				for i := range 20 {
					key := fmt.Sprintf("landing/a/2025/01/%02d/file %03d+ä.json", 1+b%28, b*20+i)
					batch, want = append(batch, message(fmt.Sprint(b, "-", i), key)), append(want, "s3://lake/"+key)
				}
				wg.Go(func() {
					time.Sleep(spread * time.Duration(b*7919%50) / 50)
					f := intakeOf(t, s, m)
					if failed, err := handle(t, f, batch...); err != nil || len(failed) > 0 {
						t.Error(failed, err)
					}
				})
			}
			wg.Wait()
			slices.Sort(want)
			if got := objects(t, intakeOf(t, s, m)); !slices.Equal(got, want) {
				t.Errorf("%d of %d objects are in hints", len(got), len(want))
			}
			if n := len(m.at); n < 1 || n > 2 {
				t.Errorf("%d executions: %v", n, m.at)
			}
			if !m.last().After(time.Now()) {
				t.Errorf("the last execution, of %v, begins before the last event, of %v", m.last(), time.Now())
			}
		})
	}
}

func TestUnreadableMessages(t *testing.T) {
	t.Parallel()
	s, m := memory.New("s3://lake/"), &machine{}
	f := intakeOf(t, s, m)
	var out bytes.Buffer
	f.log = newLog(&out, time.Now, "stedi", "aws")
	sns, _ := json.Marshal(map[string]string{"Type": "Notification", "Message": message("", "landing/b/sns.json").Body})
	failed, err := handle(t, f, message("1", "landing/a/1.json"), record{ID: "2", Source: "aws:sqs", Body: "Sean.Smith@test.com"}, record{ID: "3", Source: "aws:sqs", Body: `{"some": "thing"}`},
		record{ID: "4", Source: "aws:sqs", Body: string(sns)}, record{ID: "5", Source: "aws:sqs", Body: `{"Service":"Amazon S3","Event":"s3:TestEvent"}`},
		record{ID: "6", Source: "aws:sqs", Body: `{"Records":[{"eventSource":"aws:s3","s3":{"bucket":{"name":"lake"},"object":{"key":"landing/a/%C3%A4+b%2Bc.json"}}}]}`})
	if err != nil || !slices.Equal(failed, []string{"2", "3"}) {
		t.Error(failed, err)
	}
	if got := objects(t, f); !slices.Equal(got, []string{"s3://lake/landing/a/1.json", "s3://lake/landing/a/ä b+c.json", "s3://lake/landing/b/sns.json"}) {
		t.Errorf("%q", got)
	}
	for _, secret := range []string{"Sean", "sns.json", "1.json"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("the log says %s: %s", secret, out.String())
		}
	}
	if !strings.Contains(out.String(), `"message":"2"`) {
		t.Errorf("the log does not name the message: %s", out.String())
	}
	// Nothing but such messages: nobody is woken.
	m.at = nil
	if failed, err := handle(t, f, record{ID: "7", Source: "aws:sqs", Body: "{"}); err != nil || !slices.Equal(failed, []string{"7"}) || len(m.at) != 0 {
		t.Error(failed, err, m.at)
	}
}

// What a run writes itself, in the same bucket, begins no run.
func TestOwnWritesAreNoNews(t *testing.T) {
	t.Parallel()
	s, m := memory.New("s3://lake/"), &machine{}
	f := intakeOf(t, s, m)
	failed, err := handle(t, f, message("1", "warehouse/stedi/t/data/0.parquet"), message("2", "landing/ab/x.json"), message("3", "landing/a"))
	if err != nil || len(failed) != 0 || len(m.at) != 0 || len(objects(t, f)) != 0 {
		t.Error(failed, err, m.at, objects(t, f))
	}
}

func TestDirectEvents(t *testing.T) {
	t.Parallel()
	s, m := memory.New("s3://lake/"), &machine{}
	f := intakeOf(t, s, m)
	for _, raw := range []string{message("", "landing/a/1.json").Body, `{"Records":[{"eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"lake"},"object":{"key":"landing/a/2.json"}}}]}`} {
		if out, err := f.Handle(t.Context(), json.RawMessage(raw)); err != nil || out != (Taken{1}) {
			t.Error(out, err)
		}
	}
	if len(objects(t, f)) != 2 || len(m.at) != 1 {
		t.Error(objects(t, f), m.at)
	}
}

func TestUnknownEvents(t *testing.T) {
	t.Parallel()
	f := intakeOf(t, memory.New("s3://lake/"), &machine{})
	for raw, want := range map[string]string{
		`{}`:                             "this event is none that tarn takes",
		`{"key1": "Sean", "detail": {}}`: "an object with detail, key1",
		`[1]`:                            "no JSON object of a known form",
		`"x"`:                            "no JSON object of a known form",
		`{"action": "dance"}`:            "there is no action dance",
		`{"action": "run", "tabels": 1}`: `there is no member "tabels"`,
		`{"run": {"tabels": ["x"]}}`:     `run: there is no member "tabels"`,
		`{"run": {"tables": "x"}}`:       "run: tables cannot be a string",
		`{"run": 7}`:                     "run: it has to be an object, and is a number",
		`{"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "lake"}`:        "",
		`{"source": "aws.s3", "detail": {"bucket": {}}}`:                             "detail, source",
		`{"Records": [{"eventSource": "aws:dynamodb", "Sns": {"Message": "Sean"}}]}`: "an object with Records",
		`{"Records": []}`: "",
	} {
		_, err := f.Handle(t.Context(), json.RawMessage(raw))
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", raw, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "Sean") || errorType(err) != Refused {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

func TestThrottledStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, m := memory.New("s3://lake/"), &machine{}
		f := intakeOf(t, s, m)
		m.fail = func() error { return errors.New("ThrottlingException: Rate exceeded") }
		if _, err := handle(t, f, message("1", "landing/a/1.json")); err == nil || !strings.Contains(err.Error(), "Rate exceeded") {
			t.Fatal(err)
		}
		m.fail = nil
		// The queue gives it once more, later than the beginning that nobody has been told of.
		time.Sleep(time.Minute)
		if failed, err := handle(t, f, message("1", "landing/a/1.json")); err != nil || len(failed) > 0 {
			t.Fatal(failed, err)
		}
		if len(m.at) != 1 || !m.last().After(time.Now()) || !slices.Equal(objects(t, f), []string{"s3://lake/landing/a/1.json"}) {
			t.Error(m.at, objects(t, f))
		}
	})
}

// dying is a store of a process that is killed after so many steps.
type dying struct {
	store.Store
	left *int
}

var errKilled = errors.New("killed")

func (d dying) step() error {
	if *d.left == 0 {
		return errKilled
	}
	*d.left--
	return nil
}

func (d dying) Put(ctx context.Context, key string, body store.Body, c store.Condition) (store.Object, error) {
	if err := d.step(); err != nil {
		return store.Object{}, err
	}
	o, err := d.Store.Put(ctx, key, body, c)
	if err == nil {
		// After it, too.
		err = d.step()
	}
	return o, err
}

func (d dying) Get(ctx context.Context, key string) ([]byte, store.Object, error) {
	if err := d.step(); err != nil {
		return nil, store.Object{}, err
	}
	return d.Store.Get(ctx, key)
}

// Whenever the function dies, the queue gives its batch again, and in the end an execution begins after every hint was there.
func TestKilledIntake(t *testing.T) {
	t.Parallel()
	for steps := range 10 {
		for _, again := range []time.Duration{0, 3 * time.Second, time.Minute, 10 * time.Minute} {
			synctest.Test(t, func(t *testing.T) {
				s, m := memory.New("s3://lake/"), &machine{}
				left := steps
				d := dying{s, &left}
				m.fail = d.step
				died := false
				if _, err := handle(t, intakeOf(t, d, m), message("1", "landing/a/1.json")); err != nil {
					if !errors.Is(err, errKilled) {
						t.Fatal(err)
					}
					died = true
				}
				m.fail = nil
				// Somebody else comes in between, and the batch once more.
				time.Sleep(again / 2)
				if _, err := handle(t, intakeOf(t, s, m), message("2", "landing/b/2.json")); err != nil {
					t.Fatal(err)
				}
				time.Sleep(again / 2)
				if died {
					if _, err := handle(t, intakeOf(t, s, m), message("1", "landing/a/1.json")); err != nil {
						t.Fatal(err)
					}
				}
				if got := objects(t, intakeOf(t, s, m)); len(got) != 2 {
					t.Errorf("%d steps: hints %q", steps, got)
				}
				// A run at each beginning sees what is there by then.
				if written := newest(t, s); !m.last().After(written) {
					t.Errorf("%d steps, again after %v: hint of %v, last execution of %v", steps, again, written, m.last())
				}
				if len(m.at) > 2 {
					t.Errorf("%d steps: %v", steps, m.at)
				}
			})
		}
	}
}

// newest is when the last hint was written.
func newest(t *testing.T, s store.Store) (at time.Time) {
	t.Helper()
	for o, err := range s.List(t.Context(), "db/_tarn/hints/", store.ListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		moment, err := time.Parse("20060102T150405.000Z", strings.SplitN(o.Key[len("db/_tarn/hints/"):], "-", 2)[0])
		if err != nil {
			t.Fatal(err)
		}
		if moment.After(at) {
			at = moment
		}
	}
	return at
}

// Events that come twice, late and in another order say no more than they did.
func TestDuplicateLateReordered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, m := memory.New("s3://lake/"), &machine{}
		f := intakeOf(t, s, m)
		one, two := message("1", "landing/a/1.json"), message("2", "landing/a/2.json")
		for _, batch := range [][]record{{two, one}, {one, one}, {one, two}} {
			if failed, err := handle(t, f, batch...); err != nil || len(failed) > 0 {
				t.Fatal(failed, err)
			}
		}
		if len(m.at) != 1 || len(objects(t, f)) != 2 {
			t.Error(m.at, objects(t, f))
		}
		// A run has taken them; one event comes a day late, once more.
		taken, err := f.hints.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(24 * time.Hour)
		if err := f.hints.Remove(t.Context(), taken); err != nil {
			t.Fatal(err)
		}
		if failed, err := handle(t, f, one); err != nil || len(failed) > 0 {
			t.Fatal(failed, err)
		}
		if len(m.at) != 2 || !m.last().After(time.Now()) || len(objects(t, f)) != 1 {
			t.Error(m.at, objects(t, f))
		}
	})
}

func TestNoStateMachine(t *testing.T) {
	t.Parallel()
	f := intakeOf(t, memory.New("s3://lake/"), nil)
	f.o.Executions = nil
	if _, err := handle(t, f, message("1", "landing/a/1.json")); err == nil || !strings.Contains(err.Error(), StateMachineVariable) {
		t.Error(err)
	}
	if len(objects(t, f)) != 0 {
		t.Error("a hint was left that nobody looks at")
	}
}
