package render

import (
	_ "embed"
	"fmt"
	"strings"

	"tarn/internal/deploy"
	"tarn/internal/rights"
)

// Names of files that are written for people with a pipeline of their own.
const (
	TemplateFile = "template.yaml"
	FirstFile    = "first.yaml"
	ReadmeFile   = "README.md"
	KeyFile      = "key-policy.json"
	PolicyFolder = "policies"
)

// Folder gives the files of a stack, by path: its templates, a page with the commands, and policies that the target's own roles and key
// need. zip is the name of the function's program, which is put beside them.
func Folder(s deploy.Spec, zip string) (map[string]string, error) {
	out := map[string]string{}
	whole, err := Template(s)
	if err != nil {
		return nil, err
	}
	text, err := whole.YAML()
	if err != nil {
		return nil, err
	}
	out[TemplateFile] = string(text)
	r := &renderer{Spec: s}
	if r.own(s.Artefacts.Bucket) {
		first, err := First(s)
		if err != nil {
			return nil, err
		}
		if text, err = first.YAML(); err != nil {
			return nil, err
		}
		out[FirstFile] = string(text)
	}
	if s.KMSKey != "" {
		out[KeyFile] = rights.Policy{Version: "2012-10-17", Statement: KeyStatements(s)}.Filled(known(s)).JSON()
	}
	places := Places(s)
	for _, a := range r.actors() {
		if a.given(s.Settings.Roles) == "" {
			continue
		}
		p, err := rights.Of(actorOf(a.name), places)
		if err != nil {
			return nil, err
		}
		out[PolicyFolder+"/"+a.name+".json"] = p.Filled(known(s)).JSON()
	}
	out[ReadmeFile] = readme(s, zip, out)
	return out, nil
}

// known is what the ARNs of a target's own key and roles say of where the stack will be: a key is of its region, perhaps of another account,
// and a role of its account.
func known(s deploy.Spec) map[string]string {
	out := map[string]string{}
	arns := []string{s.KMSKey}
	for _, a := range actors {
		arns = append(arns, a.given(s.Settings.Roles))
	}
	for _, arn := range arns {
		part := strings.Split(arn, ":")
		if len(part) < 6 {
			continue
		}
		out["AWS::Partition"], out["AWS::URLSuffix"] = part[1], "amazonaws.com"
		if part[1] == "aws-cn" {
			out["AWS::URLSuffix"] = "amazonaws.com.cn"
		}
		if part[2] == "iam" {
			out["AWS::AccountId"] = part[4]
		} else {
			out["AWS::Region"] = part[3]
		}
	}
	return out
}

//go:embed files/README.md
var page string

