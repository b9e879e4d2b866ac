package stacktest

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"
)

// problem is an error of the Query protocol.
type problem struct{ code, message string }

func (p *problem) Error() string { return p.code + ": " + p.message }

func invalid(format string, args ...any) error {
	return &problem{"ValidationError", fmt.Sprintf(format, args...)}
}

// node is an element of an answer: a text, or others in order.
type node struct {
	name  string
	text  string
	inner []node
}

func leaf(name, text string) node { return node{name: name, text: text} }

// some leaves an empty text out.
func some(name, text string) []node {
	if text == "" {
		return nil
	}
	return []node{leaf(name, text)}
}

func within(name string, inner ...node) node { return node{name: name, inner: inner} }

// list writes members of a list.
func list(name string, members ...node) node {
	for i := range members {
		members[i].name = "member"
	}
	return node{name: name, inner: members}
}

func (n node) write(b *strings.Builder) {
	b.WriteString("<" + n.name + ">")
	if n.inner == nil {
		_ = xml.EscapeText(b, []byte(n.text))
	}
	for _, i := range n.inner {
		i.write(b)
	}
	b.WriteString("</" + n.name + ">")
}

func when(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// form is the parameters of a request.
type form struct{ url.Values }

// members gives the beginnings of names of a list's members, such as Tags.member.1.
func (f form) members(name string) []string {
	numbers := map[int]bool{}
	for k := range f.Values {
		rest, ok := strings.CutPrefix(k, name+".member.")
		if !ok {
			continue
		}
		n, _, _ := strings.Cut(rest, ".")
		if i, err := strconv.Atoi(n); err == nil {
			numbers[i] = true
		}
	}
	var sorted []int
	for n := range numbers {
		sorted = append(sorted, n)
	}
	sort.Ints(sorted)
	var out []string
	for _, n := range sorted {
		out = append(out, fmt.Sprintf("%s.member.%d", name, n))
	}
	return out
}

// texts gives a list of texts.
func (f form) texts(name string) (out []string) {
	for _, m := range f.members(name) {
		out = append(out, f.Get(m))
	}
	return out
}

// pairs gives a list of keys and values, or a map.
func (f form) pairs(name, key, value string) map[string]string {
	out := map[string]string{}
	for _, m := range f.members(name) {
		out[f.Get(m+"."+key)] = f.Get(m + "." + value)
	}
	return out
}

// query answers CloudFormation and STS.
func (s *Server) query(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		panic(http.ErrAbortHandler)
	}
	f := form{r.PostForm}
	action := f.Get("Action")
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []node
	var err error
	do := operations[action]
	switch {
	case action == "GetCallerIdentity":
		out = []node{leaf("Account", Account), leaf("Arn", "arn:aws:sts::"+Account+":assumed-role/deployer/someone"), leaf("UserId", "AROATARN:someone")}
	case do == nil:
		err = &problem{"InvalidAction", "the stand-in has no " + action}
	case s.throttled > 0:
		s.throttled--
		err = &problem{"Throttling", "Rate exceeded"}
	default:
		s.counts[action]++
		out, err = do(s, f)
	}
	w.Header().Set("Content-Type", "text/xml")
	var b strings.Builder
	if err != nil {
		p, ok := err.(*problem)
		if !ok {
			p = &problem{"InternalFailure", err.Error()}
		}
		w.WriteHeader(http.StatusBadRequest)
		within("ErrorResponse", within("Error", leaf("Type", "Sender"), leaf("Code", p.code), leaf("Message", p.message)), leaf("RequestId", "r")).write(&b)
	} else {
		within(action+"Response", within(action+"Result", append([]node{}, out...)...), within("ResponseMetadata", leaf("RequestId", "r"))).write(&b)
	}
	_, _ = w.Write([]byte(b.String()))
}
