package duckdb_test

import (
	"testing"

	"tarn/internal/engine/enginetest"
	"tarn/internal/engine/registry"
)

func TestEngine(t *testing.T) {
	t.Parallel()
	enginetest.Run(t, enginetest.Kind{Place: registry.Place{Kind: "duckdb"}})
}
