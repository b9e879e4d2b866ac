package machine

import (
	"time"

	"tarn/internal/lambda/task"
)

// jobSpare is how long a job run may wait for its machines beyond its own timeout, which counts from when it has them.
const jobSpare = 15 * time.Minute

// busyRetries wait for another run that writes: 15 s, 30 s, 1 min, 2 min, 4 min and then 5 min each, of which each pause is any
// part: at most BusyFor in all, and half of that on average.
var busyRetries = Retrier{IntervalSeconds: 15, BackoffRate: 2, MaxDelaySeconds: 300, MaxAttempts: 16, JitterStrategy: "FULL"}

// BusyFor is how long a state waits at the most for another run that writes.
const BusyFor = (15 + 30 + 60 + 120 + 240 + 11*300) * time.Second

// serviceRetries wait for a service that refuses because too much is asked of it, or that has failed by itself: 2, 4, 8, 16, 32
// and 60 s, of which each pause is any part: at most two minutes in all.
var serviceRetries = Retrier{IntervalSeconds: 2, BackoffRate: 2, MaxDelaySeconds: 60, MaxAttempts: 6, JitterStrategy: "FULL"}

// diedRetries are for what ended without saying why, such as a process that was killed: what it had finished is kept, and the
// next one goes on.
var diedRetries = Retrier{IntervalSeconds: 5, BackoffRate: 2, MaxAttempts: 2, JitterStrategy: "FULL"}

// on is a retrier for some errors.
func (r Retrier) on(errors ...string) Retrier {
	r.ErrorEquals = errors
	return r
}

// functionRetries are those of a state that calls the function (AWS Step Functions Developer Guide, "Handling errors in Step
// Functions workflows"; "Best practices": transient errors of Lambda).
func functionRetries() []Retrier {
	return []Retrier{
		Retrier{MaxAttempts: 0}.on(task.Failed),
		busyRetries.on(task.Busy),
		serviceRetries.on("Lambda.TooManyRequestsException", "Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException", "Lambda.ClientExecutionTimeoutException"),
		diedRetries.on("States.TaskFailed", "States.Timeout"),
	}
}

// jobRetries are those of a state that starts a job run. A run that has failed is not started again: that costs, and what it says
// is in its log.
func jobRetries() []Retrier {
	return []Retrier{
		busyRetries.on("Glue.ConcurrentRunsExceededException", "Glue.ResourceNumberLimitExceededException"),
		serviceRetries.on("Glue.ThrottlingException", "Glue.InternalServiceException", "Glue.OperationTimeoutException"),
	}
}

func tellRetries() []Retrier {
	return []Retrier{serviceRetries.on("States.ALL")}
}

// limit is how long an execution may take in all: until its start, two waits for others, and for all else three times what the
// function and the job may take. One that takes longer ends without a word to anybody but the alarm on it, and the lock goes over
// to the next.
func limit(o Options) time.Duration {
	work := o.FunctionTimeout
	if o.Spark {
		work += o.JobTimeout + jobSpare
	}
	return o.Ahead + MostRounds*o.Between + 2*BusyFor + 3*work
}
