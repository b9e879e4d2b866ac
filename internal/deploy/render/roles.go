package render

import (
	"fmt"

	"tarn/internal/deploy"
	"tarn/internal/deploy/cfn"
	"tarn/internal/deployconf"
	"tarn/internal/rights"
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
	{"crawler", "CrawlerRole", "of the Glue crawler", func(r deployconf.Roles) string { return r.Crawler }},
}

// actors are those of this stack: who has nothing to do in it has no role.
func (r *renderer) actors() []actor {
	var out []actor
	for _, a := range actors {
		if a.name == "job" && !r.Spark() || a.name == "crawler" && !r.Settings.Crawler {
			continue
		}
		out = append(out, a)
	}
	return out
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
func (r *renderer) roles() error {
	places := Places(r.Spec)
	for _, a := range r.actors() {
		if a.given(r.Settings.Roles) != "" {
			continue
		}
		who, err := trust(actorOf(a.name), r.Settings.Roles)
		if err != nil {
			return err
		}
		may, err := rights.Of(actorOf(a.name), places)
		if err != nil {
			return err
		}
		props := cfn.Map{
			"Description":              "The lake " + r.Lake + about(r.Target) + ": role " + a.text,
			"Path":                     r.Settings.Roles.Path,
			"AssumeRolePolicyDocument": who,
			"Tags":                     r.tags(),
		}
		if boundary := r.Settings.Roles.Boundary; boundary != "" {
			props["PermissionsBoundary"] = boundary
		}
		if may.Length() <= rights.MostInline {
			props["Policies"] = cfn.List{cfn.Map{"PolicyName": "tarn", "PolicyDocument": document(may)}}
		} else if props["ManagedPolicyArns"], err = r.managed(a, may); err != nil {
			return err
		}
		r.t.Add(cfn.Resource{ID: a.id, Type: "AWS::IAM::Role", Properties: props})
	}
	return nil
}

// managed makes policies of a role that are too long to stand in it.
func (r *renderer) managed(a actor, may rights.Policy) (cfn.List, error) {
	parts := may.Pieces()
	if len(parts) > rights.MostPieces {
		return nil, &deploy.UnfitError{Message: fmt.Sprintf("the role %s would need %d policies for the tables and places of this lake, and AWS takes %d", a.text, len(parts), rights.MostPieces),
			Fix: "name a role of your own below roles:"}
	}
	var out cfn.List
	for i, p := range parts {
		id := fmt.Sprintf("%sPolicy%d", a.id, i+1)
		r.t.Add(cfn.Resource{ID: id, Type: "AWS::IAM::ManagedPolicy", Properties: cfn.Map{
			"Description": fmt.Sprintf("The lake %s%s: role %s, part %d", r.Lake, about(r.Target), a.text, i+1), "Path": r.Settings.Roles.Path, "PolicyDocument": document(p)}})
		out = append(out, cfn.Ref(id))
	}
	return out, nil
}
