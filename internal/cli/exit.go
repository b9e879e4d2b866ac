package cli

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"syscall"

	"tarn/internal/awsconf"
	"tarn/internal/catalog"
	"tarn/internal/catalog/glue"
	"tarn/internal/check"
	"tarn/internal/connect"
	"tarn/internal/cost"
	"tarn/internal/deploy"
	"tarn/internal/deploy/artefact"
	"tarn/internal/deploy/cfn"
	"tarn/internal/deploy/stack"
	"tarn/internal/diag"
	"tarn/internal/engine"
	"tarn/internal/events"
	"tarn/internal/intake"
	"tarn/internal/lake"
	"tarn/internal/lambda"
	"tarn/internal/ledger"
	"tarn/internal/notebook"
	"tarn/internal/project"
	"tarn/internal/query"
	"tarn/internal/run"
	"tarn/internal/store/s3"
	"tarn/internal/template"
)

// Exit codes. They are a promise to scripts: existing ones never change their meaning. docs/cli.md is made of this table.
const (
	exitDone        = 0
	exitInternal    = 1
	exitUsage       = 2
	exitChecks      = 3
	exitDefinitions = 4
	exitMissing     = 5
	exitBusy        = 6
	exitRemote      = 7
	exitHeld        = 8
	exitInterrupted = 130
)

// ExitCode is one row of the table of exit codes.
type ExitCode struct {
	Code    int    `json:"code"`
	Meaning string `json:"meaning"`
}

// ExitCodes lists what the numbers mean.
func ExitCodes() []ExitCode {
	return []ExitCode{
		{exitDone, "done, or nothing to do"},
		{exitInternal, "something failed that should not: disk full, a file that cannot be read, a mistake in tarn"},
		{exitUsage, "the command line is wrong, or asks for what would overwrite or break something that is there"},
		{exitChecks, "a check failed, too many rows went to quarantine, or rows are unaccounted for: nothing was published"},
		{exitDefinitions, "the definitions have mistakes, or the SQL of a query has, or a model's SQL cannot be worked out for the rows that there are"},
		{exitMissing, "something named is not there: a lake, a table, a run, a folder"},
		{exitBusy, "another process is writing to the lake, or, for gc, reading it"},
		{exitRemote, "a store or catalog elsewhere cannot be reached, or refuses: network, credentials, rights"},
		{exitHeld, "another program has changed rows of a table: it and what is made of it were left as they are, all else was done"},
		{exitInterrupted, "interrupted by Ctrl-C, SIGTERM or SIGHUP, or not agreed to: nothing was published"},
	}
}

// exitCode finds the number for an error.
func exitCode(ctx context.Context, err error) int {
	var unread *events.Error
	var usage *usageError
	var list *diag.ListError
	var checks *run.CheckError
	var quarantined *run.QuarantineError
	var account *run.LedgerError
	var sql *query.Error
	var wrong *check.WrongError
	var carry *run.CarryError
	var fails *run.ModelError
	var changed *run.ChangedError
	var otherWarehouse *lake.OtherError
	var overHalf *lake.OverHalfError
	var reference *lake.ReferenceError
	var remote *s3.Error
	var settings *awsconf.SettingsError
	var inGlue *glue.Error
	var undeployable *project.DeployError
	var unfitLake *deploy.UnfitError
	var tooBig *cfn.TooBigError
	var program *artefact.ProgramError
	var size *artefact.SizeError
	var taken *stack.TakenError
	var notThere *stack.MissingError
	var stackFailed *stack.FailedError
	var stackRefused *stack.Error
	var unfit *connect.UnfitError
	var unpinned *run.NotPinnedError
	var column *notebook.ColumnError
	var held *run.HeldError
	switch {
	case err == nil:
		return exitDone
	case ctx.Err() != nil || errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &usage), errors.As(err, &unread), errors.As(err, &unfit), errors.As(err, &held), errors.As(err, &column), errors.Is(err, connect.ErrLongQuery):
		return exitUsage
	case errors.As(err, &changed), errors.Is(err, errHeld), errors.As(err, &unpinned):
		return exitHeld
	case errors.As(err, &checks), errors.As(err, &quarantined), errors.As(err, &account), errors.Is(err, ledger.ErrUnexplained):
		return exitChecks
	case errors.As(err, &sql) && sql.Denied != nil:
		return exitRemote
	case errors.As(err, &undeployable), errors.As(err, &unfitLake), errors.As(err, &tooBig):
		return exitDefinitions
	case errors.As(err, &program), errors.As(err, &size), errors.As(err, &taken):
		return exitUsage
	case errors.Is(err, stack.ErrDeclined):
		return exitInterrupted
	case errors.As(err, &notThere):
		return exitMissing
	case errors.As(err, &stackFailed), errors.As(err, &stackRefused):
		return exitRemote
	case errors.As(err, &list), errors.As(err, &sql), errors.As(err, &wrong), errors.As(err, &carry), errors.As(err, &fails), errors.Is(err, template.ErrTwoDatabases):
		return exitDefinitions
	case errors.Is(err, project.ErrNoLake), errors.Is(err, run.ErrUnknownTable), errors.Is(err, run.ErrUnknownRun), errors.Is(err, lake.ErrNotKept), errors.Is(err, lake.ErrNoHold), errors.As(err, &reference), errors.Is(err, template.ErrNothingFound), errors.Is(err, intake.ErrNoTable), errors.Is(err, errMissing):
		return exitMissing
	case errors.Is(err, run.ErrBusy), errors.Is(err, run.ErrReaders), errors.Is(err, catalog.ErrLockLost):
		return exitBusy
	case errors.Is(err, errUnwell), errors.Is(err, engine.ErrNotStarted), errors.Is(err, engine.ErrNoResult), errors.Is(err, engine.ErrCancelled), errors.Is(err, engine.ErrUnheard):
		return exitRemote
	case errors.As(err, &remote):
		if remote.Missing() {
			return exitMissing
		}
		return exitRemote
	case errors.As(err, &inGlue):
		if inGlue.Missing() {
			return exitMissing
		}
		return exitRemote
	case errors.Is(err, glue.ErrNotOurs), errors.Is(err, glue.ErrOtherLake), errors.As(err, &otherWarehouse), errors.As(err, &overHalf), errors.Is(err, lake.ErrEmptyCatalog):
		return exitUsage
	case errors.Is(err, awsconf.ErrNoRegion), errors.As(err, &settings):
		return exitRemote
	case errors.Is(err, lambda.ErrNoRuntime), errors.Is(err, template.ErrInTheWay), errors.Is(err, template.ErrUnknownTemplate), errors.Is(err, run.ErrDefined), errors.Is(err, cost.ErrPrices):
		return exitUsage
	}
	return exitInternal
}

