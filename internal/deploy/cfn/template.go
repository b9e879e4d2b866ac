// Package cfn writes CloudFormation templates: a few Go types for what a template has, and one way to write them as YAML that
// people can read and that is the same each time.
package cfn

import (
	"fmt"
	"slices"
	"strings"
)

// Template is a template. Parts are written in the order in which they are added.
type Template struct {
	// Comment stands at the top of the file, Description in the template.
	Comment, Description string
	Metadata             Map
	Parameters           []Parameter
	Resources            []Resource
	Outputs              []Output
}

// Parameter is what whoever makes the stack has to say, or may.
type Parameter struct {
	ID, Type, Description string
	// Default is "" where there is none: then the parameter has to be given.
	Default string
	// Pattern is what a value has to match, "" for anything.
	Pattern string
}

// Resource is a resource of the stack.
type Resource struct {
	// ID is its logical name, letters and digits.
	ID, Type string
	// Comment stands above it, in lines without #.
	Comment    string
	DependsOn  []string
	Deletion   Policy
	Replace    Policy
	Metadata   Map
	Properties Map
}

// Policy is a DeletionPolicy or UpdateReplacePolicy; "" is the default, which deletes.
type Policy string

// The policies that are used here (AWS CloudFormation User Guide, "DeletionPolicy attribute").
const (
	Retain Policy = "Retain"
	// Delete is the default, written down where it matters to readers.
	Delete Policy = "Delete"
	// RetainExceptOnCreate deletes what a stack has made that then could not be made as a whole.
	RetainExceptOnCreate Policy = "RetainExceptOnCreate"
)

// Output is what a stack tells about itself.
type Output struct {
	ID, Description string
	Value           any
}

// Map has keys with values: strings, numbers, truth values, [Ref], [GetAtt], [Sub], [Join], maps, lists, and all else that has a
// form in JSON. A nil value is left out, so that optional properties need no condition around them.
type Map map[string]any

// List is a list of values as in [Map]; nil values are left out.
type List []any

// Ref is the name of a parameter or resource: its value, name or ARN, as the type's documentation says.
type Ref string

// GetAtt is an attribute of a resource, such as Function.Arn.
type GetAtt string

// Sub is a text with ${Name}, ${Name.Attribute} or ${AWS::Region}.
type Sub string

// Join joins values with nothing between them.
type Join List

// Limits of a template (AWS CloudFormation User Guide, "CloudFormation quotas").
const (
	// MaxBody is how many bytes a template has at most that is given directly, MaxURL by an object of S3.
	MaxBody, MaxURL = 51_200, 1 << 20
	MaxResources    = 500
	MaxOutputs      = 200
	MaxParameters   = 200
)

// Add appends resources.
func (t *Template) Add(r ...Resource) { t.Resources = append(t.Resources, r...) }

// Has reports whether there is a resource of this logical name.
func (t *Template) Has(id string) bool {
	return slices.ContainsFunc(t.Resources, func(r Resource) bool { return r.ID == id })
}

// Resource finds a resource by its logical name, or gives nil. What it points to is valid until the next [Template.Add].
func (t *Template) Resource(id string) *Resource {
	for i := range t.Resources {
		if t.Resources[i].ID == id {
			return &t.Resources[i]
		}
	}
	return nil
}

// Check looks for what CloudFormation would refuse about a template as a whole: logical names that are there twice or have
// other characters than letters and digits, references to nothing, more parts than a template has.
func (t *Template) Check() error {
	known := map[string]bool{}
	for _, p := range t.Parameters {
		known[p.ID] = true
	}
	for _, r := range t.Resources {
		if known[r.ID] {
			return fmt.Errorf("template: %s is there twice", r.ID)
		}
		if strings.ContainsFunc(r.ID, func(c rune) bool {
			return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9')
		}) || r.ID == "" || len(r.ID) > 255 {
			return fmt.Errorf("template: %q is no logical name", r.ID)
		}
		known[r.ID] = true
	}
	if len(t.Resources) > MaxResources || len(t.Outputs) > MaxOutputs || len(t.Parameters) > MaxParameters {
		return &TooBigError{Resources: len(t.Resources)}
	}
	for _, r := range t.Resources {
		for _, id := range append(references(r.Properties), r.DependsOn...) {
			if !known[id] {
				return fmt.Errorf("template: %s refers to %s, which is not there", r.ID, id)
			}
		}
	}
	for _, o := range t.Outputs {
		for _, id := range references(o.Value) {
			if !known[id] {
				return fmt.Errorf("template: output %s refers to %s, which is not there", o.ID, id)
			}
		}
	}
	return nil
}

// TooBigError says that a template is more than CloudFormation takes.
type TooBigError struct{ Resources, Bytes int }

// Hint says what to do.
func (e *TooBigError) Hint() string {
	return "athena: {queries: false} below deploy: leaves out the named queries, which are one for each table"
}

func (e *TooBigError) Error() string {
	if e.Bytes > 0 {
		return fmt.Sprintf("the template has %d bytes, and CloudFormation takes %d", e.Bytes, MaxURL)
	}
	return fmt.Sprintf("the template has %d resources, and CloudFormation takes %d", e.Resources, MaxResources)
}
