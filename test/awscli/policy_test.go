package awscli

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/rights"
)

var update = flag.Bool("update", false, "write what the code says into docs/aws.md")

// TestPolicy holds the policy of the page to the rights of whoever runs a lake from a laptop and brings its raw files.
func TestPolicy(t *testing.T) {
	t.Parallel()
	const begin, end = "<!-- policy -->\n```json\n", "```\n<!-- end of policy -->"
	places := rights.Places{Lake: "stedi", Target: "aws", Database: "finaldatabase", Base: "stedi-aws",
		Warehouse: rights.Place{Bucket: "my-lake-4711", Prefix: "warehouse/"}, Landing: []rights.Place{{Bucket: "my-lake-4711", Prefix: "landing/"}},
		Models: []rights.Table{{Name: "customer_trusted", Zone: "trusted"}}, LandingTables: []string{"customer_landing"}}
	policy, err := rights.Of(rights.Laptop, places)
	if err != nil {
		t.Fatal(err)
	}
	// The reader of the page is also who uploads, which this denies tarn.
	policy.Statement = slices.DeleteFunc(policy.Statement, func(s rights.Statement) bool { return s.Effect == rights.Deny })
	want := policy.Filled(map[string]string{"AWS::Partition": "aws", "AWS::Region": "eu-central-1", "AWS::AccountId": "123456789012"}).JSON()
	path := filepath.Join("..", "..", "docs", "aws.md")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(raw), begin)
	got, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatal("docs/aws.md has no place for the policy")
	}
	if *update {
		if err := os.WriteFile(path, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the policy of docs/aws.md is not what the code says: go test ./test/awscli -run TestPolicy -update\n%s", d)
	}
}
