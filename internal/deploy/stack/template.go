package stack

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The types of what a stack keeps when it goes.
const (
	bucketType   = "AWS::S3::Bucket"
	policyType   = "AWS::S3::BucketPolicy"
	databaseType = "AWS::Glue::Database"
	keyType      = "AWS::KMS::Key"
	aliasType    = "AWS::KMS::Alias"
)

// template is a CloudFormation template as written, in YAML or JSON.
type template struct {
	root *yaml.Node
}

// resource is one of a template.
type resource struct {
	id, kind string
	// name is the static one of a bucket, a database or an alias, of a bucket's policy that of the bucket, and of a key its alias; "" for
	// what CloudFormation names.
	name string
	// key is the id of a key that is there.
	key  string
	node *yaml.Node
}

func parse(raw []byte) (*template, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		return nil, fmt.Errorf("template: %w", err)
	}
	if doc.Kind != yaml.DocumentNode || doc.Content[0].Kind != yaml.MappingNode || section(doc.Content[0], "Resources") == nil {
		return nil, fmt.Errorf("template: it has no Resources")
	}
	return &template{doc.Content[0]}, nil
}

// section finds a key of a mapping, or nil.
func section(m *yaml.Node, key string) *yaml.Node {
	if m == nil || m.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			return m.Content[i+1]
		}
	}
	return nil
}

// at finds what lies below some keys, or nil.
func at(n *yaml.Node, keys ...string) *yaml.Node {
	for _, k := range keys {
		n = section(n, k)
	}
	return n
}

func scalar(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode || strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		return ""
	}
	return n.Value
}

func (t *template) resources() []resource {
	all := section(t.root, "Resources")
	var out []resource
	for i := 0; i+1 < len(all.Content); i += 2 {
		r := resource{id: all.Content[i].Value, node: all.Content[i+1]}
		r.kind = scalar(section(r.node, "Type"))
		switch r.kind {
		case bucketType:
			r.name = scalar(at(r.node, "Properties", "BucketName"))
		case databaseType:
			r.name = scalar(at(r.node, "Properties", "DatabaseInput", "Name"))
		case aliasType:
			r.name = scalar(at(r.node, "Properties", "AliasName"))
		}
		out = append(out, r)
	}
	named := func(id string) *resource {
		if i := slices.IndexFunc(out, func(r resource) bool { return r.id == id }); i >= 0 {
			return &out[i]
		}
		return &resource{}
	}
	for i, r := range out {
		switch of := at(r.node, "Properties", "Bucket"); {
		case r.kind == aliasType:
			if key := at(r.node, "Properties", "TargetKeyId"); key != nil && key.Tag == "!Ref" {
				named(key.Value).name = r.name
			}
		case r.kind != policyType || of == nil:
		case of.Tag == "!Ref":
			out[i].name = named(of.Value).name
		default:
			out[i].name = scalar(of)
		}
	}
	return out
}

// kept are the buckets with their policies, keys and databases of the template with names that are known beforehand: they outlive the stack.
func (t *template) kept() []resource {
	return slices.DeleteFunc(t.resources(), func(r resource) bool {
		policy := scalar(section(r.node, "DeletionPolicy"))
		return r.name == "" || policy != "Retain" && policy != "RetainExceptOnCreate"
	})
}

// parameters are the names of those that the template declares.
func (t *template) parameters() []string {
	var out []string
	if p := section(t.root, "Parameters"); p != nil {
		for i := 0; i+1 < len(p.Content); i += 2 {
			out = append(out, p.Content[i].Value)
		}
	}
	return out
}

// substituted finds names in the text of a Sub.
var substituted = regexp.MustCompile(`\$\{([A-Za-z0-9]+)(\.[^}]*)?\}`)

