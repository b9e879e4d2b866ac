package cli

import (
	"context"
	"errors"
	"time"

	"github.com/aws/smithy-go"

	"tarn/internal/awsconf"
	"tarn/internal/deploy"
	"tarn/internal/deploy/render"
	"tarn/internal/deploy/stack"
	"tarn/internal/formation"
	"tarn/internal/project"
	"tarn/internal/rights"
)

// granted are the roles of a stack that work with tables of the catalog, by the outputs that have their ARNs.
var granted = []struct {
	actor  rights.Actor
	output string
}{{rights.Runner, "RunnerRoleArn"}, {rights.Analyst, "AnalystRoleArn"}, {rights.Scientist, "ScientistRoleArn"}}

// missingGrants asks Lake Formation, where it governs the lake's database, which grants the stack's roles lack. Nothing of it keeps a
// deployment from its end.
func missingGrants(ctx context.Context, lake *project.Lake, spec deploy.Spec, result *stack.Result) *grantsJSON {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cfg, err := awsconf.Load(ctx, lake.Config.AWS)
	if err != nil {
		return nil
	}
	cfg.RetryMaxAttempts = 2
	database := formation.Open(cfg, spec.Database, spec.Catalog)
	if governed, there, err := database.Governed(ctx); err != nil || !there || !governed {
		return nil
	}
	out := &grantsJSON{Commands: []string{}}
	places := render.Places(spec)
	for _, g := range granted {
		role := result.Outputs[g.output].Value
		if role == "" {
			continue
		}
		needed := formation.Needed(g.actor, places, formation.Partition(role))
		lacking, _, err := database.Lacking(ctx, role, needed)
		if err != nil {
			out.Unknown, lacking = "no answer", needed
			var api smithy.APIError
			if errors.As(err, &api) {
				out.Unknown = api.ErrorCode()
			}
		}
		out.Commands = append(out.Commands, formation.Commands(lacking, role)...)
	}
	return out
}

// showGrants says what is to be granted.
func (a *app) showGrants(spec deploy.Spec, g *grantsJSON) {
	if g == nil {
		return
	}
	switch {
	case len(g.Commands) == 0:
		a.say("Lake Formation governs database %s, and has granted what the stack's roles need", spec.Database)
		return
	case g.Unknown != "":
		a.say("Lake Formation governs database %s, and which grants there are could not be asked (%s). An administrator of the data lake makes those that are missing:", spec.Database, g.Unknown)
	default:
		a.say("Lake Formation governs database %s, and has to grant more before all roles work. An administrator of the data lake does that:", spec.Database)
	}
	for _, c := range g.Commands {
		a.say("  %s", c)
	}
	if !spec.Settings.LakeFormation {
		a.say("  lake_formation: true below deploy: of the target has the stack make those that can be made before there are tables")
	}
}
