package stacktest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"tarn/internal/store/s3/s3test"
)

// plan is a template, read.
type plan struct {
	body       string
	parameters map[string]string // with their defaults
	resources  []planned
	outputs    []outputPlan
}

type planned struct {
	id, kind, deletion string
	properties         *yaml.Node
}

type outputPlan struct {
	key, description string
	value            *yaml.Node
}

func readTemplate(body string) (*plan, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(body), &doc); err != nil || doc.Kind != yaml.DocumentNode {
		return nil, invalid("Template format error: %v", err)
	}
	p := &plan{body: body, parameters: map[string]string{}}
	root := doc.Content[0]
	each(get(root, "Parameters"), func(name string, v *yaml.Node) { p.parameters[name] = value(get(v, "Default")) })
	each(get(root, "Resources"), func(name string, v *yaml.Node) {
		p.resources = append(p.resources, planned{name, value(get(v, "Type")), value(get(v, "DeletionPolicy")), get(v, "Properties")})
	})
	each(get(root, "Outputs"), func(name string, v *yaml.Node) {
		p.outputs = append(p.outputs, outputPlan{name, value(get(v, "Description")), get(v, "Value")})
	})
	if len(p.resources) == 0 {
		return nil, invalid("Template format error: At least one Resources member must be defined.")
	}
	return p, nil
}

func each(m *yaml.Node, do func(name string, v *yaml.Node)) {
	if m == nil {
		return
	}
	for i := 0; i+1 < len(m.Content); i += 2 {
		do(m.Content[i].Value, m.Content[i+1])
	}
}

func get(m *yaml.Node, keys ...string) *yaml.Node {
	for _, k := range keys {
		var found *yaml.Node
		each(m, func(name string, v *yaml.Node) {
			if name == k {
				found = v
			}
		})
		m = found
	}
	return m
}

func value(n *yaml.Node) string {
	if n == nil {
		return ""
	}
	return n.Value
}

// knows gives the value of a name in a template.
type knows func(name string) (string, bool)

var variable = regexp.MustCompile(`\$\{([A-Za-z0-9:.]+)\}`)

// resolve gives a value of a template as JSON would have it.
func resolve(n *yaml.Node, known knows) any {
	if n == nil {
		return nil
	}
	look := func(name string) string {
		if v, ok := known(name); ok {
			return v
		}
		return "<" + name + ">"
	}
	switch n.Tag {
	case "!Ref":
		return look(n.Value)
	case "!GetAtt":
		return look(n.Value)
	case "!Sub":
		return variable.ReplaceAllStringFunc(n.Value, func(m string) string { return look(strings.Trim(m, "${}")) })
	}
	switch n.Kind {
	case yaml.MappingNode:
		if len(n.Content) == 2 && n.Content[0].Value == "Ref" {
			return look(n.Content[1].Value)
		}
		out := map[string]any{}
		each(n, func(name string, v *yaml.Node) { out[name] = resolve(v, known) })
		return out
	case yaml.SequenceNode:
		out := []any{}
		for _, c := range n.Content {
			out = append(out, resolve(c, known))
		}
		return out
	}
	return n.Value
}

// knowing gives what a stack's template can refer to.
func (st *stack) knowing(parameters map[string]string) knows {
	return func(name string) (string, bool) {
		switch name {
		case "AWS::Region":
			return s3test.Region, true
		case "AWS::AccountId":
			return Account, true
		case "AWS::Partition":
			return "aws", true
		case "AWS::StackName":
			return st.name, true
		}
		if v, ok := parameters[name]; ok {
			return v, true
		}
		id, attribute, _ := strings.Cut(name, ".")
		for _, r := range st.resources {
			if r.id != id {
				continue
			}
			if attribute == "Arn" && !strings.HasPrefix(r.physical, "arn:") {
				return "arn:aws:::" + r.physical, true
			}
			return r.physical, true
		}
		return "", false
	}
}

// canonical writes properties so that two that are the same are equal. Names of resources are no change.
func (st *stack) canonical(p planned, parameters map[string]string) (string, map[string]any) {
	v, _ := resolve(p.properties, func(name string) (string, bool) {
		if v, ok := parameters[name]; ok {
			return v, true
		}
		return "<" + name + ">", true
	}).(map[string]any)
	raw, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprint(p.id, err)) // only texts, lists and maps
	}
	return string(raw), v
}

// Deployed gives the properties of the resources of a kind that stacks have made, such as AWS::Lambda::Function, by their physical
// names: as in the template, with all that it refers to filled in.
func (s *Server) Deployed(kind string) map[string]map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]map[string]any{}
	for _, st := range s.stacks {
		if st.status == "DELETE_COMPLETE" || st.body == "" {
			continue
		}
		p, err := readTemplate(st.body)
		if err != nil {
			panic(err) // it was read before
		}
		for _, r := range st.resources {
			for _, planned := range p.resources {
				if r.id == planned.id && r.kind == kind {
					out[r.physical], _ = resolve(planned.properties, st.knowing(st.parameters)).(map[string]any)
				}
			}
		}
	}
	return out
}
