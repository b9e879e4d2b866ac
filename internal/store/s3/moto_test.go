package s3_test

import (
	"fmt"
	"testing"

	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"tarn/internal/awsconf"
	"tarn/internal/store"
	"tarn/internal/store/s3"
	"tarn/internal/store/s3/s3test"
	"tarn/internal/store/storetest"
)

// TestMoto tests the store on another server than the one that all other tests have.
func TestMoto(t *testing.T) {
	s3test.Moto(t)
	buckets := 0
	storetest.Run(t, func(t *testing.T) (store.Store, string) {
		buckets++
		name := fmt.Sprintf("bucket-%d", buckets)
		s, err := s3.Open(t.Context(), name, awsconf.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Client().CreateBucket(t.Context(), &awss3.CreateBucketInput{Bucket: &name}); err != nil {
			t.Fatal(err)
		}
		return s, "some/prefix/"
	})
}
