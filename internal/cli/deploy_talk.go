package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"tarn/internal/deploy/stack"
)

// openStack gives the stack of a spec. agree decides about proposals.
func (a *app) openStack(ctx context.Context, o stack.Options, agree func(stack.Proposal) (bool, error)) (*stack.Stack, error) {
	moved := a.counter()
	var mu sync.Mutex // parts go up side by side
	o.Talk = stack.Talk{
		Tell:  func(line string) { a.tell("%s", line) },
		Agree: agree,
		Event: a.stackEvent,
		Moved: func(doing string, done, total int64) {
			mu.Lock()
			defer mu.Unlock()
			moved.line(func(time.Duration) string { return fmt.Sprintf("%s: %s of %s", doing, bytes(done), bytes(total)) })
			if done == total {
				moved.done()
			}
		},
	}
	return stack.New(ctx, o)
}

// stackEvent tells of a resource that has come to its end, or of what went wrong with it.
func (a *app) stackEvent(e stack.Event) {
	if a.quiet || !e.Over() && !e.Failed() || e.Kind == "stack" {
		return
	}
	count := ""
	if e.Total > 0 {
		count = fmt.Sprintf("%3d/%d  ", min(e.Done, e.Total), e.Total)
	}
	line := fmt.Sprintf("%s%s %s  %s", count, e.Kind, e.Resource, strings.ToLower(strings.ReplaceAll(e.Status, "_", " ")))
	if e.Reason != "" {
		line += ": " + e.Reason
	}
	a.tell("%s", line)
}

// errNobody says that there is nobody to ask.
var errNobody = &usageError{misspelt("nobody can be asked here whether to go on", "--yes agrees beforehand")}

// ask asks a question on the terminal, and gives the answer without blanks around it.
func (a *app) ask(ctx context.Context, question string) (string, error) {
	if a.json || !terminal(a.stdin) {
		return "", errNobody
	}
	fmt.Fprint(a.stderr, question)
	type answer struct {
		line string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		line, err := bufio.NewReader(a.stdin).ReadString('\n')
		if errors.Is(err, io.EOF) {
			err = nil
		}
		got <- answer{strings.TrimSpace(line), err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case g := <-got:
		return g.line, g.err
	}
}

func (a *app) agrees(ctx context.Context, question string) (bool, error) {
	line, err := a.ask(ctx, question+" [y/N] ")
	return slices.Contains([]string{"y", "yes"}, strings.ToLower(line)), err
}

// stateMarks stand before the changes of a proposal, in the order in which they are shown.
var stateMarks = []struct {
	action stack.Action
	mark   string
	what   string
}{
	{stack.Replace, "!", "made anew, and the old one removed"},
	{stack.Remove, "-", "removed"},
	{stack.Modify, "~", "changed"},
	{stack.Import, "<", "taken into the stack unchanged"},
	{stack.Add, "+", "made"},
}

// showProposal says in words what would be done.
func (a *app) showProposal(p stack.Proposal) {
	state := "there is one"
	if p.New {
		state = "there is none"
	}
	a.tell("stack %s in %s, account %s (%s), as %s", p.Stack, p.Region, p.Account, state, p.Who)
	for _, line := range p.Before {
		a.tell("  %s", line)
	}
	for _, m := range stateMarks {
		of := slices.DeleteFunc(slices.Clone(p.Changes), func(c stack.Change) bool { return c.Action != m.action })
		if len(of) > 0 {
			a.showChanges(m.mark, m.what, of)
		}
	}
	for _, line := range p.Estimate {
		a.tell("  %s", line)
	}
}

// many is from how many removals on they are told by kinds: a stack that goes.
const many = 10

// showChanges tells what is made or taken in by kinds, as there is much of it, and each other change by itself.
func (a *app) showChanges(mark, what string, changes []stack.Change) {
	action := changes[0].Action
	byKind := action == stack.Add || action == stack.Import || action == stack.Remove && len(changes) > many
	kinds, number, all := []string{}, map[string]int64{}, int64(0)
	for _, c := range changes {
		if !byKind || c.Kept {
			a.showChange(mark, what, c)
			continue
		}
		all++
		if number[c.Kind]++; number[c.Kind] == 1 {
			kinds = append(kinds, c.Kind)
		}
	}
	if all == 0 {
		return
	}
	for i, k := range kinds {
		kinds[i] = plural(number[k], k)
	}
	a.tell("  %s %s %s: %s", mark, plural(all, "resource"), what, strings.Join(kinds, ", "))
}

func (a *app) showChange(mark, what string, c stack.Change) {
	switch {
	case c.Kept && c.Action == stack.Replace:
		what = "made anew; the one before stays, and leaves the stack"
	case c.Kept:
		what = "stays, and leaves the stack"
	}
	if len(c.Why) > 0 {
		what += " (" + strings.Join(c.Why, ", ") + ")"
	}
	if c.Maybe {
		what += "; AWS may have to make it anew"
	}
	name := c.Name
	if name == "" {
		name = c.Resource
	}
	a.tell("  %s %s %s  %s", mark, c.Kind, name, what)
}

// stackEnded says what a stack's failure means, where that is more than its text.
func (a *app) stackEnded(err error) error {
	var on *stack.GoesOnError
	switch {
	case errors.As(err, &on) && on.Interrupted() && !a.json:
		a.tell("%v", on)
		return told(err)
	case errors.Is(err, stack.ErrDeclined) && !a.json:
		a.tell("%v", stack.ErrDeclined)
		return told(err)
	}
	return err
}
