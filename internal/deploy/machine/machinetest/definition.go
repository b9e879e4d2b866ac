package machinetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
	"unicode/utf8"
)

// Definition is a state machine that was read and understood in all its parts.
type Definition struct {
	flow
	timeout time.Duration
}

// flow is states with the first of them: a machine, or a branch of a Parallel.
type flow struct {
	startAt string
	states  map[string]*state
}

// state is a state of any type.
type state struct {
	kind, next string
	end        bool
	timeout    time.Duration
	resource   string
	parameters *template
	selector   *template
	result     any
	// resultPath is nil where the input is the output.
	resultPath *path
	seconds    *time.Duration
	until      *path
	rules      []rule
	otherwise  string
	branches   []flow
	retry      []retrier
	catch      []catcher
	failure    Error
	cause      *path
}

type retrier struct {
	errors   []string
	interval time.Duration
	attempts int
	rate     float64
	most     time.Duration
	full     bool
}

type catcher struct {
	errors     []string
	resultPath *path
	next       string
}

// written is a state as JSON has it.
type written struct {
	Type, Comment, Resource, Next, Default, Error, Cause string
	TimestampPath, CausePath                             string
	End                                                  bool
	Seconds, TimeoutSeconds                              *int
	Parameters, Result, ResultSelector, ResultPath       json.RawMessage
	Choices                                              []json.RawMessage
	Branches                                             []writtenFlow
	Retry                                                []writtenRetrier
	Catch                                                []writtenCatcher
}

type writtenFlow struct {
	Comment, StartAt string
	States           json.RawMessage
}

type writtenRetrier struct {
	ErrorEquals     []string
	IntervalSeconds *int
	MaxAttempts     *int
	BackoffRate     *float64
	MaxDelaySeconds *int
	JitterStrategy  string
}

type writtenCatcher struct {
	ErrorEquals []string
	ResultPath  json.RawMessage
	Next        string
}

// fields are those that each type of state takes.
var fields = map[string][]string{
	"Task":     {"Resource", "Parameters", "ResultSelector", "ResultPath", "TimeoutSeconds", "Retry", "Catch", "Next", "End"},
	"Pass":     {"Parameters", "Result", "ResultPath", "Next", "End"},
	"Choice":   {"Choices", "Default"},
	"Wait":     {"Seconds", "TimestampPath", "Next", "End"},
	"Parallel": {"Branches", "ResultSelector", "ResultPath", "Retry", "Catch", "Next", "End"},
	"Succeed":  {},
	"Fail":     {"Error", "Cause", "CausePath"},
}

// Parse reads a state machine. It refuses fields, types, operators and functions that it does not know, and transitions that lead
// nowhere; so what it takes, it also does.
func Parse(definition []byte) (*Definition, error) {
	var w struct {
		writtenFlow
		TimeoutSeconds *int
	}
	if err := strict(definition, &w); err != nil {
		return nil, err
	}
	d := &Definition{}
	if w.TimeoutSeconds != nil {
		d.timeout = time.Duration(*w.TimeoutSeconds) * time.Second
	}
	var err error
	d.flow, err = parseFlow(w.writtenFlow, map[string]bool{})
	return d, err
}

func strict(raw []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	return d.Decode(to)
}

func parseFlow(w writtenFlow, seen map[string]bool) (flow, error) {
	names, raws, err := members(w.States)
	if err != nil {
		return flow{}, err
	}
	f := flow{startAt: w.StartAt, states: map[string]*state{}}
	for i, name := range names {
		if seen[name] || utf8.RuneCountInString(name) > 80 {
			return f, fmt.Errorf("state %q: a name is there once, and has 80 characters at the most", name)
		}
		seen[name] = true
		if f.states[name], err = parseState(raws[i], seen); err != nil {
			return f, fmt.Errorf("state %q: %w", name, err)
		}
	}
	reached := map[string]bool{f.startAt: true}
	for name, s := range f.states {
		for _, to := range s.leadsTo() {
			if f.states[to] == nil {
				return f, fmt.Errorf("state %q leads to %q, which is not there", name, to)
			}
			reached[to] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.states)) {
		if !reached[name] {
			return f, fmt.Errorf("nothing leads to state %q", name)
		}
	}
	if f.states[f.startAt] == nil {
		return f, fmt.Errorf("StartAt %q is not there", f.startAt)
	}
	return f, nil
}

// members gives the members of an object in order. One that is there twice is an error.
func members(raw json.RawMessage) (names []string, values []json.RawMessage, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, nil, errors.Join(err, errors.New("the states are no object"))
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, nil, err
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return nil, nil, err
		}
		names, values = append(names, t.(string)), append(values, v)
	}
	if _, err := d.Token(); err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, err
	}
	return names, values, nil
}

func (s *state) leadsTo() []string {
	var out []string
	if s.next != "" {
		out = append(out, s.next)
	}
	if s.otherwise != "" {
		out = append(out, s.otherwise)
	}
	for _, r := range s.rules {
		out = append(out, r.next)
	}
	for _, c := range s.catch {
		out = append(out, c.next)
	}
	return out
}

