package stacktest

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"tarn/internal/awsconf"
	"tarn/internal/store/s3"
)

// stack is one stack, deleted ones too.
type stack struct {
	name, id, status, reason string
	tags, parameters         map[string]string
	body                     string
	outputs                  []outputPlan
	resources                []*resource
	events                   []event
	sets                     []*changeSet
	// work are the steps that are still to be done; late says that the next look comes before the first.
	work []func()
	late bool
}

type resource struct {
	id, kind, physical, status, deletion, properties string
}

type event struct {
	id, resource, kind, status, reason, physical string
	at                                           time.Time
}

type changeSet struct {
	name, id, kind, status, reason string
	plan                           *plan
	tags, parameters               map[string]string
	changes                        []change
	take                           map[string]map[string]string
	executed                       bool
}

type change struct {
	action, replacement string
	old                 *resource
	new                 planned
	details             []string
}

var operations = map[string]func(*Server, form) ([]node, error){
	"DescribeStacks": (*Server).describeStacks, "DescribeStackEvents": (*Server).describeEvents, "ListStackResources": (*Server).listResources,
	"DescribeStackResources": (*Server).describeResources, "GetTemplate": (*Server).getTemplate, "GetTemplateSummary": (*Server).getSummary,
	"CreateChangeSet": (*Server).createChangeSet, "DescribeChangeSet": (*Server).describeChangeSet, "DeleteChangeSet": (*Server).deleteChangeSet,
	"ExecuteChangeSet": (*Server).executeChangeSet, "DeleteStack": (*Server).deleteStack, "ContinueUpdateRollback": (*Server).continueRollback,
}

// find gives a stack by name or id; a deleted one is found by its id only.
func (s *Server) find(name string) (*stack, error) {
	for _, st := range slices.Backward(s.stacks) {
		if st.id == name || st.name == name && st.status != "DELETE_COMPLETE" {
			return st, nil
		}
	}
	return nil, invalid("Stack with id %s does not exist", name)
}

func (s *Server) describeStacks(f form) ([]node, error) {
	st, err := s.find(f.Get("StackName"))
	if err != nil {
		return nil, err
	}
	for range s.Pace {
		if len(st.work) == 0 || st.late {
			st.late = false
			break
		}
		next := st.work[0]
		st.work = st.work[1:]
		next()
	}
	n := within("member", leaf("StackId", st.id), leaf("StackName", st.name), leaf("StackStatus", st.status), leaf("CreationTime", when(time.Now())))
	n.inner = append(n.inner, some("StackStatusReason", st.reason)...)
	n.inner = append(n.inner, list("Tags", keyed(st.tags, "Key", "Value")...), list("Parameters", keyed(st.parameters, "ParameterKey", "ParameterValue")...))
	var outputs []node
	for _, o := range st.outputs {
		v, _ := resolve(o.value, st.knowing(st.parameters)).(string)
		outputs = append(outputs, within("member", leaf("OutputKey", o.key), leaf("OutputValue", v), leaf("Description", o.description)))
	}
	n.inner = append(n.inner, list("Outputs", outputs...))
	return []node{list("Stacks", n)}, nil
}

func keyed(m map[string]string, key, val string) (out []node) {
	for k, v := range m {
		out = append(out, within("member", leaf(key, k), leaf(val, v)))
	}
	return out
}

func (s *Server) describeEvents(f form) ([]node, error) {
	st, err := s.find(f.Get("StackName"))
	if err != nil {
		return nil, err
	}
	const page = 20 // so that there is more than one
	from, _ := strconv.Atoi(f.Get("NextToken"))
	events := slices.Clone(st.events)
	slices.Reverse(events)
	var out []node
	for _, e := range events[from:min(from+page, len(events))] {
		n := within("member", leaf("EventId", e.id), leaf("StackId", st.id), leaf("StackName", st.name), leaf("LogicalResourceId", e.resource), leaf("ResourceType", e.kind),
			leaf("Timestamp", when(e.at)), leaf("ResourceStatus", e.status), leaf("PhysicalResourceId", e.physical))
		n.inner = append(n.inner, some("ResourceStatusReason", e.reason)...)
		out = append(out, n)
	}
	answer := []node{list("StackEvents", out...)}
	if from+page < len(events) {
		answer = append(answer, leaf("NextToken", strconv.Itoa(from+page)))
	}
	return answer, nil
}

