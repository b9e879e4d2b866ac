package main

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// duckdbVersion is the one inside tarn, so that the two differ in nothing but what is measured.
const duckdbVersion = "1.5.6"

// landing are the folders of raw files in a data set.
var landing = []string{"customer", "accelerometer", "step_trainer"}

// dataset is a folder of raw files, one sub-folder each of [landing], with the row counts that the five models have to give.
type dataset struct {
	name, dir string
	want      map[string]int64
}

// generated are the arguments of gen.py by data set.
var generated = map[string][]string{
	"S10":  {"--customers", "1000", "--sessions", "6"},
	"S100": {"--customers", "4000", "--sessions", "12"},
}

// prepare makes a data set in the cache unless it is there, and asks golden.py for the right counts.
func prepare(ctx context.Context, o options, python, name string) (dataset, error) {
	d := dataset{name: name, dir: filepath.Join(o.cache, name)}
	if _, err := os.Stat(d.dir); errors.Is(err, fs.ErrNotExist) {
		fresh := d.dir + ".new"
		if err := os.RemoveAll(fresh); err != nil {
			return d, err
		}
		args, ok := generated[name]
		switch {
		case ok:
			err = quietly(ctx, python, append([]string{filepath.Join(o.peers, "gen.py"), fresh}, args...)...)
		case name == "stedi":
			err = unzip(o.stedi, fresh)
		default:
			err = errors.New("no such data set")
		}
		if err == nil {
			err = os.Rename(fresh, d.dir)
		}
		if err != nil {
			return d, err
		}
	} else if err != nil {
		return d, err
	}
	out, err := exec.CommandContext(ctx, python, filepath.Join(o.peers, "golden.py"), d.dir).Output()
	if err != nil {
		return d, fmt.Errorf("golden.py: %w", err)
	}
	return d, json.Unmarshal(out, &d.want)
}

// unzip lays out the real files as gen.py does its own.
func unzip(from, to string) error {
	for _, t := range landing {
		files, err := filepath.Glob(filepath.Join(from, t, "landing", "*.json.gz"))
		if err == nil && len(files) == 0 {
			err = fmt.Errorf("no files in %s\nhint: -stedi names the folder of the real files", filepath.Join(from, t, "landing"))
		}
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Join(to, t), 0o755); err != nil {
			return err
		}
		for _, f := range files {
			if err := unzipFile(f, filepath.Join(to, t, strings.TrimSuffix(filepath.Base(f), ".gz"))); err != nil {
				return err
			}
		}
	}
	return nil
}

func unzipFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	z, err := gzip.NewReader(in)
	if err != nil {
		return err
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, z)
	return errors.Join(err, out.Close())
}

// newLake writes a new stedi lake whose landing folders are those of a data set.
func newLake(ctx context.Context, tarn, lake, data string) error {
	if err := os.RemoveAll(lake); err != nil {
		return err
	}
	if err := quietly(ctx, tarn, "init", lake, "--template", "stedi"); err != nil {
		return err
	}
	for _, t := range landing {
		folder := filepath.Join(lake, "data", t, "landing")
		if err := os.Remove(folder); err != nil { // as init left it: empty
			return err
		}
		if err := os.Symlink(filepath.Join(data, t), folder); err != nil {
			return err
		}
	}
	return nil
}

// rightCounts asks a lake for the rows of its models.
func rightCounts(ctx context.Context, want map[string]int64, query command) error {
	for _, table := range []string{"customer_trusted", "accelerometer_trusted", "customers_curated", "step_trainer_trusted", "machine_learning_curated"} {
		cmd := exec.CommandContext(ctx, query.args[0], append(query.args[1:len(query.args):len(query.args)], "--format", "csv", "SELECT count(*) FROM "+table)...)
		out, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("query %s: %w", table, err)
		}
		lines := strings.Fields(string(out))
		if got := lines[len(lines)-1]; got != fmt.Sprint(want[table]) {
			return fmt.Errorf("%s has %s rows, want %d", table, got, want[table])
		}
	}
	return nil
}

// pythonWithDuckDB gives a Python that has what the peers' scripts import, installing it the first time.
func pythonWithDuckDB(ctx context.Context, cache string) (string, error) {
	venv := filepath.Join(cache, "python")
	python := filepath.Join(venv, "bin", "python")
	if exec.CommandContext(ctx, python, "-c", "import duckdb, numpy; assert duckdb.__version__ == '"+duckdbVersion+"'").Run() == nil {
		return python, nil
	}
	if err := quietly(ctx, "python3", "-m", "venv", venv); err != nil {
		return "", err
	}
	return python, quietly(ctx, python, "-m", "pip", "install", "--quiet", "duckdb=="+duckdbVersion, "numpy==2.4.6")
}
