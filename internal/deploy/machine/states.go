package machine

import (
	"time"

	"tarn/internal/lambda/task"
)

// The names of states, as people see them in the console. All names of a machine are different, those in branches too.
const (
	begin        = "Begin"
	wait         = "Wait for more files"
	plan         = "Plan"
	where        = "Where does it fit?"
	run          = "Run"
	ran          = "Has it run?"
	prepare      = "Prepare"
	prepared     = "Is there a job?"
	allModels    = "All models"
	waiting      = "Checks that wait?"
	late         = "Checks of all models"
	publish      = "Publish"
	published    = "Is it published?"
	rounds       = "Another round?"
	secondRound  = "Second round"
	nextRound    = "Next round"
	pause        = "Wait between rounds"
	tidy         = "Tidy"
	unknown      = "Unknown answer"
	recovering   = "Recover"
	notRecovered = "Not recovered"
	report       = "Report"
	failed       = "Failed"
	done         = "Done"
)

// fixed are all of them: titles of models give way.
var fixed = []string{begin, wait, plan, where, run, ran, prepare, prepared, allModels, waiting, late, publish, published, rounds, secondRound, nextRound,
	pause, tidy, unknown, recovering, notRecovered, report, failed, done}

// Where an execution's state has the function's last answer and the last error.
const (
	answer   = "$.answer"
	theError = "$.error"
)

// fields are members of a JSON object; names that end in .$ have paths.
type fields map[string]any

func (b *builder) start() {
	b.add(begin, State{Type: "Choice", Comment: "Waits where the input says until when",
		Choices: []Rule{{And: []Rule{{Variable: "$.at", IsPresent: true}, {Variable: "$.at", IsTimestamp: true}}, Next: wait}}, Default: plan})
	b.add(wait, State{Type: "Wait", TimestampPath: "$.at", Next: plan})
	b.add(plan, b.call(task.Plan, false, where))
	choices := append(ends(says(task.Nothing, done)), says(task.InLambda, run))
	if b.o.Spark {
		choices = append(choices, says(task.OnGlue, prepare))
	}
	b.add(where, choice(choices...))
}

// lambda are the states of a run that fits the function.
func (b *builder) lambda() {
	b.add(run, b.call(task.Run, true, ran))
	b.add(ran, choice(append([]Rule{says(task.Continue, run), says(task.Again, rounds)}, ends(says(task.Done, done))...)...))
}

// spark are the states of a run that does not.
func (b *builder) spark(levels [][]Model) {
	b.add(prepare, b.call(task.Prepare, true, prepared))
	models := States{{allModels, b.job(answer+".arguments", publish)}}
	if b.o.Each && len(levels) > 0 {
		models = b.each(levels)
	}
	b.add(prepared, choice(append([]Rule{says(task.StartJob, models[0].Name), says(task.Continue, prepare), says(task.Again, rounds)}, ends(says(task.Done, done))...)...))
	b.states = append(b.states, models...)
	b.add(publish, b.call(task.Publish, true, published))
	b.add(published, choice(append([]Rule{says(task.Continue, publish), says(task.Again, rounds)}, ends(says(task.Done, done))...)...))
}

// rounds are the states that begin anew for files that came while the execution worked.
func (b *builder) rounds() {
	again := plan
	if b.o.Between > 0 {
		again = pause
	}
	s := choice(append([]Rule{
		{Not: &Rule{Variable: "$.rounds", IsPresent: true}, Next: secondRound},
		{Variable: "$.rounds.count", NumericLessThan: MostRounds, Next: nextRound},
	}, scheduled())...)
	s.Comment, s.Default = "Files came meanwhile. After the last round they are left to the execution that their event has started", done
	b.add(rounds, s)
	b.add(secondRound, State{Type: "Pass", Result: fields{"count": 2}, ResultPath: at("$.rounds"), Next: again})
	b.add(nextRound, State{Type: "Pass", Parameters: fields{"count.$": "States.MathAdd($.rounds.count, 1)"}, ResultPath: at("$.rounds"), Next: again})
	if b.o.Between > 0 {
		b.add(pause, State{Type: "Wait", Seconds: seconds(b.o.Between), Next: plan})
	}
}

// end are the states that an execution ends with, well or not.
func (b *builder) end() {
	b.add(tidy, b.call(task.Tidy, false, done))
	b.add(done, State{Type: "Succeed"})

	b.add(unknown, State{Type: "Pass", Result: fields{"Error": "UnknownAnswer", "Cause": "the function has answered what this state machine does not know: deploy again, so that both are of one version"},
		ResultPath: at(theError), Next: recovering})
	b.add(recovering, b.recover())
	b.add(notRecovered, State{Type: "Pass", Comment: "The lock goes over to the next execution, and so does a publish that was left half done",
		Parameters: fields{"report.$": "States.Format('What the run has left could not be cleared away, which the next one does: {}', States.JsonToString(" + theError + "))"},
		ResultPath: at(answer), Next: report})
	b.add(report, b.tell())
	b.add(failed, State{Type: "Fail", Error: "RunFailed", CausePath: answer + ".report"})
}

// choice goes by the function's answer.
func choice(rules ...Rule) State { return State{Type: "Choice", Choices: rules, Default: unknown} }

// says is the rule for one answer.
func says(n task.Next, next string) Rule {
	return Rule{Variable: answer + ".next", StringEquals: string(n), Next: next}
}

// ends are the rules for an answer after which nothing is left to do: an execution of the schedule tidies up.
func ends(r Rule) []Rule {
	s := scheduled()
	plain := r
	plain.Next = ""
	s.And = append([]Rule{plain}, s.And...)
	return []Rule{s, r}
}

// scheduled is the rule for an execution of the schedule.
func scheduled() Rule {
	return Rule{And: []Rule{{Variable: "$.reason", IsPresent: true}, {Variable: "$.reason", StringEquals: task.BySchedule}}, Next: tidy}
}

func at(path Path) *Path { return &path }

func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
