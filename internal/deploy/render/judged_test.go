package render_test

import (
	"encoding/json"
	"slices"
	"strings"

	"tarn/internal/rights"
	"tarn/internal/rights/rightstest"
)

// may makes sure that a role of the stack allows actions; one that was there before is somebody else's to look after.
func (s *stack) may(edge, role, resource string, actions ...string) {
	s.t.Helper()
	s.walked[edge]++
	if s.byARN(role) == nil {
		return
	}
	for _, action := range actions {
		s.judged(edge, s.policiesOf(role), action, resource, nil, true)
	}
}

func (s *stack) mayNot(role, resource string, actions ...string) {
	s.t.Helper()
	for _, action := range actions {
		if s.byARN(role) != nil {
			s.judged(role, s.policiesOf(role), action, resource, nil, false)
		}
	}
}

// opens makes sure that a role may use a key, if there is one.
func (s *stack) opens(role, key string, actions ...string) {
	s.t.Helper()
	if key != "" {
		s.may("key", role, key, actions...)
	}
}

func (s *stack) writesLogs(edge, role, group string) {
	s.t.Helper()
	s.may(edge, role, s.arn("logs", "log-group:"+group+":log-stream:x"), "logs:CreateLogStream", "logs:PutLogEvents")
}

func (s *stack) judged(edge string, policies []rights.Policy, action, resource string, context map[string]string, want bool) {
	s.t.Helper()
	verdict, err := rightstest.Judge(policies, action, resource, context)
	if err != nil || (verdict == rightstest.Allowed) != want {
		s.complain("%s: %s on %s is %s, %v", edge, action, resource, verdict, err)
	}
}

// takes makes sure that a service may take a role on, and that the deployer may pass it to that service and to no other.
func (s *stack) takes(service, role string) {
	s.t.Helper()
	s.walked["pass to "+service]++
	if r := s.byARN(role); r != nil {
		doc := []rights.Policy{s.document(s.props(r)["AssumeRolePolicyDocument"], service)}
		// A trust policy is about its own role.
		for i := range doc[0].Statement {
			doc[0].Statement[i].Resource = rights.List{role}
		}
		s.judged(service+" takes "+r.ID, doc, "sts:AssumeRole", role, map[string]string{"aws:SourceAccount": rightstest.Account}, true)
	}
	deployer := []rights.Policy{s.deployer}
	s.judged("deployer passes to "+service, deployer, "iam:PassRole", role, map[string]string{"iam:PassedToService": service}, true)
	s.judged("deployer passes to another service", deployer, "iam:PassRole", role, map[string]string{"iam:PassedToService": "ec2.amazonaws.com"}, false)
}

// roleOf is the ARN of an actor's role.
func (s *stack) roleOf(a rights.Actor) string {
	id := strings.ToUpper(string(a)[:1]) + string(a)[1:] + "Role"
	for _, r := range s.Resources {
		if r.ID == id {
			return s.arnOf(&r)
		}
	}
	return ""
}

// policiesOf are the policies of a role.
func (s *stack) policiesOf(role string) []rights.Policy {
	props := s.props(s.byARN(role))
	var out []rights.Policy
	for _, p := range list(props["Policies"]) {
		out = append(out, s.document(at0(p, "PolicyDocument"), ""))
	}
	for _, ref := range list(props["ManagedPolicyArns"]) {
		for _, r := range s.Resources {
			if r.Type == "AWS::IAM::ManagedPolicy" && s.refOf(&r) == ref {
				out = append(out, s.document(s.props(&r)["PolicyDocument"], ""))
			}
		}
	}
	return out
}

// document reads a policy; with a service, only those of its statements that are about that one or about all.
func (s *stack) document(doc any, service string) rights.Policy {
	s.t.Helper()
	m := doc.(map[string]any)
	for _, st := range list(m["Statement"]) {
		if who := st.(map[string]any); who["Principal"] == "*" {
			who["Principal"] = map[string]any{"Service": service}
		}
	}
	raw, err := json.Marshal(m)
	var p rights.Policy
	if err == nil {
		err = json.Unmarshal(raw, &p)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	if service == "" {
		return p
	}
	return only(p, service)
}

func only(p rights.Policy, service string) rights.Policy {
	p.Statement = slices.DeleteFunc(slices.Clone(p.Statement), func(st rights.Statement) bool { return !slices.Contains(st.Principal["Service"], service) })
	return p
}

// policy fills in what a policy of package rights leaves open.
func (s *stack) policy(p rights.Policy) rights.Policy {
	values := map[string]string{"Key.Arn": s.arn("kms", "key/Key")}
	for k, v := range rightstest.Variables {
		values[k] = v
	}
	return p.Filled(values)
}

// keyOf is the key of a queue or topic, or "".
func (s *stack) keyOf(arn string) string {
	if r := s.byARN(arn); r != nil {
		return at(s.props(r), "KmsMasterKeyId")
	}
	return ""
}
