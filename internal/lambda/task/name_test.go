package task_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"tarn/internal/lambda/task"
)

// Names are such as Step Functions takes, and tell lakes, targets and moments apart.
func TestExecutionName(t *testing.T) {
	t.Parallel()
	at := time.Date(2025, 1, 31, 10, 0, 21, 0, time.FixedZone("CET", 3600))
	if got := task.ExecutionName("stedi", "aws", at); got != "stedi-aws-20250131T090021Z" {
		t.Error(got)
	}
	if got := task.ExecutionName("stedi", "", at); got != "stedi-20250131T090021Z" {
		t.Error(got)
	}
	long := strings.Repeat("x", 100)
	names := map[string]bool{}
	for _, name := range []string{task.ExecutionName(long, "a", at), task.ExecutionName(long, "b", at), task.ExecutionName(long, "a", at.Add(time.Second))} {
		if len(name) != 80 || !regexp.MustCompile(`^[a-zA-Z0-9_-]+$`).MatchString(name) || names[name] {
			t.Error(name)
		}
		names[name] = true
	}
}
