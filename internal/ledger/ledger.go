// Package ledger keeps the account of rows: what became of every row that a table could have been made of.
//
// The conditions of a model's SQL are the reasons. An [Account] that does not add up is an error, and stops a publish.
package ledger

import (
	"errors"
	"fmt"

	"tarn/internal/engine"
	"tarn/internal/sqltree"
	"tarn/internal/words"
)

// ErrUnexplained says that rows in and rows out differ by more than the reasons explain.
var ErrUnexplained = errors.New("rows are unaccounted for")

// errUncounted says that an engine has answered what was not asked.
var errUncounted = errors.New("the rows were not counted")

// Account is the account of one table in one run. Its JSON form is part of the run record.
//
// In = Kept + the rows of Dropped + Quarantined, and Out = Kept + Added - Merged - PutAside.
type Account struct {
	// Input is the table that the rows come from: the first of FROM; "" for a landing table, whose rows come from files.
	Input string `json:"input,omitempty"`
	In    int64  `json:"in"`
	Kept  int64  `json:"kept"`
	// Dropped lists the reasons in the order in which the SQL has them; a row counts for the first that drops it.
	Dropped     []Drop `json:"dropped"`
	Quarantined int64  `json:"quarantined"`
	// Added counts rows beyond one for each kept one, which joins made; Merged those that GROUP BY or DISTINCT took together.
	Added  int64 `json:"added"`
	Merged int64 `json:"merged"`
	// PutAside counts result rows that checks dropped or quarantined where a result row is not one input row, so that it
	// cannot be told which input rows they were; elsewhere such rows are in Dropped and Quarantined.
	PutAside int64 `json:"put_aside,omitempty"`
	Out      int64 `json:"out"`
	// Traced is false where rows cannot be followed one by one; Note says why.
	Traced bool   `json:"traced"`
	Note   string `json:"note,omitempty"`
}

// Drop is one reason and how many rows it dropped.
type Drop struct {
	Reason string `json:"reason"`
	Rows   int64  `json:"rows"`
}

// Lost adds up what was dropped.
func (a *Account) Lost() (n int64) {
	for _, d := range a.Dropped {
		n += d.Rows
	}
	return n
}

// Change is one reason why a table has other rows than came in.
type Change struct {
	// Rows is above zero where rows came to be, below where they went.
	Rows int64
	// Dropped says that What is the name of a condition; elsewhere it is what happened to the rows.
	Dropped bool
	What    string
}

// Changes lists what lies between In and Out, in order.
func (a *Account) Changes() []Change {
	var out []Change
	for _, d := range a.Dropped {
		if d.Rows > 0 {
			out = append(out, Change{-d.Rows, true, d.Reason})
		}
	}
	for _, c := range []Change{{-a.Quarantined, false, "quarantined"}, {a.Added, false, "added by the join"}, {-a.Merged, false, "merged"}, {-a.PutAside, false, "put aside by checks"}} {
		if c.Rows != 0 {
			out = append(out, c)
		}
	}
	return out
}

// Check gives [ErrUnexplained] if the account does not add up.
func (a *Account) Check() error {
	if !a.Traced {
		return nil
	}
	if explained := a.Kept + a.Lost() + a.Quarantined; explained != a.In {
		return fmt.Errorf("%w: %s in, %s explained (%s kept, %s dropped, %s quarantined)", ErrUnexplained, words.Count(a.In, "row"),
			words.Grouped(explained), words.Grouped(a.Kept), words.Grouped(a.Lost()), words.Grouped(a.Quarantined))
	}
	if explained := a.Kept + a.Added - a.Merged - a.PutAside; explained != a.Out {
		return fmt.Errorf("%w: %s out, %s explained (%s kept, %s added by joins, %s merged, %s put aside by checks)", ErrUnexplained, words.Count(a.Out, "row"),
			words.Grouped(explained), words.Grouped(a.Kept), words.Grouped(a.Added), words.Grouped(a.Merged), words.Grouped(a.PutAside))
	}
	for _, n := range []int64{a.In, a.Kept, a.Quarantined, a.Added, a.Merged, a.PutAside, a.Out} {
		if n < 0 {
			return fmt.Errorf("%w: a count is negative: %+v", ErrUnexplained, *a)
		}
	}
	for _, d := range a.Dropped {
		if d.Rows < 0 {
			return fmt.Errorf("%w: %s dropped by %s", ErrUnexplained, words.Count(d.Rows, "row"), d.Reason)
		}
	}
	return nil
}

