package machine

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// longestName is how many characters a state's name has at the most (AWS Step Functions Developer Guide, "Workflow states").
const longestName = 80

// levelsOf puts models into levels: each model is in the first one behind all that it reads. Within a level, and within what is
// given, the order stays.
func levelsOf(models []Model) ([][]Model, error) {
	level := map[string]int{}
	known := map[string]bool{}
	for _, m := range models {
		known[m.Name] = true
	}
	var out [][]Model
	left := models
	for len(left) > 0 {
		var next, now []Model
		for _, m := range left {
			ready := !slices.ContainsFunc(m.After, func(a string) bool { _, made := level[a]; return known[a] && !made })
			if ready {
				now = append(now, m)
			} else {
				next = append(next, m)
			}
		}
		if len(now) == 0 {
			return nil, fmt.Errorf("models read each other: %s and %s", left[0].Name, strings.Join(left[0].After, ", "))
		}
		for _, m := range now {
			level[m.Name] = len(out)
		}
		out, left = append(out, now), next
	}
	return out, nil
}

// each are the states of a job run for each model, by levels. The first is where they begin, and the last lead to publish.
func (b *builder) each(levels [][]Model) States {
	names := nameStates(levels)
	start := func(l int) string {
		if l == len(levels) {
			return waiting
		}
		if len(levels[l]) == 1 {
			return names[levels[l][0].Name].asked
		}
		return levelName(l)
	}
	var out States
	for l, models := range levels {
		if len(models) == 1 {
			asked, made := b.model(models[0], names, start(l+1))
			out = append(out, asked, made)
			continue
		}
		// No state of a branch may lead out of it, so that errors are caught here.
		parallel := State{Type: "Parallel", ResultPath: at(Discard), Next: start(l + 1),
			Catch: []Catcher{{ErrorEquals: []string{"States.ALL"}, ResultPath: at(theError), Next: recovering}}}
		for _, m := range models {
			left := names[m.Name].left
			asked, made := b.model(m, names, left)
			made.State.Next, made.State.End, made.State.Catch = "", true, nil
			parallel.Branches = append(parallel.Branches, Branch{StartAt: asked.Name, States: States{asked, made, {left, State{Type: "Succeed"}}}})
		}
		out = append(out, Named{start(l), parallel})
	}
	return append(out,
		Named{waiting, State{Type: "Choice", Choices: []Rule{{Variable: answer + ".late", BooleanEquals: true, Next: late}}, Default: publish}},
		Named{late, b.job(with(lateArgument, "true"), publish)})
}

// model are the states of one model: the question if the plan has it, and the job run. The name of a state is what it makes.
func (b *builder) model(m Model, names map[string]stateNames, otherwise string) (asked, made Named) {
	n := names[m.Name]
	asked = Named{n.asked, State{Type: "Choice", Choices: []Rule{{Variable: answer + ".models['" + m.Name + "']", IsPresent: true, Next: n.made}}, Default: otherwise}}
	// All runs of the job have the same plan, and each makes one model of it.
	made = Named{n.made, b.job(with(modelArgument, m.Name), otherwise)}
	return asked, made
}

// The arguments that tell a job run which models of the plan it makes, and that it tests the checks which wait for all of them.
const (
	modelArgument = "--tarn-only"
	lateArgument  = "--tarn-late"
)

// stateNames are those of a model's states.
type stateNames struct{ made, asked, left string }

// nameStates names the states of models by their titles. Where a name is in use, the table's name goes with it.
func nameStates(levels [][]Model) map[string]stateNames {
	taken := map[string]bool{}
	for _, name := range fixed {
		taken[name] = true
	}
	for l := range levels {
		taken[levelName(l)] = true
	}
	out := map[string]stateNames{}
	for _, models := range levels {
		for _, m := range models {
			n := namesOf(title(m, ""))
			for i := 1; taken[n.made] || taken[n.asked] || taken[n.left]; i++ {
				suffix := " (" + m.Name + ")"
				if i > 1 || len(suffix) > longestName/2 {
					suffix = fmt.Sprintf(" (%d)", i)
				}
				n = namesOf(title(m, suffix))
			}
			taken[n.made], taken[n.asked], taken[n.left] = true, true, true
			out[m.Name] = n
		}
	}
	return out
}

func levelName(l int) string { return fmt.Sprintf("Level %d", l+1) }

const leftSuffix = " stays"

func namesOf(name string) stateNames {
	return stateNames{made: name, asked: name + "?", left: name + leftSuffix}
}

// title is what people call a model, and a suffix: on one line, and short enough for the names of its states.
func title(m Model, suffix string) string {
	t := strings.Join(strings.FieldsFunc(literal(m.Title), func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
	if t == "" {
		t = m.Name
	}
	room := longestName - len(leftSuffix)
	words := []rune(t)
	return strings.TrimSpace(string(words[:min(len(words), room-len(suffix))])) + suffix
}

// literal takes out of a text what the template would take for a substitution.
func literal(text string) string { return strings.ReplaceAll(text, "${", "$ {") }

// subject is that of a message to people: printable ASCII, at most 100 characters, and it begins with a letter or digit (Amazon
// SNS API, "Publish").
func subject(o Options) string {
	text := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '-'
		}
		return r
	}, literal("A run of lake "+o.Lake+", target "+o.Target+", has failed"))
	return text[:min(len(text), 100)]
}
