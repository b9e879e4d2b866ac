package readers

import (
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"tarn/internal/athena/athenatest"
	"tarn/internal/awsconf"
	"tarn/internal/connect"
	"tarn/internal/rights"
	"tarn/internal/rights/rightstest"
	"tarn/internal/store/registry"
	"tarn/internal/store/s3/s3test"
	"tarn/test/peers"
)

// TestCellsNeedNoMoreThanTheirRole runs the cells for AWS as printed, each with the rights of the role that it is for, as the
// template gives them: S3, Glue and Athena refuse everything else. The stand-in for Athena reads with the caller's rights too.
func TestCellsNeedNoMoreThanTheirRole(t *testing.T) {
	python, clients := python(t), peers.Wrangler(t)
	bucket := standIns(t)
	dir := filepath.Join(t.TempDir(), "lake")
	newLake(t, dir)
	addTarget(t, dir, bucket)
	upload(t, filepath.Join(dir, "data"), "s3://"+bucket+"/landing/")
	args := []string{"-C", dir, "--target", "cloud"}
	tarn(t, append([]string{"run"}, args...)...)
	exports := export(t, []string{connect.DefaultTable}, args...)

	p := rights.Places{Lake: "lake", Target: "cloud", Database: "stedi", Base: "lake-cloud", Warehouse: rights.Place{Bucket: bucket, Prefix: "warehouse/"},
		Results: rights.Place{Bucket: bucket, Prefix: "results/"}, AnalystWorkgroup: "lake-cloud-analyst", ScientistWorkgroup: "lake-cloud-scientist",
		Models: []rights.Table{{Name: "customer_trusted", Zone: "trusted"}, {Name: "customers_curated", Zone: "curated"}, {Name: connect.DefaultTable, Zone: "curated"}}}
	guard, err := rightstest.Of(p)
	if err != nil {
		t.Fatal(err)
	}
	guard.FilterTables = true
	glue, err := url.Parse(os.Getenv("AWS_ENDPOINT_URL_GLUE"))
	if err != nil {
		t.Fatal(err)
	}
	catalog := httptest.NewServer(guard.Service(httputil.NewSingleHostReverseProxy(glue)))
	defer catalog.Close()
	store := guard.S3(t, os.Getenv("AWS_ENDPOINT_URL"))
	t.Setenv("AWS_ENDPOINT_URL_GLUE", catalog.URL)
	t.Setenv("AWS_ENDPOINT_URL_S3", store)
	t.Setenv("AWS_SECRET_ACCESS_KEY", s3test.Secret)
	for _, role := range []struct {
		actor rights.Actor
		peers map[string]string // by their Python
	}{
		{rights.Analyst, map[string]string{"python": python, "duckdb": python, "polars": python, "pyiceberg": python, "athena": clients}},
		{rights.Scientist, map[string]string{"sagemaker": clients}},
	} {
		t.Setenv("AWS_ACCESS_KEY_ID", string(role.actor))
		groups := map[string]athenatest.WorkGroup{"lake-cloud-" + string(role.actor): {Output: "s3://" + bucket + "/results/" + string(role.actor) + "/", Enforce: true}}
		athena := httptest.NewServer(guard.Service(athenatest.New(athenatest.Lake{Dir: dir, Target: "cloud"}, registry.New(awsconf.Settings{}), groups)))
		defer athena.Close()
		t.Setenv("AWS_ENDPOINT_URL_ATHENA", athena.URL)
		for peer, python := range role.peers {
			t.Run(string(role.actor)+"/"+peer, func(t *testing.T) {
				guard.Forget()
				runCell(t, python, peer, exports, args...)
				for _, e := range guard.Entries() {
					// tarn itself asks about all tables when it opens a lake, and goes by those that the role may see.
					if e.Verdict != rightstest.Allowed && e.Call != "glue:GetTable" {
						t.Error(e)
					}
				}
			})
		}
	}
	for _, err := range guard.Err() {
		t.Error(err)
	}
}
