package doctor_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tarn/internal/catalog/glue/gluetest"
	"tarn/internal/doctor"
	"tarn/internal/run"
	"tarn/internal/store/s3/s3test"
	"tarn/internal/template"
)

// account stands in for Lake Formation, Service Quotas and STS: what they answer by operation, or that they refuse.
type account map[string]any

func (a account) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	op := strings.Trim(r.URL.Path, "/")
	if _, target, ok := strings.Cut(r.Header.Get("X-Amz-Target"), "."); ok {
		op = target
		var in struct{ ServiceCode string }
		_ = json.NewDecoder(r.Body).Decode(&in)
		op += " " + in.ServiceCode
	} else if op == "" {
		_, _ = w.Write([]byte(`<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:sts::123456789012:assumed-role/data/ada</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`))
		return
	}
	answer, ok := a[op]
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if !ok {
		w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
		w.WriteHeader(http.StatusBadRequest)
		answer = map[string]string{"__type": "AccessDeniedException", "Message": "not authorized"}
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// bucket stands for that of the lake in answers.
const bucket = "BUCKET-OF-THE-LAKE"

// look examines the template's lake in an account, and gives what was found of some things.
func look(t *testing.T, a account, governed bool, what ...string) string {
	t.Helper()
	s3test.Server(t)
	catalog := gluetest.Start(t)
	catalog.Governed = governed
	if _, err := catalog.Call("CreateDatabase", map[string]any{"DatabaseInput": map[string]any{"Name": "stedi"}}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	for _, service := range []string{"LAKEFORMATION", "SERVICE_QUOTAS", "STS"} {
		t.Setenv("AWS_ENDPOINT_URL_"+service, server.URL)
	}
	made := s3test.Bucket(t)
	for op, answer := range a {
		// What is said of the bucket is said of this one.
		raw, err := json.Marshal(answer)
		if err != nil {
			t.Fatal(err)
		}
		a[op] = json.RawMessage(strings.ReplaceAll(string(raw), bucket, made))
	}
	t.Setenv("BUCKET", made)
	dir := t.TempDir()
	if _, err := template.Write(dir, "stedi", template.Options{Name: "stedi"}); err != nil {
		t.Fatal(err)
	}
	found, err := doctor.Look(t.Context(), dir, run.Options{Target: "aws"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range found {
		for _, w := range what {
			if f.What == w {
				b.WriteString(string(f.State) + " " + f.Text + " -> " + f.Fix + "\n")
			}
		}
	}
	return b.String()
}

func permission(resource map[string]any, permissions ...string) map[string]any {
	return map[string]any{"Resource": resource, "Permissions": permissions}
}

func TestFormation(t *testing.T) {
	database := map[string]any{"Database": map[string]any{"Name": "stedi"}}
	every := map[string]any{"Table": map[string]any{"DatabaseName": "stedi", "TableWildcard": map[string]any{}}}
	settings := map[string]any{"DataLakeSettings": map[string]any{"DataLakeAdmins": []any{map[string]any{"DataLakePrincipalIdentifier": "arn:aws:iam::123456789012:role/admin"}}}}
	none := map[string]any{"ResourceInfoList": []any{}}
	for name, c := range map[string]struct {
		account  account
		governed bool
		want     []string
	}{
		"left to IAM":         {account{}, false, []string{"good new tables of stedi are left to IAM"}},
		"nothing can be seen": {account{}, true, []string{"poor Lake Formation governs new tables of stedi, and which grants", "AccessDeniedException", "grant-permissions --principal DataLakePrincipalIdentifier=arn:aws:iam::123456789012:role/data"}},
		"no grants": {account{"ListPermissions": map[string]any{}, "GetDataLakeSettings": settings, "ListResources": none}, true, []string{"poor Lake Formation governs", "role/data lacks grants",
			`--permissions CREATE_TABLE DESCRIBE --resource '{"Database":{"Name":"stedi"}}'`, `--permissions ALTER DELETE DESCRIBE DROP INSERT SELECT --resource '{"Table":{"DatabaseName":"stedi","TableWildcard":{}}}'`}},
		"all grants": {account{"ListPermissions": map[string]any{"PrincipalResourcePermissions": []any{permission(database, "ALL"), permission(every, "ALL")}}, "GetDataLakeSettings": settings, "ListResources": none},
			true, []string{"good Lake Formation governs", "has the grants for runs"}},
		"an administrator": {account{"ListPermissions": map[string]any{}, "ListResources": none, "GetDataLakeSettings": map[string]any{"DataLakeSettings": map[string]any{"DataLakeAdmins": []any{
			map[string]any{"DataLakePrincipalIdentifier": "arn:aws:iam::123456789012:role/data"}}}}}, true, []string{"good Lake Formation governs", "administer it"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := look(t, c.account, c.governed, "formation")
			for _, want := range c.want {
				if !strings.Contains(got, want) {
					t.Errorf("no %q in %s", want, got)
				}
			}
			if name == "no grants" && strings.Contains(got, "DATA_LOCATION_ACCESS") {
				t.Errorf("asks for a place that is not registered: %s", got)
			}
		})
	}
	// A place that is registered takes a right of its own; those of others do not matter.
	whole := []any{permission(database, "ALL"), permission(every, "ALL")}
	for place, want := range map[string]bool{"other": false, bucket: true} {
		a := account{"ListPermissions": map[string]any{"PrincipalResourcePermissions": whole}, "GetDataLakeSettings": settings,
			"ListResources": map[string]any{"ResourceInfoList": []any{map[string]any{"ResourceArn": "arn:aws:s3:::" + place}}}}
		if got := look(t, a, true, "formation"); strings.Contains(got, "DATA_LOCATION_ACCESS") != want {
			t.Errorf("%s is registered: %s", place, got)
		}
	}
}

func TestQuotas(t *testing.T) {
	quotas := func(list ...any) map[string]any {
		var out []any
		for i := 0; i < len(list); i += 2 {
			out = append(out, map[string]any{"QuotaName": list[i], "Value": list[i+1]})
		}
		return map[string]any{"Quotas": out}
	}
	good := account{"ListServiceQuotas lambda": quotas("Concurrent executions", 1000, "Something else", 1),
		"ListServiceQuotas glue": quotas("Max concurrent job runs per account", 30, "Max task DPUs per account", 300), "ListServiceQuotas states": quotas("Registered state machines", 10000)}
	if got := look(t, good, false, "quotas"); !strings.HasPrefix(got, "good AWS Lambda concurrent executions 1000, AWS Glue max concurrent") {
		t.Error(got)
	}
	small := account{"ListServiceQuotas lambda": quotas("Concurrent executions", 2), "ListServiceQuotas glue": quotas("Max concurrent job runs per account", 0, "Max task DPUs per account", 1),
		"ListServiceQuotas states": quotas()}
	got := look(t, small, false, "quotas")
	for _, want := range []string{"poor Concurrent executions of AWS Lambda is 2", "poor Max concurrent job runs per account of AWS Glue is 0", "poor Max task DPUs per account of AWS Glue is 1, and 2 workers G.1X: that takes 2", "Service Quotas, AWS Lambda"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %s", want, got)
		}
	}
	if got := look(t, account{}, false, "quotas"); !strings.HasPrefix(got, "good those of the account could not be asked (AccessDeniedException)") {
		t.Error(got)
	}
}
