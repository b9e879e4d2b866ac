package stacktest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"tarn/internal/awsconf"
	"tarn/internal/store/s3"
)

// differing names the properties that are others than they were.
func differing(old string, values map[string]any) (out []string) {
	was := map[string]any{}
	_ = json.Unmarshal([]byte(old), &was) // ours
	all := maps.Clone(was)
	if all == nil {
		all = map[string]any{}
	}
	maps.Copy(all, values)
	for k := range all {
		a, _ := json.Marshal(was[k])
		b, _ := json.Marshal(values[k])
		if string(a) != string(b) {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}

func (s *Server) executeChangeSet(f form) ([]node, error) {
	st, cs, err := s.changeSet(f)
	if err != nil {
		return nil, err
	}
	if cs.status != "CREATE_COMPLETE" || cs.executed {
		return nil, &problem{"InvalidChangeSetStatus", "ChangeSet [" + cs.id + "] cannot be executed in its current status of [" + cs.status + "]"}
	}
	if strings.HasSuffix(st.status, "_IN_PROGRESS") && st.status != "REVIEW_IN_PROGRESS" {
		return nil, &problem{"InvalidChangeSetStatus", "ChangeSet [" + cs.id + "] cannot be executed: the stack is in state " + st.status}
	}
	cs.executed = true
	// AWS CloudFormation API Reference, ExecuteChangeSet: all others of the stack are deleted.
	st.sets = []*changeSet{cs}
	verb := map[string]string{"CREATE": "CREATE", "UPDATE": "UPDATE", "IMPORT": "IMPORT"}[cs.kind]
	before := *st
	before.resources = nil
	for _, r := range st.resources {
		copied := *r
		before.resources = append(before.resources, &copied)
	}
	st.tags, st.parameters, st.body, st.outputs = cs.tags, cs.parameters, cs.plan.body, cs.plan.outputs
	var removals []change
	var steps []func()
	for _, c := range cs.changes {
		if c.action == "Remove" {
			removals = append(removals, c)
			continue
		}
		steps = append(steps, func() {
			if err := s.apply(st, cs, c); err != nil {
				st.work = s.back(st, &before, verb, c.new.id)
			}
		})
	}
	steps = append(steps, func() {
		for _, c := range removals {
			s.remove(st, c.old, false)
		}
		st.tell(st.self(), verb+"_COMPLETE", "")
	})
	s.begin(st, verb+"_IN_PROGRESS", steps...)
	return nil, nil
}

// begin gives a stack its steps.
func (s *Server) begin(st *stack, status string, steps ...func()) {
	first := func() { st.tell(st.self(), status, "User Initiated") }
	if st.late = s.Late; st.late {
		st.work = append([]func(){first}, steps...)
		return
	}
	first()
	st.work = steps
}

// fault takes one that fits, if there is any.
func (s *Server) fault(resource, on string) error {
	for _, f := range s.faults {
		if f.Times > 0 && f.Resource == resource && f.On == on {
			f.Times--
			return errors.New(f.Reason)
		}
	}
	return nil
}

// apply makes, changes or imports one resource.
func (s *Server) apply(st *stack, cs *changeSet, c change) error {
	on := map[string]string{"Add": "CREATE", "Modify": "UPDATE", "Import": "IMPORT"}[c.action]
	properties, values := st.canonical(c.new, cs.parameters)
	r := &resource{id: c.new.id, kind: c.new.kind, deletion: c.new.deletion, properties: properties}
	if c.old != nil {
		r.physical = c.old.physical
	}
	st.tell(r, on+"_IN_PROGRESS", "")
	err := s.fault(r.id, on)
	if err == nil {
		switch c.action {
		case "Add":
			r.physical, err = s.make(st, r, values, cs)
		case "Modify":
			// What is before it stays: only what is kept has a name that can change.
			if c.replacement == "True" && (r.kind == "AWS::S3::Bucket" || r.kind == "AWS::Glue::Database") {
				r.physical, err = s.make(st, r, values, cs)
			}
		case "Import":
			for _, name := range cs.take[r.id] {
				r.physical = name
			}
			if !s.exists(r) {
				err = fmt.Errorf("%s does not exist", r.physical)
			}
		}
	}
	if err != nil {
		st.tell(r, on+"_FAILED", err.Error())
		return err
	}
	r.status = on + "_COMPLETE"
	st.tell(r, r.status, "")
	st.resources = append(slices.DeleteFunc(st.resources, func(o *resource) bool { return o.id == r.id }), r)
	return nil
}

// back gives the steps of the way back after a resource has failed.
func (s *Server) back(st, before *stack, verb, failed string) []func() {
	reason := fmt.Sprintf("The following resource(s) failed to %s: [%s]. ", strings.ToLower(verb), failed)
	status := map[string]string{"CREATE": "ROLLBACK", "UPDATE": "UPDATE_ROLLBACK", "IMPORT": "IMPORT_ROLLBACK"}[verb]
	st.tell(st.self(), status+"_IN_PROGRESS", reason)
	return []func(){func() { s.wayBack(st, before, verb, status) }}
}

func (s *Server) wayBack(st, before *stack, verb, status string) {
	was := map[string]*resource{}
	for _, r := range before.resources {
		was[r.id] = r
	}
	for _, r := range slices.Clone(st.resources) {
		old := was[r.id]
		if old != nil && old.properties == r.properties {
			continue
		}
		if err := s.fault(r.id, "ROLLBACK"); err != nil {
			st.tell(r, "UPDATE_FAILED", err.Error())
			st.tell(st.self(), status+"_FAILED", "The following resource(s) failed to update: ["+r.id+"]. ")
			// What continues is the same way.
			s.returns[st.id] = func() { s.wayBack(st, before, verb, status) }
			return
		}
		if old != nil {
			*r = *old
			st.tell(r, "UPDATE_COMPLETE", "")
			continue
		}
		if r.status == "IMPORT_COMPLETE" {
			st.resources = slices.DeleteFunc(st.resources, func(o *resource) bool { return o == r })
			continue
		}
		s.remove(st, r, true)
	}
	if verb == "UPDATE" { // one that could not be made keeps what it was to be
		st.tags, st.parameters, st.body, st.outputs = before.tags, before.parameters, before.body, before.outputs
	}
	st.tell(st.self(), status+"_COMPLETE", "")
}

func (s *Server) continueRollback(f form) ([]node, error) {
	st, err := s.find(f.Get("StackName"))
	if err != nil {
		return nil, err
	}
	again := s.returns[st.id]
	if st.status != "UPDATE_ROLLBACK_FAILED" || again == nil {
		return nil, invalid("Stack:%s is in %s state and can not continue a rollback.", st.id, st.status)
	}
	s.begin(st, "UPDATE_ROLLBACK_IN_PROGRESS", again)
	return nil, nil
}

func (s *Server) deleteStack(f form) ([]node, error) {
	st, err := s.find(f.Get("StackName"))
	if err != nil {
		return nil, nil // as it does where there is none
	}
	var steps []func()
	for _, r := range slices.Backward(slices.Clone(st.resources)) {
		steps = append(steps, func() { s.remove(st, r, false) })
	}
	steps = append(steps, func() {
		if len(st.resources) > 0 {
			st.tell(st.self(), "DELETE_FAILED", "The following resource(s) failed to delete: ["+st.resources[0].id+"]. ")
			return
		}
		st.tell(st.self(), "DELETE_COMPLETE", "")
	})
	s.begin(st, "DELETE_IN_PROGRESS", steps...)
	return nil, nil
}

// remove takes a resource from a stack, and from the account where its policy says so. creating says that its making is taken back.
func (s *Server) remove(st *stack, r *resource, creating bool) {
	gone := func() {
		st.resources = slices.DeleteFunc(st.resources, func(o *resource) bool { return o.id == r.id })
	}
	if r.deletion == "Retain" || r.deletion == "RetainExceptOnCreate" && !creating {
		st.tell(r, "DELETE_SKIPPED", "")
		gone()
		return
	}
	st.tell(r, "DELETE_IN_PROGRESS", "")
	err := s.fault(r.id, "DELETE")
	if err == nil {
		err = s.unmake(r)
	}
	if err != nil {
		r.status = "DELETE_FAILED"
		st.tell(r, "DELETE_FAILED", err.Error())
		return
	}
	st.tell(r, "DELETE_COMPLETE", "")
	gone()
}

// client is the S3 server's.
func (s *Server) client(bucket string) *awss3.Client {
	b, err := s3.Open(context.Background(), bucket, awsconf.Settings{Endpoint: s.s3.String()})
	if err != nil {
		panic(err) // the environment leads to the server
	}
	return b.Client()
}

func (s *Server) exists(r *resource) bool {
	switch r.kind {
	case "AWS::S3::Bucket":
		_, err := s.client(r.physical).HeadBucket(context.Background(), &awss3.HeadBucketInput{Bucket: &r.physical})
		return err == nil
	case "AWS::S3::BucketPolicy":
		return s.policies[r.physical] != ""
	case "AWS::KMS::Alias":
		return s.aliases[r.physical] != ""
	case "AWS::KMS::Key":
		return slices.Contains(s.keys, r.physical)
	case "AWS::Glue::Database":
		_, err := s.Glue.Call("GetDatabase", map[string]any{"Name": r.physical})
		return err == nil
	}
	return false
}

// make makes a resource, and gives its name in AWS.
func (s *Server) make(st *stack, r *resource, values map[string]any, cs *changeSet) (string, error) {
	text := func(v any) string { t, _ := v.(string); return t }
	switch r.kind {
	case "AWS::S3::Bucket":
		name := text(values["BucketName"])
		if r.physical = name; s.exists(r) {
			return "", fmt.Errorf("%s already exists", name)
		}
		if _, err := s.client(name).CreateBucket(context.Background(), &awss3.CreateBucketInput{Bucket: &name}); err != nil {
			return "", err
		}
		if v, _ := values["VersioningConfiguration"].(map[string]any); text(v["Status"]) == "Enabled" {
			in := &awss3.PutBucketVersioningInput{Bucket: &name, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}}
			if _, err := s.client(name).PutBucketVersioning(context.Background(), in); err != nil {
				return "", err
			}
		}
		if values["NotificationConfiguration"] != nil {
			s.notifications[name] = `<NotificationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><EventBridgeConfiguration/></NotificationConfiguration>`
		}
		var tags []types.Tag
		for k, v := range cs.tags {
			tags = append(tags, types.Tag{Key: aws.String(k), Value: aws.String(v)})
		}
		_, err := s.client(name).PutBucketTagging(context.Background(), &awss3.PutBucketTaggingInput{Bucket: &name, Tagging: &types.Tagging{TagSet: tags}})
		return name, err
	case "AWS::S3::BucketPolicy":
		name := strings.Trim(text(values["Bucket"]), "<>")
		for _, b := range st.resources {
			if b.id == name {
				name = b.physical
			}
		}
		if r.physical = name; s.exists(r) {
			return "", fmt.Errorf("bucket policy already exists on bucket %s", name)
		}
		raw, err := json.Marshal(values["PolicyDocument"])
		s.policies[name] = string(raw)
		return name, err
	case "AWS::Glue::Database":
		in, _ := values["DatabaseInput"].(map[string]any)
		name := text(in["Name"])
		if r.physical = name; s.exists(r) {
			return "", errors.New("database already exists")
		}
		_, err := s.Glue.Call("CreateDatabase", map[string]any{"DatabaseInput": in})
		return name, err
	case "AWS::KMS::Key":
		s.keys = append(s.keys, fmt.Sprintf("key-%d", len(s.keys)))
		return s.keys[len(s.keys)-1], nil
	case "AWS::KMS::Alias":
		name := text(values["AliasName"])
		if r.physical = name; s.exists(r) {
			return "", fmt.Errorf("an alias with the name %s already exists", name)
		}
		for _, k := range st.resources {
			if k.id == strings.Trim(text(values["TargetKeyId"]), "<>") {
				s.aliases[name] = k.physical
			}
		}
		return name, nil
	case "AWS::SQS::Queue":
		return s.URL + "/" + Account + "/" + text(values["QueueName"]), nil
	case "AWS::StepFunctions::StateMachine":
		return arn("states", "stateMachine:"+text(values["StateMachineName"])), nil
	}
	for _, k := range []string{"FunctionName", "LogGroupName", "AlarmName", "Name", "RoleName"} {
		if name := text(values[k]); name != "" {
			return name, nil
		}
	}
	return fmt.Sprintf("%s-%s-1", st.name, r.id), nil
}

// unmake takes a resource out of the account.
func (s *Server) unmake(r *resource) error {
	switch r.kind {
	case "AWS::S3::Bucket":
		_, err := s.client(r.physical).DeleteBucket(context.Background(), &awss3.DeleteBucketInput{Bucket: &r.physical})
		if err == nil {
			delete(s.policies, r.physical)
		}
		return err
	case "AWS::S3::BucketPolicy":
		delete(s.policies, r.physical)
	case "AWS::KMS::Alias":
		delete(s.aliases, r.physical)
	case "AWS::KMS::Key":
		s.keys = slices.DeleteFunc(s.keys, func(k string) bool { return k == r.physical })
	case "AWS::Glue::Database":
		_, err := s.Glue.Call("DeleteDatabase", map[string]any{"Name": r.physical})
		return err
	}
	return nil
}
