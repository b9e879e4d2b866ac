// Package machine has the state machine of a deployed lake: which steps an execution takes, what is tried again, and where
// errors lead.
//
// [New] makes it of a lake's models, and [Machine.Definition] writes it in the Amazon States Language. It knows neither ARNs nor
// accounts: ${Function}, ${Job} and ${Topic} in the text are the substitutions of the template that it is part of
// (DefinitionSubstitutions of AWS::StepFunctions::StateMachine).
//
// What passes through an execution stays small: its own input, the last answer of the function, the last error, and a count.
// The documents are those of package task.
package machine

import (
	"fmt"
	"time"
)

// The substitutions: the ARN of the function, the name of the Glue job, and the ARN of the topic of failed runs.
const (
	Function = "${Function}"
	Job      = "${Job}"
	Topic    = "${Topic}"
)

// Options say what the machine is made for.
type Options struct {
	// Lake and Target name it for people.
	Lake, Target string
	// FunctionTimeout is that of the function.
	FunctionTimeout time.Duration
	// Spark has the states of the Glue job in it. JobTimeout is that of one of its runs.
	Spark      bool
	JobTimeout time.Duration
	// Each is a job run for each model, in place of one for all.
	Each bool
	// Models are those of the lake, in the order of the SQL.
	Models []Model
	// Between is the least time between two rounds of an execution, 0 for none.
	Between time.Duration
	// Ahead is how far in the future an execution's start may lie.
	Ahead time.Duration
}

// Model is a table that the job makes.
type Model struct {
	Name string
	// Title names its state.
	Title string
	// After are the models that it reads; names of others do not matter.
	After []string
}

// MostRounds is how often an execution works at the most because files came while it did. Whoever tells of a file makes sure
// that an execution begins after it; so files that come later than in the last round are that one's.
const MostRounds = 10

// New makes the machine. It fails where models read each other in a circle.
func New(o Options) (Machine, error) {
	levels, err := levelsOf(o.Models)
	if err != nil {
		return Machine{}, err
	}
	b := &builder{o: o}
	b.start()
	b.lambda()
	if o.Spark {
		b.spark(levels)
	}
	b.rounds()
	b.end()
	return Machine{
		Comment: fmt.Sprintf("Brings the tables of lake %s, target %s, up to date. The next deploy writes it anew.", literal(o.Lake), literal(o.Target)),
		StartAt: begin, TimeoutSeconds: seconds(limit(o)), States: b.states,
	}, nil
}

// Widest is how many runs of the job are under way at a time at the most, which is what the job has to allow.
func Widest(o Options) (int, error) {
	levels, err := levelsOf(o.Models)
	if err != nil || !o.Each {
		return 1, err
	}
	most := 1
	for _, l := range levels {
		most = max(most, len(l))
	}
	return most, nil
}

type builder struct {
	o      Options
	states States
}

func (b *builder) add(name string, s State) { b.states = append(b.states, Named{name, s}) }
