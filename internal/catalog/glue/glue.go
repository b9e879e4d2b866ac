// Package glue is a database of the AWS Glue Data Catalog as a catalog of Iceberg tables.
//
// Glue moves one pointer at a time. What makes a publish one step is an object in the store, the head: a [lease] whose
// payload says where all tables stand since the last publish, and how to get the pointers in Glue there. Writing the head is
// the commit.
//
//  1. All tables are read with their VersionIds, and each Move is held against them.
//  2. One conditional Put writes the head: the new places and the journal, with what each table was before. From then on the
//     publish has happened.
//  3. The pointers move in Glue, four at a time, each with its VersionId.
//  4. Another Put closes the journal.
//
// Readers through this package look at the head, at Glue and at the head again, and see every table of an open journal as
// moved. Others see the tables move four by four: for the length of one call of Glue times a quarter of their number. If
// the publisher dies in between, the next one to lock goes on where it stopped; a table that was moved is known by the
// metadata file it points to, so it does no harm if two do the same.
//
// # Commits from elsewhere
//
// Others commit to tables in Glue without looking at the head. Between two publishes that shows as a conflict. Between the
// head and the pointer, [Options.Rebase] brings the journal's change and theirs together, or puts the published rows on top of
// theirs where those are others. Where it cannot, their commit stays, and the table is contested: see [Catalog.Contested].
//
// # Whose table is it
//
// Tables carry the lake's id in the parameter tarn.lake. Engines that write only their own parameters take it away; then the
// head still knows the name and the folder. Any other table is left alone, and a publish that needs its name fails.
package glue

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"tarn/internal/catalog"
	"tarn/internal/catalog/lease"
	"tarn/internal/diag"
	"tarn/internal/store"
)

// Options of a catalog. Database, Lake, Store and Head are needed.
type Options struct {
	// Database is made by the first publish if it is not there; Description is for it then.
	Database, Description string
	// CatalogID is the account of the catalog; empty is the caller's own.
	CatalogID string
	// Lake is the id of the lake that the tables belong to.
	Lake string
	// Head is the key of the head object in Store.
	Store store.Store
	Head  string
	// Lease is how the lock behaves.
	Lease lease.Options
	// Rebase judges commits from elsewhere. Without it every one of them makes its table contested.
	Rebase catalog.Rebase
}

// Catalog is a database of the Data Catalog. It implements [catalog.Catalog].
type Catalog struct {
	client *glue.Client
	o      Options
	lease  *lease.Lease
	// step is called before and after each step of a publish; an error there ends it as if the process had died. For tests.
	step func(name string) error
	// sideBySide is how many pointers are moved at a time.
	sideBySide int
	mu         sync.Mutex
	// seen is what the last look at all tables has found; nil before the first.
	seen *sight
	// held is the lock if this process has it.
	held *lease.Held
}

// sight is what a look at the database has found.
type sight struct {
	tables map[string]*types.Table
	exists bool
}

var (
	_ catalog.Catalog = (*Catalog)(nil)
	_ catalog.Shared  = (*Catalog)(nil)
)

// New gives a catalog of the account and region of cfg; it makes no request.
func New(cfg aws.Config, o Options) (*Catalog, error) {
	if err := checkName("database", o.Database); err != nil {
		return nil, err
	}
	if o.Lake == "" || o.Store == nil || o.Head == "" {
		return nil, errors.New("a Glue catalog needs the id of its lake and a place for its head")
	}
	return &Catalog{client: glue.NewFromConfig(cfg), o: o, lease: lease.New(o.Store, o.Head, o.Lease), step: func(string) error { return nil }, sideBySide: sideBySide}, nil
}

// checkName refuses names that Glue would store in another way, or that Athena does not take.
func checkName(what, name string) error {
	switch {
	case name == "":
		return fmt.Errorf("the Glue catalog needs a name for the %s", what)
	case name != strings.ToLower(name):
		return diag.WithHint(fmt.Errorf("%s %s: Glue keeps names in lower case", what, name), "call it "+strings.ToLower(name))
	case len(name) > 255:
		return fmt.Errorf("%s %s…: a name in Glue has at most 255 bytes", what, name[:40])
	}
	return nil
}

