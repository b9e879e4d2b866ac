package registry_test

import (
	"strings"
	"testing"

	"tarn/internal/awsconf"
	"tarn/internal/store"
	"tarn/internal/store/registry"
)

func TestLocate(t *testing.T) {
	t.Setenv("AWS_REGION", "eu-central-1")
	set := registry.New(awsconf.Settings{})
	for location, want := range map[string]string{
		"file:///a/b c.json":      "file:/// a/b c.json",
		"file:/a/b":               "file:/// a/b",
		"file://localhost/a/b":    "file:/// a/b",
		"/a/b":                    "file:/// a/b",
		"s3://bucket/a/b":         "s3://bucket/ a/b",
		"s3a://bucket/a//b":       "s3://bucket/ a//b",
		"S3://bucket/":            "s3://bucket/ ",
		"s3://bucket":             "s3://bucket/ ",
		"s3://bucket/a%20b?c#d+e": "s3://bucket/ a%20b?c#d+e",
	} {
		s, key, err := set.Locate(t.Context(), location)
		if err != nil {
			t.Errorf("%s: %v", location, err)
			continue
		}
		if got := s.Root() + " " + key; got != want {
			t.Errorf("%s is %q, want %q", location, got, want)
		}
	}
	one, _, _ := set.Locate(t.Context(), "s3://bucket/a")
	two, _, _ := set.Locate(t.Context(), "s3://bucket/b")
	if one != two {
		t.Error("a bucket was opened twice")
	}
	if _, ok := first(set.Locate(t.Context(), "/a")).(store.OnDisk); !ok {
		t.Error("a file is not on disk")
	}
	if _, _, err := set.Locate(t.Context(), "gs://bucket/a"); err == nil || !strings.Contains(err.Error(), "s3") {
		t.Errorf("an unknown scheme: %v", err)
	}
}

func first(s store.Store, _ string, _ error) store.Store { return s }
