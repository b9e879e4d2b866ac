package run

import (
	"errors"
	"fmt"
	"strings"

	"tarn/internal/diag"
	"tarn/internal/events"
	"tarn/internal/model"
)

// Selection says which tables to bring up to date.
type Selection struct {
	// Tables are names or patterns: `x` is x with everything that it reads, `x+` also everything that reads it, `+x` the
	// same as x; empty means all tables.
	Tables []string
	// FullRefresh rebuilds the selected tables from their landing files, whatever their state.
	FullRefresh bool
	// Prune takes out the rows of landing files that have vanished.
	Prune bool
	// Retry reads the landing files again that have rows in quarantine, those of RetryTable only where it is set.
	Retry      bool
	RetryTable string
	// Relist lists all landing files, also where recent dates would be enough for now.
	Relist bool
	// Events name landing files that have come or gone: they are looked at wherever they are. nil is none.
	Events *events.Batch
}

// named gives the locations that events name.
func (s Selection) named() []string {
	if s.Events == nil {
		return nil
	}
	return s.Events.Objects
}

// ErrUnknownTable says that a selected name is not in the lake.
var ErrUnknownTable = errors.New("no such table in this lake")

// resolve gives the chosen tables with all their inputs, or nil for all.
func (s Selection) resolve(g *model.Graph, database string) (map[string]bool, error) {
	if len(s.Tables) == 0 {
		return nil, nil
	}
	chosen := map[string]bool{}
	var up func(t *model.Table)
	up = func(t *model.Table) {
		if chosen[t.Name] {
			return
		}
		chosen[t.Name] = true
		for _, in := range t.Inputs {
			up(g.Table(in))
		}
	}
	for _, pattern := range s.Tables {
		pattern = strings.TrimSpace(pattern)
		name := strings.TrimPrefix(pattern, "+")
		down := strings.HasSuffix(name, "+")
		name = strings.TrimSuffix(name, "+")
		t, err := named(g, database, name)
		if err != nil {
			return nil, err
		}
		up(t)
		if down {
			for _, d := range dependants(g, t) {
				up(d)
			}
		}
	}
	return chosen, nil
}

// named finds a table by its name, with or without the database; a landing table also by that of its rows.
func named(g *model.Graph, database, name string) (*model.Table, error) {
	short := name
	if before, after, ok := strings.Cut(name, "."); ok && strings.EqualFold(before, database) {
		short = after
	}
	if t := g.Table(short); t != nil {
		return t, nil
	}
	if plain, ok := strings.CutSuffix(short, "__rows"); ok {
		if t := g.Table(plain); t != nil && t.Landing != nil {
			return t, nil
		}
	}
	switch hint := diag.DidYouMean(short, g.Names()); {
	case name == "":
		return nil, fmt.Errorf("%w: the name is empty", ErrUnknownTable)
	case hint != "":
		return nil, fmt.Errorf("%w: %s (%s)", ErrUnknownTable, name, hint)
	case len(g.Tables) <= 12:
		return nil, fmt.Errorf("%w: %s (there are %s)", ErrUnknownTable, name, strings.Join(g.Names(), ", "))
	}
	return nil, fmt.Errorf("%w: %s (tarn plan lists them)", ErrUnknownTable, name)
}

// dependants lists all tables that read t, directly or not, in order of work.
func dependants(g *model.Graph, t *model.Table) []*model.Table {
	reached := map[string]bool{t.Name: true}
	var out []*model.Table
	for _, d := range g.Tables {
		for _, in := range d.Inputs {
			if reached[g.Table(in).Name] && !reached[d.Name] {
				reached[d.Name] = true
				out = append(out, d)
			}
		}
	}
	return out
}
