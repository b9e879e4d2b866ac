package machine

import (
	"bytes"
	"encoding/json"
)

// Machine is a state machine in the Amazon States Language, as much of it as is used here, with JSONPath as its query language.
type Machine struct {
	Comment        string
	StartAt        string
	TimeoutSeconds int `json:",omitempty"`
	States         States
}

// States are states in the order in which a reader meets them, which JSON objects keep when they are written.
type States []Named

// Named is a state with its name.
type Named struct {
	Name  string
	State State
}

// MarshalJSON implements [json.Marshaler].
func (s States) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, n := range s {
		if i > 0 {
			out.WriteByte(',')
		}
		for j, v := range []any{n.Name, n.State} {
			if j > 0 {
				out.WriteByte(':')
			}
			raw, err := plain(v)
			if err != nil {
				return nil, err
			}
			out.Write(raw)
		}
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// State is a state of any type; each type has some of the fields.
type State struct {
	Type    string
	Comment string `json:",omitempty"`

	// Of Task.
	Resource string `json:",omitempty"`
	// Of Wait.
	TimestampPath string `json:",omitempty"`
	Seconds       int    `json:",omitempty"`
	// Of Pass and Task.
	Parameters     any `json:",omitempty"`
	Result         any `json:",omitempty"`
	ResultSelector any `json:",omitempty"`
	// ResultPath is nil for all of the output.
	ResultPath *Path `json:",omitempty"`
	// Of Choice.
	Choices []Rule `json:",omitempty"`
	Default string `json:",omitempty"`
	// Of Parallel.
	Branches []Branch `json:",omitempty"`
	// Of Fail.
	Error     string `json:",omitempty"`
	CausePath string `json:",omitempty"`

	TimeoutSeconds int       `json:",omitempty"`
	Retry          []Retrier `json:",omitempty"`
	Catch          []Catcher `json:",omitempty"`
	Next           string    `json:",omitempty"`
	End            bool      `json:",omitempty"`
}

// Branch is one of the branches of a Parallel state.
type Branch struct {
	StartAt string
	States  States
}

// Path is a reference path, or [Discard].
type Path string

// Discard leaves a state's input as its output.
const Discard Path = ""

// MarshalJSON implements [json.Marshaler].
func (p Path) MarshalJSON() ([]byte, error) {
	if p == Discard {
		return []byte("null"), nil
	}
	return plain(string(p))
}

// Rule is a rule of a Choice: one comparison, or some that all hold.
type Rule struct {
	And          []Rule `json:",omitempty"`
	Not          *Rule  `json:",omitempty"`
	Variable     string `json:",omitempty"`
	IsPresent    bool   `json:",omitempty"`
	IsTimestamp  bool   `json:",omitempty"`
	StringEquals string `json:",omitempty"`
	// BooleanEquals is never false here.
	BooleanEquals bool `json:",omitempty"`
	// NumericLessThan is never 0 here.
	NumericLessThan int    `json:",omitempty"`
	Next            string `json:",omitempty"`
}

// Retrier says which errors are tried again, and when: the first pause is IntervalSeconds, and each later one BackoffRate times
// as long, at most MaxDelaySeconds.
type Retrier struct {
	ErrorEquals     []string
	IntervalSeconds int `json:",omitempty"`
	// MaxAttempts of 0 is never.
	MaxAttempts     int
	BackoffRate     float64 `json:",omitempty"`
	MaxDelaySeconds int     `json:",omitempty"`
	// JitterStrategy of FULL waits for any part of the pause, so that those who were refused together do not come back together.
	JitterStrategy string `json:",omitempty"`
}

// Catcher says where an error leads.
type Catcher struct {
	ErrorEquals []string
	ResultPath  *Path `json:",omitempty"`
	Next        string
}

// plain writes JSON without escapes for HTML.
func plain(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(out.Bytes(), "\n"), nil
}

// Definition writes the machine as indented JSON. The same machine always gives the same text.
func (m Machine) Definition() (string, error) {
	raw, err := plain(m)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", "  "); err != nil {
		return "", err
	}
	out.WriteByte('\n')
	return out.String(), nil
}
