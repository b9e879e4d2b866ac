package render

import (
	"tarn/internal/deploy/cfn"
	"tarn/internal/deployconf"
)

// actor is who does something in the stack, with a role of its own.
type actor struct {
	// name is that of the setting, id the logical name of the role.
	name, id, text string
	given          func(deployconf.Roles) string
}

var actors = []actor{
	{"runner", "RunnerRole", "of the function", func(r deployconf.Roles) string { return r.Runner }},
	{"job", "JobRole", "of the Glue job", func(r deployconf.Roles) string { return r.Job }},
	{"pipeline", "PipelineRole", "of the state machine and the schedule", func(r deployconf.Roles) string { return r.Pipeline }},
	{"analyst", "AnalystRole", "of people who query curated tables", func(r deployconf.Roles) string { return r.Analyst }},
	{"scientist", "ScientistRole", "of SageMaker", func(r deployconf.Roles) string { return r.Scientist }},
	{"operator", "OperatorRole", "of people who look after runs, without seeing data", func(r deployconf.Roles) string { return r.Operator }},
}

// role is the ARN of an actor's role: one that is there already, or the stack's own.
func (r *renderer) role(name string) any {
	for _, a := range actors {
		if a.name == name {
			if given := a.given(r.Settings.Roles); given != "" {
				return given
			}
			return cfn.GetAtt(a.id + ".Arn")
		}
	}
	panic("render: no actor " + name)
}

// roles makes those roles that are not there already. Their names are CloudFormation's, so that several regions fit into an account.
func (r *renderer) roles() {
	for _, a := range actors {
		if a.given(r.Settings.Roles) != "" {
			continue
		}
		props := cfn.Map{
			"Description":              "The lake " + r.Lake + about(r.Target) + ": role " + a.text,
			"Path":                     r.Settings.Roles.Path,
			"AssumeRolePolicyDocument": r.trust(a.name),
			"Policies":                 cfn.List{cfn.Map{"PolicyName": "tarn", "PolicyDocument": r.rights(a.name)}},
			"Tags":                     r.tags(),
		}
		if boundary := r.Settings.Roles.Boundary; boundary != "" {
			props["PermissionsBoundary"] = boundary
		}
		r.t.Add(cfn.Resource{ID: a.id, Type: "AWS::IAM::Role", Properties: props})
	}
}

// trust says who may take a role on.
func (r *renderer) trust(name string) cfn.Map {
	allow := func(principal cfn.Map, condition any) cfn.Map {
		return cfn.Map{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": condition}
	}
	here := cfn.Map{"StringEquals": cfn.Map{"aws:SourceAccount": cfn.Ref("AWS::AccountId")}}
	people := cfn.Map{"AWS": cfn.List{cfn.Sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")}}
	if assume := r.Settings.Roles.Assume; len(assume) > 0 {
		people = cfn.Map{"AWS": assume}
	}
	switch name {
	case "runner":
		return policy(allow(cfn.Map{"Service": "lambda.amazonaws.com"}, nil))
	case "job":
		return policy(allow(cfn.Map{"Service": "glue.amazonaws.com"}, nil))
	case "pipeline":
		return policy(allow(cfn.Map{"Service": cfn.List{"states.amazonaws.com", "scheduler.amazonaws.com"}}, here))
	case "scientist":
		return policy(allow(cfn.Map{"Service": "sagemaker.amazonaws.com"}, here), allow(people, nil))
	}
	return policy(allow(people, nil))
}
