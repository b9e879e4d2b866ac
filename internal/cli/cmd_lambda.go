package cli

import (
	"cmp"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"tarn/internal/lambda"
)

// lambdaCommand is what a Lambda function starts, so it is not shown among the commands for people.
func lambdaCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:    "lambda",
		Hidden: true,
		Short:  "Work as an AWS Lambda function",
		Long: `Takes events of SQS, S3 and EventBridge, tasks of the state machine that tarn deploy makes, and {"run": {}} from AWS Lambda, one after
the other, until Lambda ends it. The lake is the one of -C, or the folder lake beside the program in the function's zip, and the target that of --target
or TARN_TARGET; whatever is written on this machine is in the folder for temporary files. See docs/lambda.md.`,
		Example: `  tarn lambda        as bootstrap does in the function's zip
  aws lambda invoke --function-name stedi-aws --cli-binary-format raw-in-base64-out --payload '{"run": {}}' answer.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.dir == "" {
				// Where the function's zip has it.
				a.dir = filepath.Join(os.Getenv("LAMBDA_TASK_ROOT"), "lake")
			}
			dir, err := a.lakeDir()
			if err != nil {
				return err
			}
			return lambda.Serve(cmd.Context(), dir, cmp.Or(a.target, os.Getenv(lambda.TargetVariable)), a.stdout)
		},
	}
}
