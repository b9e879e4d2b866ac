package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tarn/internal/awsconf"
	"tarn/internal/crawl"
	"tarn/internal/project"
	"tarn/internal/store/registry"
)

func crawlCommand(a *app) *cobra.Command {
	var o crawlOptions
	cmd := &cobra.Command{
		Use:   "crawl PATH|s3://…",
		Short: "Look at raw files and write the Athena DDL of landing tables for them",
		Long: `Finds the tables in a folder or a bucket: format, compression, k=v and date folders, fields with their types, how often each
was seen, ranges, likely keys, times as numbers. Prints what it found and a CREATE EXTERNAL TABLE for each table.

Types are chosen so that every row that was read loads, which is proved by reading the rows again as a run does. What does
not fit together is shown with examples. Of many files a sample is read: up to 100 of each table, spread over all folders;
--all reads every file to its end. Files are never changed.

--write adds landing/NAME.sql and a starter NAME.yml to the lake that -C or the working directory is in. What is there is
never overwritten: then the differences are told. docs/crawl.md says how types are chosen.`,
		Example: `  tarn crawl data
  tarn crawl data --write              add what is found to the lake
  tarn crawl s3://my-bucket/landing/ --all
  tarn crawl data/orders --ddl | tee orders.sql`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeFolder,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.ddl && (a.json || o.write) {
				return &usageError{errors.New("--ddl prints DDL and nothing else: leave out --json and --write")}
			}
			return a.crawl(cmd.Context(), args[0], o)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.write, "write", false, "add the tables to landing/ of the lake; nothing is overwritten")
	f.BoolVar(&o.all, "all", false, "read every file to its end")
	f.BoolVar(&o.ddl, "ddl", false, "print the DDL alone")
	return cmd
}

type crawlOptions struct{ write, all, ddl bool }

// completeFolder offers folders and files.
func completeFolder(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, noFiles
	}
	return nil, cobra.ShellCompDirectiveDefault
}

func (a *app) crawl(ctx context.Context, location string, o crawlOptions) error {
	l, err := a.crawledLake(o.write)
	if err != nil {
		return err
	}
	if !strings.Contains(location, "://") && !strings.HasPrefix(location, "file:") {
		if _, err := os.Stat(location); err != nil {
			return fmt.Errorf("%w: %w", errMissing, err)
		}
		location = absolute(location)
	}
	account := awsconf.Settings{}
	if l != nil {
		account = l.Config.AWS
	}
	started := time.Now()
	p := a.counter()
	r, err := crawl.Crawl(ctx, registry.New(account), location, crawl.Options{All: o.all, Progress: p.crawled})
	p.done()
	if errors.Is(err, crawl.ErrNothing) {
		return fmt.Errorf("%w: %w", errMissing, err)
	}
	if err != nil {
		return err
	}
	out := crawlJSON{Report: r, Placed: []crawl.Placed{}, Seconds: time.Since(started).Seconds()}
	if l != nil {
		if out.Placed, err = crawl.Place(l, r, o.write); err != nil {
			return err
		}
	}
	switch {
	case a.json:
		err = a.print(out)
	case o.ddl:
		a.showDDL(r)
	default:
		a.showCrawl(out, l, o)
	}
	if err == nil && len(r.Tables) == 0 {
		err = fmt.Errorf("%w: no JSON, CSV or Parquet file in %s", errMissing, r.Location)
		if a.json {
			return told(err)
		}
	}
	return err
}

// crawledLake reads the lake that the tables are for; nil if there is none and none is needed.
func (a *app) crawledLake(needed bool) (*project.Lake, error) {
	dir, err := a.lakeDir()
	if errors.Is(err, project.ErrNoLake) && !needed && a.dir == "" && a.target == "" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	l, err := project.Load(dir, a.target)
	if err != nil {
		return nil, err
	}
	// Mistakes in other tables are not in the way, but without tarn.yaml nothing can be placed.
	for _, d := range l.Diagnostics {
		if d.File == project.ConfigFile && d.Severity == "error" {
			return nil, l.Diagnostics.Err()
		}
	}
	return l, nil
}
