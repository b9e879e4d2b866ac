package glue

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"tarn/internal/catalog"
	"tarn/internal/diag"
	"tarn/internal/store"
)

var _ catalog.Tried = (*Catalog)(nil)

// trialPrefix begins the names of the tables that [Catalog.Try] makes for a moment.
const trialPrefix = "tarn__doctor_"

// Try implements [catalog.Tried] with an external table of no files. A database that is not there yet is made, as the first run
// would do, and stays: to remove it could take away the tables of a run that has begun meanwhile.
func (c *Catalog) Try(ctx context.Context) (trial catalog.Trial, err error) {
	_, exists, err := c.tables(ctx)
	if err != nil {
		return trial, err
	}
	if !exists {
		if err := c.createDatabase(ctx); err != nil {
			return trial, diag.WithHint(err, diag.Hint(err)+"; or somebody who may makes it: `aws glue create-database --database-input Name="+c.o.Database+"`")
		}
		c.forget()
	}
	name := trialPrefix + strings.ToLower(rand.Text())
	column := func(name string) []types.Column { return []types.Column{{Name: &name, Type: aws.String("string")}} }
	in := &types.TableInput{Name: &name, Description: aws.String("made by tarn doctor to try its rights; it can be removed"), TableType: aws.String("EXTERNAL_TABLE"),
		StorageDescriptor: &types.StorageDescriptor{Columns: column("value"), Location: aws.String(store.Location(c.o.Store, c.o.Head) + "." + name)},
		PartitionKeys:     column("part")}
	if _, err := c.client.CreateTable(ctx, &glue.CreateTableInput{DatabaseName: &c.o.Database, CatalogId: c.id(), TableInput: in}); err != nil {
		return trial, c.asked("CreateTable", name, err)
	}
	kept, err := c.tryTable(ctx, name, in)
	// Whatever went wrong, nothing is to be left.
	_, gone := c.client.DeleteTable(context.WithoutCancel(ctx), &glue.DeleteTableInput{DatabaseName: &c.o.Database, Name: &name, CatalogId: c.id()})
	c.forget()
	if err == nil {
		err = c.asked("DeleteTable", name, gone)
	}
	if err != nil {
		return trial, err
	}
	if !kept {
		return catalog.Trial{Text: "tables and partitions of " + c.o.Database + " can be written, but this catalog ignores VersionId: a commit of another program at the same moment could be lost",
			Fix: "let only tarn write there, or use AWS Glue itself"}, nil
	}
	about := c.o.Database
	if !exists {
		about += ", which was not there and is made now,"
	}
	return catalog.Trial{Text: "in " + about + " a table and a partition were made, changed and removed, and versions are kept"}, nil
}

// tryTable changes the table, and reports whether Glue refuses a change of a version that is over.
func (c *Catalog) tryTable(ctx context.Context, name string, in *types.TableInput) (kept bool, err error) {
	t, err := c.table(ctx, name)
	if err != nil {
		return false, err
	}
	if t == nil {
		return false, diag.WithHint(fmt.Errorf("%s is not there right after it was made", c.name(name)), "try again in a minute")
	}
	update := func() error {
		_, err := c.client.UpdateTable(ctx, &glue.UpdateTableInput{DatabaseName: &c.o.Database, CatalogId: c.id(), TableInput: in, VersionId: t.VersionId, SkipArchive: aws.Bool(true)})
		return c.asked("UpdateTable", name, err)
	}
	if err := update(); err != nil {
		return false, err
	}
	if err = update(); err != nil && !raced(err) {
		return false, err
	}
	kept = err != nil
	part := types.PartitionInput{Values: []string{"one"}, StorageDescriptor: in.StorageDescriptor}
	made, err := c.client.BatchCreatePartition(ctx, &glue.BatchCreatePartitionInput{DatabaseName: &c.o.Database, CatalogId: c.id(), TableName: &name, PartitionInputList: []types.PartitionInput{part}})
	if err != nil {
		return kept, failed("BatchCreatePartition", c.name(name), err)
	}
	for _, e := range made.Errors {
		return kept, c.refused("BatchCreatePartition", name, e.PartitionValues, e.ErrorDetail)
	}
	if _, err := c.registered(ctx, name); err != nil {
		return kept, err
	}
	changed, err := c.client.BatchUpdatePartition(ctx, &glue.BatchUpdatePartitionInput{DatabaseName: &c.o.Database, CatalogId: c.id(), TableName: &name,
		Entries: []types.BatchUpdatePartitionRequestEntry{{PartitionInput: &part, PartitionValueList: part.Values}}})
	if err != nil {
		return kept, failed("BatchUpdatePartition", c.name(name), err)
	}
	for _, e := range changed.Errors {
		return kept, c.refused("BatchUpdatePartition", name, e.PartitionValueList, e.ErrorDetail)
	}
	return kept, nil
}
