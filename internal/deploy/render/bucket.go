package render

import (
	"tarn/internal/deploy/cfn"
	"tarn/internal/deployconf"
)

// bucket is the bucket of the warehouse. One that is there already is left alone, with its policy.
func (r *renderer) bucket() {
	if r.Settings.Bucket != deployconf.New {
		return
	}
	name := r.Warehouse.Bucket
	encryption := cfn.Map{"ServerSideEncryptionByDefault": cfn.Map{"SSEAlgorithm": "AES256"}}
	if key := r.key(); key != nil {
		// With a bucket key S3 asks KMS once in a while and not for each object.
		encryption = cfn.Map{"BucketKeyEnabled": true, "ServerSideEncryptionByDefault": cfn.Map{"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
	}
	res := cfn.Resource{ID: "Bucket", Type: "AWS::S3::Bucket",
		Comment: "Raw files, tables, query results and programs. It stays when the stack goes.",
		Properties: cfn.Map{
			"BucketName":                     name,
			"BucketEncryption":               cfn.Map{"ServerSideEncryptionConfiguration": cfn.List{encryption}},
			"PublicAccessBlockConfiguration": cfn.Map{"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true},
			"OwnershipControls":              cfn.Map{"Rules": cfn.List{cfn.Map{"ObjectOwnership": "BucketOwnerEnforced"}}},
			"LifecycleConfiguration":         cfn.Map{"Rules": r.lifecycle()},
			"NotificationConfiguration":      cfn.Map{"EventBridgeConfiguration": cfn.Map{"EventBridgeEnabled": true}},
			"Tags":                           r.tags(),
		}}
	if r.Settings.Versioned {
		res.Properties["VersioningConfiguration"] = cfn.Map{"Status": "Enabled"}
	}
	not := []accepted{noAccessLog}
	if !r.Settings.Versioned {
		not = append(not, noVersions)
	}
	r.t.Add(kept(accept(res, not...)))
	r.t.Add(kept(cfn.Resource{ID: "BucketPolicy", Type: "AWS::S3::BucketPolicy", Properties: cfn.Map{
		"Bucket":         cfn.Ref("Bucket"),
		"PolicyDocument": policy(overTLS("s3:*", arnOf(name, ""), arnOf(name, "*"))),
	}}))
}

// lifecycle has no rule that ever takes a current object out of the warehouse or the landing places: runs need them, and gc removes
// what nobody needs.
func (r *renderer) lifecycle() cfn.List {
	rules := cfn.List{cfn.Map{"Id": "aborted-uploads", "Status": "Enabled", "AbortIncompleteMultipartUpload": cfn.Map{"DaysAfterInitiation": 7}}}
	if r.own(r.Results.Bucket) {
		rules = append(rules, cfn.Map{"Id": "query-results", "Status": "Enabled", "Prefix": r.Results.Prefix, "ExpirationInDays": r.Settings.ResultDays})
	}
	if r.Settings.Versioned {
		rules = append(rules, cfn.Map{"Id": "earlier-versions", "Status": "Enabled",
			"NoncurrentVersionExpiration": cfn.Map{"NoncurrentDays": r.Settings.NoncurrentDays},
			// Of an object that is deleted and has no earlier version left, only a marker remains, which makes listings slow.
			"ExpiredObjectDeleteMarker": true})
	}
	return rules
}