// Identity implements [catalog.Catalog]; it makes no request.
func (c *Catalog) Identity(context.Context) (catalog.Identity, error) {
	where := c.client.Options().Region
	if c.o.CatalogID != "" {
		where = c.o.CatalogID + ", " + where
	}
	return catalog.Identity{Kind: kind, Lake: c.o.Lake, Database: c.o.Database, Where: where}, nil
}

// Close implements [catalog.Catalog].
func (c *Catalog) Close() error { return nil }

func (c *Catalog) id() *string {
	if c.o.CatalogID == "" {
		return nil
	}
	return &c.o.CatalogID
}

// tables reads all tables of the database with their versions. exists is false if there is no such database.
func (c *Catalog) tables(ctx context.Context) (all map[string]*types.Table, exists bool, err error) {
	all, exists, err = c.tablesOf(ctx, c.o.Database)
	if err != nil {
		return nil, false, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = &sight{maps.Clone(all), exists}
	return all, exists, nil
}

// lastSeen gives what the last look has found, with what this catalog has done to Iceberg tables since, or looks.
func (c *Catalog) lastSeen(ctx context.Context) (all map[string]*types.Table, exists bool, err error) {
	c.mu.Lock()
	if c.seen != nil {
		defer c.mu.Unlock()
		return maps.Clone(c.seen.tables), c.seen.exists, nil
	}
	c.mu.Unlock()
	return c.tables(ctx)
}

// forget lets the next look be a new one.
func (c *Catalog) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = nil
}

// note keeps in mind that a publish has made or dropped a table.
func (c *Catalog) note(e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		return
	}
	c.seen.exists = true
	if e.To == "" {
		delete(c.seen.tables, e.Table)
	} else if c.seen.tables[e.Table] == nil {
		c.seen.tables[e.Table] = &types.Table{Name: &e.Table, Parameters: map[string]string{paramType: "ICEBERG", paramAt: e.To, paramLake: c.o.Lake, paramName: e.Table}}
	}
}

func (c *Catalog) tablesOf(ctx context.Context, database string) (all map[string]*types.Table, exists bool, err error) {
	all = map[string]*types.Table{}
	pages := glue.NewGetTablesPaginator(c.client, &glue.GetTablesInput{DatabaseName: &database, CatalogId: c.id()})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if notFound(err) {
			return all, false, nil
		}
		if err != nil {
			return nil, false, failed("GetTables", "database "+database, err)
		}
		for i := range page.TableList {
			t := &page.TableList[i]
			all[aws.ToString(t.Name)] = t
		}
	}
	return all, true, nil
}

// table reads one table; it is nil if there is none.
func (c *Catalog) table(ctx context.Context, name string) (*types.Table, error) {
	out, err := c.client.GetTable(ctx, &glue.GetTableInput{DatabaseName: &c.o.Database, Name: &name, CatalogId: c.id()})
	if notFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, failed("GetTable", c.name(name), err)
	}
	return out.Table, nil
}

func (c *Catalog) name(table string) string { return "table " + c.o.Database + "." + table }

// createDatabase makes the database if somebody else did not just do so.
func (c *Catalog) createDatabase(ctx context.Context) error {
	in := &types.DatabaseInput{Name: &c.o.Database, Parameters: map[string]string{paramLake: c.o.Lake}}
	if c.o.Description != "" {
		in.Description = aws.String(cut(c.o.Description, longestDescription, true))
	}
	_, err := c.client.CreateDatabase(ctx, &glue.CreateDatabaseInput{DatabaseInput: in, CatalogId: c.id()})
	if err != nil && !alreadyExists(err) {
		return failed("CreateDatabase", "database "+c.o.Database, err)
	}
	return nil
}