// refers adds the names that a node refers to: by Ref, GetAtt, Sub and DependsOn.
func refers(n *yaml.Node, add func(name string)) {
	text := func(v *yaml.Node, form string) {
		if v.Kind == yaml.SequenceNode && len(v.Content) > 0 {
			v = v.Content[0]
		}
		switch form {
		case "Ref", "DependsOn":
			add(v.Value)
		case "GetAtt":
			name, _, _ := strings.Cut(v.Value, ".")
			add(name)
		case "Sub":
			for _, m := range substituted.FindAllStringSubmatch(v.Value, -1) {
				add(m[1])
			}
		}
	}
	switch n.Tag {
	case "!Ref", "!GetAtt", "!Sub":
		text(n, n.Tag[1:])
	}
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			value := n.Content[i+1]
			switch c.Value {
			case "Ref", "Fn::GetAtt", "Fn::Sub":
				text(value, strings.TrimPrefix(c.Value, "Fn::"))
			case "DependsOn":
				for _, d := range append([]*yaml.Node{value}, value.Content...) {
					text(d, "DependsOn")
				}
			}
			continue
		}
		refers(c, add)
	}
}

// needed gives the names of resources with all that they refer to, one from the next, of resources and parameters.
func (t *template) needed(ids []string) map[string]bool {
	nodes := map[string]*yaml.Node{}
	for _, r := range t.resources() {
		nodes[r.id] = r.node
	}
	out := map[string]bool{}
	var take func(name string)
	take = func(name string) {
		if out[name] {
			return
		}
		if n, ok := nodes[name]; ok {
			out[name] = true
			refers(n, take)
		} else if slices.Contains(t.parameters(), name) {
			out[name] = true
		}
	}
	for _, id := range ids {
		take(id)
	}
	return out
}

// only writes the template with some resources, what they refer to, and no outputs.
func (t *template) only(ids []string) ([]byte, error) {
	keep := t.needed(ids)
	out := &yaml.Node{Kind: yaml.MappingNode}
	for i := 0; i+1 < len(t.root.Content); i += 2 {
		key, value := t.root.Content[i], t.root.Content[i+1]
		switch key.Value {
		case "Resources", "Parameters":
			if value = chosen(value, keep); len(value.Content) == 0 {
				continue
			}
		case "Outputs", "Metadata":
			continue
		}
		out.Content = append(out.Content, key, value)
	}
	return write(out)
}

// with writes the template with some resources of another one besides or in place of its own, and what they refer to there.
func (t *template) with(other *template, ids []string) ([]byte, error) {
	add := other.needed(ids)
	in := map[string]*yaml.Node{}
	for _, r := range other.resources() {
		in[r.id] = r.node
	}
	own := section(t.root, "Resources")
	for i := 0; i+1 < len(own.Content); i += 2 {
		name := own.Content[i].Value
		if slices.Contains(ids, name) && in[name] != nil {
			own.Content[i+1] = in[name]
		}
		delete(add, name)
	}
	for _, p := range t.parameters() {
		delete(add, p)
	}
	out := *t.root
	out.Content = slices.Clone(t.root.Content)
	for _, name := range []string{"Parameters", "Resources"} {
		more := section(other.root, name)
		if more == nil {
			continue
		}
		picked := chosen(more, add)
		if len(picked.Content) == 0 {
			continue
		}
		i := slices.IndexFunc(out.Content, func(n *yaml.Node) bool { return n.Value == name })
		if i < 0 {
			out.Content = append(out.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: name}, picked)
			continue
		}
		whole := *out.Content[i+1]
		whole.Content = append(slices.Clone(whole.Content), picked.Content...)
		out.Content[i+1] = &whole
	}
	return write(&out)
}

// chosen gives the entries of a mapping whose keys are kept.
func chosen(m *yaml.Node, keep map[string]bool) *yaml.Node {
	out := *m
	out.Content = nil
	for i := 0; i+1 < len(m.Content); i += 2 {
		if keep[m.Content[i].Value] {
			out.Content = append(out.Content, m.Content[i], m.Content[i+1])
		}
	}
	return &out
}

func write(root *yaml.Node) ([]byte, error) {
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(root); err != nil {
		return nil, err
	}
	return b.Bytes(), e.Close()
}
