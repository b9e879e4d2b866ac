package stack

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"tarn/internal/deploy"
	"tarn/internal/deploy/render"
	"tarn/internal/deployconf"
	"tarn/internal/store/s3"
)

// describe gives the stack, or nil where there is none.
func (s *Stack) describe(ctx context.Context) (*types.Stack, error) {
	out, err := s.cf.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &s.name})
	if missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, s.failed("look at the "+s.where(), err)
	}
	if len(out.Stacks) == 0 || out.Stacks[0].StackStatus == types.StackStatusDeleteComplete {
		return nil, nil
	}
	return &out.Stacks[0], nil
}

// ours makes sure that a stack of this name is this lake's.
func (s *Stack) ours(st *types.Stack) error {
	tags := map[string]string{}
	for _, t := range st.Tags {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	// A stack that is only a name yet may have none.
	if st.StackStatus == types.StackStatusReviewInProgress && len(tags) == 0 {
		return nil
	}
	if whose := s.whose(tags); whose != "" {
		return &TakenError{"stack " + s.name, whose, "give this one another name with deploy: stack: of the target"}
	}
	return nil
}

// whose says to whom something with these tags belongs, or "" for this lake.
func (s *Stack) whose(tags map[string]string) string {
	lake, ok := tags[render.LakeTag]
	switch {
	case !ok:
		return "has no tag " + render.LakeTag + " that would say that it is of this lake"
	case lake != s.o.Spec.Lake:
		return "belongs to the lake " + lake
	case tags[render.TargetTag] != s.target():
		return "belongs to the target " + tags[render.TargetTag] + " of this lake"
	}
	return ""
}

// held gives what the stack has, by logical name.
func (s *Stack) held(ctx context.Context) (map[string]types.StackResourceSummary, error) {
	out := map[string]types.StackResourceSummary{}
	pages := cloudformation.NewListStackResourcesPaginator(s.cf, &cloudformation.ListStackResourcesInput{StackName: &s.name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if missing(err) {
			return out, nil
		}
		if err != nil {
			return nil, s.failed("list what the stack has", err)
		}
		for _, r := range page.StackResourceSummaries {
			if r.ResourceStatus != types.ResourceStatusDeleteComplete && aws.ToString(r.PhysicalResourceId) != "" {
				out[aws.ToString(r.LogicalResourceId)] = r
			}
		}
	}
	return out, nil
}

// surroundings are what there is before a deployment.
type surroundings struct {
	// whole is the template, and spec what it was rendered of.
	whole *template
	raw   []byte
	spec  deploy.Spec
	held  map[string]types.StackResourceSummary
	// take are kept resources that are there and are brought into the stack, make those that are not there.
	take, make []resource
}

// look renders the template and finds out what of it is there.
func (s *Stack) look(ctx context.Context, st *types.Stack) (*surroundings, error) {
	found := &surroundings{spec: s.o.Spec, held: map[string]types.StackResourceSummary{}}
	var err error
	if st != nil {
		if found.held, err = s.held(ctx); err != nil {
			return nil, err
		}
	}
	for {
		if found.raw, err = s.o.Render(found.spec); err != nil {
			return nil, err
		}
		if found.whole, err = parse(found.raw); err != nil {
			return nil, err
		}
		again, err := s.sort(ctx, found)
		if err != nil {
			return nil, err
		}
		if !again {
			return found, s.others(ctx, found)
		}
	}
}

// sort says of each kept resource of the template what is to be done with it. True says that the spec was changed.
func (s *Stack) sort(ctx context.Context, found *surroundings) (bool, error) {
	found.take, found.make = nil, nil
	for _, r := range found.whole.kept() {
		if h, ok := found.held[r.id]; ok && (r.kind == keyType || aws.ToString(h.PhysicalResourceId) == r.name) {
			continue
		}
		there, err := s.there(ctx, &r)
		if err != nil {
			return false, err
		}
		if h, ok := found.held[r.id]; ok && there && r.kind != policyType {
			return false, &TakenError{kindOf(r.kind) + " " + r.name, "the stack has " + aws.ToString(h.PhysicalResourceId) + " in its place, which CloudFormation cannot exchange for one that is there",
				"`tarn deploy destroy` takes the stack away and leaves both; then `tarn deploy` takes in the one that is wanted"}
		}
		if there {
			found.take = append(found.take, r)
		} else {
			found.make = append(found.make, r)
		}
	}
	if len(found.take) == 0 {
		return false, nil
	}
	importable, err := s.importable(ctx, found.whole, found.take)
	if err != nil {
		return false, err
	}
	for _, r := range found.take {
		if importable[r.id] != nil {
			continue
		}
		// CloudFormation cannot take it over, so the stack goes round it.
		set := &found.spec.Settings.Database
		switch r.kind {
		case keyType, aliasType:
			return false, &TakenError{kindOf(r.kind) + " " + r.name, "cannot be imported into a stack", "name the key in kms_key: of the target"}
		case bucketType, policyType:
			set = &found.spec.Settings.Bucket
		}
		if *set == deployconf.Existing {
			return false, &TakenError{kindOf(r.kind) + " " + r.name, "cannot be imported into a stack", "set deploy: bucket: and database: of the target to existing"}
		}
		*set = deployconf.Existing
		return true, nil
	}
	return false, nil
}

// there reports whether a bucket or database exists and is this lake's; another's is an error.
func (s *Stack) there(ctx context.Context, r *resource) (bool, error) {
	switch r.kind {
	case policyType:
		return s.hasPolicy(ctx, r.name)
	case keyType, aliasType:
		return s.hasKey(ctx, r)
	}
	look, setting := s.bucketTags, "bucket"
	if r.kind == databaseType {
		look, setting = s.databaseMarks, "database"
	}
	tags, there, err := look(ctx, r.name)
	if err != nil || !there {
		return false, err
	}
	what := setting + " " + r.name
	if whose := s.whose(tags); whose != "" {
		return false, &TakenError{what, whose, "to use it as it is, write " + setting + ": existing below deploy: of the target; else name another one"}
	}
	out, err := s.cf.DescribeStackResources(ctx, &cloudformation.DescribeStackResourcesInput{PhysicalResourceId: &r.name})
	// Whoever deploys need not see other stacks; then CloudFormation says at the import if one of them has it.
	if err != nil && !missing(err) && !strings.HasPrefix(code(err), "AccessDenied") {
		return false, s.failed("ask which stack has "+what, err)
	}
	if err == nil {
		for _, other := range out.StackResources {
			if aws.ToString(other.PhysicalResourceId) == r.name && aws.ToString(other.StackName) != s.name {
				return false, &TakenError{what, "belongs to the stack " + aws.ToString(other.StackName), "delete that stack first, which leaves the " + setting +
					", or write deploy: stack: " + aws.ToString(other.StackName) + " into the target"}
			}
		}
	}
	return true, nil
}

// bucketTags gives a bucket's tags, and whether it is there.
func (s *Stack) bucketTags(ctx context.Context, name string) (map[string]string, bool, error) {
	b := s.bucket(name)
	// HeadBucket needs the same right, and its answer has no room for a reason.
	_, err := b.Client().ListObjectsV2(ctx, &awss3.ListObjectsV2Input{Bucket: &name, MaxKeys: aws.Int32(1)})
	if err != nil {
		switch refused := b.Failed("look at", "", err); {
		case missing(err) || isMissing(refused):
			return nil, false, nil
		case code(err) == "AccessDenied" || code(err) == "AllAccessDisabled":
			return nil, true, &TakenError{"bucket " + name, "may not be looked at: it is another account's, as names of buckets are shared by all of AWS, or these credentials lack s3:ListBucket on it",
				"name another bucket in warehouse: of the target"}
		default:
			return nil, true, refused
		}
	}
	tags, err := b.Client().GetBucketTagging(ctx, &awss3.GetBucketTaggingInput{Bucket: &name})
	out := map[string]string{}
	if err != nil && code(err) != "NoSuchTagSet" && code(err) != "NoSuchTagSetError" {
		return nil, true, s.failed("read the tags of bucket "+name, err)
	}
	if err == nil {
		for _, t := range tags.TagSet {
			out[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
	}
	return out, true, nil
}

// hasPolicy reports whether a bucket is there and has a policy.
func (s *Stack) hasPolicy(ctx context.Context, name string) (bool, error) {
	_, err := s.bucket(name).Client().GetBucketPolicy(ctx, &awss3.GetBucketPolicyInput{Bucket: &name})
	switch code(err) {
	case "NoSuchBucketPolicy", "NoSuchBucket":
		return false, nil
	}
	return err == nil, s.failed("read the policy of bucket "+name, err)
}

// hasKey finds the key behind an alias, which only a stack of this lake and target has made.
func (s *Stack) hasKey(ctx context.Context, r *resource) (bool, error) {
	out, err := kms.NewFromConfig(s.cfg).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &r.name})
	if code(err) == "NotFoundException" {
		return false, nil
	}
	if err != nil {
		return false, s.failed("look at the key "+r.name, err)
	}
	r.key = aws.ToString(out.KeyMetadata.KeyId)
	if out.KeyMetadata.KeyState == kmstypes.KeyStatePendingDeletion {
		return false, &TakenError{"key " + r.name, "is going to be deleted, and with it all that it has encrypted", "`aws kms cancel-key-deletion --key-id " + r.key + "` keeps it, and then `aws kms enable-key`"}
	}
	return true, nil
}

func isMissing(err error) bool {
	var e *s3.Error
	return errors.As(err, &e) && e.Missing()
}

// databaseMarks gives a database's marks as tags, and whether it is there. One that a run has made has the lake's id.
func (s *Stack) databaseMarks(ctx context.Context, name string) (map[string]string, bool, error) {
	out, err := s.glue.GetDatabase(ctx, &glue.GetDatabaseInput{Name: &name, CatalogId: s.catalog()})
	if code(err) == "EntityNotFoundException" {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, s.failed("look at database "+name, err)
	}
	switch p := out.Database.Parameters; {
	case p["tarn.lake"] == s.lakeID():
		return map[string]string{render.LakeTag: s.o.Spec.Lake, render.TargetTag: s.target()}, true, nil
	case p["tarn.lake"] != "":
		return map[string]string{render.LakeTag: p["tarn.lake"]}, true, nil
	default:
		return p, true, nil
	}
}

// others makes sure that what the stack uses and does not make is there.
func (s *Stack) others(ctx context.Context, found *surroundings) error {
	made := []string{}
	for _, r := range found.whole.resources() {
		made = append(made, r.name)
	}
	for _, name := range s.buckets() {
		if slices.Contains(made, name) {
			continue
		}
		if _, there, err := s.bucketTags(ctx, name); err != nil {
			return err
		} else if !there {
			if name != s.o.Spec.Warehouse.Bucket {
				return &MissingError{"bucket " + name, "make it, or name another one for landing files in locations:, or for deploy: results: or artefacts: of the target"}
			}
			return &MissingError{"bucket " + name, "make it, or leave bucket: existing out of the target's deploy: so that the stack makes it"}
		}
	}
	if found.spec.Settings.Database == deployconf.Existing {
		if _, there, err := s.databaseMarks(ctx, found.spec.Database); err != nil {
			return err
		} else if !there {
			return &MissingError{"database " + found.spec.Database, "make it, or leave database: existing out of the target's deploy: so that the stack makes it"}
		}
	}
	return nil
}

// buckets are all that the lake has to do with.
func (s *Stack) buckets() []string {
	spec := s.o.Spec
	out := append([]string{spec.Warehouse.Bucket, spec.Results.Bucket, spec.Artefacts.Bucket}, spec.Buckets()...)
	slices.Sort(out)
	return slices.Compact(out)
}

// importable gives how CloudFormation identifies those of the resources that it can take over, by logical name.
func (s *Stack) importable(ctx context.Context, t *template, resources []resource) (map[string]map[string]string, error) {
	ids := []string{}
	for _, r := range resources {
		ids = append(ids, r.id)
	}
	raw, err := t.only(ids)
	if err != nil {
		return nil, err
	}
	body := string(raw)
	out, err := s.cf.GetTemplateSummary(ctx, &cloudformation.GetTemplateSummaryInput{TemplateBody: &body})
	if err != nil {
		return nil, s.failed("ask what can be imported", err)
	}
	found := map[string]map[string]string{}
	for _, summary := range out.ResourceIdentifierSummaries {
		for _, r := range resources {
			if !slices.Contains(summary.LogicalResourceIds, r.id) {
				continue
			}
			names := map[string]string{}
			for _, property := range summary.ResourceIdentifiers {
				switch {
				case property == "KeyId":
					names[property] = r.key
				case property == "CatalogId":
					names[property] = s.account
				case property == "Bucket", strings.HasSuffix(property, "Name"):
					names[property] = r.name
				}
			}
			if len(names) == len(summary.ResourceIdentifiers) && len(names) > 0 {
				found[r.id] = names
			}
		}
	}
	return found, nil
}
