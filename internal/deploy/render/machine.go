package render

import (
	"tarn/internal/deploy"
	"tarn/internal/deploy/cfn"
	"tarn/internal/deploy/machine"
	"tarn/internal/deployconf"
)

// MachineOptions say what the state machine of a stack is made for.
func MachineOptions(s deploy.Spec) machine.Options {
	o := machine.Options{Lake: s.Lake, Target: s.Target, FunctionTimeout: s.Settings.Function.Timeout,
		Spark: s.Spark(), JobTimeout: s.Settings.Job.Timeout, Each: s.Settings.Job.States == deployconf.StateForEach,
		Between: s.Settings.Events.MinInterval, Ahead: s.Settings.Events.MinInterval + s.Settings.Events.Settle}
	for _, m := range s.Models {
		o.Models = append(o.Models, machine.Model{Name: m.Name, Title: m.Title, After: m.After})
	}
	return o
}

// machine is the state machine that carries a run from one state to the next.
func (r *renderer) machine() error {
	m, err := machine.New(MachineOptions(r.Spec))
	if err != nil {
		return err
	}
	definition, err := m.Definition()
	if err != nil {
		return err
	}
	fill := cfn.Map{"Function": cfn.GetAtt("Function.Arn"), "Topic": cfn.Ref("Topic")}
	if r.Spark() {
		fill["Job"] = cfn.Ref("Job")
	}
	r.t.Add(r.logs("MachineLogs", r.n.MachineLogs), cfn.Resource{ID: "StateMachine", Type: "AWS::StepFunctions::StateMachine",
		Comment: "What a run does, one state after the other.",
		Properties: cfn.Map{
			"StateMachineName":        r.n.StateMachine,
			"StateMachineType":        "STANDARD",
			"DefinitionString":        definition,
			"DefinitionSubstitutions": fill,
			"LoggingConfiguration": cfn.Map{"Level": "ERROR", "IncludeExecutionData": false,
				"Destinations": cfn.List{cfn.Map{"CloudWatchLogsLogGroup": cfn.Map{"LogGroupArn": cfn.GetAtt("MachineLogs.Arn")}}}},
			"RoleArn": r.role("pipeline"),
			"Tags":    r.tags(),
		}})
	return nil
}
