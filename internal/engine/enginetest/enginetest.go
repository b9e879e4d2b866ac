// Package enginetest tests that an engine keeps its contract: that it makes the tables of a job, tests their checks, puts rows
// aside and counts them as the others do. A new engine is right when [Run] passes on it.
//
// Its models and checks are written in the portable subset, as people write them, and come to the engine in its own language.
// What the constructs of the subset mean is the matter of package conformance, and whole lakes are that of package run.
package enginetest

import (
	"testing"

	"tarn/internal/engine"
	"tarn/internal/engine/registry"
)

// Kind is an engine to be tested.
type Kind struct {
	// Place is what a target says of it: its name, and settings. The suite fills in the rest.
	Place registry.Place
	// Ended is a place for jobs that are cancelled, where those of Place would take others with them; without a name it is Place.
	Ended registry.Place
}

// Run tests an engine.
func Run(t *testing.T, k Kind) {
	for name, test := range map[string]func(*testing.T, *world){
		"Models":       models,
		"Partitions":   partitions,
		"NoRows":       noRows,
		"Checks":       checks,
		"PutAside":     putAside,
		"StaysAsItIs":  staysAsItIs,
		"LateChecks":   lateChecks,
		"Account":      account,
		"FailingModel": failingModel,
		"Interrupted":  interrupted,
	} {
		t.Run(name, func(t *testing.T) {
			place := k.Place
			if name == "Interrupted" && k.Ended.Kind != "" {
				place = k.Ended
			}
			test(t, newWorld(t, place))
		})
	}
	for name, test := range map[string]func(*testing.T, *world, engine.Lasting){"FoundAgain": foundAgain, "NotStarted": notStarted} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, k.Place)
			l, ok := w.engine.(engine.Lasting)
			if !ok {
				t.Skip("its jobs end with the process")
			}
			test(t, w, l)
		})
	}
}
