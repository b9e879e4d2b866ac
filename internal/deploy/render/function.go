package render

import (
	"maps"

	"tarn/internal/deploy/cfn"
)

// function is tarn itself, with the lake's definitions beside it.
func (r *renderer) function() {
	f := r.Settings.Function
	environment := cfn.Map{}
	for k, v := range r.Variables {
		environment[k] = v
	}
	maps.Copy(environment, cfn.Map{
		"TARN_TARGET": r.Target,
		// By name, as the state machine names the function too.
		"TARN_STATE_MACHINE": cfn.Sub(r.n.StateMachineARN()),
	})
	if r.Spark() {
		environment["TARN_GLUE_JOB"] = r.n.Job
	}
	props := cfn.Map{
		"FunctionName":     r.n.Function,
		"Description":      "Runs of the lake " + r.Lake + about(r.Target),
		"Runtime":          "provided.al2023",
		"Handler":          "bootstrap",
		"Architectures":    cfn.List{f.Arch},
		"MemorySize":       f.Memory,
		"EphemeralStorage": cfn.Map{"Size": f.Disk},
		"Timeout":          int(f.Timeout.Seconds()),
		"Code":             cfn.Map{"S3Bucket": cfn.Ref(ArtefactBucket), "S3Key": cfn.Ref(ArtefactKey)},
		"Environment":      cfn.Map{"Variables": environment},
		"LoggingConfig":    cfn.Map{"LogGroup": cfn.Ref("FunctionLogs"), "LogFormat": "JSON"},
		"Role":             r.role("runner"),
		"KmsKeyArn":        r.key(),
		"Tags":             r.tags(),
	}
	r.t.Add(r.logs("FunctionLogs", r.n.FunctionLogs), accept(cfn.Resource{ID: "Function", Type: "AWS::Lambda::Function",
		Comment: "The program tarn: it takes in events, plans, and runs what fits into it.", Properties: props},
		append(r.unkeyed(noEnvKey), noDeadCalls, noReserved, noVPC)...))
}

// logs is a log group that forgets.
func (r *renderer) logs(id string, name any) cfn.Resource {
	return accept(passing(cfn.Resource{ID: id, Type: "AWS::Logs::LogGroup", Properties: cfn.Map{"LogGroupName": name, "RetentionInDays": r.Settings.LogDays, "KmsKeyId": r.key(), "Tags": r.tags()}}),
		r.unkeyed(noLogKey)...)
}
