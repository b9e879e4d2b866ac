package rights

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"tarn/internal/golden"
)

const page = "../../docs/rights.md"

// block is a part of the page that is made of the code: what stands between these two lines.
var block = regexp.MustCompile(`(?s)(<!-- from the code: ([a-z]+)(?: ([a-z]+))? -->\n).*?(<!-- end -->\n)`)

// The policies and the table of calls on the page are what the code says; -update writes them anew.
func TestPage(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	places := stedi().example()
	shown := map[Actor]bool{}
	got := block.ReplaceAllStringFunc(string(text), func(old string) string {
		m := block.FindStringSubmatch(old)
		var made string
		switch m[2] {
		case "policy":
			p, err := Of(Actor(m[3]), places)
			if err != nil {
				t.Fatal(err)
			}
			shown[Actor(m[3])] = true
			parts := []Policy{p}
			if p.Length() > MostInline {
				parts = p.Pieces()
			}
			for _, part := range parts {
				made += "```json\n" + compact(t, part.Filled(example)) + "```\n"
			}
		case "calls":
			made = callTable()
		default:
			t.Fatalf("%s has a part called %s", page, m[2])
		}
		return m[1] + made + m[4]
	})
	for _, a := range Actors() {
		if !shown[a] {
			t.Errorf("the policy of the %s is not on the page", a)
		}
	}
	golden.Equal(t, page, got)
}

var example = map[string]string{"AWS::Partition": "aws", "AWS::Region": "eu-central-1", "AWS::AccountId": "123456789012"}

// example are the places on the page.
func (p Places) example() Places {
	for _, at := range []*Place{&p.Warehouse, &p.Results, &p.Artefacts} {
		at.Bucket = "my-bucket"
	}
	p.Landing = []Place{{"my-bucket", "landing/"}}
	p.Models = []Table{{"customer_trusted", Trusted}, {"customers_curated", Curated}, {"machine_learning_curated", Curated}}
	return p
}

// compact writes a policy with a few lines for a statement.
func compact(t *testing.T, p Policy) string {
	t.Helper()
	line := func(v any) string {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if l, ok := v.(List); ok && len(l) == 1 {
			v = l[0]
		}
		if err := e.Encode(v); err != nil {
			t.Fatal(err)
		}
		return strings.ReplaceAll(strings.TrimSpace(b.String()), `","`, `", "`)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "{\"Version\": %q, \"Statement\": [\n", p.Version)
	for i, s := range p.Statement {
		fmt.Fprintf(&b, "  {\"Sid\": %q, \"Effect\": %q,\n   \"Action\": %s,\n   \"Resource\": %s", s.Sid, s.Effect, line(s.Action), line(s.Resource))
		if s.Condition != nil {
			fmt.Fprintf(&b, ",\n   \"Condition\": %s", line(s.Condition))
		}
		b.WriteString("}")
		if i < len(p.Statement)-1 {
			b.WriteString(",")
		}
		b.WriteString("\n")
	}
	b.WriteString("]}\n")
	if !json.Valid([]byte(b.String())) {
		t.Fatal(b.String())
	}
	return b.String()
}

// callTable has the calls of a lake at work; those of a deployment are in the deployer's policy under their own names.
func callTable() string {
	var b strings.Builder
	b.WriteString("| call | action | on | who makes it |\n|---|---|---|---|\n")
	for _, c := range Calls() {
		if c.Unseen == byDeploy {
			continue
		}
		who := c.Unseen
		if who == "" {
			who = "tarn"
		}
		action, on := "none", ""
		for _, n := range c.Needs {
			action = "`" + n.Action + "`"
			var kinds []string
			for _, k := range n.On {
				kinds = append(kinds, strings.ReplaceAll(string(k), "*", "everything"))
			}
			on = strings.Join(kinds, ", ")
		}
		fmt.Fprintf(&b, "| %s %s | %s | %s | %s |\n", c.Service, c.Operation, action, on, who)
	}
	return b.String()
}
