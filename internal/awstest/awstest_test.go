package awstest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"tarn/internal/awsconf"
	"tarn/internal/awstest"
	"tarn/internal/catalog/glue/gluetest"
	"tarn/internal/store"
	"tarn/internal/store/s3"
	"tarn/internal/store/s3/s3test"
)

// TestClearsAway lets a test use an account that the stand-ins are, and looks at what is left of it.
func TestClearsAway(t *testing.T) {
	gluetest.Start(t)
	s3test.Server(t)
	bucket := s3test.Bucket(t)
	t.Setenv(awstest.Variable, bucket)
	s, err := s3.Open(t.Context(), bucket, awsconf.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	put := func(key string) {
		if _, err := s.Put(t.Context(), key, strings.NewReader("x"), store.Condition{}); err != nil {
			t.Fatal(err)
		}
	}
	put("tarn-test-of-somebody/else")
	cfg, err := awsconf.Load(t.Context(), awsconf.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	client := glue.NewFromConfig(cfg)
	t.Run("uses it", func(t *testing.T) {
		a := awstest.Open(t)
		put(a.Prefix(t) + "one")
		put(a.Prefix(t) + "two/three")
		db, unused := a.Database(t), a.Database(t)
		if db == unused || !strings.HasPrefix(db, "tarn_test_") {
			t.Errorf("%s, %s", db, unused)
		}
		if _, err := client.CreateDatabase(t.Context(), &glue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: &db}}); err != nil {
			t.Fatal(err)
		}
		for n := range 150 { // more than Glue lists at once
			table := fmt.Sprintf("t_%d", n)
			if _, err := client.CreateTable(t.Context(), &glue.CreateTableInput{DatabaseName: &db, TableInput: &types.TableInput{Name: &table}}); err != nil {
				t.Fatal(err)
			}
		}
	})
	var keys []string
	for o, err := range s.List(t.Context(), "", store.ListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	left, err := client.GetDatabases(t.Context(), &glue.GetDatabasesInput{})
	if err != nil || len(left.DatabaseList) > 0 || len(keys) != 1 {
		t.Errorf("left: %q and %d databases, %v", keys, len(left.DatabaseList), err)
	}
	t.Run("skips", func(t *testing.T) {
		t.Setenv(awstest.Variable, "")
		awstest.Open(t)
		t.Error("it went on without an account")
	})
}
