// Package registry opens the engine that a target names. Adding an engine is one line in kinds.
package registry

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"tarn/internal/awsconf"
	"tarn/internal/engine"
	"tarn/internal/engine/duckdb"
	"tarn/internal/engine/spark/launchers"
	"tarn/internal/sparkconf"
	"tarn/internal/store"
)

// Place says what a target knows.
type Place struct {
	// Kind is what the target calls the engine.
	Kind string
	// Process is DuckDB of this process, which the lake's own work is done with.
	Process *duckdb.Engine
	Spark   sparkconf.Settings
	AWS     awsconf.Settings
	Stores  store.Locator
	// Own is the location of a folder for the engine's own files, without a slash at its end, and Scratch one of this machine.
	Own, Scratch string
}

var kinds = map[string]func(context.Context, Place) (engine.Engine, error){
	"duckdb": func(_ context.Context, p Place) (engine.Engine, error) { return p.Process, nil },
	"spark":  openSpark,
}

// Kinds are what targets call the engines, in order.
func Kinds() []string { return slices.Sorted(maps.Keys(kinds)) }

// Open opens an engine.
func Open(ctx context.Context, p Place) (engine.Engine, error) {
	open, ok := kinds[p.Kind]
	if !ok {
		return nil, fmt.Errorf("there is no engine %q", p.Kind)
	}
	return open(ctx, p)
}

func openSpark(ctx context.Context, p Place) (engine.Engine, error) {
	return launchers.Open(ctx, launchers.Place{Settings: p.Spark, AWS: p.AWS, Stores: p.Stores, Own: p.Own, Scratch: p.Scratch})
}
