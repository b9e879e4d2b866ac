package catalog_test

import (
	"os/exec"
	"testing"

	"tarn/internal/catalog"
)

func TestDead(t *testing.T) {
	self := catalog.Self(catalog.LockOptions{Run: "run"})
	if self.Machine == "" {
		t.Skip("this system does not tell one start of a machine from another")
	}
	if self.Dead() {
		t.Error("this process counts as dead")
	}
	other := self
	other.Began += "0"
	if !other.Dead() {
		t.Error("an earlier process with the same PID counts as alive")
	}
	elsewhere := other
	elsewhere.Machine = "another"
	if elsewhere.Dead() {
		t.Error("nobody here can know of a process of another machine")
	}
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	child := self
	child.PID = cmd.Process.Pid
	child.Began = catalog.Began(child.PID)
	if child.Dead() {
		t.Error("a living process counts as dead")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if !child.Dead() {
		t.Error("a killed process counts as alive")
	}
}
