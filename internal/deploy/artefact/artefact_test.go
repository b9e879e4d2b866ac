package artefact_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"tarn/internal/deploy/artefact"
)

// program builds a small program with cgo for the architecture of this machine.
func program(t *testing.T) (path, arch string) {
	t.Helper()
	arch = map[string]string{"amd64": artefact.X86, "arm64": artefact.Arm}[runtime.GOARCH]
	if runtime.GOOS != "linux" || arch == "" {
		t.Skip("the programs of this machine do not run on Lambda")
	}
	dir := t.TempDir()
	source := filepath.Join(dir, "main.c")
	if err := os.WriteFile(source, []byte("int main(void) { return 0; }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(dir, "program")
	if out, err := exec.Command("cc", "-o", path, source).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path, arch
}

func TestSameContentGivesTheSameZip(t *testing.T) {
	t.Parallel()
	path, arch := program(t)
	files := map[string][]byte{"tarn.yaml": []byte("name: shop\n"), "curated/a.sql": []byte("SELECT 1"), "queries/top.sql": []byte("SELECT 2")}
	write := func(path string, files map[string][]byte) (string, []byte) {
		t.Helper()
		b, err := artefact.New(path, arch, files)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		var last int64
		if err := b.Write(&out, func(done int64) { last = done }); err != nil {
			t.Fatal(err)
		}
		if last != b.Size {
			t.Errorf("told of %d of %d bytes", last, b.Size)
		}
		return b.Name(), out.Bytes()
	}
	name, first := write(path, files)
	// Neither a file's time nor its name on this machine matters.
	moved := filepath.Join(t.TempDir(), "other")
	raw, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(moved, raw, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	if again, second := write(moved, files); again != name || sha256.Sum256(first) != sha256.Sum256(second) {
		t.Errorf("%s and %s differ", name, again)
	}
	files["curated/a.sql"] = []byte("SELECT 3")
	if other, _ := write(path, files); other == name {
		t.Error("another definition has the same name")
	}

	z, err := zip.NewReader(bytes.NewReader(first), int64(len(first)))
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, f := range z.File {
		names = append(names, f.Name)
		if executable := f.Mode()&0o111 != 0; executable != !strings.HasPrefix(f.Name, "lake/") {
			t.Errorf("%s has mode %v", f.Name, f.Mode())
		}
	}
	if want := []string{"bootstrap", "lake/curated/a.sql", "lake/queries/top.sql", "lake/tarn.yaml", "tarn"}; !slices.Equal(names, want) {
		t.Errorf("the zip has %v", names)
	}
	in, err := z.Open("tarn")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(in); err != nil || !bytes.Equal(got, raw) {
		t.Errorf("the program is another one (%v)", err)
	}
}

func TestProgramsThatDoNotFit(t *testing.T) {
	t.Parallel()
	path, arch := program(t)
	other := map[string]string{artefact.X86: artefact.Arm, artefact.Arm: artefact.X86}[arch]
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		path, arch, says string
	}{
		"architecture": {path, other, "and the function is set to " + other},
		"script":       {script, arch, "it is no program for Linux"},
		"glibc":        {newer(t, path), arch, "it needs glibc GLIBC_2.99"},
	} {
		err := artefact.Inspect(c.path, c.arch)
		var wrong *artefact.ProgramError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), c.says) || !strings.Contains(wrong.Hint(), "--binary") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := artefact.Inspect(filepath.Join(t.TempDir(), "none"), arch); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// A program that needs no library runs anywhere.
func TestStaticProgram(t *testing.T) {
	t.Parallel()
	_, arch := program(t)
	source, path := filepath.Join(t.TempDir(), "main.c"), filepath.Join(t.TempDir(), "static")
	if err := os.WriteFile(source, []byte("int main(void) { return 0; }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cc", "-static", "-s", "-o", path, source).CombinedOutput(); err != nil {
		t.Skipf("nothing to link with: %s", out)
	}
	if err := artefact.Inspect(path, arch); err != nil {
		t.Error(err)
	}
}

// newer copies a program and has it need a glibc that does not exist: names of versions are texts in the file.
func newer(t *testing.T, path string) string {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	needs, err := f.DynamicVersionNeeds()
	if err != nil || len(needs) == 0 || len(needs[0].Needs) == 0 {
		t.Fatalf("%v: %v", needs, err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range needs[0].Needs {
		if len(n.Dep) == len("GLIBC_2.99") {
			out := filepath.Join(t.TempDir(), "newer")
			if err := os.WriteFile(out, bytes.ReplaceAll(raw, []byte(n.Dep+"\x00"), []byte("GLIBC_2.99\x00")), 0o755); err != nil {
				t.Fatal(err)
			}
			return out
		}
	}
	t.Fatalf("no version of a fitting length in %v", needs)
	return ""
}

func TestTooLarge(t *testing.T) {
	t.Parallel()
	path, arch := program(t)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err == nil {
		err = errors.Join(f.Truncate(artefact.Limit), f.Close()) // a hole, which takes no disk
	}
	if err != nil {
		t.Fatal(err)
	}
	_, err = artefact.New(path, arch, map[string][]byte{"tarn.yaml": []byte("name: x")})
	var size *artefact.SizeError
	if !errors.As(err, &size) || !strings.Contains(err.Error(), "250 MB") || !strings.Contains(size.Hint(), "-s -w") {
		t.Errorf("%v", err)
	}
}