func (s *Server) listResources(f form) ([]node, error) {
	st, err := s.find(f.Get("StackName"))
	if err != nil {
		return nil, err
	}
	var out []node
	for _, r := range st.resources {
		out = append(out, within("member", leaf("LogicalResourceId", r.id), leaf("ResourceType", r.kind), leaf("PhysicalResourceId", r.physical),
			leaf("ResourceStatus", r.status), leaf("LastUpdatedTimestamp", when(time.Now()))))
	}
	return []node{list("StackResourceSummaries", out...)}, nil
}

func (s *Server) describeResources(f form) ([]node, error) {
	physical := f.Get("PhysicalResourceId")
	for _, st := range s.stacks {
		if st.status == "DELETE_COMPLETE" {
			continue
		}
		for _, r := range st.resources {
			if r.physical == physical {
				return []node{list("StackResources", within("member", leaf("StackName", st.name), leaf("StackId", st.id), leaf("LogicalResourceId", r.id),
					leaf("PhysicalResourceId", r.physical), leaf("ResourceType", r.kind), leaf("ResourceStatus", r.status), leaf("Timestamp", when(time.Now()))))}, nil
			}
		}
	}
	return nil, invalid("Stack for %s does not exist", physical)
}

func (s *Server) getTemplate(f form) ([]node, error) {
	st, err := s.find(f.Get("StackName"))
	if err != nil {
		return nil, err
	}
	return []node{leaf("TemplateBody", st.body)}, nil
}

// identifiers are how importable types are identified (AWS CloudFormation User Guide, "Resource type support").
var identifiers = map[string]string{"AWS::S3::Bucket": "BucketName", "AWS::S3::BucketPolicy": "Bucket", "AWS::Glue::Database": "DatabaseName", "AWS::KMS::Key": "KeyId", "AWS::KMS::Alias": "AliasName"}

func (s *Server) getSummary(f form) ([]node, error) {
	p, err := s.template(f)
	if err != nil {
		return nil, err
	}
	var out []node
	for _, r := range p.resources {
		if property := identifiers[r.kind]; property != "" {
			out = append(out, within("member", leaf("ResourceType", r.kind), list("LogicalResourceIds", leaf("member", r.id)), list("ResourceIdentifiers", leaf("member", property))))
		}
	}
	return []node{list("ResourceIdentifierSummaries", out...)}, nil
}

// template reads the template of a request, from the bucket where it says so.
func (s *Server) template(f form) (*plan, error) {
	body := f.Get("TemplateBody")
	const most = 51200 // AWS CloudFormation User Guide, "Quotas"
	if len(body) > most {
		return nil, invalid("1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to %d", most)
	}
	if at := f.Get("TemplateURL"); at != "" {
		u, err := url.Parse(at)
		if err != nil {
			return nil, invalid("TemplateURL must be a supported URL.")
		}
		bucket, key, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
		b, err := s3.Open(context.Background(), bucket, awsconf.Settings{Endpoint: s.s3.String()})
		if err != nil {
			return nil, err
		}
		in, err := b.Open(context.Background(), key, "", 0, -1)
		if err != nil {
			return nil, invalid("S3 error: Access Denied (%v)", err)
		}
		defer in.Close()
		raw, err := io.ReadAll(in)
		if err != nil {
			return nil, err
		}
		body = string(raw)
	}
	return readTemplate(body)
}

