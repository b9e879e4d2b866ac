package machine

import (
	"time"

	"tarn/internal/lambda/task"
)

// spare is how much longer a state waits than what it waits for: then the service itself says what has happened.
const spare = time.Minute

// call is a state that calls the function. What it answers is the execution's new answer.
func (b *builder) call(action task.Action, goesOn bool, next string) State {
	payload := fields{"action": action, "execution.$": "$$.Execution.Id", "start.$": "$$.Execution.Input"}
	if goesOn {
		payload["run.$"] = answer + ".run"
	}
	s := b.invoke(payload)
	s.Next = next
	s.Catch = []Catcher{{ErrorEquals: []string{"States.ALL"}, ResultPath: at(theError), Next: recovering}}
	return s
}

func (b *builder) invoke(payload fields) State {
	return State{Type: "Task", Resource: "arn:aws:states:::lambda:invoke",
		Parameters: fields{"FunctionName": Function, "Payload": payload},
		ResultSelector: fields{"next.$": "$.Payload.next", "run.$": "$.Payload.run", "arguments.$": "$.Payload.arguments", "models.$": "$.Payload.models",
			"late.$": "$.Payload.late", "report.$": "$.Payload.report"},
		ResultPath: at(answer), TimeoutSeconds: seconds(b.o.FunctionTimeout + spare), Retry: functionRetries()}
}

// recover is the state that lets go of what the execution holds, whatever has gone wrong.
func (b *builder) recover() State {
	s := b.invoke(fields{"action": task.Recover, "execution.$": "$$.Execution.Id", "start.$": "$$.Execution.Input", "state.$": "$"})
	s.Next = report
	s.Catch = []Catcher{{ErrorEquals: []string{"States.ALL"}, ResultPath: at(theError), Next: notRecovered}}
	return s
}

// job is a state that starts a run of the Glue job and waits for its end. Its result is in the warehouse, and not here.
func (b *builder) job(arguments, next string) State {
	return State{Type: "Task", Resource: "arn:aws:states:::glue:startJobRun.sync",
		Parameters: fields{"JobName": Job, "Arguments.$": arguments},
		ResultPath: at(Discard), TimeoutSeconds: seconds(b.o.JobTimeout + jobSpare), Retry: jobRetries(),
		Catch: []Catcher{{ErrorEquals: []string{"States.ALL"}, ResultPath: at(theError), Next: recovering}}, Next: next}
}

// with are the arguments of the plan's job runs and one more. Its name and value are words.
func with(argument, value string) string {
	return `States.JsonMerge(` + answer + `.arguments, States.StringToJson('\{"` + argument + `":"` + value + `"\}'), false)`
}

// tell is the state that sends the run's report to those who want to know.
func (b *builder) tell() State {
	return State{Type: "Task", Resource: "arn:aws:states:::sns:publish",
		Parameters: fields{"TopicArn": Topic, "Subject": subject(b.o), "Message.$": answer + ".report"},
		ResultPath: at(Discard), TimeoutSeconds: seconds(spare), Retry: tellRetries(),
		Catch: []Catcher{{ErrorEquals: []string{"States.ALL"}, ResultPath: at(theError), Next: failed}}, Next: failed}
}
