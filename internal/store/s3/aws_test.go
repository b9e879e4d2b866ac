package s3_test

import (
	"testing"

	"tarn/internal/awsconf"
	"tarn/internal/awstest"
	"tarn/internal/store"
	"tarn/internal/store/s3"
	"tarn/internal/store/storetest"
)

// TestOnAWS tests the store on Amazon S3 itself, where TARN_AWS_TEST names a bucket.
func TestOnAWS(t *testing.T) {
	a := awstest.Open(t)
	storetest.Run(t, func(t *testing.T) (store.Store, string) {
		s, err := s3.Open(t.Context(), a.Bucket, awsconf.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		return s, a.Prefix(t)
	})
}
