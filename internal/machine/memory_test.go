package machine_test

import (
	"runtime"
	"testing"

	"tarn/internal/machine"
)

func TestMemory(t *testing.T) {
	n := machine.Memory()
	if known := runtime.GOOS == "linux" || runtime.GOOS == "darwin"; known && n < 64<<20 || n > 1<<50 {
		t.Errorf("%d bytes", n)
	}
}
