package sqlite

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tarn/internal/catalog"
	"tarn/internal/catalog/catalogtest"
	"tarn/internal/catalog/lease"
	"tarn/internal/store/memory"
)

// opener gives handles to one catalog file in a folder whose name a URL would read otherwise.
func opener(t *testing.T) func() catalog.Catalog {
	dir := filepath.Join(t.TempDir(), "odd name %20 ?")
	return func() catalog.Catalog {
		c, err := Open(context.Background(), Options{Path: filepath.Join(dir, "catalog.db"), Lock: filepath.Join(dir, "lock"), Database: "db"})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
}

func TestCatalog(t *testing.T) {
	catalogtest.Run(t, catalogtest.Kind{Open: opener})
}

func TestObject(t *testing.T) {
	catalogtest.Run(t, catalogtest.Kind{Open: func(t *testing.T) func() catalog.Catalog {
		s := memory.New("memory://bucket")
		return func() catalog.Catalog {
			return OpenObject(ObjectOptions{Store: s, Key: "warehouse/db/_tarn/catalog.db", Database: "db", TempDir: t.TempDir(), Lease: lease.Options{Poll: 5 * time.Millisecond}})
		}
	}})
}

// TestOneOfManyPublishersWins lets publishers past the lock, as other programs are that write the same file.
func TestOneOfManyPublishersWins(t *testing.T) {
	open := opener(t)
	first := open().(*Catalog)
	defer first.Close()
	if err := first.publish(t.Context(), []catalog.Move{catalogtest.Step("a", 0, 1)}); err != nil {
		t.Fatal(err)
	}
	var won atomic.Int32
	var wg sync.WaitGroup
	for i := range 8 {
		c := open().(*Catalog)
		defer c.Close()
		wg.Go(func() {
			switch err := c.publish(context.Background(), []catalog.Move{catalogtest.Step("a", 1, i+2)}); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, catalog.ErrConflict):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d publishers won, want 1", won.Load())
	}
}
