package cli

import (
	"context"

	"github.com/spf13/cobra"

	"tarn/internal/deploy"
	"tarn/internal/deploy/artefact"
	"tarn/internal/project"
	"tarn/internal/run"
)

// deployFlags are the flags of tarn deploy.
type deployFlags struct {
	// render is the folder that the stack is written to.
	render string
	// binary is the program of the function, "" for the one that is running.
	binary string
	// yes agrees to what is proposed; noRun leaves the tables to the deployed lake.
	yes, noRun bool
}

func deployCommand(a *app) *cobra.Command {
	var f deployFlags
	cmd := &cobra.Command{
		Use:   "deploy",
		Short: "Make the lake's stack in AWS",
		Long: `Makes the lake's stack in AWS: bucket, catalog, queries, runs that start when files land, and rights. docs/deploy.md says what each
part is, and deploy: in tarn.yaml sets it. The same command changes the stack when the lake or its settings have changed.

What would be done is shown first, with what it costs a month, and asked about. What is there already is taken in if it is this
lake's, and refused by name if it is somebody else's. A deployment that fails, or that Ctrl-C ends, leaves a stack that the same
command goes on with. At the end the tables are made as tarn run does, unless there is too much to read.

With --render, nothing is asked of AWS: the CloudFormation template, the function's program and a page with the commands are written
into a folder, for a pipeline of your own, the CDK or Terraform.`,
		Example: `  tarn deploy --target aws
  tarn deploy --target aws --yes                     without asking, as in a pipeline
  tarn deploy --target aws --binary tarn-arm64       where the function is set to arm64
  tarn deploy --target aws --render stack/
  tarn deploy status --target aws
  tarn deploy destroy --target aws`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			lake, spec, err := a.deploySpec(cmd.Context())
			if err != nil {
				return err
			}
			if f.render != "" {
				return a.deployRender(spec, f)
			}
			return a.deployApply(cmd.Context(), lake, spec, f)
		},
	}
	cmd.Flags().StringVar(&f.render, "render", "", "only write template, program and commands into this `folder`")
	cmd.Flags().StringVar(&f.binary, "binary", "", "the function's program, a `file` for Linux (default: the tarn that is running)")
	cmd.Flags().BoolVar(&f.yes, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&f.noRun, "no-run", false, "leave it to the deployed lake to make the tables")
	cmd.AddCommand(deployStatusCommand(a), deployLogsCommand(a), deployDestroyCommand(a))
	return cmd
}

// deploySpec is what the lake's stack is made of.
func (a *app) deploySpec(ctx context.Context) (*project.Lake, deploy.Spec, error) {
	dir, err := a.lakeDir()
	if err != nil {
		return nil, deploy.Spec{}, err
	}
	lake, graph, err := run.Definitions(ctx, dir, run.Options{Target: a.target, Memory: a.memory, Threads: a.threads})
	if err != nil {
		return nil, deploy.Spec{}, err
	}
	spec, err := deploy.New(lake, graph)
	return lake, spec, err
}

// deployProgram is the function's program with the lake's definitions.
func deployProgram(spec deploy.Spec, f deployFlags) (*artefact.Bundle, error) {
	program := f.binary
	if program == "" {
		var err error
		if program, err = artefact.Running(); err != nil {
			return nil, err
		}
	}
	return artefact.New(program, spec.Settings.Function.Arch, spec.Files)
}
