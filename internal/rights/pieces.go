package rights

import (
	"fmt"
	"slices"
)

// How long policies are at most, without white space (IAM User Guide, "IAM and AWS STS quotas"): all inline policies of a role together,
// and each managed one. A role takes ten managed ones.
const (
	MostInline  = 10_240
	MostManaged = 6_144
	MostPieces  = 10
)

// Length is how long a policy is at most once a template's variables are filled in.
func (p Policy) Length() int {
	filled := p.Filled(map[string]string{"AWS::Partition": "aws-us-gov", "AWS::Region": "ap-southeast-2", "AWS::AccountId": "123456789012",
		"Key.Arn": "arn:aws-us-gov:kms:ap-southeast-2:123456789012:key/12345678-1234-1234-1234-123456789012"})
	n := 0
	for _, c := range filled.JSON() {
		if c != ' ' && c != '\n' {
			n++
		}
	}
	return n
}

// Pieces cuts a policy into several that are short enough for a managed policy each.
func (p Policy) Pieces() []Policy {
	var out []Policy
	add := func(s Statement) {
		if len(out) > 0 {
			last := out[len(out)-1]
			last.Statement = append(slices.Clone(last.Statement), s)
			if last.Length() <= MostManaged {
				out[len(out)-1] = last
				return
			}
		}
		out = append(out, policy(s))
	}
	for _, s := range p.Statement {
		// A statement on many resources is as good as several on a few; those that deny are too.
		parts := 1
		for policy(Statement{Sid: s.Sid, Action: s.Action, Resource: s.Resource[:(len(s.Resource)+parts-1)/parts], Condition: s.Condition}).Length() > MostManaged/2 && parts < len(s.Resource) {
			parts++
		}
		size := (len(s.Resource) + parts - 1) / parts
		n := 0
		for resources := range slices.Chunk(s.Resource, size) {
			part := s
			// IAM takes no policy in which two statements have the same name.
			if n++; n > 1 {
				part.Sid = fmt.Sprintf("%s%d", s.Sid, n)
			}
			part.Resource = resources
			add(part)
		}
	}
	return out
}
