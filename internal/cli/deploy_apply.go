package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"tarn/internal/deploy"
	"tarn/internal/deploy/artefact"
	"tarn/internal/deploy/render"
	"tarn/internal/deploy/stack"
	"tarn/internal/diag"
	"tarn/internal/project"
	"tarn/internal/run"
	"tarn/internal/store"
)

// mostRead is how much a deployment reads to bring the tables up to date; where there is more, the deployed lake does it.
const mostRead = 256 << 20

// deployApply makes or changes the stack, and then the tables.
func (a *app) deployApply(ctx context.Context, lake *project.Lake, spec deploy.Spec, f deployFlags) error {
	bundle, err := deployProgram(spec, f)
	if err != nil {
		return err
	}
	st, err := a.openStack(ctx, a.stackOptions(lake, spec, bundle), func(p stack.Proposal) (bool, error) {
		if !a.json {
			a.showProposal(p)
		}
		if f.yes {
			return true, nil
		}
		return a.agrees(ctx, "do that?")
	})
	if err != nil {
		return err
	}
	result, err := st.Apply(ctx)
	if err != nil {
		return a.stackEnded(err)
	}
	out := deployJSON{Result: result}
	if !f.noRun {
		if out.Run, out.Later, err = a.firstRun(ctx, lake); errors.Is(err, store.ErrDenied) {
			err = diag.WithHint(err, "`tarn deploy --no-run` leaves the tables to the deployed lake; to make them from here, these credentials need the policy laptop of docs/rights.md beside the deployer's")
		}
		if err != nil && !a.json {
			a.tell("the stack is there, and its tables could not be brought up to date:")
		}
	}
	if a.json {
		if err != nil {
			out.ExitCode, out.Error, out.Hint = exitCode(ctx, err), errorText(ctx, err), a.hint(err)
		}
		if e := a.print(out); e != nil || err == nil {
			return e
		}
		return told(err)
	}
	if err != nil {
		return err
	}
	a.showDeployed(spec, out)
	return nil
}

func (a *app) stackOptions(lake *project.Lake, spec deploy.Spec, bundle *artefact.Bundle) stack.Options {
	return stack.Options{Spec: spec, AWS: lake.Config.AWS, Bundle: bundle, Estimate: a.estimate, Render: func(s deploy.Spec) ([]byte, error) {
		t, err := render.Template(s)
		if err != nil {
			return nil, err
		}
		return t.YAML()
	}}
}

// firstRun does what tarn run does, so that tables and landing tables are there. later says why it is left to the deployed lake.
func (a *app) firstRun(ctx context.Context, lake *project.Lake) (rec *run.Record, later string, err error) {
	if later, err = a.tooMuch(ctx); err != nil || later != "" {
		return nil, later, err
	}
	rec, _, err = a.work(ctx, run.RunOptions{})
	if errors.Is(err, run.ErrBusy) {
		return nil, "a run is under way already", nil
	}
	if rec != nil {
		rec = filled(rec)
	}
	return rec, "", err
}

// tooMuch says why a run is not for this machine, or nothing.
func (a *app) tooMuch(ctx context.Context) (string, error) {
	w, err := a.open(ctx)
	if err != nil {
		return "", err
	}
	p, err := w.Plan(ctx, run.Selection{})
	if err = errors.Join(err, w.Close()); err != nil {
		return "", err
	}
	if p.Estimate.ReadBytes > mostRead {
		return fmt.Sprintf("there are %s of raw files to read, which the deployed lake does nearer to them", bytes(p.Estimate.ReadBytes)), nil
	}
	return "", nil
}

// showDeployed says where everything is, and what to type next.
func (a *app) showDeployed(spec deploy.Spec, d deployJSON) {
	what := "no changes"
	if d.Changed {
		what = plural(int64(len(d.Changes)), "change")
	}
	a.say("stack %s in %s, account %s: %s (%s)", d.Stack, d.Region, d.Account, d.Status, what)
	for _, b := range d.SwitchedOn {
		a.say("switched on the EventBridge notification of bucket %s; what else it notifies of is as it was", b)
	}
	rows := [][]string{}
	for _, name := range slices.Sorted(maps.Keys(d.Outputs)) {
		o := d.Outputs[name]
		rows = append(rows, []string{"  " + o.Description, o.Value})
	}
	fmt.Fprint(a.stdout, columns(rows))
	start := ""
	if machine := d.Outputs["StateMachineArn"].Value; machine != "" {
		start = "aws stepfunctions start-execution --region " + d.Region + " --state-machine-arn " + machine + ` --input '{"reason":"manual"}'`
	}
	switch {
	case d.Run != nil:
		a.showRun(d.Run)
	case d.Later != "":
		a.say("tables: %s", d.Later)
	}
	a.say("next:")
	for _, l := range spec.Landing[:min(len(spec.Landing), 1)] {
		a.say("  aws s3 cp FILE %s   what lands is in the tables soon after", l.At.Location())
	}
	if start != "" {
		a.say("  %s   runs at once", start)
	}
	a.say("  %s   shows how it goes", a.alike("deploy status"))
	a.say("  %s   follows what it says", a.alike("deploy logs --follow"))
	if n := len(spec.Models); n > 0 {
		a.say("  %s", a.alike(`query "SELECT * FROM `+spec.Models[n-1].Name+` LIMIT 10"`))
	}
}
