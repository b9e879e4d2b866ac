package render

import (
	"tarn/internal/deploy/cfn"
)

// outputs say where everything is.
func (r *renderer) outputs() {
	out := func(id, text string, value any) {
		r.t.Outputs = append(r.t.Outputs, cfn.Output{ID: id, Description: text, Value: value})
	}
	out("Warehouse", "Where the tables are", r.Warehouse.Location())
	out("DatabaseName", "Glue database", r.Database)
	out("StateMachineArn", "State machine of the runs", cfn.Ref("StateMachine"))
	out("FunctionName", "Lambda function", cfn.Ref("Function"))
	out("FunctionLogGroup", "Log of the function", cfn.Ref("FunctionLogs"))
	out("TopicArn", "Topic of failed runs and alarms", cfn.Ref("Topic"))
	if !r.Settings.Events.Off {
		out("QueueUrl", "Queue of what has landed", cfn.Ref("Queue"))
		out("DeadLettersUrl", "Queue of messages that could not be read", cfn.Ref("DeadLetters"))
	}
	if r.Spark() {
		out("JobName", "Glue job", cfn.Ref("Job"))
	}
	for _, w := range r.readers() {
		out(w.id+"Name", "Athena workgroup "+w.text, cfn.Ref(w.id))
	}
	for _, a := range r.actors() {
		out(a.id+"Arn", "Role "+a.text, r.role(a.name))
	}
	if r.Settings.Notebook.On {
		out("NotebookName", "SageMaker notebook instance", cfn.GetAtt("Notebook.NotebookInstanceName"))
	}
}
