package artefact

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
)

// The architectures of AWS Lambda.
const (
	X86 = "x86_64"
	Arm = "arm64"
)

// ProgramError says why a program cannot run where the function does.
type ProgramError struct {
	// Path is the program's, Arch what the function has.
	Path, Arch string
	Err        error
}

func (e *ProgramError) Error() string {
	return fmt.Sprintf("%s cannot be the Lambda function's program: %v", e.Path, e.Err)
}

func (e *ProgramError) Unwrap() error { return e.Err }

// Hint says how to get one that can.
func (e *ProgramError) Hint() string {
	build := "`go build -tags grpcnotrace,lambda.norpc -o tarn-linux ./cmd/tarn` on Linux"
	if e.Arch == Arm {
		build = "`GOARCH=arm64 CGO_ENABLED=1 CC=aarch64-linux-gnu-gcc CXX=aarch64-linux-gnu-g++ go build -tags grpcnotrace,lambda.norpc -o tarn-linux ./cmd/tarn`"
	}
	return "give one for Linux on " + e.Arch + " with --binary FILE; " + build + " makes it: see docs/build.md"
}

// machines are the ELF names of the architectures.
var machines = map[string]elf.Machine{X86: elf.EM_X86_64, Arm: elf.EM_AARCH64}

// there is what Amazon Linux 2023 has, on which provided.al2023 stands: glibc 2.34 and the libraries of GCC 11 (Amazon Linux 2023
// User Guide, "Comparing AL2 and AL2023"; GCC, "ABI Policy and Guidelines").
var there = []struct{ prefix, most, what string }{
	{"GLIBC_", "2.34", "glibc"},
	{"GLIBCXX_", "3.4.29", "libstdc++"},
	{"CXXABI_", "1.3.13", "libstdc++"},
}

// libraries are those that provided.al2023 has and a program of Go, C and C++ may need.
var libraries = []string{"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libresolv.so.2", "libstdc++.so.6", "libgcc_s.so.1",
	"ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}

// Inspect makes sure that a program runs on Lambda's provided.al2023 of an architecture. The error is a [ProgramError] where it does
// not.
func Inspect(path, arch string) error {
	f, err := elf.Open(path)
	var file *fs.PathError
	switch {
	case errors.As(err, &file):
		return err
	case err != nil: // also a file that is shorter than any program
		return &ProgramError{path, arch, errors.New("it is no program for Linux")}
	}
	if err := errors.Join(inspect(f, arch), f.Close()); err != nil {
		return &ProgramError{path, arch, err}
	}
	return nil
}

func inspect(f *elf.File, arch string) error {
	if f.OSABI != elf.ELFOSABI_NONE && f.OSABI != elf.ELFOSABI_LINUX || f.Type != elf.ET_EXEC && f.Type != elf.ET_DYN {
		return errors.New("it is no program for Linux")
	}
	if f.Machine != machines[arch] {
		return fmt.Errorf("it is for %s, and the function is set to %s", strings.TrimPrefix(f.Machine.String(), "EM_"), arch)
	}
	needed, err := f.ImportedLibraries()
	if err != nil {
		return err
	}
	for _, l := range needed {
		if !slices.Contains(libraries, l) {
			return fmt.Errorf("it needs %s, which Amazon Linux 2023 does not have", l)
		}
	}
	versions, err := f.DynamicVersionNeeds()
	if err != nil && !errors.Is(err, elf.ErrNoSymbols) { // without any, it needs no library
		return err
	}
	for _, l := range versions {
		for _, need := range l.Needs {
			for _, t := range there {
				if v, ok := strings.CutPrefix(need.Dep, t.prefix); ok && newer(v, t.most) {
					return fmt.Errorf("it needs %s %s of %s, and Amazon Linux 2023 has %s%s", t.what, need.Dep, l.Name, t.prefix, t.most)
				}
			}
		}
	}
	return nil
}

// newer compares versions such as 2.34. What is no number, as in GLIBC_PRIVATE, is newer than any.
func newer(version, than string) bool {
	a, b := strings.Split(version, "."), strings.Split(than, ".")
	for i, part := range a {
		n, err := strconv.Atoi(part)
		if err != nil {
			return true
		}
		have := 0
		if i < len(b) {
			have, _ = strconv.Atoi(b[i]) // ours are numbers
		}
		if n != have {
			return n > have
		}
	}
	return false
}

// Running is the path of the program that is running.
func Running() (string, error) { return os.Executable() }
