package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"tarn/internal/deploy"
	"tarn/internal/deploy/artefact"
	"tarn/internal/run"
)

// deployFlags are the flags of tarn deploy.
type deployFlags struct {
	// render is the folder that the stack is written to.
	render string
	// binary is the program of the function, "" for the one that is running.
	binary string
}

func deployCommand(a *app) *cobra.Command {
	var f deployFlags
	cmd := &cobra.Command{
		Use:   "deploy",
		Short: "Make the lake's stack in AWS",
		Long: `Make the lake's stack in AWS: bucket, catalog, queries, runs that start when files land, and rights. docs/deploy.md says what each
part is, and deploy: in tarn.yaml sets it.

With --render, nothing is asked of AWS: the CloudFormation template, the function's program and a page with the commands are written
into a folder, for a pipeline of your own, the CDK or Terraform.`,
		Example: `  tarn deploy --target aws --render stack/`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.render == "" {
				return &usageError{errors.New("say where to write the stack: --render DIR")}
			}
			spec, err := a.deploySpec(cmd.Context())
			if err != nil {
				return err
			}
			return a.deployRender(spec, f)
		},
	}
	cmd.Flags().StringVar(&f.render, "render", "", "only write template, program and commands into this `folder`")
	cmd.Flags().StringVar(&f.binary, "binary", "", "the function's program, a `file` for Linux (default: the tarn that is running)")
	return cmd
}

// deploySpec is what the lake's stack is made of.
func (a *app) deploySpec(ctx context.Context) (deploy.Spec, error) {
	dir, err := a.lakeDir()
	if err != nil {
		return deploy.Spec{}, err
	}
	lake, graph, err := run.Definitions(ctx, dir, run.Options{Target: a.target, Memory: a.memory, Threads: a.threads})
	if err != nil {
		return deploy.Spec{}, err
	}
	return deploy.New(lake, graph)
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
