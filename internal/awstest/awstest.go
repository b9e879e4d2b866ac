// Package awstest lets tests run in a real account of AWS, if somebody says so: TARN_AWS_TEST names a bucket of it. They write below
// tarn-test/ there and into Glue databases whose names begin with tarn_test_, and remove both at their end. docs/aws.md says what that
// costs and needs.
package awstest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"tarn/internal/awsconf"
	"tarn/internal/store"
	"tarn/internal/store/s3"
)

// Variable is that of the environment which names the bucket.
const Variable = "TARN_AWS_TEST"

// StackVariable is that of the environment which lets a test deploy a stack as well.
const StackVariable = "TARN_AWS_TEST_STACK"

// Account is the account that a test may use.
type Account struct {
	// Bucket is there and may be written to.
	Bucket string
}

// Open gives the account, or skips the test where the variable is not set.
func Open(t *testing.T) Account {
	t.Helper()
	bucket := os.Getenv(Variable)
	if bucket == "" {
		t.Skip(Variable + " names no bucket of an account that this may be tried in: see docs/aws.md")
	}
	return Account{Bucket: bucket}
}

// cleaning is how long a clean-up may take, which goes on after the test's own time is over.
const cleaning = 5 * time.Minute

func name() string {
	var b [6]byte
	// crypto/rand.Read never fails (its documentation).
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// Prefix gives a prefix of the bucket, with a slash at its end, under which there is nothing; what is there at the end of the test goes.
func (a Account) Prefix(t *testing.T) string {
	t.Helper()
	prefix := "tarn-test/" + name() + "/"
	t.Cleanup(func() {
		ctx, stop := context.WithTimeout(context.Background(), cleaning)
		defer stop()
		if err := a.remove(ctx, prefix); err != nil {
			t.Errorf("s3://%s/%s could not be cleared away: %v", a.Bucket, prefix, err)
		}
	})
	return prefix
}

func (a Account) remove(ctx context.Context, prefix string) error {
	s, err := s3.Open(ctx, a.Bucket, awsconf.Settings{})
	if err != nil {
		return err
	}
	return store.DeleteBelow(ctx, s, prefix)
}

// Database gives the name of a Glue database that is not there yet; if it is at the end of the test, it goes with its tables.
func (a Account) Database(t *testing.T) string {
	t.Helper()
	database := "tarn_test_" + name()
	t.Cleanup(func() {
		ctx, stop := context.WithTimeout(context.Background(), cleaning)
		defer stop()
		if err := drop(ctx, database); err != nil {
			t.Errorf("database %s could not be cleared away: %v", database, err)
		}
	})
	return database
}

// drop removes a database. Glue removes its tables later; so they go first, where somebody looks at once.
func drop(ctx context.Context, database string) error {
	cfg, err := awsconf.Load(ctx, awsconf.Settings{})
	if err != nil {
		return err
	}
	client := glue.NewFromConfig(cfg)
	var missing *types.EntityNotFoundException
	// All names come first: a list does not go on from where it was once tables are gone.
	var names []string
	tables := glue.NewGetTablesPaginator(client, &glue.GetTablesInput{DatabaseName: &database})
	for tables.HasMorePages() {
		page, err := tables.NextPage(ctx)
		if errors.As(err, &missing) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, t := range page.TableList {
			names = append(names, *t.Name)
		}
	}
	for _, n := range names {
		if _, err := client.DeleteTable(ctx, &glue.DeleteTableInput{DatabaseName: &database, Name: &n}); err != nil && !errors.As(err, &missing) {
			return err
		}
	}
	if _, err := client.DeleteDatabase(ctx, &glue.DeleteDatabaseInput{Name: &database}); err != nil && !errors.As(err, &missing) {
		return err
	}
	return nil
}