// Landing is the account of a load: objects in the files that were read, and rows that came of them.
func Landing(objects, loaded, quarantined int64) *Account {
	return &Account{In: objects, Kept: loaded, Quarantined: quarantined, Out: loaded, Dropped: []Drop{}, Traced: true}
}

// Model makes the account of a model. in counts the driving table's rows and made the rows that the SELECT gave, before checks
// took any out. answer is what an engine has said to the questions of [Ask]; nil where there were none.
func Model(f *sqltree.Flow, answer *engine.LedgerResult, in, made int64) (*Account, error) {
	a := &Account{Input: f.Driving.Name, In: in, Out: made, Dropped: []Drop{}, Traced: true}
	if f.Opaque != "" {
		return &Account{Out: made, Dropped: []Drop{}, Note: "rows are not followed one by one: " + f.Opaque}, nil
	}
	if reason, ok := f.Simple(); ok {
		a.Kept = made
		if reason != "" {
			a.Dropped = append(a.Dropped, Drop{Reason: reason, Rows: in - made})
		}
		return a, a.Check()
	}
	if answer == nil || len(answer.Counts) != len(f.Steps)+1 {
		return nil, errUncounted
	}
	left := in
	for i, s := range f.Steps {
		var n int64 // a sum over no rows is null
		if count := answer.Counts[i]; count != nil {
			n = *count
		}
		a.Dropped = append(a.Dropped, Drop{Reason: s.Name, Rows: left - n})
		left = n
	}
	a.Kept = left
	joined := made
	if last := answer.Counts[len(f.Steps)]; last != nil {
		joined = *last
	}
	a.Added = joined - left
	if f.Merges != "" {
		a.Merged, a.Note = joined-made, "merged by "+f.Merges
		if f.Merges == "an aggregate" && made == 1 && joined == 0 {
			// An aggregate over no rows still gives one.
			a.Merged, a.Added = 0, a.Added+1
		}
	}
	return a, a.Check()
}

// Ask writes the questions of a model, or gives nil where the account needs none.
func Ask(f *sqltree.Flow, d sqltree.Dialect, rename func(sqltree.TableRef) string) (*engine.Ledger, error) {
	if _, simple := f.Simple(); simple || f.Opaque != "" {
		return nil, nil
	}
	a := engine.Ledger{Uniques: []string{}}
	if f.Multiplies && len(f.Steps) > 0 {
		asks, err := f.Uniques(d, rename)
		if err != nil {
			return nil, err
		}
		for i, ask := range asks {
			if unneeded(f, asks, i) {
				ask = ""
			}
			a.Uniques = append(a.Uniques, ask)
		}
	}
	for n := range len(a.Uniques) + 1 {
		single := make([]bool, len(a.Uniques))
		for i := range n {
			single[i] = true
		}
		query, err := f.Counts(d, rename, single)
		if err != nil {
			return nil, err
		}
		a.Counts = append(a.Counts, query)
	}
	return &a, nil
}

// unneeded reports whether it need not be known if a join can multiply rows: of the last join unless conditions follow it;
// it is also the one most likely to be large.
func unneeded(f *sqltree.Flow, asks []string, i int) bool {
	return i == len(asks)-1 && f.Steps[len(f.Steps)-1].Join
}

// Without takes rows out of the result that checks put aside: quarantined ones, and dropped ones by check.
func (a *Account) Without(quarantined int64, dropped []Drop) {
	total := quarantined
	for _, d := range dropped {
		total += d.Rows
	}
	if total == 0 {
		return
	}
	a.Out -= total
	if !a.Traced || a.Added > 0 || a.Merged > 0 {
		// Which of a kept row's several rows was taken out is not followed.
		a.PutAside = total
		for _, d := range dropped {
			a.Note = joinNotes(a.Note, words.Count(d.Rows, "row")+" dropped by "+d.Reason)
		}
		if quarantined > 0 {
			a.Note = joinNotes(a.Note, words.Count(quarantined, "row")+" quarantined by checks")
		}
		return
	}
	a.Kept -= total
	a.Quarantined += quarantined
	a.Dropped = append(a.Dropped, dropped...)
}

func joinNotes(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}
