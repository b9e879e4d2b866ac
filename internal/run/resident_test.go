package run_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tarn/internal/exetest"
)

// Most tests on real Spark look at tables and not at how Spark starts, which takes longer than their work. So they share one
// Spark that stays, as a spark-submit which hands script and arguments to it. Only jobs that are killed, and a service's job that
// brings a program to its tasks, start one of their own.

// asResident lets the test binary be a spark-submit that sends its work to the socket of a Spark that stays.
const asResident = "TARN_TEST_AS_RESIDENT"

// master has tasks that fail tried again, as those of a cluster are.
const master = "local[2,3]"

// resident is the Spark that stays, from its first use until the tests end.
var resident struct {
	sync.Mutex
	socket string
	keeper io.Closer // a connection, with whose end it ends
	ended  chan error
}

// endResident ends it, if it was started.
func endResident() error {
	resident.Lock()
	defer resident.Unlock()
	if resident.keeper == nil {
		return nil
	}
	err := resident.keeper.Close()
	select {
	case <-resident.ended:
	case <-time.After(5 * time.Minute):
		err = errors.Join(err, errors.New("the Spark that stays does not end"))
	}
	return errors.Join(err, os.RemoveAll(filepath.Dir(resident.socket)))
}

// shared is a Spark whose spark-submit hands its work to the one that stays.
func (s realSpark) shared(t *testing.T) realSpark {
	t.Helper()
	resident.Lock()
	defer resident.Unlock()
	if resident.keeper == nil {
		if err := s.stay(); err != nil {
			t.Fatal(err)
		}
	}
	submit := filepath.Join(t.TempDir(), "submit")
	script := fmt.Sprintf("#!/bin/sh\n%s= %s='%s' exec '%s' \"$@\"\n", asTarn, asResident, resident.socket, os.Args[0])
	if err := exetest.WriteFile(submit, []byte(script)); err != nil {
		t.Fatal(err)
	}
	s.submit = submit
	return s
}

// stay starts it and waits until it answers.
func (s realSpark) stay() error {
	dir, err := os.MkdirTemp("", "tarn-spark")
	if err != nil {
		return err
	}
	script, err := filepath.Abs("testdata/resident.py")
	if err != nil {
		return err
	}
	args := []string{"--master", master, "--jars", strings.Join(s.jars, ",")}
	for key, value := range s.conf() {
		args = append(args, "--conf", key+"="+value)
	}
	resident.socket = filepath.Join(dir, "s")
	cmd := exec.Command(s.submit, append(args, script, resident.socket)...)
	cmd.Dir = dir
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	resident.ended = make(chan error, 1)
	go func() { resident.ended <- cmd.Wait() }()
	for {
		if resident.keeper, err = net.Dial("unix", resident.socket); err == nil {
			return nil
		}
		select {
		case err := <-resident.ended:
			text, _ := os.ReadFile(log.Name())
			return fmt.Errorf("the Spark that stays: %v\n%s", err, text)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// submitToResident is that spark-submit.
func submitToResident(socket string, args []string) int {
	fail := func(err error) int {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// Options come in pairs, and then the script.
	for len(args) > 1 && strings.HasPrefix(args[0], "--") {
		args = args[2:]
	}
	c, err := net.Dial("unix", socket)
	if err != nil {
		return fail(err)
	}
	if err := json.NewEncoder(c).Encode(map[string]any{"script": args[0], "args": args[1:]}); err != nil {
		return fail(err)
	}
	line, err := bufio.NewReader(c).ReadBytes('\n')
	if err != nil {
		return fail(err)
	}
	var answer struct {
		Code int    `json:"code"`
		Told string `json:"told"`
	}
	if err := json.Unmarshal(line, &answer); err != nil {
		return fail(err)
	}
	fmt.Fprint(os.Stderr, answer.Told)
	return answer.Code
}
