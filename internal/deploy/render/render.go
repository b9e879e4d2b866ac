// Package render makes the CloudFormation template of a lake's stack. Each file has one topic, and a part that the settings leave out
// is not in the template.
package render

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"tarn/internal/deploy"
	"tarn/internal/deploy/cfn"
	"tarn/internal/deployconf"
)

// The template's parameters, which say where the function's program is.
const (
	ArtefactBucket = "ArtefactBucket"
	ArtefactKey    = "ArtefactKey"
)

// The tags by which a stack's resources are known again.
const (
	LakeTag   = "tarn:lake"
	TargetTag = "tarn:target"
)

// renderer adds the parts of a spec to a template.
type renderer struct {
	deploy.Spec
	n deploy.Names
	t *cfn.Template
}

// Template gives the template of the whole stack. The error is a [*cfn.TooBigError] where the lake has more than fits into one.
func Template(s deploy.Spec) (*cfn.Template, error) {
	r := &renderer{s, s.Names(), &cfn.Template{
		Description: "The lake " + s.Lake + about(s.Target) + ": bucket, catalog, queries, runs and rights",
		Comment: "The stack of the lake " + s.Lake + about(s.Target) + ", written by tarn deploy; changes belong into tarn.yaml.\n" +
			"Tables are not in here: runs make and change them. Bucket and database stay when the stack goes.",
		Parameters: []cfn.Parameter{
			{ID: ArtefactBucket, Type: "String", Description: "Bucket of the function's program", Default: s.Artefacts.Bucket},
			{ID: ArtefactKey, Type: "String", Description: "Key of the function's program, a zip file", Pattern: ".+"},
		},
	}}
	r.store()
	r.crawler()
	r.athena()
	r.function()
	if err := r.job(); err != nil {
		return nil, err
	}
	if err := r.machine(); err != nil {
		return nil, err
	}
	r.events()
	r.reports()
	r.alarms()
	if err := r.roles(); err != nil {
		return nil, err
	}
	if err := r.notebook(); err != nil {
		return nil, err
	}
	r.governed()
	r.outputs()
	r.ownTexts()
	return r.t, r.t.Check()
}

// First gives the template of the first step: bucket and database alone, with a key where there is one, exactly as the whole template has
// them. The function's program has to be in a bucket before the stack that needs it. Where both are there already it has no resources,
// and there is no first step.
func First(s deploy.Spec) (*cfn.Template, error) {
	r := &renderer{s, s.Names(), &cfn.Template{
		Description: "The lake " + s.Lake + about(s.Target) + ": bucket and catalog",
		Comment:     "The first step of the stack of the lake " + s.Lake + about(s.Target) + ", written by tarn deploy.",
	}}
	r.store()
	return r.t, r.t.Check()
}

func about(target string) string {
	if target == "" {
		return ""
	}
	return ", target " + target
}

// store are the parts of the first step.
func (r *renderer) store() {
	r.ownKey()
	r.bucket()
	r.database()
}

// tags are those of resources that take a list.
func (r *renderer) tags() cfn.List {
	all := r.tagMap()
	var out cfn.List
	for _, k := range slices.Sorted(maps.Keys(all)) {
		out = append(out, cfn.Map{"Key": k, "Value": all[k]})
	}
	return out
}

// tagMap is the same for those that take a map.
func (r *renderer) tagMap() cfn.Map {
	out := cfn.Map{LakeTag: r.Lake, TargetTag: cmp.Or(r.Target, "-")}
	for k, v := range r.Settings.Tags {
		out[k] = v
	}
	return out
}

// own reports whether a bucket is the one that the stack makes.
func (r *renderer) own(bucket string) bool {
	return r.Settings.Bucket == deployconf.New && bucket == r.Warehouse.Bucket
}

// kept sets the policies of what is kept when a stack goes.
func kept(res cfn.Resource) cfn.Resource {
	res.Deletion, res.Replace = cfn.RetainExceptOnCreate, cfn.Retain
	return res
}

// passing goes with the stack, and what is in it too.
func passing(res cfn.Resource) cfn.Resource {
	res.Deletion, res.Replace = cfn.Delete, cfn.Delete
	return res
}

// logical makes a logical name of words, such as CustomerCurated of customer_curated.
func logical(before, name string) string {
	var b strings.Builder
	b.WriteString(before)
	for _, w := range strings.FieldsFunc(name, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9')
	}) {
		b.WriteString(strings.ToUpper(w[:1]) + w[1:])
	}
	return b.String()
}

// arnOf writes the ARN of a bucket, or of what is below a place in it.
func arnOf(bucket, below string) cfn.Sub {
	if below != "" {
		below = "/" + below
	}
	return cfn.Sub("arn:${AWS::Partition}:s3:::" + bucket + below)
}

func policy(statements ...cfn.Map) cfn.Map {
	return cfn.Map{"Version": "2012-10-17", "Statement": statements}
}

// overTLS denies what comes unencrypted.
func overTLS(action string, resources ...any) cfn.Map {
	return cfn.Map{"Sid": "OnlyEncryptedConnections", "Effect": "Deny", "Principal": "*", "Action": action, "Resource": cfn.List(resources),
		"Condition": cfn.Map{"Bool": cfn.Map{"aws:SecureTransport": "false"}}}
}