// readme is the page with the commands for a stack. Names of buckets, prefixes and stacks are the target's own and checked there.
func readme(s deploy.Spec, zip string, files map[string]string) string {
	n := s.Names()
	at := deploy.Place{Bucket: s.Artefacts.Bucket, Prefix: s.Artefacts.Prefix + n.Base + "/"}
	const first = "The program has to be in the bucket first."
	fill := map[string]string{"LAKE": s.Lake, "TARGET": about(s.Target), "STACK": n.Stack, "ZIP": zip, "ARTEFACTS": at.Location(), "BUCKET": at.Bucket, "PREFIX": at.Prefix,
		"TAGS": fmt.Sprintf("Key=%s,Value=%s Key=%s,Value=%s", LakeTag, s.Lake, TargetTag, s.Target), "CDKTAGS": fmt.Sprintf("'%s': '%s', '%s': '%s'", LakeTag, s.Lake, TargetTag, s.Target),
		"TFTAGS": fmt.Sprintf("%q = %q, %q = %q", LakeTag, s.Lake, TargetTag, s.Target),
		"CDK":    first, "TERRAFORM": first,
		"FIRST": "", "TYPE": "CREATE", "DONE": "create", "NOTIFY": "", "GRANTS": "", "KEY": "", "POLICIES": ""}
	var rows strings.Builder
	row := func(file, text string) { fmt.Fprintf(&rows, "| `%s` | %s |\n", file, text) }
	if _, ok := files[FirstFile]; ok {
		row(FirstFile, "what has to be there before: see below")
		fill["TYPE"], fill["DONE"] = "UPDATE", "update"
		fill["FIRST"] = "\nThe bucket has to be there before the program is in it. So the first step makes a stack of bucket and database alone, once:\n\n```sh\n" +
			"aws cloudformation create-stack --stack-name $stack --tags " + fill["TAGS"] + " --template-body file://" + FirstFile + "\naws cloudformation wait stack-create-complete --stack-name $stack\n```\n"
		fill["CDK"] = "The first step above, and the program in its bucket, come before it. As it has the same name, the CDK goes on with that stack, and takes the bucket for its own."
		fill["TERRAFORM"] = "The first step above, and the program in its bucket, come before it; `terraform import aws_cloudformation_stack.lake " + n.Stack + "` takes that stack over, and the next `apply` makes the rest."
	}
	left := ""
	for _, v := range []string{"AWS::AccountId", "AWS::Region"} {
		if _, ok := known(s)[v]; !ok {
			left += ", with yours in place of `${" + v + "}`"
		}
	}
	row(zip, "the function's program, and the lake's definitions")
	if _, ok := files[KeyFile]; ok {
		row(KeyFile, "what the policy of your key has to have")
		fill["KEY"] = "\n## The key\n\nServices use the key `" + s.KMSKey + "` for what they bring into queue, topic and logs. Its policy has to have the statements of `" + KeyFile + "`" + left + ".\n"
	}
	if named := namedRoles(s); len(named) > 0 {
		row(PolicyFolder+"/", "what the roles of your own have to be allowed")
		fill["POLICIES"] = "\n## Roles of your own\n\nThe stack gives them no rights. Each needs what its file in `" + PolicyFolder + "/` allows" + left + ": " + strings.Join(named, ", ") + ".\n"
	}
	fill["FILES"] = rows.String()
	var switched []string
	r := &renderer{Spec: s}
	for _, bucket := range s.Buckets() {
		if !r.own(bucket) && !s.Settings.Events.Off {
			switched = append(switched, bucket)
		}
	}
	if len(switched) > 0 {
		var b strings.Builder
		b.WriteString("\n## Events of a bucket that was there before\n\nThe stack touches no settings of such a bucket. It has to tell EventBridge what lands in it. The call replaces all that is set there,\n" +
			"so this reads it, adds the one thing, and writes it back:\n\n```sh\n")
		for _, bucket := range switched {
			fmt.Fprintf(&b, "aws s3api get-bucket-notification-configuration --bucket %s | jq -s '(.[0] // {}) + {EventBridgeConfiguration: {}}' > notify.json\n"+
				"aws s3api put-bucket-notification-configuration --bucket %s --notification-configuration file://notify.json\n", bucket, bucket)
		}
		b.WriteString("```\n")
		fill["NOTIFY"] = b.String()
	}
	if grants := LaterGrants(s); s.Settings.LakeFormation && len(grants) > 0 {
		fill["GRANTS"] = "\n## Grants of Lake Formation\n\nThe stack grants what can be granted before there are tables. Once the first run has made them, an administrator of the data lake lets readers in:\n\n```sh\n" +
			"ANALYST=$(aws cloudformation describe-stacks --stack-name $stack --query \"Stacks[0].Outputs[?OutputKey=='AnalystRoleArn'].OutputValue\" --output text)\n" +
			"SCIENTIST=$(aws cloudformation describe-stacks --stack-name $stack --query \"Stacks[0].Outputs[?OutputKey=='ScientistRoleArn'].OutputValue\" --output text)\n" +
			strings.Join(grants, "\n") + "\n```\n"
	}
	var pairs []string
	for k, v := range fill {
		pairs = append(pairs, "@"+k+"@", v)
	}
	return strings.NewReplacer(pairs...).Replace(page)
}

// namedRoles are the roles that the target names in place of the stack's own.
func namedRoles(s deploy.Spec) []string {
	var out []string
	r := &renderer{Spec: s}
	for _, a := range r.actors() {
		if arn := a.given(s.Settings.Roles); arn != "" {
			out = append(out, "`"+arn+"` ("+a.name+")")
		}
	}
	return out
}
