package spark

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
)

// Load lets the machines of a job read landing files. Spark only shares the work out: what reads a batch is tarn itself, so that
// a row is taken or rejected by the same code wherever it is read.
type Load struct {
	// Worker is the location of the program, or, with InPlace, a path that all machines of the job have.
	Worker  string `json:"worker"`
	InPlace bool   `json:"in_place"`
	// Args stand between `worker` and the location of a batch.
	Args    []string `json:"args"`
	Batches []Batch  `json:"batches"`
}

// Batch is one task: some landing files of one table.
type Batch struct {
	Table    string `json:"table"`
	Location string `json:"location"`
	// Bytes are those of its files, as they are stored.
	Bytes int64 `json:"bytes"`
}

// Worker is the program that reads batches.
type Worker struct {
	// Program is its path on this machine; "" is the one that is running.
	Program string
	// Args say how it reaches the account.
	Args []string
	// InPlace says that the job runs on this machine, where the program need not be brought to.
	InPlace bool
}

// ErrWorker says that the program does not run on the machines of a cluster.
var ErrWorker = errors.New("the machines of a Spark cluster run programs for Linux on x86-64")

// WorkerError tells why there is no program for the machines.
type WorkerError struct {
	Path string
	Err  error
}

func (e *WorkerError) Error() string {
	return fmt.Sprintf("landing files on Spark: %s: %v", e.Path, e.Err)
}

func (e *WorkerError) Unwrap() error { return e.Err }

// Hint says what to do.
func (e *WorkerError) Hint() string {
	return "name a tarn for Linux on x86-64, of this version, as worker: of the target's engine, or read the files here with load: here"
}

// path finds the program, and refuses one that the machines cannot run.
func (w Worker) path() (path string, err error) {
	if path = w.Program; path == "" {
		if path, err = os.Executable(); err != nil {
			return "", err
		}
	}
	if w.InPlace {
		if _, err := os.Stat(path); err != nil {
			return "", &WorkerError{path, err}
		}
		return path, nil
	}
	f, err := elf.Open(path)
	var format *elf.FormatError
	if errors.As(err, &format) || w.Program == "" && runtime.GOOS != "linux" {
		return "", &WorkerError{path, ErrWorker}
	}
	if err != nil {
		return "", &WorkerError{path, err}
	}
	machine := f.Machine
	if err := f.Close(); err != nil {
		return "", &WorkerError{path, err}
	}
	if machine != elf.EM_X86_64 {
		return "", &WorkerError{path, fmt.Errorf("%w, and this is one for %s", ErrWorker, machine)}
	}
	return path, nil
}

// CanLoad says why the machines of a job could not read landing files, or nothing.
func (e *Engine) CanLoad() error {
	_, err := e.Worker.path()
	return err
}

// Load describes the reading of batches. A program that has to be brought to the machines is put beside the runner, by its
// content, once.
func (e *Engine) Load(ctx context.Context, batches []Batch) (*Load, error) {
	path, err := e.Worker.path()
	if err != nil {
		return nil, err
	}
	l := &Load{Worker: path, InPlace: e.Worker.InPlace, Args: append([]string{}, e.Worker.Args...), Batches: batches}
	if l.InPlace {
		return l, nil
	}
	name, err := e.workerName()
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, &WorkerError{path, err}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, &WorkerError{path, err}
	}
	l.Worker = e.Own + "/" + name
	return l, e.putOnce(ctx, l.Worker, io.NewSectionReader(f, 0, info.Size()))
}
