package spark

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"tarn/internal/store"
)

// workerPrefix begins the name of a program that reads landing files; the content's sum follows.
const workerPrefix = "worker-"

// Leftover is a file that no job will read again.
type Leftover struct {
	Location string
	Bytes    int64
}

// Leftovers lists what lies beside the tables for jobs that are no more and was written before a time: runners and programs of
// other versions of tarn, and what is in folders of runs. Runner and program of this one stay, and so does what is named in
// keep. It is for whoever holds the lake's lock while no job is left to go on with.
func (e *Engine) Leftovers(ctx context.Context, before time.Time, keep ...string) ([]Leftover, error) {
	s, prefix, err := e.Stores.Locate(ctx, e.Own+"/")
	if err != nil {
		return nil, err
	}
	keep = append(keep, path.Base(e.runnerLocation()))
	summed := false
	var out []Leftover
	for o, err := range s.List(ctx, prefix, store.ListOptions{}) {
		if err != nil {
			return nil, err
		}
		if !o.Modified.Before(before) {
			continue
		}
		name := strings.TrimPrefix(o.Key, prefix)
		if strings.HasPrefix(name, workerPrefix) && !summed {
			summed = true
			if own, err := e.workerName(); err == nil {
				keep = append(keep, own)
			}
		}
		if !slices.Contains(keep, name) {
			out = append(out, Leftover{Location: store.Location(s, o.Key), Bytes: o.Size})
		}
	}
	return out, nil
}

// workerName is what the program is called beside the tables, by its content.
func (e *Engine) workerName() (_ string, err error) {
	path, err := e.Worker.path()
	if err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", &WorkerError{path, err}
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", &WorkerError{path, err}
	}
	return workerPrefix + hex.EncodeToString(sum.Sum(nil)[:12]), nil
}
