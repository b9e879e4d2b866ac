package s3_test

import (
	"testing"

	"tarn/internal/awsconf"
	"tarn/internal/store"
	"tarn/internal/store/s3"
	"tarn/internal/store/s3/s3test"
	"tarn/internal/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) (store.Store, string) {
		s3test.Server(t)
		s, err := s3.Open(t.Context(), s3test.Bucket(t), awsconf.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		return s, "some/prefix/"
	})
}
