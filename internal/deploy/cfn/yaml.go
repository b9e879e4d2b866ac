package cfn

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// YAML writes the template. The error is a [*TooBigError] if it is more than CloudFormation takes, or tells what [Template.Check]
// has found.
func (t *Template) YAML() ([]byte, error) {
	if err := t.Check(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	for _, line := range strings.Split(strings.TrimSpace(t.Comment), "\n") {
		b.WriteString(strings.TrimRight("# "+line, " ") + "\n")
	}
	write := func(key string, value any, depth int) error {
		text, err := encoded(key, value, depth)
		b.Write(text)
		return err
	}
	head := Map{"Description": t.Description}
	if len(t.Metadata) > 0 {
		head["Metadata"] = t.Metadata
	}
	if err := write("AWSTemplateFormatVersion", "2010-09-09", 0); err != nil {
		return nil, err
	}
	for _, key := range keysOf(head) {
		if err := write(key, head[key], 0); err != nil {
			return nil, err
		}
	}
	section := func(name string, n int) {
		if n > 0 {
			b.WriteString("\n" + name + ":\n")
		}
	}
	section("Parameters", len(t.Parameters))
	for _, p := range t.Parameters {
		if err := write(p.ID, Map{"Type": p.Type, "Description": p.Description, "Default": optional(p.Default), "AllowedPattern": optional(p.Pattern)}, 2); err != nil {
			return nil, err
		}
	}
	section("Resources", len(t.Resources))
	for i, r := range t.Resources {
		if i > 0 {
			b.WriteString("\n")
		}
		for _, line := range strings.Split(strings.TrimSpace(r.Comment), "\n") {
			if line != "" {
				b.WriteString("  # " + line + "\n")
			}
		}
		if err := write(r.ID, r.body(), 2); err != nil {
			return nil, fmt.Errorf("%s: %w", r.ID, err)
		}
	}
	section("Outputs", len(t.Outputs))
	for _, o := range t.Outputs {
		if err := write(o.ID, Map{"Description": o.Description, "Value": o.Value}, 2); err != nil {
			return nil, err
		}
	}
	if b.Len() > MaxURL {
		return nil, &TooBigError{Bytes: b.Len()}
	}
	return b.Bytes(), nil
}

func optional(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (r Resource) body() Map {
	out := Map{"Type": r.Type, "DeletionPolicy": optional(string(r.Deletion)), "UpdateReplacePolicy": optional(string(r.Replace))}
	if len(r.DependsOn) > 0 {
		out["DependsOn"] = r.DependsOn
	}
	if len(r.Metadata) > 0 {
		out["Metadata"] = r.Metadata
	}
	if len(r.Properties) > 0 {
		out["Properties"] = r.Properties
	}
	return out
}

// encoded writes one key with its value, indented.
func encoded(key string, value any, depth int) ([]byte, error) {
	n, err := node(Map{key: value})
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(n); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	for line := range bytes.Lines(b.Bytes()) {
		if len(bytes.TrimSpace(line)) > 0 {
			out.WriteString(strings.Repeat(" ", depth))
		}
		out.Write(line)
	}
	return out.Bytes(), nil
}

// first are keys that readers look for before all others; the rest is in order of the alphabet.
var first = []string{"Type", "DependsOn", "DeletionPolicy", "UpdateReplacePolicy", "Metadata", "Version", "Sid", "Effect", "Principal", "Action", "NotAction",
	"Resource", "NotResource", "Id", "id", "Key", "Name", "Description"}

func keysOf[V any](m map[string]V) []string {
	rank := func(k string) int {
		if i := slices.Index(first, k); i >= 0 {
			return i
		}
		return len(first)
	}
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b string) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	return out
}

func scalar(tag, value string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: value}
	if strings.Contains(value, "\n") {
		n.Style = yaml.LiteralStyle
	}
	return n
}

// node gives the YAML of a value, or nil for one that is left out.
func node(v any) (*yaml.Node, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case Ref:
		return scalar("!Ref", string(v)), nil
	case GetAtt:
		return scalar("!GetAtt", string(v)), nil
	case Sub:
		return scalar("!Sub", string(v)), nil
	case Join:
		parts, err := node(List(v))
		if err != nil {
			return nil, err
		}
		between := &yaml.Node{Kind: yaml.ScalarNode, Style: yaml.DoubleQuotedStyle, Tag: "!!str"}
		return &yaml.Node{Kind: yaml.SequenceNode, Tag: "!Join", Content: []*yaml.Node{between, parts}}, nil
	case string, bool, int, int64, float64:
		n := &yaml.Node{}
		if err := n.Encode(v); err != nil {
			return nil, err
		}
		if s, ok := v.(string); ok && strings.Contains(s, "\n") {
			n.Style = yaml.LiteralStyle
		}
		return n, nil
	case json.Number:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: string(v)}, nil
	case Map:
		return mapping(v)
	case map[string]any:
		return mapping(v)
	case map[string]string:
		m := Map{}
		for k, s := range v {
			m[k] = s
		}
		return mapping(m)
	case List:
		return sequence(v)
	case []any:
		return sequence(v)
	case []string:
		return sequence(v)
	case []Map:
		return sequence(v)
	}
	// What other packages have for themselves, such as policies.
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var plain any
	if err := d.Decode(&plain); err != nil {
		return nil, err
	}
	return node(plain)
}

func mapping[V any](m map[string]V) (*yaml.Node, error) {
	out := &yaml.Node{Kind: yaml.MappingNode}
	for _, k := range keysOf(m) {
		value, err := node(m[k])
		if err != nil {
			return nil, err
		}
		if value == nil {
			continue
		}
		key := &yaml.Node{}
		if err := key.Encode(k); err != nil {
			return nil, err
		}
		out.Content = append(out.Content, key, value)
	}
	if len(out.Content) == 0 {
		out.Style = yaml.FlowStyle
	}
	return out, nil
}

func sequence[V any](list []V) (*yaml.Node, error) {
	out := &yaml.Node{Kind: yaml.SequenceNode}
	for _, v := range list {
		n, err := node(v)
		if err != nil {
			return nil, err
		}
		if n != nil {
			out.Content = append(out.Content, n)
		}
	}
	if len(out.Content) == 0 {
		out.Style = yaml.FlowStyle
	}
	return out, nil
}

var inSub = regexp.MustCompile(`\$\{([^!}][^}]*)\}`)

// references lists the logical names that a value mentions; those of AWS itself are left out.
func references(v any) []string {
	var out []string
	add := func(name string) {
		name, _, _ = strings.Cut(name, ".")
		if !strings.HasPrefix(name, "AWS::") {
			out = append(out, name)
		}
	}
	switch v := v.(type) {
	case Ref:
		add(string(v))
	case GetAtt:
		add(string(v))
	case Sub:
		for _, m := range inSub.FindAllStringSubmatch(string(v), -1) {
			add(m[1])
		}
	case Join:
		return references(List(v))
	case List:
		for _, item := range v {
			out = append(out, references(item)...)
		}
	case []Map:
		for _, item := range v {
			out = append(out, references(item)...)
		}
	case []any:
		return references(List(v))
	case Map:
		for _, k := range keysOf(v) {
			out = append(out, references(v[k])...)
		}
	}
	return out
}
