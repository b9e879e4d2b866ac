package stack_test

import (
	"fmt"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tarn/internal/deploy/render"
	"tarn/internal/deploy/stack"
	"tarn/internal/deploy/stack/stacktest"
	"tarn/internal/rights"
	"tarn/internal/rights/rightstest"
	"tarn/internal/store/s3/s3test"
)

// TestDeployersRights deploys, looks, and takes away with the rights that the page on rights has for that, and no others. What
// CloudFormation does in the deployer's name is not seen here.
func TestDeployersRights(t *testing.T) {
	for name, keys := range map[string]string{
		"its own":   "",
		"versioned": "deploy: {versioned: true}",
		"existing":  "deploy: {bucket: existing, database: existing}",
	} {
		t.Run(name, func(t *testing.T) {
			server := stacktest.New(t)
			a := newAccount(t)
			s := spec(t, "rights-"+strings.ReplaceAll(name, " ", "-"), keys)
			if strings.Contains(keys, "existing") {
				s = spec(t, s3test.Bucket(t), keys)
				if _, err := server.Glue.Call("CreateDatabase", map[string]any{"DatabaseInput": map[string]any{"Name": s.Database}}); err != nil {
					t.Fatal(err)
				}
			}
			places := render.Places(s)
			guard, err := rightstest.Of(places)
			if err != nil {
				t.Fatal(err)
			}
			var both []rights.Policy
			for _, actor := range []rights.Actor{rights.Deployer, rights.Eraser} {
				p, err := rights.Of(actor, places)
				if err != nil {
					t.Fatal(err)
				}
				both = append(both, p.Filled(rightstest.Variables))
			}
			guard.Let("both", both...)
			// The stand-in itself, which does in this process what CloudFormation does.
			guard.Let(s3test.AccessKey, rights.Policy{Statement: []rights.Statement{{Effect: rights.Allow, Action: rights.List{"*"}, Resource: rights.List{"*"}}}})
			at, err := url.Parse(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			h := httptest.NewServer(guard.Account(at))
			t.Cleanup(h.Close)
			t.Setenv("AWS_ENDPOINT_URL", h.URL)
			keysFile := filepath.Join(t.TempDir(), "credentials")
			var text strings.Builder
			for _, key := range []string{string(rights.Deployer), string(rights.Operator), "both"} {
				fmt.Fprintf(&text, "[%s]\naws_access_key_id = %[1]s\naws_secret_access_key = %s\n", key, s3test.Secret)
			}
			if err := os.WriteFile(keysFile, []byte(text.String()), 0o600); err != nil {
				t.Fatal(err)
			}
			t.Setenv("AWS_SHARED_CREDENTIALS_FILE", keysFile)
			as := func(key string) { a.aws.Profile = key }

			as(string(rights.Deployer))
			st := a.open(s, nil)
			if _, err := st.Apply(t.Context()); err != nil {
				t.Fatal(err)
			}
			server.Logged(s.Names().FunctionLogs, stacktest.LogEvent{At: time.Now(), Message: "{}"})
			for _, who := range []rights.Actor{rights.Deployer, rights.Operator} {
				as(string(who))
				st := a.open(s, nil)
				if _, err := st.Status(t.Context()); err != nil {
					t.Errorf("%s: %v", who, err)
				}
				groups, err := st.LogGroups(t.Context())
				if err == nil {
					err = st.Logs(t.Context(), groups, time.Now().Add(-time.Hour), false, func(stack.Line) error { return nil })
				}
				if err != nil {
					t.Errorf("%s: %v", who, err)
				}
			}
			as(string(rights.Deployer))
			if _, err := a.open(s, nil).Destroy(t.Context(), false); err != nil {
				t.Fatal(err)
			}
			if _, err := a.open(s, nil).Apply(t.Context()); err != nil {
				t.Fatal(err)
			}
			as("both")
			if _, err := a.open(s, nil).Destroy(t.Context(), true); err != nil {
				t.Fatal(err)
			}
			for _, e := range guard.Entries() {
				// Who holds a bucket that is there already may be told of this stack only, which is not there then: it is as good as no answer.
				if e.Verdict != rightstest.Allowed && e.Call != "cloudformation:DescribeStackResources" {
					t.Error(e)
				}
			}
			for _, err := range guard.Err() {
				t.Error(err)
			}
		})
	}
}
