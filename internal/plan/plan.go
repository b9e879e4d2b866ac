// Package plan decides what a run has to do, and says why.
//
// A landing table is out of date when files are new, changed or (with prune) gone, or when its definition reads files
// differently than they were read. A model is out of date when its SQL, columns, partitions or row-dropping checks have
// changed, when a table that it reads changes in this run, or when it was made from another version of one than is
// published (after a rollback, say). Line breaks, comments and the case of keywords in SQL are no change. Checks that only
// judge, column comments and descriptions leave the rows as they are: such a table is amended.
package plan

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tarn/internal/lake"
	"tarn/internal/load"
	"tarn/internal/model"
)

// Keys of the entries that tarn keeps in each snapshot's summary.
const (
	// KeyRun is the run that gave the table its rows: the version that dependants compare.
	KeyRun = "tarn.run"
	// KeyHash is the definition under which the rows were made.
	KeyHash = "tarn.hash"
	// KeyNotes is the rest of the definition: checks that only judge, comments, description.
	KeyNotes = "tarn.notes"
	// KeyInputs is a JSON object: the version of each input that the rows were made from.
	KeyInputs = "tarn.inputs"
	// keyFolder is not recorded: it is the zone in whose folder the table lies, which its rows have to leave if that changes.
	keyFolder = "tarn.folder"
)

// Action is what a run does with a table.
type Action string

// The actions.
const (
	None    Action = "none"    // up to date
	Load    Action = "load"    // read landing files
	Rebuild Action = "rebuild" // run the whole SELECT
	Amend   Action = "amend"   // the rows stay: its checks are tested again, comments and description written
	// Hold leaves a table as it is because another program has changed its rows, or those of a table that it is made of. A
	// full refresh of the former repairs both.
	Hold Action = "hold"
)

// Step is what happens to one table.
type Step struct {
	Table  *model.Table
	Action Action
	// Reasons say why, in words for people; empty for None.
	Reasons []string
	// Work is what there is to load, for landing tables.
	Work load.Work
	// Prune takes out the rows of vanished files.
	Prune bool
	// Full says that a full refresh was asked for.
	Full bool
}

// Works reports whether there is something to do.
func (s Step) Works() bool { return s.Action != None && s.Action != Hold }

// Changes reports whether the table can have other rows after the step.
func (s Step) Changes() bool { return s.Action == Load || s.Action == Rebuild }

// Plan is an ordered list of steps, one for each chosen table.
type Plan struct {
	Steps []Step
	// Orphans are tables in the lake that no definition describes any more. They stay readable.
	Orphans []string
	// Chosen are the tables that the plan is about; empty means all.
	Chosen map[string]bool
}

// Empty reports whether there is nothing to do.
func (p *Plan) Empty() bool {
	return !slices.ContainsFunc(p.Steps, Step.Works)
}

// Options chooses tables.
type Options struct {
	// Chosen are the tables to bring up to date with everything they read; empty means all.
	Chosen map[string]bool
	// FullRefresh rebuilds the chosen models, and loads the landing tables whose work says that all files are read again.
	FullRefresh map[string]bool
	Prune       bool
	// Changed are the tables whose rows other programs have changed, by the names that they are stored under, with what is
	// to be said of it. Gone are those of them whose rows as they were published are not there any more.
	Changed map[string]string
	Gone    map[string]bool
}

// Published says where the lake's tables stand: what is recorded with the snapshot of each, by the name that it is stored
// under, and nil for a table that was never written.
type Published map[string]map[string]string

// Look takes from a view what a plan is made of.
func Look(v *lake.View) Published {
	p := Published{}
	for _, name := range v.Names() {
		p[name] = nil
		t := v.Table(name)
		if p[name] = maps.Clone(t.Record()); p[name] != nil {
			p[name][keyFolder] = t.Zone()
		}
	}
	return p
}

// Version is the run that gave a table its rows, or "" if it has none.
func Version(v *lake.View, t *model.Table) string {
	if have := v.Table(t.Stored()); have != nil {
		return have.Record()[KeyRun]
	}
	return ""
}

