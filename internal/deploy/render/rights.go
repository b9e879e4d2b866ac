package render

import (
	"strings"

	"tarn/internal/deploy"
	"tarn/internal/deploy/cfn"
	"tarn/internal/deployconf"
	"tarn/internal/rights"
)

// Places are what the actors of a stack have rights on, as the template names it.
func Places(s deploy.Spec) rights.Places {
	n := s.Names()
	place := func(p deploy.Place) rights.Place { return rights.Place{Bucket: p.Bucket, Prefix: p.Prefix} }
	out := rights.Places{
		Lake: s.Lake, Target: s.Target, Base: n.Base, Database: s.Database, Catalog: s.Catalog,
		Warehouse: place(s.Warehouse), Results: place(s.Results), Artefacts: place(s.Artefacts),
		Grant: s.Settings.Roles.Grant, Key: s.KMSKey,
		Function: n.FunctionARN(), StateMachine: n.StateMachineARN(), Executions: n.ExecutionsARN(), Topic: n.TopicARN(),
		FunctionLogs: n.FunctionLogs, MachineLogs: n.MachineLogs,
		AnalystWorkgroup: n.Analyst, ScientistWorkgroup: n.Scientist,
		Stack: n.Stack, RolePath: s.Settings.Roles.Path, Boundary: s.Settings.Roles.Boundary, LakeFormation: s.Settings.LakeFormation,
	}
	if s.KMSKey == "" && s.Settings.OwnKey {
		out.Key, out.MakesKey = "${Key.Arn}", true
	}
	for _, a := range actors {
		if given := a.given(s.Settings.Roles); given != "" {
			if out.GivenRoles == nil {
				out.GivenRoles = map[rights.Actor]string{}
			}
			out.GivenRoles[actorOf(a.name)] = given
		}
	}
	for _, bucket := range s.Buckets() {
		for _, p := range s.Arrivals(bucket) {
			out.Landing = append(out.Landing, place(p))
		}
	}
	for _, l := range s.Landing {
		out.LandingTables = append(out.LandingTables, l.Name)
	}
	for _, m := range s.Models {
		out.Models = append(out.Models, rights.Table{Name: m.Name, Zone: m.Zone})
	}
	if !s.Settings.Events.Off {
		out.Queue, out.DeadLetters = n.QueueARN(), n.DeadLettersARN()
	}
	if s.Spark() {
		out.Job, out.JobLogs = n.JobARN(), n.JobLogs
	}
	if s.Settings.Notebook.On {
		out.Notebook = n.Notebook
	}
	if s.Settings.Crawler {
		out.Crawler = n.Crawler
	}
	return out
}

// document writes a policy into the template.
func document(p rights.Policy) cfn.Map {
	texts := func(list rights.List) any {
		var out cfn.List
		for _, s := range list {
			out = append(out, filledIn(s))
		}
		if len(out) == 1 {
			return out[0]
		}
		return out
	}
	var statements cfn.List
	for _, s := range p.Statement {
		m := cfn.Map{"Effect": string(s.Effect), "Action": texts(s.Action)}
		if s.Sid != "" {
			m["Sid"] = s.Sid
		}
		if len(s.Resource) > 0 {
			m["Resource"] = texts(s.Resource)
		}
		if len(s.Principal) > 0 {
			who := cfn.Map{}
			for kind, list := range s.Principal {
				who[kind] = texts(list)
			}
			m["Principal"] = who
		}
		if len(s.Condition) > 0 {
			when := cfn.Map{}
			for operator, keys := range s.Condition {
				values := cfn.Map{}
				for key, list := range keys {
					values[key] = texts(list)
				}
				when[operator] = values
			}
			m["Condition"] = when
		}
		statements = append(statements, m)
	}
	return cfn.Map{"Version": p.Version, "Statement": statements}
}

// filledIn is a text with what CloudFormation fills in.
func filledIn(s string) any {
	if !strings.Contains(s, "${") {
		return s
	}
	name, ok := strings.CutPrefix(s, "${")
	if !ok || strings.Index(name, "}") != len(name)-1 {
		return cfn.Sub(s)
	}
	if name = strings.TrimSuffix(name, "}"); strings.Contains(name, ".") {
		return cfn.GetAtt(name)
	}
	return cfn.Ref(name)
}

// actorOf is the actor of package rights that has a role.
func actorOf(role string) rights.Actor {
	if role == "job" {
		return rights.JobRole
	}
	return rights.Actor(role)
}

// trust says who may take a role on.
func trust(a rights.Actor, roles deployconf.Roles) (cfn.Map, error) {
	p, err := rights.Trust(a)
	if err != nil {
		return nil, err
	}
	for i, s := range p.Statement {
		if len(s.Principal["AWS"]) > 0 && len(roles.Assume) > 0 {
			p.Statement[i].Principal = map[string]rights.List{"AWS": roles.Assume}
		}
	}
	return document(p), nil
}
