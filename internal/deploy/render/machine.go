package render

import (
	"encoding/json"

	"tarn/internal/deploy/cfn"
)

// machine is the state machine that carries a run from one state to the next.
func (r *renderer) machine() error {
	definition, err := json.MarshalIndent(map[string]any{
		"Comment": "Runs of the lake " + r.Lake + about(r.Target), "StartAt": "Run", "TimeoutSeconds": 86400,
		"States": map[string]any{"Run": map[string]any{"Type": "Task", "Resource": "${FunctionArn}", "TimeoutSeconds": 900, "End": true}},
	}, "", "  ")
	if err != nil {
		return err
	}
	r.t.Add(r.logs("MachineLogs", r.n.MachineLogs), cfn.Resource{ID: "StateMachine", Type: "AWS::StepFunctions::StateMachine",
		Comment: "What a run does, one state after the other.",
		Properties: cfn.Map{
			"StateMachineName":        r.n.StateMachine,
			"StateMachineType":        "STANDARD",
			"DefinitionString":        string(definition),
			"DefinitionSubstitutions": cfn.Map{"FunctionArn": cfn.GetAtt("Function.Arn")},
			"LoggingConfiguration": cfn.Map{"Level": "ERROR", "IncludeExecutionData": false,
				"Destinations": cfn.List{cfn.Map{"CloudWatchLogsLogGroup": cfn.Map{"LogGroupArn": cfn.GetAtt("MachineLogs.Arn")}}}},
			"RoleArn": r.role("pipeline"),
			"Tags":    r.tags(),
		}})
	return nil
}
