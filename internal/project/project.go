// Package project reads the definition of a lake: tarn.yaml, the DDL of landing tables, and models with their headers.
//
// [Load] collects every mistake that can be seen without understanding the SQL of models, each with file, line, column
// and most often a way out, so that one look shows them all. Binding the SQL is left to the packages above.
package project

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tarn/internal/ddl"
	"tarn/internal/diag"
)

// zones are the folders that hold definitions, in the order of the data's way.
var zones = []string{"landing", "trusted", "curated"}

// Lake is everything defined in a lake's folder.
type Lake struct {
	// Dir is the absolute folder that holds tarn.yaml.
	Dir    string
	Config Config
	// Landing tables and Models are sorted by zone and name. They include those with mistakes.
	Landing []*LandingTable
	Models  []*Model
	// Diagnostics holds all mistakes, sorted by place.
	Diagnostics diag.List

	// state is StateDir where that was chosen, or "".
	state string
	// unplaced: tarn.yaml has a mistake about places, so that one which is missing is no mistake of its own.
	unplaced bool
	// noDatabase: the name or database of tarn.yaml is wrong, so DDL cannot be held against it.
	noDatabase bool
}

// LandingTable is a table of raw files.
type LandingTable struct {
	// Name is the name in lower case, which is that of the file.
	Name   string
	Source diag.Source
	// DDL is nil if the file could not be read as DDL.
	DDL *ddl.Table
	// Sidecar is NAME.yml beside the DDL.
	Sidecar Header
	// Location is the LOCATION as the DDL has it.
	Location string
	// Dir is where the files of Location really are, whether or not there are any: an absolute folder of this machine, or
	// a location in an object store; "" if nothing tells.
	Dir string
}

// Model is a table made by a SELECT.
type Model struct {
	Name string
	// Zone is trusted or curated.
	Zone   string
	Source diag.Source
	// SQLStart is the byte offset in Source.Text where the SQL (or a plain comment before it) begins.
	SQLStart int
	// SQL is Source.Text from SQLStart.
	SQL    string
	Header Header
}

// Options change how a lake is loaded. The zero value works.
type Options struct {
	// Target chooses a target of tarn.yaml. Default: the settings at the top of the file.
	Target string
	// LookupEnv finds the values of ${NAME}. Default: os.LookupEnv.
	LookupEnv LookupEnv
	// State is a folder for what this machine keeps for the target, where the lake's own may only be read. Default: .tarn in the lake.
	State string
	// NoProfile leaves out the target's profile, where a process has a role in place of somebody's ~/.aws/config.
	NoProfile bool
}

// Find searches start and the folders above it for tarn.yaml and gives the absolute folder that holds it.
// The error is a [*NoLakeError] if there is none.
func Find(start string) (string, error) {
	start, err := filepath.Abs(start)
	if err != nil {
		return "", fmt.Errorf("find the lake: %w", err)
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(filepath.Join(dir, ConfigFile))
		if err == nil && !info.IsDir() {
			return dir, nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) && dir == start {
			return "", fmt.Errorf("find the lake: %w", err)
		}
		if dir == filepath.Dir(dir) {
			return "", &NoLakeError{Start: start}
		}
	}
}

// Load reads the lake in dir for a target ("" is the settings at the top of tarn.yaml), with the variables of the
// process's environment. See [LoadWith].
func Load(dir, target string) (*Lake, error) {
	return LoadWith(dir, Options{Target: target})
}

// LoadWith reads the lake in dir, which must hold tarn.yaml. Mistakes in the definitions are in the lake's Diagnostics;
// the error tells only that files could not be read (a [*NoLakeError] if tarn.yaml is not there).
func LoadWith(dir string, o Options) (*Lake, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("load the lake: %w", err)
	}
	if o.LookupEnv == nil {
		o.LookupEnv = os.LookupEnv
	}
	src, err := readSource(dir, ConfigFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &NoLakeError{Start: dir}
	}
	if err != nil {
		return nil, fmt.Errorf("load the lake: %w", err)
	}
	l := &Lake{Dir: dir, state: o.State}
	var file configYAML
	r := &resolver{decoder: &decoder{src: src}, dir: dir, env: o.LookupEnv}
	r.document(src.Text, &file)
	l.Config = r.resolve(&file, o.Target)
	if o.NoProfile {
		l.Config.AWS.Profile = ""
	}
	l.unplaced = l.Config.Warehouse == "" || slices.ContainsFunc(r.list, func(d diag.Diagnostic) bool {
		return d.Code == "invalid-yaml" || d.Code == "unknown-target" || strings.Contains(d.Hint, "did you mean warehouse?") || strings.Contains(d.Hint, "did you mean locations?")
	})
	l.noDatabase = !namePattern.MatchString(l.Config.Database) || slices.ContainsFunc(r.list, func(d diag.Diagnostic) bool {
		return strings.HasPrefix(d.Message, "database: ") || strings.Contains(d.Hint, "did you mean database?")
	})
	l.Diagnostics = append(l.Diagnostics, r.list...)
	if err := l.loadTables(); err != nil {
		return nil, fmt.Errorf("load the lake: %w", err)
	}
	l.Diagnostics = append(l.Diagnostics, l.duplicates()...)
	l.Diagnostics = l.Diagnostics.Sort()
	return l, nil
}

// StateDir is the absolute folder of what this machine keeps for the target: locks, copies of remote files, and, unless
// they are elsewhere, the catalog and the tables.
func (l *Lake) StateDir() string {
	if l.state != "" {
		return l.state
	}
	return l.Config.state(l.Dir)
}

func readSource(dir, rel string) (diag.Source, error) {
	text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(rel)))
	return diag.Source{File: rel, Text: string(text)}, err
}
