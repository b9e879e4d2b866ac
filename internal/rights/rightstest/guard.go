package rightstest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"tarn/internal/rights"
)

// The account and region that the stand-ins are in.
const (
	Account   = "123456789012"
	Region    = "us-east-1"
	Partition = "aws"
)

// Variables fill in what a policy for a template leaves open.
var Variables = map[string]string{"AWS::Partition": Partition, "AWS::Region": Region, "AWS::AccountId": Account}

// Entry is one action that a call needed.
type Entry struct {
	// Actor is the access key that has made it.
	Actor string
	// Call is such as s3:HeadObject, Action what IAM calls it, "" for a call that the table does not have.
	Call, Action string
	Resource     string
	Verdict      Verdict
}

func (e Entry) String() string {
	return fmt.Sprintf("%s %s (%s) on %s: %s", e.Actor, e.Call, e.Action, e.Resource, e.Verdict)
}

// Guard lets calls through to services as far as the caller's policies do. The access key says who calls.
type Guard struct {
	policies map[string][]rights.Policy
	// FilterTables has GetTables answer with the tables that the caller may see, in place of refusing it where there are others.
	FilterTables bool

	mu      sync.Mutex
	entries []Entry
	broken  []error
	groups  map[string]string // of queries, by their ids
}

// New makes a guard for actors with their policies, by access key.
func New(policies map[string][]rights.Policy) *Guard {
	return &Guard{policies: policies, groups: map[string]string{}}
}

// Of makes a guard with all actors of a lake, whose access keys are their names.
func Of(p rights.Places) (*Guard, error) {
	policies := map[string][]rights.Policy{}
	for _, a := range rights.Actors() {
		policy, err := rights.Of(a, p)
		if err != nil {
			return nil, err
		}
		policies[string(a)] = []rights.Policy{policy.Filled(Variables)}
	}
	return New(policies), nil
}

// Let adds somebody who is no actor of a lake, by an access key.
func (g *Guard) Let(key string, policies ...rights.Policy) {
	g.policies[key] = policies
}

// Entries gives what was asked for so far, each once.
func (g *Guard) Entries() []Entry {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := slices.Clone(g.entries)
	slices.SortFunc(out, func(a, b Entry) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(out)
}

// Forget empties what was asked for so far.
func (g *Guard) Forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.entries = nil
}

// Used gives the actions that an actor was allowed, each once.
func (g *Guard) Used(actor rights.Actor) []string {
	out := map[string]bool{}
	for _, e := range g.Entries() {
		if e.Actor == string(actor) && e.Verdict == Allowed {
			out[e.Action] = true
		}
	}
	return slices.Sorted(maps.Keys(out))
}

// Err is what kept calls from being judged: one that the table of package rights does not have, a condition of which nothing is known.
func (g *Guard) Err() []error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.broken)
}

// thing is what a call is about.
type thing struct {
	kind rights.Kind
	arn  string
}

// Allows says whether an actor may make a call, on things of each kind that it is about, and notes it. A call that the table does
// not have is never allowed.
func (g *Guard) Allows(actor, service, operation string, context map[string]string, on map[rights.Kind][]string) bool {
	var things []thing
	for kind, arns := range on {
		for _, arn := range arns {
			things = append(things, thing{kind, arn})
		}
	}
	return g.allows(actor, service, operation, context, things...)
}

func (g *Guard) allows(actor, service, operation string, context map[string]string, on ...thing) bool {
	c := rights.Find(service, operation)
	if c == nil {
		g.note(Entry{Actor: actor, Call: service + ":" + operation, Verdict: Unsaid})
		g.fail(fmt.Errorf("%s made %s:%s, which the table of calls does not have", actor, service, operation))
		return false
	}
	all := true
	for _, n := range c.Needs {
		for _, kind := range n.On {
			for _, resource := range resources(kind, on) {
				all = g.judge(actor, c, n.Action, resource, context) && all
			}
		}
	}
	return all
}

// narrowed judges a call on some kinds of what it is about.
func (g *Guard) narrowed(actor, service, operation string, on []thing, kinds ...rights.Kind) bool {
	c, all := rights.Find(service, operation), true
	for _, n := range c.Needs {
		for _, kind := range kinds {
			for _, resource := range resources(kind, on) {
				all = g.judge(actor, c, n.Action, resource, nil) && all
			}
		}
	}
	return all
}

func resources(kind rights.Kind, on []thing) []string {
	if kind == rights.Any {
		return []string{"*"}
	}
	var out []string
	for _, t := range on {
		if t.kind == kind {
			out = append(out, t.arn)
		}
	}
	if len(out) == 0 {
		// A call is about something; that the guard has not seen what it is must not let it through.
		return []string{"an unknown " + string(kind)}
	}
	return out
}

func (g *Guard) judge(actor string, c *rights.Call, action, resource string, context map[string]string) bool {
	verdict, err := Judge(g.policies[actor], action, resource, context)
	if err != nil {
		g.fail(err)
	}
	g.note(Entry{Actor: actor, Call: c.Name(), Action: action, Resource: resource, Verdict: verdict})
	return verdict == Allowed
}

func (g *Guard) note(e Entry) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.entries = append(g.entries, e)
}

func (g *Guard) fail(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.broken = append(g.broken, err)
}

// quietly judges an action of which the caller does not know that it is asked for.
func (g *Guard) quietly(actor, action, resource string) bool {
	verdict, err := Judge(g.policies[actor], action, resource, nil)
	return err == nil && verdict == Allowed
}

func arn(service, name string) string {
	return "arn:" + Partition + ":" + service + ":" + Region + ":" + Account + ":" + name
}
