package cli

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"tarn/internal/doctor"
	"tarn/internal/run"
)

func doctorCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Look whether a lake and its target have what they need",
		Long: `Looks at the definitions, this machine's memory and disk, the account, the bucket, the clock, the warehouse, the landing places,
the catalog and the engine, one line each, with what to do about it. Rights are tried: one small object is written beside the
tables, read, listed and removed again, a large upload is begun and given up, and in Glue one table is made and removed. A
database that is not there is made, as the first run would do.

The exit code is that of the first thing that is bad: 4 for a mistake in the definitions, 5 for a bucket that is not there,
7 for credentials, rights and the network.`,
		Example: `  tarn doctor
  tarn doctor --target aws
  BUCKET=my-bucket tarn doctor --target aws     where the target has ${BUCKET}, as that of the template`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := a.lakeDir()
			if err != nil {
				return err
			}
			style := stylesFor(a.stdout)
			show := func(f doctor.Finding) {
				mark := map[doctor.State]string{doctor.Good: style.good("✓"), doctor.Poor: style.warn("!"), doctor.Bad: style.bad("✗"), doctor.Untried: style.dim("·")}[f.State]
				a.say("%s %-*s  %s", mark, findingWidth, f.What, f.Text)
				if f.Fix != "" {
					a.say("%s%s", strings.Repeat(" ", findingWidth+4), style.dim("→ "+f.Fix))
				}
			}
			if a.json {
				show = nil
			}
			found, err := doctor.Look(cmd.Context(), dir, run.Options{Target: a.target, Memory: a.memory}, show)
			if err != nil {
				return err
			}
			out := doctorJSON{OK: true, Findings: found}
			bad := errUnwell
			for _, f := range found {
				if f.State != doctor.Bad || !out.OK {
					continue
				}
				out.OK, out.ExitCode = false, exitRemote
				if code := exitCode(cmd.Context(), f.Err); f.Err != nil && code != exitInternal {
					out.ExitCode, bad = code, f.Err
				}
			}
			if a.json {
				if err := a.print(out); err != nil {
					return err
				}
			}
			if !out.OK {
				return told(bad)
			}
			if !a.json && slices.ContainsFunc(found, func(f doctor.Finding) bool { return f.What == "warehouse" && f.State == doctor.Untried }) {
				a.say("next: `%s`", a.alike(`query "SHOW TABLES"`))
			} else if !a.json {
				a.say("next: `%s`", a.alike("run"))
			}
			return nil
		},
	}
}

// findingWidth is how wide the names of what was looked at are set.
const findingWidth = 12

// errUnwell says that the doctor has found something bad.
var errUnwell = errors.New("something keeps the lake from working")
