package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"tarn/internal/intake"
	"tarn/internal/project"
	"tarn/internal/template"
)

func initCommand(a *app) *cobra.Command {
	var name, from string
	var account intake.Account
	cmd := &cobra.Command{
		Use:   "init DIR",
		Short: "Start a lake: from a template, or from DDL and files that you have",
		Long: `Writes the definitions of a lake into DIR. A template gives the model case of a balance-training device (stedi) or no
tables at all (empty). --from looks through a folder with DDL scripts and raw files, such as a course repository or an
export from Athena, and writes a lake over them: files are neither copied nor changed.

tarn.yaml, which is written too, says in comments what its targets are: laptop, which is this machine, and aws, the same
lake in a bucket.

--from glue://DATABASE takes the external tables of a database of the AWS Glue Data Catalog: their DDL goes into landing/, the
raw files are read where they are, and nothing in Glue is changed.`,
		Example: `  tarn init mylake
  tarn init mylake --template empty
  tarn init mylake --from ~/nd027-project
  tarn init mylake --from glue://team_raw --region eu-central-1`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o := template.Options{Name: project.Clean(filepath.Base(absolute(args[0]))), Schema: project.JSONSchema(), HeaderSchema: project.HeaderJSONSchema()}
			if err := project.CheckFolder(absolute(args[0])); err != nil {
				return &usageError{err}
			}
			if from != "" {
				if cmd.Flags().Changed("template") {
					return &usageError{errors.New("either --template or --from, not both")}
				}
				if intake.IsSource(from) {
					return a.initFromCatalog(cmd.Context(), args[0], from, account, o)
				}
				info, err := os.Stat(from)
				if err != nil {
					return fmt.Errorf("%w: %w", errMissing, err)
				}
				if !info.IsDir() {
					return &usageError{fmt.Errorf("--from %s is a file: name the folder that it is in", from)}
				}
				r, err := template.From(cmd.Context(), args[0], from, o)
				if err != nil {
					return err
				}
				return a.showFound(args[0], r)
			}
			files, err := template.Write(args[0], name, o)
			if err != nil {
				return err
			}
			return a.showInit(args[0], name, files)
		},
	}
	cmd.Flags().StringVar(&name, "template", "stedi", "one of: "+strings.Join(template.Names(), ", "))
	cmd.Flags().StringVar(&from, "from", "", "folder with DDL and raw files to write the lake over, or glue://DATABASE")
	f := cmd.Flags()
	f.StringVar(&account.AWS.Region, "region", "", "AWS region of the Glue database (default: as all AWS tools find it)")
	f.StringVar(&account.AWS.Profile, "profile", "", "profile of ~/.aws/config for it (default: as all AWS tools find it)")
	f.StringVar(&account.AWS.Endpoint, "endpoint", "", "`URL` of another server than AWS's for it")
	f.StringVar(&account.CatalogID, "catalog-id", "", "`account` of its Glue Data Catalog (default: your own)")
	return cmd
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

func (a *app) showInit(dir, name string, files []string) error {
	if a.json {
		return a.print(initJSON{absolute(dir), name, files})
	}
	a.say("wrote a lake into %s:", dir)
	for _, f := range files {
		a.say("  %s", f)
	}
	if name == "stedi" {
		a.say("next: put raw files into %s, or make some with `tarn sample %s`, then `tarn run -C %s`", filepath.Join(dir, "data"), filepath.Join(dir, "data"), dir)
		a.say("      in a bucket: targets: in %s says how, and `BUCKET=my-bucket tarn doctor -C %s --target aws` tries it", filepath.Join(dir, project.ConfigFile), dir)
	} else {
		a.say("next: put the DDL of a landing table into %s and a SELECT into %s, then `tarn validate -C %s`", filepath.Join(dir, "landing"), filepath.Join(dir, "trusted"), dir)
	}
	return nil
}

func (a *app) showFound(dir string, r *template.Report) error {
	if a.json {
		return a.print(r)
	}
	a.say("wrote a lake into %s, database %s:", dir, r.Database)
	for _, t := range r.Tables {
		where := "no data found for " + t.Location
		if t.Data != nil {
			where = fmt.Sprintf("%s in %s", plural(int64(t.Data.Files), t.Data.Format+" file"), t.Data.Folder)
		}
		a.say("  landing table %s: %s", t.Name, where)
	}
	for _, m := range r.Models {
		if r.TemplateModels {
			m += ", from the template"
		}
		a.say("  model %s", m)
	}
	for _, d := range r.DataWithoutDDL {
		a.say("not placed: %s has %s and no DDL", d.Folder, plural(int64(d.Files), d.Format+" file"))
	}
	for _, s := range r.Skipped {
		a.say("skipped: %s:%d: %s", s.File, s.Line, s.Reason)
	}
	for _, s := range r.OtherSQL {
		a.say("not used: %s:%d: %s", s.File, s.Line, s.Text)
	}
	for _, n := range r.Notes {
		a.say("note: %s", n)
	}
	if len(r.Diagnostics) > 0 {
		a.showDiagnostics(r.Diagnostics)
	}
	if len(r.Tables) == 0 {
		a.say("next: put a CREATE EXTERNAL TABLE for each of these folders into %s, then `tarn validate -C %s`", filepath.Join(dir, "landing"), dir)
		return nil
	}
	if r.Diagnostics.Err() != nil {
		a.say("next: mend that, and `tarn validate -C %s`", dir)
		return nil
	}
	a.say("next: `tarn run -C %s`", dir)
	return nil
}
