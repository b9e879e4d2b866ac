package cli

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tarn/internal/deploy"
	"tarn/internal/deploy/stack"
	"tarn/internal/store"
)

// deployed opens the lake and its stack. Nothing is asked of the stack yet.
func (a *app) deployed(cmd *cobra.Command, agree func(stack.Proposal) (bool, error)) (deploy.Spec, *stack.Stack, error) {
	lake, spec, err := a.deploySpec(cmd.Context())
	if err != nil {
		return spec, nil, err
	}
	st, err := a.openStack(cmd.Context(), a.stackOptions(lake, spec, nil), agree)
	return spec, st, err
}

func deployStatusCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show how the deployed lake is: stack, executions, queues, alarms, last run",
		Long: `Shows the state of the stack, the last executions of the state machine, how many messages wait in its queues, its alarms, and the
last run that was published. The exit code is 7 where something asks for somebody: a stack that could not be changed, an
execution that failed last, an alarm, messages that could not be read.`,
		Example: "  tarn deploy status --target aws\n  tarn deploy status --target aws --json | jq .executions",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, st, err := a.deployed(cmd, nil)
			if err != nil {
				return err
			}
			s, err := st.Status(cmd.Context())
			if err != nil {
				return err
			}
			out := deployStatusJSON{Status: s, OK: s.Well()}
			past, err := a.history(cmd.Context())
			switch {
			case errors.Is(err, store.ErrDenied):
				// Who looks after runs sees no data, and the account of runs says which rows a check has named.
				out.RunsDenied = true
			case err != nil:
				return err
			case len(past) > 0:
				past[0].Record = nil
				out.LastRun = &past[0]
			}
			if !out.OK {
				out.ExitCode = exitRemote
			}
			if a.json {
				err = a.print(out)
			} else {
				a.showStatus(out)
			}
			if err == nil && !out.OK {
				return told(errUnwell)
			}
			return err
		},
	}
}

func (a *app) showStatus(s deployStatusJSON) {
	state := s.State
	if s.Reason != "" {
		state += ": " + s.Reason
	}
	a.say("stack %s in %s, account %s: %s, last changed %s UTC", s.Stack, s.Region, s.Account, state, s.Changed.UTC().Format("2006-01-02 15:04"))
	rows := [][]string{}
	for _, e := range s.Executions {
		rows = append(rows, []string{"execution", e.Name, strings.ToLower(e.Status), e.Start.UTC().Format("2006-01-02 15:04:05"), fmt.Sprintf("%.0f s", e.Seconds)})
	}
	if len(rows) == 0 {
		a.say("no execution yet")
	}
	for _, q := range s.Queues {
		rows = append(rows, []string{"queue", q.Name, fmt.Sprintf("%s waiting", plural(int64(q.Waiting), "message")), fmt.Sprintf("%d taken", q.Taken), ""})
	}
	for _, al := range s.Alarms {
		rows = append(rows, []string{"alarm", al.Name, strings.ToLower(strings.ReplaceAll(al.State, "_", " ")), "", ""})
	}
	fmt.Fprint(a.stdout, columns(rows))
	if s.LastRun != nil {
		a.say("last run %s, published %s UTC", s.LastRun.Run, s.LastRun.Finished.UTC().Format("2006-01-02 15:04:05"))
	} else if s.RunsDenied {
		a.say("what was published last these credentials may not read; the executions say how it went")
	} else {
		a.say("nothing was published yet")
	}
	if !s.OK {
		a.say("`%s` says more", a.alike("deploy logs"))
	}
}

func deployLogsCommand(a *app) *cobra.Command {
	var follow bool
	var since string
	cmd := &cobra.Command{
		Use:   "logs [function|machine|job]",
		Short: "Show what the deployed lake's parts have written to their logs",
		Long:  "Shows the lines of the Lambda function, the state machine and the Glue job, in order of time. With --follow it goes on until Ctrl-C.",
		Example: `  tarn deploy logs --target aws
  tarn deploy logs function --since 1d --target aws
  tarn deploy logs --follow --target aws`,
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"function", "machine", "job"},
		RunE: func(cmd *cobra.Command, args []string) error {
			age, err := days(since)
			if err != nil {
				return &usageError{fmt.Errorf("--since: %w", err)}
			}
			if follow && a.json {
				return &usageError{errors.New("--follow never ends, and --json is one object: choose one of them")}
			}
			spec, st, err := a.deployed(cmd, nil)
			if err != nil {
				return err
			}
			groups, err := st.LogGroups(cmd.Context())
			if err != nil {
				return err
			}
			n, out := spec.Names(), deployLogsJSON{Lines: []stack.Line{}}
			name := map[string]string{}
			for _, g := range groups {
				for what, begins := range map[string]string{"function": n.FunctionLogs, "machine": n.MachineLogs, "job": n.JobLogs} {
					if g == begins || strings.HasPrefix(g, begins+"/") {
						name[g] = what
					}
				}
				if len(args) == 1 && name[g] != args[0] {
					delete(name, g)
				}
			}
			err = st.Logs(cmd.Context(), slices.Sorted(maps.Keys(name)), time.Now().Add(-age), follow, func(l stack.Line) error {
				if a.json {
					out.Lines = append(out.Lines, l)
					return nil
				}
				a.say("%s  %-8s  %s", l.Time.Format("2006-01-02 15:04:05"), name[l.Group], l.Text)
				return nil
			})
			if err == nil && a.json {
				return a.print(out)
			}
			return err
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on until Ctrl-C")
	cmd.Flags().StringVar(&since, "since", "1h", "how far back, an `age` such as 30m, 12h or 2d")
	return cmd
}
