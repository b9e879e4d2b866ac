package cli

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"tarn/internal/events"
	"tarn/internal/run"
)

// selectFlags are the flags that choose tables.
type selectFlags struct {
	selected []string
	full     bool
	prune    bool
	relist   bool
	events   string
}

func (s *selectFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVarP(&s.selected, "select", "s", nil, "`tables` to bring up to date, with what they read, such as x,y; x+ also takes what reads x")
	cmd.Flags().BoolVar(&s.full, "full-refresh", false, "read the landing files again and rebuild, whatever is up to date")
	cmd.Flags().BoolVar(&s.prune, "prune", false, "take out the rows of landing files that have vanished")
	cmd.Flags().BoolVar(&s.relist, "relist", false, "list all landing files in buckets, not only those of recent dates")
	cmd.Flags().StringVar(&s.events, "events", "", "`file` of S3 events that name landing files to look at, - for stdin; see docs/landing.md")
}

func (s *selectFlags) selection(a *app, args []string) (run.Selection, error) {
	tables := slices.Clone(args)
	for _, list := range s.selected {
		tables = append(tables, strings.Split(list, ",")...)
	}
	out := run.Selection{Tables: tables, FullRefresh: s.full, Prune: s.prune, Relist: s.relist}
	if s.events == "" {
		return out, nil
	}
	in, name := a.stdin, "the events on stdin"
	if s.events != "-" {
		name = s.events
		f, err := os.Open(s.events)
		if errors.Is(err, os.ErrNotExist) {
			return out, fmt.Errorf("%w: %w", errMissing, err)
		}
		if err != nil {
			return out, err
		}
		defer f.Close()
		in = f
	}
	batch, err := events.Read(in)
	if err != nil {
		return out, fmt.Errorf("%s: %w", name, err)
	}
	out.Events = &batch
	return out, nil
}
