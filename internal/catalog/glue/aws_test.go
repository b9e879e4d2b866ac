package glue

import (
	"testing"
	"time"

	"tarn/internal/awsconf"
	"tarn/internal/awstest"
	"tarn/internal/catalog"
	"tarn/internal/catalog/catalogtest"
	"tarn/internal/catalog/lease"
	"tarn/internal/store/s3"
)

// TestOnAWS tests the catalog in AWS Glue itself, with its head in Amazon S3, where TARN_AWS_TEST names a bucket.
func TestOnAWS(t *testing.T) {
	a := awstest.Open(t)
	catalogtest.Run(t, catalogtest.Kind{Open: func(t *testing.T) func() catalog.Catalog {
		bucket, err := s3.Open(t.Context(), a.Bucket, awsconf.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		l := &lake{t: t, store: bucket}
		// Answers from afar take longer than those of the stand-ins, so does what is taken for silence.
		l.o = Options{Database: a.Database(t), Description: "a lake", Lake: "lake-1", Head: a.Prefix(t) + "head.json", Lease: lease.Options{TTL: 10 * time.Second, Poll: 200 * time.Millisecond}}
		return func() catalog.Catalog { return l.open() }
	}})
}