// errMissing says that something named on the command line is not there.
var errMissing = errors.New("not there")

// finish says what went wrong and gives the exit code.
func (a *app) finish(ctx context.Context, err error) int {
	code := exitCode(ctx, err)
	if err == nil {
		return code
	}
	if errors.Is(err, syscall.EPIPE) {
		// Whoever reads the output has seen enough.
		return exitDone
	}
	if errors.Is(err, errTold) {
		return code
	}
	var sql *query.Error
	var list *diag.ListError
	var quarantined *run.QuarantineError
	var fails *run.ModelError
	errors.As(err, &list)
	errors.As(err, &fails)
	errors.As(err, &sql)
	if a.json {
		f := failure{Error: errorText(ctx, err), Hint: a.hint(err), ExitCode: code}
		if list != nil {
			f.Diagnostics, f.Error = list.Diagnostics, counted(list.Diagnostics)
		}
		if fails != nil {
			f.Diagnostics = diag.List{fails.Diagnostic}
		}
		if sql != nil {
			f.Diagnostics, f.Error, f.Hint = diag.List{sql.Diagnostic}, sql.Diagnostic.Message, sql.Diagnostic.Hint
		}
		if a.print(f) != nil {
			return exitInternal
		}
		return code
	}
	switch {
	case code == exitInterrupted:
		if a.publishes {
			a.tell("interrupted: nothing was published, readers see what they saw before")
		} else {
			a.tell("interrupted")
		}
	case list != nil:
		a.showDiagnostics(list.Diagnostics)
	case sql != nil:
		a.tell("%s", sql.Diagnostic.Text())
	case fails != nil:
		a.tell("error: %s cannot be made of the rows that there are", fails.Table)
		a.tell("%s", fails.Diagnostic.Text())
	case errors.As(err, &quarantined):
		a.showExceeded(quarantined)
	default:
		a.tell("error: %v", err)
	}
	if h := a.hint(err); h != "" {
		a.tell("hint: %s", h)
	}
	return code
}

// errorText is what --json says of an error.
func errorText(ctx context.Context, err error) string {
	if exitCode(ctx, err) == exitInterrupted {
		// What was being done at that moment is nobody's concern.
		return "interrupted"
	}
	return err.Error()
}

// hint finds what to do about an error.
func (a *app) hint(err error) string {
	var unread *events.Error
	var usage *usageError
	var path *fs.PathError
	switch {
	case errors.As(err, &path) && errors.Is(err, fs.ErrNotExist) && strings.HasSuffix(path.Path, ".metadata.json"):
		return "tables keep the absolute paths of their files: if the lake was moved or copied, move it back, or remove its .tarn folder and run `tarn run`"
	case diag.Hint(err) != "":
		return diag.Hint(err)
	case errors.As(err, &unread):
		return "what `aws sqs receive-message` prints, a Lambda function gets or EventBridge delivers: see docs/landing.md"
	case errors.As(err, &usage):
		return "`" + a.command + " --help`"
	case errors.Is(err, run.ErrBusy):
		return "wait for it, or use --wait"
	case errors.Is(err, syscall.ENOSPC) || strings.Contains(err.Error(), "No space left on device"):
		// DuckDB gives its errors as texts.
		if !a.publishes {
			return "the disk is full"
		}
		return "the disk is full: make room (`tarn gc` removes what no kept run needs), then run again"
	}
	return ""
}

// told wraps an error that the command has already shown, so that only its exit code is left.
func told(err error) error { return errors.Join(errTold, err) }
