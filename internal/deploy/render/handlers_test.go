package render_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tarn/internal/deploy"
	"tarn/internal/deploy/cfn"
	"tarn/internal/deploy/deploytest"
	"tarn/internal/deploy/render"
	"tarn/internal/rights"
)

// schemas, in the environment, is a folder with the schemas of CloudFormation's resource types, as cfn-lint has it.
const schemas = "TARN_CFN_SCHEMAS"

// schema is that of a resource type (AWS CloudFormation CLI User Guide, "Resource type definition schema").
type schema struct {
	Name     string                                    `json:"typeName"`
	Handlers map[string]struct{ Permissions []string } `json:"handlers"`
	Tagging  struct{ Permissions []string }            `json:"tagging"`
}

// spared are permissions that a type's handlers name for what the template never has, by what they begin with.
var spared = map[string]map[string]string{
	"": {
		"ec2:": "nothing is in a VPC", "elasticfilesystem:": "no file system is mounted", "s3files:": "no file system is mounted", "s3tables:": "no table bucket is made",
		"firehose:": "no log goes to Firehose", "s3:REST.PUT.OBJECT": "no log goes to S3, and IAM has no such action",
	},
	"AWS::S3::Bucket": {
		"s3:PutBucketAbac": "tags decide nothing", "s3:PutAnalyticsConfiguration": "no analytics", "s3:PutBucketCORS": "no web page reads it", "s3:PutInventoryConfiguration": "no inventory",
		"s3:PutMetricsConfiguration": "no request metrics", "s3:PutBucketReplication": "no copy elsewhere", "s3:PutReplicationConfiguration": "no copy elsewhere",
		"s3:PutBucketWebsite": "no web page", "s3:DeleteBucketWebsite": "no web page", "s3:PutAccelerateConfiguration": "no acceleration", "s3:PutObjectAcl": "no object is made",
		"s3:PutBucketAcl": "owners are enforced", "s3:PutBucketLogging": "no access log", "s3:PutBucketObjectLockConfiguration": "nothing is locked",
		"s3:PutObjectLockConfiguration": "nothing is locked", "s3:PutIntelligentTieringConfiguration": "no tiers", "s3:CreateBucketMetadataTable": "no metadata table",
		"s3:DeleteBucketMetadataTable": "no metadata table", "s3:UpdateBucketMetadata": "no metadata table", "s3:DeleteBucketAnalytics": "no action of IAM", "s3:DeleteBucketCors": "no action of IAM",
		"s3:DeleteBucketMetrics": "no action of IAM", "s3:DeleteBucketEncryption": "no action of IAM", "s3:DeleteBucketLifecycle": "no action of IAM",
		"s3:DeleteBucketReplication": "no action of IAM", "s3:DeleteBucketTagging": "no action of IAM",
	},
	"AWS::Glue::Database": {"glue:PassConnection": "no federated database", "glue:CreateConnection": "no federated database", "glue:GetConnection": "no federated database",
		"glue:UpdateConnection": "no federated database", "glue:DeleteConnection": "no federated database"},
	"AWS::Lambda::Function": {"lambda:PutFunctionConcurrency": "nothing is reserved", "lambda:DeleteFunctionConcurrency": "nothing is reserved", "s3:GetObjectVersion": "code is named by its key alone",
		"lambda:GetCodeSigningConfig": "code is not signed", "lambda:PutFunctionCodeSigningConfig": "code is not signed", "lambda:DeleteFunctionCodeSigningConfig": "code is not signed",
		"lambda:GetLayerVersion": "no layers", "lambda:PutRuntimeManagementConfig": "the runtime is AWS's to keep", "lambda:PutFunctionRecursionConfig": "as AWS has it",
		"lambda:PutFunctionScalingConfig": "no instances of our own", "lambda:PassCapacityProvider": "no instances of our own", "lambda:PublishVersion": "no versions",
		"lambda:AssociateRuntimeAlias": "the runtime is AWS's to keep", "kms:": "variables have AWS's own key"},
	"AWS::Lambda::EventSourceMapping":  {"kms:": "the filter has AWS's own key"},
	"AWS::StepFunctions::StateMachine": {"kms:": "definitions have AWS's own key", "s3:GetObjectVersion": "the definition is in the template"},
	"AWS::Athena::WorkGroup": {"iam:CreateServiceLinkedRole": "no Spark in Athena", "s3:": "results are written in the name of whoever asks",
		"kms:": "results are written in the name of whoever asks"},
	"AWS::SNS::Topic": {"sns:PutDataProtectionPolicy": "no such policy"},
	"AWS::Logs::LogGroup": {"logs:PutDataProtectionPolicy": "no such policy", "logs:DeleteDataProtectionPolicy": "no such policy", "logs:PutIndexPolicy": "no such policy",
		"logs:DeleteIndexPolicy": "no such policy", "logs:DeleteResourcePolicy": "no such policy", "logs:PutBearerTokenAuthentication": "AWS's own credentials alone",
		"logs:PutLogGroupDeletionProtection": "it goes with the stack"},
	"AWS::IAM::ManagedPolicy": {"iam:AttachGroupPolicy": "roles alone", "iam:DetachGroupPolicy": "roles alone", "iam:AttachUserPolicy": "roles alone", "iam:DetachUserPolicy": "roles alone"},
	"AWS::IAM::Role":          {"iam:DeleteRolePermissionsBoundary": "where there has to be a boundary, it stays"},
	"AWS::KMS::Key":           {"kms:DisableKey": "it is never off"},
}

