package cli

import (
	"io"
	"strings"
	"testing"

	"tarn/internal/deploy"
	"tarn/internal/deployconf"
)

// TestEstimate is what tarn deploy says before it asks, of a lake that cannot be opened yet.
func TestEstimate(t *testing.T) {
	t.Parallel()
	a := &app{dir: t.TempDir(), stdout: io.Discard, stderr: io.Discard}
	spec := deploy.Spec{Landing: make([]deploy.Landing, 3), Models: make([]deploy.Model, 5), Settings: deployconf.Defaults()}
	lines, err := a.estimate(t.Context(), spec)
	if err != nil || len(lines) != 6 || !strings.Contains(lines[0], "an example") || !strings.Contains(lines[1], "24 files and 100,000 rows a day: 720 runs a month") {
		t.Errorf("%q, %v", lines, err)
	}
	spec.Settings.Notebook.On = true
	if with, err := a.estimate(t.Context(), spec); err != nil || !strings.Contains(with[2], "Amazon SageMaker $36.00") {
		t.Errorf("with a notebook: %q, %v", with, err)
	}
}
