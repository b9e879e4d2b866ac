package task

import (
	"encoding/json"
	"strings"
	"testing"
)

// A task is read with what its execution was asked for and, when something has gone wrong, with where that stands.
func TestTask(t *testing.T) {
	for text, want := range map[string]string{
		`{"action":"plan","execution":"e","start":{}}`:                                                       `plan e [] false false `,
		`{"action":"plan","execution":"e","start":{"reason":"schedule"}}`:                                    `plan e [] false true `,
		`{"action":"run","execution":"e","run":"r","start":{"task":{"tables":["a"],"full_refresh":true}}}`:   `run e [a] true false r`,
		`{"action":"recover","execution":"e","state":{"at":"x","answer":{"run":"r"},"error":{"Error":"E"}}}`: `recover e [] false false r{"Error":"E"}`,
	} {
		var got Task
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var words []string
		for _, v := range []any{got.Action, got.Execution, got.Tables, got.FullRefresh, got.Relist} {
			raw, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			words = append(words, strings.NewReplacer(`"`, "", "null", "[]").Replace(string(raw)))
		}
		if said := strings.Join(words, " ") + " " + got.Run + got.Cause; said != want {
			t.Errorf("%s is %q, want %q", text, said, want)
		}
	}
	var bad Task
	if err := json.Unmarshal([]byte(`{"action":"plan","full_refersh":true}`), &bad); err == nil {
		t.Error("a member that is misspelt counts as left out")
	}
}
