package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// figures are those of one process: seconds, seconds, MiB.
type figures struct{ wall, cpu, peak float64 }

// measure runs a command to its end. Its output is kept only for the error.
func measure(ctx context.Context, c command) (figures, error) {
	f, _, err := measured(ctx, c)
	return f, err
}

// measured runs a command to its end, and gives what it has written to stdout.
func measured(ctx context.Context, c command) (figures, []byte, error) {
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	var out, messages bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &messages
	start := time.Now()
	err := cmd.Run()
	wall := time.Since(start).Seconds()
	if err != nil {
		return figures{}, nil, fmt.Errorf("%s: %w\n%s%s", filepath.Base(c.args[0]), err, messages.Bytes(), out.Bytes())
	}
	f := figures{wall: wall, cpu: (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()}
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		f.peak = float64(u.Maxrss) / 1024 // Linux counts KiB
	}
	return f, out.Bytes(), nil
}

// series are the figures of the same command, run by run.
type series []figures

func (s series) median() figures {
	return figures{
		wall: median(s, func(f figures) float64 { return f.wall }),
		cpu:  median(s, func(f figures) float64 { return f.cpu }),
		peak: median(s, func(f figures) float64 { return f.peak }),
	}
}

// ratio is the median, over the pairs, of ours to theirs.
func (s series) ratio(theirs series) figures {
	pairs := make(series, len(s))
	for i := range s {
		pairs[i] = figures{wall: s[i].wall / theirs[i].wall, cpu: s[i].cpu / theirs[i].cpu, peak: s[i].peak / theirs[i].peak}
	}
	return pairs.median()
}

func median(s series, of func(figures) float64) float64 {
	values := make([]float64, len(s))
	for i, f := range s {
		values[i] = of(f)
	}
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}
