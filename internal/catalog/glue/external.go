package glue

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"tarn/internal/catalog"
	"tarn/internal/ddl"
	"tarn/internal/diag"
)

// externalTries is how often a table is looked at anew because somebody else changed it at that moment.
const externalTries = 5

var _ catalog.Landing = (*Catalog)(nil)

// External implements [catalog.Landing]. It goes by the tables that were last read from Glue, and reads them only if none
// were. The database is made if it is not there.
func (c *Catalog) External(ctx context.Context, tables []catalog.External) ([]catalog.Done, error) {
	have, exists, err := c.lastSeen(ctx)
	if err != nil {
		return nil, err
	}
	if !exists && len(tables) > 0 {
		if err := c.createDatabase(ctx); err != nil {
			return nil, err
		}
	}
	var done []catalog.Done
	var errs []error
	wanted := map[string]bool{}
	for _, x := range tables {
		name := strings.ToLower(x.Table.Name)
		wanted[name] = true
		d, err := c.externalTable(ctx, x, have[name])
		done, errs = append(done, d), append(errs, err)
	}
	for _, name := range slices.Sorted(maps.Keys(have)) {
		if wanted[name] || !c.abandoned(have, name) {
			continue
		}
		err := c.removeExternal(ctx, name)
		if err == nil {
			done = append(done, catalog.Done{Table: name, Removed: true})
		}
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil || slices.ContainsFunc(done, changed) {
		c.forget()
		return done, err
	}
	return done, nil
}

func changed(d catalog.Done) bool { return d.Created || d.Updated || d.Removed || d.Partitions > 0 }

// abandoned reports whether a table is a landing table of this lake whose rows are not in the catalog.
func (c *Catalog) abandoned(have map[string]*types.Table, name string) bool {
	t := have[name]
	return !iceberg(t) && t.Parameters[paramLake] == c.o.Lake && t.Parameters[paramName] == name && have[catalog.Rows(name)] == nil
}

// removeExternal takes a landing table of the lake out of Glue. As nobody else's may go, it looks once more.
func (c *Catalog) removeExternal(ctx context.Context, name string) error {
	t, err := c.table(ctx, name)
	if err != nil || t == nil {
		return err
	}
	if !c.abandoned(map[string]*types.Table{name: t}, name) {
		return nil
	}
	_, err = c.client.DeleteTable(ctx, &glue.DeleteTableInput{DatabaseName: &c.o.Database, Name: &name, CatalogId: c.id()})
	if notFound(err) {
		return nil
	}
	return c.asked("DeleteTable", name, err)
}

// foreign judges a table of others.
func (c *Catalog) foreign(want *ddl.Table, have *types.Table) error {
	d := differences(c.external(want), have)
	if len(d) == 0 {
		return nil
	}
	return fmt.Errorf("%w, and differs from the DDL: %s", c.notOurs(have, ""), strings.Join(d, "; "))
}

// externalTable makes one table as it is described.
func (c *Catalog) externalTable(ctx context.Context, x catalog.External, have *types.Table) (d catalog.Done, err error) {
	want := c.external(x.Table)
	d.Table = *want.Name
	marks := marksOf(x)
	for range externalTries {
		switch {
		case have == nil:
			_, err = c.client.CreateTable(ctx, &glue.CreateTableInput{DatabaseName: &c.o.Database, CatalogId: c.id(), TableInput: want})
			err = c.asked("CreateTable", d.Table, err)
			d.Created = err == nil
		case have.Parameters[paramLake] != c.o.Lake:
			d.Foreign = true
			return d, c.foreign(x.Table, have)
		case iceberg(have):
			return d, diag.WithHint(fmt.Errorf("%s is an Iceberg table of this lake and cannot be a landing table as well", c.name(d.Table)), "rename one of them")
		case same(want, have) && have.Parameters[paramPartitions] == marks.String():
			return d, nil
		default:
			var n int
			n, err = c.partitions(ctx, x, parseMarks(have.Parameters[paramPartitions]), marks)
			if d.Partitions += n; err != nil {
				return d, err
			}
			in := over(want, have)
			delete(in.Parameters, paramPartitions)
			if text := marks.String(); text != "" {
				in.Parameters[paramPartitions] = text
			}
			_, err = c.client.UpdateTable(ctx, &glue.UpdateTableInput{DatabaseName: &c.o.Database, CatalogId: c.id(), TableInput: in,
				VersionId: have.VersionId, SkipArchive: aws.Bool(true)})
			err = c.asked("UpdateTable", d.Table, err)
			// One that was made just now only gets the mark that says which partitions it has.
			d.Updated = err == nil && !d.Created
		}
		switch {
		case err == nil && (have != nil || marks.partitions == ""):
			return d, nil
		case err != nil && !raced(err):
			return d, err
		}
		if have, err = c.table(ctx, d.Table); err != nil {
			return d, err
		}
	}
	return d, fmt.Errorf("%s: others changed it %d times while it was being written", c.name(d.Table), externalTries)
}

// same reports whether a table of the lake is as it should be, for engines and for people.
func same(want *types.TableInput, have *types.Table) bool {
	return len(differences(want, have)) == 0 &&
		about(want.Description, want.StorageDescriptor.Columns, want.PartitionKeys) == about(have.Description, have.StorageDescriptor.Columns, have.PartitionKeys)
}

// over keeps what crawlers and engines have noted on a table, but for what changes how it is read.
func over(want *types.TableInput, have *types.Table) *types.TableInput {
	in := *want
	in.Parameters = map[string]string{}
	for k, v := range have.Parameters {
		if !reads(k) {
			in.Parameters[k] = v
		}
	}
	maps.Copy(in.Parameters, want.Parameters)
	in.Owner, in.Retention = have.Owner, have.Retention
	return &in
}
