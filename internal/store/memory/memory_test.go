package memory_test

import (
	"testing"

	"tarn/internal/store"
	"tarn/internal/store/memory"
	"tarn/internal/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) (store.Store, string) { return memory.New("memory://test"), "some/prefix/" })
}
