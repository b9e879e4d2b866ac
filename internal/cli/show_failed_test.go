package cli

import "testing"

func TestApart(t *testing.T) {
	t.Parallel()
	for row, want := range map[string][2]string{
		`{"a":1,"_file":"s3://raw/x.json"}`:              {"s3://raw/x.json", `{"a":1}`},
		`{"a":1,"rows":2,"_file":["s3://x","s3://y"]}`:   {"s3://x, s3://y", `{"a":1,"rows":2}`},
		`{"a":1,"_file":null}`:                           {"", `{"a":1,"_file":null}`},
		`{"a":1}`:                                        {"", `{"a":1}`},
		`{"a":",\"_file\":\"x\"}","_file":"s3://{it}}"}`: {"s3://{it}}", `{"a":",\"_file\":\"x\"}"}`},
		`{"a":",\"_file\":\"x\"}"}`:                      {"", `{"a":",\"_file\":\"x\"}"}`},
	} {
		if file, values := apart(row); file != want[0] || values != want[1] {
			t.Errorf("%s: %q and %s", row, file, values)
		}
	}
}