// The deployer's policy has what CloudFormation's handlers of the types in the templates ask for, in the name of whoever deploys.
func TestDeployerMayDoWhatHandlersDo(t *testing.T) {
	dir := os.Getenv(schemas)
	if dir == "" {
		t.Skip(schemas + " names no folder of schemas: see test/aws/lint.sh")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s has no schemas: %v", dir, err)
	}
	known := map[string]schema{}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var s schema
		if json.Unmarshal(raw, &s) == nil && s.Name != "" { // some are patches
			known[s.Name] = s
		}
	}
	used := map[string]bool{}
	targets, err := filepath.Glob("testdata/*/target.yaml")
	if err != nil || len(targets) == 0 {
		t.Fatalf("no targets: %v", err)
	}
	specs := map[string]deploy.Spec{"many tables": made(150, nil)}
	for _, target := range targets {
		keys, err := os.ReadFile(target)
		if err != nil {
			t.Fatal(err)
		}
		specs[target] = deploytest.Stedi(t, string(keys), nil)
	}
	for target, spec := range specs {
		tmpl, err := render.Template(spec)
		if err != nil {
			t.Fatal(err)
		}
		may, err := rights.Of(rights.Deployer, render.Places(spec))
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range typesOf(tmpl) {
			s, ok := known[kind]
			if !ok {
				t.Errorf("%s has no schema", kind)
			}
			for _, action := range wanted(s) {
				if slices.ContainsFunc(may.Actions(), func(a string) bool { return strings.EqualFold(a, action) }) {
					continue
				}
				if reason, why := sparedBy(kind, action); why != "" {
					used[reason] = true
				} else {
					t.Errorf("%s: %s wants %s, which the deployer may not", target, kind, action)
				}
			}
		}
	}
	for kind, list := range spared {
		for action := range list {
			if !used[kind+" "+action] {
				t.Errorf("no handler of %s wants %s", kind, action)
			}
		}
	}
}

func typesOf(tmpl *cfn.Template) (out []string) {
	for _, r := range tmpl.Resources {
		if !slices.Contains(out, r.Type) {
			out = append(out, r.Type)
		}
	}
	return out
}

// wanted are the permissions of a type's handlers, but for that which lists all there are of it, and of its tags.
func wanted(s schema) (out []string) {
	for handler, h := range s.Handlers {
		if handler != "list" {
			out = append(out, h.Permissions...)
		}
	}
	out = append(out, s.Tagging.Permissions...)
	slices.Sort(out)
	return slices.Compact(out)
}

func sparedBy(kind, action string) (entry, why string) {
	for _, k := range []string{"", kind} {
		for begin, why := range spared[k] {
			if action == begin || strings.HasPrefix(action, begin) && (strings.HasSuffix(begin, ":") || strings.HasPrefix(begin, "s3:")) {
				return k + " " + begin, why
			}
		}
	}
	return "", ""
}