// Make works the plan out. work gives what there is to load for each landing table, by name.
func Make(g *model.Graph, now Published, work map[string]load.Work, o Options) *Plan {
	p := &Plan{Chosen: o.Chosen}
	changes := map[string]bool{}
	held := map[string]string{} // by table: the one that has to be repaired first
	for _, t := range g.Tables {
		if why, changed := o.Changed[t.Stored()]; changed && !o.FullRefresh[t.Name] {
			held[t.Name] = t.Name
			if len(o.Chosen) == 0 || o.Chosen[t.Name] {
				p.Steps = append(p.Steps, Step{Table: t, Action: Hold, Reasons: []string{why}, Work: work[t.Name]})
			}
			continue
		}
		for _, in := range t.Inputs {
			if first, ok := held[g.Table(in).Name]; ok {
				held[t.Name] = first
			}
		}
		if len(o.Chosen) > 0 && !o.Chosen[t.Name] {
			continue
		}
		s := Step{Table: t, Action: None}
		if t.Landing != nil {
			s.Work = work[t.Name]
			// Where the rows of vanished files are gone too, they cannot stay.
			s.Prune = o.Prune || o.Gone[t.Stored()]
			landing(&s, now[t.Stored()], o.FullRefresh[t.Name])
		} else {
			s.Reasons = stale(g, t, now, changes)
			if o.FullRefresh[t.Name] && len(s.Reasons) == 0 {
				s.Reasons = []string{"full refresh"}
			}
			if len(s.Reasons) > 0 {
				s.Action = Rebuild
			}
		}
		if have := now[t.Stored()]; s.Action == None && have[KeyNotes] != t.Notes {
			s.Action, s.Reasons = Amend, []string{"its checks or comments have changed"}
		}
		if first, ok := held[t.Name]; ok && s.Works() {
			s.Action, s.Reasons = Hold, append(s.Reasons, "waits until "+first+" is repaired")
		}
		changes[t.Name] = s.Changes()
		p.Steps = append(p.Steps, s)
	}
	p.Orphans = orphans(g, now)
	return p
}

func landing(s *Step, have map[string]string, full bool) {
	count := func(n int, one, many string) {
		switch {
		case n == 1:
			s.Reasons = append(s.Reasons, "1 "+one)
		case n > 1:
			s.Reasons = append(s.Reasons, fmt.Sprintf("%d %s", n, many))
		}
	}
	count(len(s.Work.New), "new file", "new files")
	count(len(s.Work.Changed), "changed file", "changed files")
	if full {
		s.Full = true
		s.Reasons = append(s.Reasons, "full refresh")
	} else if have == nil {
		count(len(s.Work.Reload), "file to read again, as the table is gone", "files to read again, as the table is gone")
	} else {
		count(len(s.Work.Reload), "file to read again under the new definition", "files to read again under the new definition")
	}
	if s.Prune {
		count(len(s.Work.Vanished), "vanished file to prune", "vanished files to prune")
	}
	if have == nil {
		if len(s.Reasons) == 0 {
			s.Reasons = append(s.Reasons, "new table")
		}
	} else if have[KeyHash] != s.Table.Hash && len(s.Work.Reload) == 0 {
		s.Reasons = append(s.Reasons, "the definition has changed")
	}
	if len(s.Reasons) > 0 {
		s.Action = Load
	}
}

// stale says why a model has to be rebuilt.
func stale(g *model.Graph, t *model.Table, now Published, changes map[string]bool) []string {
	have := now[t.Stored()]
	if have == nil {
		return []string{"new table"}
	}
	var reasons []string
	if have[KeyHash] != t.Hash {
		reasons = append(reasons, "the SQL or its options have changed")
	}
	if folder := have[keyFolder]; folder != "" && folder != lake.ZoneFolder(t.Zone) {
		reasons = append(reasons, "it moves from "+folder+" to "+lake.ZoneFolder(t.Zone))
	}
	before := map[string]string{}
	if err := json.Unmarshal([]byte(have[KeyInputs]), &before); err != nil {
		return append(reasons, "its inputs are not recorded")
	}
	for _, in := range t.Inputs {
		input := g.Table(in)
		switch {
		case changes[input.Name]:
			reasons = append(reasons, input.Name+" changes")
		case before[input.Name] != now[input.Stored()][KeyRun]:
			reasons = append(reasons, input.Name+" has changed")
		}
	}
	return reasons
}

// orphans lists tables of the lake without a definition.
func orphans(g *model.Graph, now Published) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if strings.HasPrefix(name, "tarn__") {
			continue
		}
		t := g.Table(strings.TrimSuffix(name, "__rows"))
		if t == nil || t.Stored() != name {
			out = append(out, name)
		}
	}
	return out
}
