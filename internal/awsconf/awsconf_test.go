package awsconf_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"tarn/internal/awsconf"
)

func TestProfiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte("[profile dev]\nregion = eu-west-3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CONFIG_FILE", file)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL"} {
		t.Setenv(name, "")
	}
	cfg, err := awsconf.Load(t.Context(), awsconf.Settings{Profile: "dev"})
	if err != nil || cfg.Region != "eu-west-3" {
		t.Errorf("region %q, %v", cfg.Region, err)
	}
	if _, err := awsconf.Load(t.Context(), awsconf.Settings{}); !errors.Is(err, awsconf.ErrNoRegion) {
		t.Errorf("no region: %v", err)
	}
}
