package glue

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"tarn/internal/ddl"
)

// External is a landing table as Athena shall see it: the external table of its DDL, over the raw files.
type External struct {
	// Table is the definition, with the Location where the files are in this target.
	Table *ddl.Table
	// Partitions are those that have files. Where the DDL declares partition projection Athena looks at none of them, and
	// none should be given.
	Partitions []Partition
}

// Partition is one partition of a landing table.
type Partition struct {
	// Values are in the order of PARTITIONED BY, as in the folder's name without escapes.
	Values   []string
	Location string
}

// Done says what [Catalog.External] has done to a table.
type Done struct {
	Table string
	// Created and Updated are of the table itself; with neither it was right already.
	Created, Updated bool
	// Foreign says that the table is not of this lake, and exactly as the DDL says: nothing was done to it.
	Foreign bool
	// Partitions counts those that were registered, or moved to another location.
	Partitions int
}

const (
	// mostPartitions is how many partitions one call can register (AWS Glue API, "BatchCreatePartition").
	mostPartitions = 100
	// externalTries is how often a table is looked at anew because somebody else changed it at that moment.
	externalTries = 5
)

// External makes landing tables as they are described, and leaves alone what is so already. A table of the name that is not
// of this lake is taken as it is if it is exactly what the DDL says; otherwise the error is [ErrNotOurs] and says in what they
// differ, and nothing is done to any table. The database is made if it is not there.
func (c *Catalog) External(ctx context.Context, tables []External) ([]Done, error) {
	if len(tables) == 0 {
		return nil, nil
	}
	have, exists, err := c.tables(ctx)
	if err != nil {
		return nil, err
	}
	var refused []error
	for _, x := range tables {
		name := strings.ToLower(x.Table.Name)
		if t := have[name]; t != nil && t.Parameters[paramLake] != c.o.Lake {
			refused = append(refused, c.foreign(x.Table, t))
		} else if iceberg(t) {
			refused = append(refused, &hinted{fmt.Errorf("%s is an Iceberg table of this lake and cannot be a landing table as well", c.name(name)), "rename one of them"})
		}
	}
	if err := errors.Join(refused...); err != nil {
		return nil, err
	}
	if !exists {
		if err := c.createDatabase(ctx); err != nil {
			return nil, err
		}
	}
	var done []Done
	for _, x := range tables {
		d, err := c.externalTable(ctx, x, have[strings.ToLower(x.Table.Name)])
		if err == nil && !d.Foreign && len(x.Partitions) > 0 {
			d.Partitions, err = c.partitions(ctx, x)
		}
		done = append(done, d)
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// foreign judges a table of others.
func (c *Catalog) foreign(want *ddl.Table, have *types.Table) error {
	d := differences(c.external(want), have)
	if len(d) == 0 {
		return nil
	}
	return fmt.Errorf("%w, and differs from the DDL: %s", c.notOurs(have, ""), strings.Join(d, "; "))
}

func (c *Catalog) externalTable(ctx context.Context, x External, have *types.Table) (d Done, err error) {
	want := c.external(x.Table)
	d.Table = *want.Name
	for range externalTries {
		switch {
		case have == nil:
			_, err = c.client.CreateTable(ctx, &glue.CreateTableInput{DatabaseName: &c.o.Database, CatalogId: c.id(), TableInput: want})
			err = c.asked("CreateTable", d.Table, err)
			d.Created = err == nil
		case have.Parameters[paramLake] != c.o.Lake:
			d.Foreign = true
			return d, c.foreign(x.Table, have)
		case len(differences(want, have)) == 0 && about(want.Description, want.StorageDescriptor.Columns, want.PartitionKeys) == about(have.Description, have.StorageDescriptor.Columns, have.PartitionKeys):
			return d, nil
		default:
			_, err = c.client.UpdateTable(ctx, &glue.UpdateTableInput{DatabaseName: &c.o.Database, CatalogId: c.id(), TableInput: over(want, have),
				VersionId: have.VersionId, SkipArchive: aws.Bool(true)})
			err = c.asked("UpdateTable", d.Table, err)
			d.Updated = err == nil
		}
		if err == nil || !raced(err) {
			return d, err
		}
		var lookErr error
		if have, lookErr = c.table(ctx, d.Table); lookErr != nil {
			return d, lookErr
		}
	}
	return d, err
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

// partitions registers what is not registered yet.
func (c *Catalog) partitions(ctx context.Context, x External) (n int, err error) {
	name := strings.ToLower(x.Table.Name)
	have := map[string]string{}
	pages := glue.NewGetPartitionsPaginator(c.client, &glue.GetPartitionsInput{DatabaseName: &c.o.Database, CatalogId: c.id(), TableName: &name, ExcludeColumnSchema: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, failed("GetPartitions", c.name(name), err)
		}
		for _, p := range page.Partitions {
			location := ""
			if p.StorageDescriptor != nil {
				location = aws.ToString(p.StorageDescriptor.Location)
			}
			have[strings.Join(p.Values, "\x00")] = strings.TrimSuffix(location, "/")
		}
	}
	var create []types.PartitionInput
	var move []types.BatchUpdatePartitionRequestEntry
	seen := map[string]bool{}
	for _, p := range x.Partitions {
		if len(p.Values) != len(x.Table.Partitions) {
			return 0, fmt.Errorf("%s: a partition has %d values %q, and PARTITIONED BY has %d columns", c.name(name), len(p.Values), p.Values, len(x.Table.Partitions))
		}
		key := strings.Join(p.Values, "\x00")
		if seen[key] {
			return 0, fmt.Errorf("%s: partition %q is given twice", c.name(name), p.Values)
		}
		seen[key] = true
		sd := storage(x.Table)
		sd.Location = aws.String(p.Location)
		in := types.PartitionInput{Values: p.Values, StorageDescriptor: sd}
		if at, ok := have[key]; !ok {
			create = append(create, in)
		} else if at != strings.TrimSuffix(p.Location, "/") {
			move = append(move, types.BatchUpdatePartitionRequestEntry{PartitionInput: &in, PartitionValueList: p.Values})
		}
	}
	for len(create) > 0 {
		batch := create[:min(mostPartitions, len(create))]
		create = create[len(batch):]
		out, err := c.client.BatchCreatePartition(ctx, &glue.BatchCreatePartitionInput{DatabaseName: &c.o.Database, CatalogId: c.id(), TableName: &name, PartitionInputList: batch})
		if err != nil {
			return n, failed("BatchCreatePartition", c.name(name), err)
		}
		for _, e := range out.Errors {
			if err := c.refused(name, e.PartitionValues, e.ErrorDetail); err != nil {
				return n, err
			}
		}
		n += len(batch) - len(out.Errors)
	}
	for len(move) > 0 {
		batch := move[:min(mostPartitions, len(move))]
		move = move[len(batch):]
		out, err := c.client.BatchUpdatePartition(ctx, &glue.BatchUpdatePartitionInput{DatabaseName: &c.o.Database, CatalogId: c.id(), TableName: &name, Entries: batch})
		if err != nil {
			return n, failed("BatchUpdatePartition", c.name(name), err)
		}
		for _, e := range out.Errors {
			if err := c.refused(name, e.PartitionValueList, e.ErrorDetail); err != nil {
				return n, err
			}
		}
		n += len(batch)
	}
	return n, nil
}

// refused is what Glue says of one partition of a batch. One that is there already, because somebody else or an answer that
// was lost has made it, is none.
func (c *Catalog) refused(table string, values []string, e *types.ErrorDetail) error {
	if e == nil || aws.ToString(e.ErrorCode) == "AlreadyExistsException" {
		return nil
	}
	return &Error{Op: "BatchCreatePartition", What: fmt.Sprintf("%s, partition %q", c.name(table), values), Code: aws.ToString(e.ErrorCode),
		Err: fmt.Errorf("%s: %s", aws.ToString(e.ErrorCode), aws.ToString(e.ErrorMessage))}
}