func (s *Server) createChangeSet(f form) ([]node, error) {
	p, err := s.template(f)
	if err != nil {
		return nil, err
	}
	kind, name := f.Get("ChangeSetType"), f.Get("StackName")
	st, err := s.find(name)
	switch {
	case err != nil && kind == "UPDATE":
		return nil, invalid("Stack [%s] does not exist", name)
	case err != nil:
		st = &stack{name: name, id: arn("cloudformation", fmt.Sprintf("stack/%s/%d", name, len(s.stacks))), status: "REVIEW_IN_PROGRESS", tags: map[string]string{}, parameters: map[string]string{}}
		s.stacks = append(s.stacks, st)
		st.tell(&resource{id: name, kind: "AWS::CloudFormation::Stack", physical: st.id}, "REVIEW_IN_PROGRESS", "User Initiated")
	case kind == "CREATE" && st.status != "REVIEW_IN_PROGRESS":
		return nil, &problem{"AlreadyExistsException", fmt.Sprintf("Stack [%s] already exists and cannot be created again with the changeSet [%s].", name, f.Get("ChangeSetName"))}
	case kind != "CREATE" && !changeable(st.status) && (kind != "IMPORT" || st.status != "REVIEW_IN_PROGRESS"):
		return nil, invalid("Stack:%s is in %s state and can not be updated.", st.id, st.status)
	}
	for _, r := range p.resources {
		if strings.HasPrefix(r.kind, "AWS::IAM::") && len(f.texts("Capabilities")) == 0 {
			return nil, &problem{"InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_IAM]"}
		}
	}
	cs := &changeSet{name: f.Get("ChangeSetName"), kind: kind, status: "CREATE_PENDING", plan: p, tags: f.pairs("Tags", "Key", "Value"), parameters: map[string]string{}, take: map[string]map[string]string{}}
	cs.id = arn("cloudformation", "changeSet/"+cs.name+"/"+strconv.Itoa(len(st.sets)))
	for _, m := range f.members("Parameters") {
		key := f.Get(m + ".ParameterKey")
		if _, ok := p.parameters[key]; !ok {
			return nil, invalid("Parameters: [%s] do not exist in the template", key)
		}
		cs.parameters[key] = f.Get(m + ".ParameterValue")
		if f.Get(m+".UsePreviousValue") == "true" {
			cs.parameters[key] = st.parameters[key]
		}
	}
	for name, def := range p.parameters {
		if _, ok := cs.parameters[name]; !ok {
			if def == "" {
				return nil, invalid("Parameters: [%s] must have values", name)
			}
			cs.parameters[name] = def
		}
	}
	for _, m := range f.members("ResourcesToImport") {
		names := map[string]string{}
		for k, v := range f.Values {
			if strings.HasPrefix(k, m+".ResourceIdentifier.entry.") && strings.HasSuffix(k, ".key") {
				names[v[0]] = f.Get(strings.TrimSuffix(k, "key") + "value")
			}
		}
		cs.take[f.Get(m+".LogicalResourceId")] = names
	}
	if err := st.compare(cs); err != nil {
		return nil, err
	}
	st.sets = append(st.sets, cs)
	return []node{leaf("Id", cs.id), leaf("StackId", st.id)}, nil
}

