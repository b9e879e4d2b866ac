package cfn_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"tarn/internal/deploy/cfn"
)

func TestYAML(t *testing.T) {
	t.Parallel()
	tmpl := cfn.Template{Comment: "One.\n\nTwo.", Description: "a: b", Metadata: cfn.Map{"Note": "x"},
		Parameters: []cfn.Parameter{{ID: "Key", Type: "String", Description: "the key", Pattern: ".+"}},
		Resources: []cfn.Resource{
			{ID: "A", Type: "X::Y::Z", Comment: "First.\nOf two.", Deletion: cfn.RetainExceptOnCreate, Replace: cfn.Retain,
				Properties: cfn.Map{"Name": "yes", "When": "2012-10-17", "No": nil, "Empty": cfn.Map{}, "None": cfn.List{}, "Ref": cfn.Ref("Key"),
					"Text": "one\ntwo ${X}\n", "Sub": cfn.Sub("${Key}: ${AWS::Region}"), "Joined": cfn.Join{"a", cfn.Ref("Key")}, "N": 5, "On": true,
					"Other": struct{ B, A []string }{[]string{"b"}, nil}}},
			{ID: "B", Type: "X::Y::Z", DependsOn: []string{"A"}, Properties: cfn.Map{"Arn": cfn.GetAtt("A.Arn")}},
		},
		Outputs: []cfn.Output{{ID: "O", Description: "out", Value: cfn.Ref("A")}},
	}
	got, err := tmpl.YAML()
	if err != nil {
		t.Fatal(err)
	}
	want := `# One.
#
# Two.
AWSTemplateFormatVersion: "2010-09-09"
Metadata:
  Note: x
Description: 'a: b'

Parameters:
  Key:
    Type: String
    Description: the key
    AllowedPattern: .+

Resources:
  # First.
  # Of two.
  A:
    Type: X::Y::Z
    DeletionPolicy: RetainExceptOnCreate
    UpdateReplacePolicy: Retain
    Properties:
      Name: "yes"
      Empty: {}
      Joined: !Join
        - ""
        - - a
          - !Ref Key
      "N": 5
      None: []
      "On": true
      Other:
        B:
          - b
      Ref: !Ref Key
      Sub: !Sub '${Key}: ${AWS::Region}'
      Text: |
        one
        two ${X}
      When: "2012-10-17"

  B:
    Type: X::Y::Z
    DependsOn:
      - A
    Properties:
      Arn: !GetAtt A.Arn

Outputs:
  O:
    Description: out
    Value: !Ref A
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
	var read map[string]any
	if err := yaml.Unmarshal(got, &read); err != nil {
		t.Error(err)
	}
}

// What CloudFormation would refuse about a template as a whole is found here.
func TestCheck(t *testing.T) {
	t.Parallel()
	res := func(id string, props cfn.Map) cfn.Resource {
		return cfn.Resource{ID: id, Type: "X::Y::Z", Properties: props}
	}
	for _, c := range []struct {
		tmpl cfn.Template
		want string
	}{
		{cfn.Template{Resources: []cfn.Resource{res("A", nil), res("A", nil)}}, "A is there twice"},
		{cfn.Template{Resources: []cfn.Resource{res("A_b", nil)}}, `"A_b" is no logical name`},
		{cfn.Template{Resources: []cfn.Resource{res("A", cfn.Map{"x": cfn.List{cfn.Map{"y": cfn.Sub("a ${B.Arn} ${!aws:username} ${AWS::Region}")}}})}}, "A refers to B"},
		{cfn.Template{Resources: []cfn.Resource{res("A", cfn.Map{"x": []cfn.Map{{"y": cfn.GetAtt("C.Arn")}}})}}, "A refers to C"},
		{cfn.Template{Resources: []cfn.Resource{res("A", cfn.Map{"x": cfn.Join{cfn.Ref("D")}})}}, "A refers to D"},
		{cfn.Template{Resources: []cfn.Resource{{ID: "A", Type: "X", DependsOn: []string{"E"}}}}, "A refers to E"},
		{cfn.Template{Outputs: []cfn.Output{{ID: "O", Value: cfn.Ref("F")}}}, "output O refers to F"},
	} {
		if err := c.tmpl.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error is %v, want %s", err, c.want)
		}
	}
}

func TestTooBig(t *testing.T) {
	t.Parallel()
	var many, long cfn.Template
	for i := range cfn.MaxResources + 1 {
		many.Add(cfn.Resource{ID: fmt.Sprintf("R%d", i), Type: "X"})
	}
	long.Add(cfn.Resource{ID: "R", Type: "X", Properties: cfn.Map{"x": strings.Repeat("x", cfn.MaxURL)}})
	for _, tmpl := range []cfn.Template{many, long} {
		var big *cfn.TooBigError
		if _, err := tmpl.YAML(); !errors.As(err, &big) {
			t.Errorf("error is %v", err)
		}
	}
}
