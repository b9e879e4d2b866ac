package rights

import "fmt"

// Trust says who may take an actor's role on.
func Trust(a Actor) (Policy, error) {
	services := map[Actor]List{Runner: {"lambda.amazonaws.com"}, JobRole: {"glue.amazonaws.com"}, CrawlerRole: {"glue.amazonaws.com"},
		Pipeline: {"states.amazonaws.com", "scheduler.amazonaws.com"}, Scientist: {"sagemaker.amazonaws.com"}}[a]
	switch a {
	case Runner, JobRole, CrawlerRole, Pipeline:
		return policy(byService(services)), nil
	case Scientist:
		return policy(byService(services), byPeople()), nil
	case Analyst, Operator:
		return policy(byPeople()), nil
	}
	return Policy{}, fmt.Errorf("rights: the %s has no role", a)
}

// byService lets services work for this account only (IAM User Guide, "The confused deputy problem").
func byService(services List) Statement {
	s := Statement{Effect: Allow, Principal: map[string]List{"Service": services}, Action: List{"sts:AssumeRole"}}
	// For these two AWS's documentation does not say that they tell for which account they work.
	if services[0] != "lambda.amazonaws.com" && services[0] != "sagemaker.amazonaws.com" {
		s.Condition = map[string]map[string]List{"StringEquals": {"aws:SourceAccount": {"${AWS::AccountId}"}}}
	}
	return s
}

// byPeople lets those of this account take a role on whose own policies allow it.
func byPeople() Statement {
	return Statement{Effect: Allow, Principal: map[string]List{"AWS": {prefix + "iam::${AWS::AccountId}:root"}}, Action: List{"sts:AssumeRole"}}
}