// changeable reports whether a stack can be updated in a state (AWS CloudFormation User Guide, "Stack status codes" and "Choose how to
// handle failures when provisioning resources").
func changeable(status string) bool {
	return slices.Contains([]string{"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_FAILED", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"}, status)
}

// compare finds what a change set changes.
func (st *stack) compare(cs *changeSet) error {
	has := map[string]*resource{}
	for _, r := range st.resources {
		has[r.id] = r
	}
	for _, p := range cs.plan.resources {
		old := has[p.id]
		delete(has, p.id)
		properties, values := st.canonical(p, cs.parameters)
		switch {
		case cs.take[p.id] != nil:
			if p.deletion == "" {
				return invalid("Resources to import must have a DeletionPolicy attribute: %s", p.id)
			}
			cs.changes = append(cs.changes, change{action: "Import", new: p})
		case old == nil && cs.kind == "IMPORT":
			return invalid("As part of the import operation, you cannot modify or add resources [%s]", p.id)
		case old == nil:
			cs.changes = append(cs.changes, change{action: "Add", new: p})
		case old.properties != properties:
			if cs.kind == "IMPORT" {
				return invalid("As part of the import operation, you cannot modify or add resources [%s]", p.id)
			}
			c := change{action: "Modify", replacement: "False", old: old, new: p, details: differing(old.properties, values)}
			if slices.ContainsFunc(c.details, func(d string) bool { return strings.HasSuffix(d, "Name") }) || p.kind == "AWS::Glue::Database" && nameOf(values) != old.physical {
				c.replacement = "True"
			}
			cs.changes = append(cs.changes, c)
		case old.deletion != p.deletion:
			old.deletion = p.deletion
		}
	}
	for _, r := range st.resources {
		if has[r.id] != nil {
			cs.changes = append(cs.changes, change{action: "Remove", old: r})
		}
	}
	return nil
}

// nameOf is the name in the properties of a database.
func nameOf(values map[string]any) string {
	in, _ := values["DatabaseInput"].(map[string]any)
	name, _ := in["Name"].(string)
	return name
}

func (s *Server) changeSet(f form) (*stack, *changeSet, error) {
	for _, st := range s.stacks {
		for _, cs := range st.sets {
			if cs.id == f.Get("ChangeSetName") || cs.name == f.Get("ChangeSetName") && st.name == f.Get("StackName") {
				return st, cs, nil
			}
		}
	}
	return nil, nil, &problem{"ChangeSetNotFound", "ChangeSet [" + f.Get("ChangeSetName") + "] does not exist"}
}

func (s *Server) describeChangeSet(f form) ([]node, error) {
	st, cs, err := s.changeSet(f)
	if err != nil {
		return nil, err
	}
	answer := []node{leaf("ChangeSetName", cs.name), leaf("ChangeSetId", cs.id), leaf("StackId", st.id), leaf("Status", cs.status)}
	if cs.status == "FAILED" {
		return append(answer, some("StatusReason", cs.reason)...), nil
	}
	if cs.status == "CREATE_PENDING" { // the first look is always too early
		cs.status = "CREATE_COMPLETE"
		for _, c := range cs.changes {
			if err := s.fault(c.new.id, "PLAN"); err != nil {
				cs.status, cs.reason = "FAILED", err.Error()
				return answer, nil
			}
		}
		if len(cs.changes) == 0 {
			cs.status, cs.reason = "FAILED", "The submitted information didn't contain changes. Submit different information to create a change set."
		}
		return answer, nil
	}
	var out []node
	for _, c := range cs.changes {
		n := within("ResourceChange", leaf("Action", c.action))
		if c.old != nil {
			n.inner = append(n.inner, leaf("LogicalResourceId", c.old.id), leaf("ResourceType", c.old.kind), leaf("PhysicalResourceId", c.old.physical))
			if c.action == "Remove" && strings.HasPrefix(c.old.deletion, "Retain") {
				n.inner = append(n.inner, leaf("PolicyAction", "Retain"))
			}
			if c.replacement == "True" && strings.HasPrefix(c.old.deletion, "Retain") {
				n.inner = append(n.inner, leaf("PolicyAction", "ReplaceAndRetain"))
			}
		} else {
			n.inner = append(n.inner, leaf("LogicalResourceId", c.new.id), leaf("ResourceType", c.new.kind))
		}
		n.inner = append(n.inner, some("Replacement", c.replacement)...)
		var details []node
		for _, d := range c.details {
			details = append(details, within("member", within("Target", leaf("Attribute", "Properties"), leaf("Name", d))))
		}
		n.inner = append(n.inner, list("Details", details...))
		out = append(out, within("member", leaf("Type", "Resource"), n))
	}
	answer = append(answer, some("StatusReason", cs.reason)...)
	return append(answer, list("Changes", out...)), nil
}

func (s *Server) deleteChangeSet(f form) ([]node, error) {
	st, cs, err := s.changeSet(f)
	if err != nil {
		return nil, nil // as it does where there is none
	}
	if cs.executed {
		return nil, &problem{"InvalidChangeSetStatus", "an executed change set cannot be deleted"}
	}
	st.sets = slices.DeleteFunc(st.sets, func(c *changeSet) bool { return c == cs })
	return nil, nil
}

// tell writes an event.
func (st *stack) tell(r *resource, status, reason string) {
	st.events = append(st.events, event{id: fmt.Sprintf("%s-%04d", path.Base(st.id), len(st.events)), resource: r.id, kind: r.kind, status: status, reason: reason, physical: r.physical, at: time.Now()})
	if r.kind == "AWS::CloudFormation::Stack" {
		st.status, st.reason = status, reason
	}
}

// self is the stack as a resource of itself.
func (st *stack) self() *resource {
	return &resource{id: st.name, kind: "AWS::CloudFormation::Stack", physical: st.id}
}
