package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"tarn/internal/intake"
	"tarn/internal/template"
)

func importCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "import glue://DATABASE[.TABLE]",
		Short: "Add the external tables of a Glue database to the lake, as DDL",
		Long: `Writes landing/NAME.sql for the external tables of a database of the AWS Glue Data Catalog, or for one of them, into the
lake that -C or the working directory is in. Region, profile, endpoint and catalog are those of the lake's settings, or of
--target. Nothing in Glue is changed, and no raw file is read.

What is there is never overwritten: a table that the lake defines already is left as it is, and it is said whether Glue has
the same. Views, Iceberg tables and formats that tarn does not read are named and left out.`,
		Example: `  tarn import glue://team_raw
  tarn import glue://team_raw.orders --target aws`,
		Args: oneOf("glue://DATABASE", "or glue://DATABASE.TABLE for one table"),
		RunE: func(cmd *cobra.Command, args []string) error {
			from, err := intake.ParseSource(args[0])
			if err != nil {
				return &usageError{err}
			}
			l, err := a.crawledLake(true)
			if err != nil {
				return err
			}
			r, err := intake.Import(cmd.Context(), l, intake.Account{AWS: l.Config.AWS, CatalogID: l.Config.CatalogID}, from)
			if err != nil {
				return err
			}
			return a.showTaken(r, "next: `tarn validate`")
		},
	}
}

// initFromCatalog makes a lake over the tables of a catalog.
func (a *app) initFromCatalog(ctx context.Context, dir, text string, account intake.Account, o template.Options) error {
	from, err := intake.ParseSource(text)
	if err != nil {
		return &usageError{err}
	}
	r, err := intake.Init(ctx, absolute(dir), account, from, o)
	if err != nil {
		return err
	}
	if !a.json {
		a.say("wrote a lake into %s:", dir)
	}
	return a.showTaken(r, fmt.Sprintf("next: `tarn doctor -C %[1]s`, then `tarn run -C %[1]s`", dir))
}

// showTaken tells what became of the tables of a catalog.
func (a *app) showTaken(r *intake.Report, next string) error {
	if a.json {
		return a.print(r)
	}
	taken := 0
	for _, t := range r.Tables {
		switch {
		case t.File != "":
			taken++
			a.say("  %s: %s, over %s", t.From, t.File, visible(t.Location))
		case t.Kept != "" && t.Differs:
			a.say("left as it is: %s defines %s in another way than Glue", t.Kept, t.Table)
		case t.Kept != "":
			a.say("left as it is: %s defines %s as Glue does", t.Kept, t.Table)
		default:
			a.say("skipped: %s: %s", t.From, visible(t.Skipped))
		}
		for _, n := range t.Notes {
			a.say("note: %s: %s", t.From, visible(n))
		}
	}
	for _, h := range r.Hints {
		a.say("hint: %s", h)
	}
	if taken > 0 {
		a.say("%s", next)
	}
	return nil
}