func parseState(raw json.RawMessage, seen map[string]bool) (*state, error) {
	var has map[string]json.RawMessage
	var w written
	if err := json.Unmarshal(raw, &has); err != nil {
		return nil, err
	}
	if err := strict(raw, &w); err != nil {
		return nil, err
	}
	takes, known := fields[w.Type]
	if !known {
		return nil, fmt.Errorf("type %q is not known here", w.Type)
	}
	for name := range has {
		if name != "Type" && name != "Comment" && !slices.Contains(takes, name) {
			return nil, fmt.Errorf("a %s has no %s here", w.Type, name)
		}
	}
	if slices.Contains(takes, "Next") && (w.Next == "") == !w.End {
		return nil, errors.New("it has to have either Next or End")
	}
	s := &state{kind: w.Type, next: w.Next, end: w.End, resource: w.Resource, otherwise: w.Default, failure: Error{w.Error, w.Cause}, resultPath: &path{}}
	var err error
	if s.parameters, err = optional(w.Parameters); err != nil {
		return nil, fmt.Errorf("its Parameters: %w", err)
	}
	if s.selector, err = optional(w.ResultSelector); err != nil {
		return nil, fmt.Errorf("its ResultSelector: %w", err)
	}
	if w.Result != nil {
		if s.result, err = parse(w.Result); err != nil {
			return nil, err
		}
	}
	if s.resultPath, err = resultPath(w.ResultPath); err != nil {
		return nil, err
	}
	if w.TimeoutSeconds != nil {
		s.timeout = time.Duration(*w.TimeoutSeconds) * time.Second
	}
	return s, s.rest(w, seen)
}

// rest reads what only some types have.
func (s *state) rest(w written, seen map[string]bool) (err error) {
	if s.kind == "Wait" {
		if (w.Seconds == nil) == (w.TimestampPath == "") {
			return errors.New("a Wait has either Seconds or TimestampPath here")
		}
		if w.Seconds != nil {
			d := time.Duration(*w.Seconds) * time.Second
			s.seconds = &d
		}
	}
	if s.until, err = optionalPath(w.TimestampPath); err != nil {
		return err
	}
	if s.cause, err = optionalPath(w.CausePath); err != nil {
		return err
	}
	for _, raw := range w.Choices {
		r, err := parseRule(raw, true)
		if err != nil {
			return err
		}
		s.rules = append(s.rules, r)
	}
	for _, b := range w.Branches {
		f, err := parseFlow(b, seen)
		if err != nil {
			return err
		}
		s.branches = append(s.branches, f)
	}
	for _, r := range w.Retry {
		s.retry = append(s.retry, r.filled())
	}
	for _, c := range w.Catch {
		p, err := resultPath(c.ResultPath)
		if err != nil {
			return err
		}
		s.catch = append(s.catch, catcher{c.ErrorEquals, p, c.Next})
	}
	return s.lists()
}

// lists checks the names of errors: States.ALL is alone, and last.
func (s *state) lists() error {
	var all [][]string
	for _, r := range s.retry {
		all = append(all, r.errors)
	}
	for i, list := range append(all, nil) {
		if list != nil && slices.Contains(list, anyError) && (len(list) > 1 || i < len(s.retry)-1) {
			return errors.New("States.ALL is alone, and in the last of the Retry")
		}
	}
	for i, c := range s.catch {
		if slices.Contains(c.errors, anyError) && (len(c.errors) > 1 || i < len(s.catch)-1) {
			return errors.New("States.ALL is alone, and in the last of the Catch")
		}
	}
	return nil
}

// filled has the defaults of the specification ("Retrying after error").
func (w writtenRetrier) filled() retrier {
	r := retrier{errors: w.ErrorEquals, interval: time.Second, attempts: 3, rate: 2, full: w.JitterStrategy == "FULL"}
	if w.IntervalSeconds != nil {
		r.interval = time.Duration(*w.IntervalSeconds) * time.Second
	}
	if w.MaxAttempts != nil {
		r.attempts = *w.MaxAttempts
	}
	if w.BackoffRate != nil {
		r.rate = *w.BackoffRate
	}
	if w.MaxDelaySeconds != nil {
		r.most = time.Duration(*w.MaxDelaySeconds) * time.Second
	}
	return r
}

func optional(raw json.RawMessage) (*template, error) {
	if raw == nil {
		return nil, nil
	}
	v, err := parse(raw)
	if err != nil {
		return nil, err
	}
	t, err := parseTemplate(v)
	return &t, err
}

func optionalPath(text string) (*path, error) {
	if text == "" {
		return nil, nil
	}
	p, err := parsePath(text)
	return &p, err
}

func resultPath(raw json.RawMessage) (*path, error) {
	if raw == nil {
		return &path{}, nil
	}
	if string(raw) == "null" {
		return nil, nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, err
	}
	p, err := parsePath(s)
	if err == nil && p.context {
		err = fmt.Errorf("ResultPath %s is in the context", s)
	}
	return &p, err
}
