package glue

import (
	"testing"
	"time"

	"tarn/internal/awsconf"
	"tarn/internal/catalog"
	"tarn/internal/catalog/catalogtest"
	"tarn/internal/catalog/glue/gluetest"
	"tarn/internal/catalog/lease"
	"tarn/internal/store"
	"tarn/internal/store/memory"
	"tarn/internal/store/s3"
	"tarn/internal/store/s3/s3test"
)

// lake is a database in the stand-in and a store for its head, which several handles open as several machines would.
type lake struct {
	t      *testing.T
	server *gluetest.Server
	store  store.Store
	o      Options
}

func newLake(t *testing.T) *lake {
	l := &lake{t: t, server: gluetest.Start(t), store: memory.New("memory://bucket/")}
	l.o = Options{Database: "db", Description: "a lake", Lake: "lake-1", Head: "warehouse/db/_tarn/head.json",
		Lease: lease.Options{Poll: 5 * time.Millisecond}}
	return l
}

// open gives another handle.
func (l *lake) open() *Catalog {
	l.t.Helper()
	cfg, err := awsconf.Load(l.t.Context(), awsconf.Settings{})
	if err != nil {
		l.t.Fatal(err)
	}
	o := l.o
	o.Store = l.store
	c, err := New(cfg, o)
	if err != nil {
		l.t.Fatal(err)
	}
	return c
}

func TestCatalog(t *testing.T) {
	catalogtest.Run(t, catalogtest.Kind{Open: func(t *testing.T) func() catalog.Catalog {
		l := newLake(t)
		return func() catalog.Catalog { return l.open() }
	}})
}

// TestCatalogOnS3 has the head in a real S3 protocol and answers of Glue that take a while.
func TestCatalogOnS3(t *testing.T) {
	catalogtest.Run(t, catalogtest.Kind{Open: func(t *testing.T) func() catalog.Catalog {
		s3test.Server(t)
		l := newLake(t)
		l.server.Do(func(string) gluetest.Fault { return gluetest.Fault{Delay: time.Millisecond} })
		bucket, err := s3.Open(t.Context(), s3test.Bucket(t), awsconf.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		l.store = bucket
		return func() catalog.Catalog { return l.open() }
	}})
}
