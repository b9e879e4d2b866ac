package glue

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"tarn/internal/catalog"
)

var _ catalog.Trial = (*Catalog)(nil)

// Try implements [catalog.Trial]: it makes, changes and drops a table that is nobody's. Partitions are registered in a table
// of the lake only, so the right to do so is not tried.
func (c *Catalog) Try(ctx context.Context) (told string, err error) {
	_, exists, err := c.tables(ctx)
	if err != nil {
		return "", err
	}
	c.forget()
	if !exists {
		return "the first run makes database " + c.o.Database, nil
	}
	name := "tarn_doctor_" + strings.ToLower(rand.Text())
	in := &types.TableInput{Name: &name, TableType: aws.String("EXTERNAL_TABLE"), Description: aws.String("Tried by tarn doctor, and of no use"), StorageDescriptor: &types.StorageDescriptor{}}
	if _, err := c.client.CreateTable(ctx, &glue.CreateTableInput{DatabaseName: &c.o.Database, CatalogId: c.id(), TableInput: in}); err != nil {
		return "", failed("CreateTable", c.name(name), err)
	}
	t, err := c.table(ctx, name)
	if err == nil && t != nil {
		_, err = c.client.UpdateTable(ctx, &glue.UpdateTableInput{DatabaseName: &c.o.Database, CatalogId: c.id(), TableInput: in, VersionId: t.VersionId, SkipArchive: aws.Bool(true)})
		if err != nil {
			err = failed("UpdateTable", c.name(name), err)
		}
	}
	// Whatever went wrong, nothing is to be left.
	_, dropErr := c.client.DeleteTable(context.WithoutCancel(ctx), &glue.DeleteTableInput{DatabaseName: &c.o.Database, CatalogId: c.id(), Name: &name})
	if dropErr != nil {
		dropErr = failed("DeleteTable", c.name(name), dropErr)
	}
	return "a table was made, changed and dropped", errors.Join(err, dropErr)
}
