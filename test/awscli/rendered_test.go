package awscli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tarn/internal/deploy/deploytest"
	"tarn/internal/deploy/render"
	"tarn/internal/store/s3/s3test"
)

// TestPageOfRenderedStack runs the commands of the page that tarn deploy --render writes, in moto: the CLI takes them as they stand, and the
// template as a change of the stack that the first step has made.
func TestPageOfRenderedStack(t *testing.T) {
	t.Parallel() // the CLI waits for stacks in steps of half a minute
	for name, c := range map[string]struct {
		keys, before, after string
		want                []string
	}{
		"everything new": {"", "", "", []string{"AWS::S3::Bucket", "UPDATE_COMPLETE", "tarn:lake\tstedi", "StateMachine"}},
		"bucket that is there": {"deploy: {bucket: existing}",
			"aws s3 mb s3://" + deploytest.Bucket + "\n" +
				"topic=$(aws sns create-topic --name of-others --query TopicArn --output text)\n" +
				`aws s3api put-bucket-notification-configuration --bucket ` + deploytest.Bucket + ` --notification-configuration '{"TopicConfigurations": [{"TopicArn": "'"$topic"'", "Events": ["s3:ObjectCreated:*"]}]}'` + "\n",
			// Moto keeps no EventBridgeConfiguration.
			"cat notify.json\naws s3api get-bucket-notification-configuration --bucket " + deploytest.Bucket + " --query TopicConfigurations[].Events\n",
			[]string{"CREATE_COMPLETE", "tarn:lake\tstedi", "of-others", `"EventBridgeConfiguration": {}`, `"s3:ObjectCreated:*"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bin := tools(t)
			a := &shell{t: t, dir: t.TempDir(), path: bin + ":" + os.Getenv("PATH")}
			a.env = []string{"AWS_ENDPOINT_URL=" + s3test.StartMoto(t, "127.0.0.1", filepath.Join(bin, "moto_server")), "AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=x", "AWS_REGION=" + region, "AWS_DEFAULT_REGION=" + region, "AWS_PAGER="}
			const zip = "tarn-0123.zip"
			files, err := render.Folder(deploytest.Stedi(t, c.keys, nil), zip)
			if err != nil {
				t.Fatal(err)
			}
			files[zip] = "program"
			for path, text := range files {
				if err := os.WriteFile(filepath.Join(a.dir, path), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			out := a.run(c.before + strings.Join(blocksOf(files[render.ReadmeFile], "sh"), "\n") + "\n" + c.after +
				"aws cloudformation describe-stacks --stack-name $stack --query 'Stacks[].[StackStatus,Tags]' --output text\n" +
				"aws cloudformation list-stack-resources --stack-name $stack --query 'StackResourceSummaries[].ResourceType' --output text\n")
			for _, want := range c.want {
				if !strings.Contains(out, want) {
					t.Errorf("the page did not print %q", want)
				}
			}
			if t.Failed() {
				t.Log(out)
			}
		})
	}
}
