package crawl

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"tarn/internal/schema"
)

// Conflict is a field whose values are of kinds that no type but the one taken has in common.
type Conflict struct {
	// Column is the field; one inside another is written a.b, an element of an array a[].
	Column string `json:"column"`
	// Kinds are what was found, the most frequent first.
	Kinds []Kind `json:"kinds"`
	// Type is the type taken, in which every sampled value loads.
	Type string `json:"type"`
}

// Kind is one of the kinds of values in a conflict.
type Kind struct {
	// Kind says in words what the values are.
	Kind string `json:"kind"`
	// Count is how many were seen.
	Count int64 `json:"count"`
	// Example is the first of them, cut to 60 bytes.
	Example string `json:"example"`
	// File is where it stands, as the crawled location has it below.
	File string `json:"file"`
	// Line is the line there, from 1.
	Line int64 `json:"line"`
}

// serde is how the table's files will be read, as far as types depend on it.
type serde uint8

const (
	jsonSerde serde = iota
	delimited       // LazySimpleSerDe
	openCSV         // OpenCSVSerde
)

// judge chooses types by evidence.
type judge struct {
	serde serde
	// null is the text that the table declares to stand for null; "" for none.
	null string
	// file names the file of a spot.
	file func(spot) string

	conflicts []Conflict
	notes     []note
}

// note is something to know about a field.
type note struct{ path, text string }

func (j *judge) note(path, format string, args ...any) {
	j.notes = append(j.notes, note{path, fmt.Sprintf(format, args...)})
}

var textType = schema.Type{Kind: schema.String}

// maxTypeText is what Glue takes as the text of a column's type (API reference, Column).
const maxTypeText = 131_072

// column chooses the type of a top-level field. Every value that is in the evidence loads as it.
func (j *judge) column(name string, e *evidence) schema.Type {
	t := j.decide(name, e)
	if n := len(t.Hive()); n > maxTypeText {
		j.note(name, "its type would have %d characters, more than Glue takes: kept as text", n)
		return textType
	}
	return t
}

func (j *judge) decide(path string, e *evidence) schema.Type {
	counts := j.counts(e)
	has := func(list ...kind) bool {
		return slices.ContainsFunc(list, func(k kind) bool { return counts[k].count > 0 })
	}
	only := func(list ...kind) bool {
		for k := range kinds {
			if counts[k].count > 0 && !slices.Contains(list, k) {
				return false
			}
		}
		return has(list...)
	}
	loose := j.serde != jsonSerde
	switch {
	case !has(all...):
		what := "only null so far"
		if loose {
			what = "only empty so far"
		}
		j.note(path, "%s, so the type is a guess", what)
		return textType
	case only(objects):
		return j.object(path, e.fields)
	case only(arrays):
		return j.array(path, e.elem)
	case only(wholes, fractions, numberTexts) && (loose || has(wholes, fractions)):
		n := e.numbers
		n.join(e.quoted)
		if t, ok := j.number(path, n); ok {
			if t = j.readable(path, e, t); !t.Text() && has(numberTexts) && !loose {
				j.conflict(path, counts, t)
			}
			return t
		}
	case only(booleans, booleanTexts) && (loose || has(booleans)):
		t := j.readable(path, e, schema.Type{Kind: schema.Boolean})
		if !t.Text() && has(booleanTexts) && !loose {
			j.conflict(path, counts, t)
		}
		return t
	case only(dateTexts):
		return j.readable(path, e, dateType)
	case only(timeTexts), only(timeTexts, zonedTexts) && !loose:
		return j.readable(path, e, timestampType)
	case only(timeTexts, zonedTexts):
		j.note(path, "timestamps with T or a zone, which Athena's LazySimpleSerDe reads as null: kept as text; CAST(%s AS TIMESTAMP) in a model", last(path))
	case only(timeTexts, zonedTexts, fineTexts):
		j.note(path, "timestamps finer than the microseconds that a table holds: kept as text")
	}
	if counts[deep].count > 0 {
		j.note(path, "nested more than %d deep: kept as text", maxDepth)
	}
	if mixed(counts, loose) {
		j.conflict(path, counts, textType)
	}
	return textType
}

var all = []kind{booleans, wholes, fractions, texts, emptyTexts, numberTexts, booleanTexts, dateTexts, timeTexts, zonedTexts, fineTexts, objects, arrays, deep}

// counts gives what the kinds are to this table: empty fields of text files are null, and markers are texts unless they are
// the one that the table declares.
func (j *judge) counts(e *evidence) [kinds]met {
	counts := e.kinds
	if j.serde != jsonSerde {
		counts[emptyTexts] = met{}
	}
	for name, m := range e.markers {
		if name != j.null || j.null == "" {
			counts[texts].join(m)
		}
	}
	return counts
}

// mixed reports whether that a field is text hides something: values that are no texts, or a few that are unlike the rest.
func mixed(counts [kinds]met, loose bool) bool {
	plain := counts[texts].count + counts[emptyTexts].count
	other := counts[booleans].count + counts[wholes].count + counts[fractions].count + counts[objects].count + counts[arrays].count
	times := counts[dateTexts].count + counts[timeTexts].count + counts[zonedTexts].count
	rest := plain + counts[numberTexts].count + counts[booleanTexts].count
	if loose {
		times += counts[numberTexts].count + counts[booleanTexts].count
		rest = plain
	}
	families := 0
	for _, n := range []int64{counts[objects].count, counts[arrays].count, counts[booleans].count, counts[wholes].count + counts[fractions].count} {
		if n > 0 {
			families++
		}
	}
	return other > 0 && (families > 1 || plain+times+rest > 0) || times > rest && rest > 0
}

// readable gives up a type that the serde of text files does not read in Athena.
func (j *judge) readable(path string, e *evidence, t schema.Type) schema.Type {
	if j.serde != openCSV {
		return t
	}
	switch {
	case t.Kind == schema.Date, t.Kind == schema.Timestamp:
		j.note(path, "%ss, which OpenCSVSerde reads only as numbers since 1970: kept as text; CAST(%s AS %s) in a model", t.Kind, last(path), strings.ToUpper(string(t.Kind)))
		return textType
	case t.Kind == schema.Decimal:
		j.note(path, "numbers for %s, which OpenCSVSerde does not read: kept as text", t.Hive())
		return textType
	case e.kinds[emptyTexts].count > 0:
		j.note(path, "%ss, but some fields are empty, at which Athena's OpenCSVSerde fails: kept as text; CAST(NULLIF(%s, '') AS %s) in a model", t.Kind, last(path), strings.ToUpper(string(t.Kind)))
		return textType
	}
	return t
}

func last(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// number chooses the type of numbers: bigint, decimal for what is beyond it or finer than a double, else double. There is
// none for what neither decimal(38) nor a double can hold.
func (j *judge) number(path string, n numbers) (schema.Type, bool) {
	decimal := func(scale int) (schema.Type, bool) {
		return schema.Type{Kind: schema.Decimal, Precision: 38, Scale: scale}, n.intDigits+scale <= 38
	}
	switch {
	case !n.fractions && !n.beyond64:
		return schema.Type{Kind: schema.BigInt}, true
	case !n.fractions:
		t, ok := decimal(0)
		if ok {
			j.note(path, "whole numbers beyond 64 bits, such as %s", n.extreme())
		} else {
			j.note(path, "whole numbers of more than 38 digits, such as %s: kept as text, so that none loses digits", n.extreme())
		}
		return t, ok
	case n.infinite:
		if t, ok := decimal(n.fracDigits); ok {
			return t, true
		}
		j.note(path, "numbers beyond the range of a double, such as %s: kept as text", n.extreme())
		return textType, false
	case n.inexact:
		if t, ok := decimal(n.fracDigits); ok {
			j.note(path, "a double would round some of them, such as %s", n.minFine)
			return t, true
		}
		j.note(path, "a double rounds some of them, such as %s", n.minFine)
	case !n.exponents && n.minPlaces == n.maxPlaces && n.minPlaces >= 2 && n.minPlaces <= 4:
		j.note(path, "always %d digits behind the point: if these are amounts, decimal(18,%d) keeps their sums exact", n.minPlaces, n.minPlaces)
	}
	return schema.Type{Kind: schema.Double}, true
}

func (c numbers) extreme() string {
	if len(c.minText) > len(c.maxText) {
		return c.minText
	}
	return c.maxText
}

func (j *judge) array(path string, e *evidence) schema.Type {
	elem := textType
	if e == nil {
		j.note(path, "only empty arrays so far, so the type of their elements is a guess")
	} else {
		elem = j.decide(path+"[]", e)
	}
	return schema.Type{Kind: schema.Array, Elem: &elem}
}

// group are the fields of one name in any case.
type group struct {
	name   string // the most frequent spelling
	others []*field
	first  spot
	twice  bool // one object had two spellings
	all    []*field
}

func (g *group) evidence() *evidence {
	if len(g.all) == 1 {
		return &g.all[0].evidence
	}
	e := &evidence{}
	for _, f := range g.all {
		e.join(&f.evidence, nil)
	}
	return e
}

// groups lists the fields in the order in which they were met first.
func (s *fieldSet) groups() []*group {
	byFold := map[*fold]*group{}
	out := []*group{}
	for _, f := range s.byName {
		if f.evidence.seen == 0 {
			continue
		}
		g := byFold[f.fold]
		if g == nil {
			g = &group{first: f.evidence.first}
			byFold[f.fold] = g
			out = append(out, g)
		}
		g.all = append(g.all, f)
		g.first = min(g.first, f.evidence.first)
		g.twice = g.twice || f.fold.twice
	}
	for _, g := range out {
		slices.SortFunc(g.all, func(a, b *field) int {
			if c := b.evidence.seen - a.evidence.seen; c != 0 {
				return int(max(-1, min(1, c)))
			}
			return strings.Compare(a.name, b.name)
		})
		g.name, g.others = g.all[0].name, g.all[1:]
	}
	slices.SortFunc(out, func(a, b *group) int {
		if c := a.first - b.first; c != 0 {
			return int(max(-1, min(1, c)))
		}
		return strings.Compare(a.name, b.name)
	})
	return out
}

// plainLetters is what plain names are made of.
var plainLetters = regexp.MustCompile(`^[A-Za-z0-9_]+$`)

// plainName reports whether Athena takes a name for a column and for a field of a struct.
func plainName(name string) bool { return len(name) <= 255 && plainLetters.MatchString(name) }

// object chooses struct or map: a map where the keys are data, or where no struct can have them as fields.
func (j *judge) object(path string, s *fieldSet) schema.Type {
	list := s.groups()
	if s.repeated {
		j.note(path, "a key stands twice in one object: such rows go to quarantine")
	}
	if len(list) == 0 && s.rest == nil {
		j.note(path, "only empty objects so far, so the type is a guess")
		return mapOf(textType)
	}
	forced := ""
	for _, g := range list {
		switch {
		case g.twice:
			forced = fmt.Sprintf("%s and %s stand in one object", g.name, g.others[0].name)
		case !plainName(g.name):
			forced = fmt.Sprintf("%q cannot be the name of a field", cut(g.name))
		}
		if forced != "" {
			break
		}
	}
	if s.rest != nil {
		forced = fmt.Sprintf("more than %d different keys", len(s.byName))
	}
	data := keysAreData(s, list)
	if forced != "" || data {
		// The values are judged apart, so that what is found counts only if it is taken.
		apart := &judge{serde: j.serde, null: j.null, file: j.file}
		together := &evidence{}
		for _, f := range s.byName {
			together.join(&f.evidence, nil)
		}
		together.join(s.rest, nil)
		t := apart.decide(path+"{}", together)
		if forced != "" || len(apart.conflicts) == 0 {
			j.conflicts, j.notes = append(j.conflicts, apart.conflicts...), append(j.notes, apart.notes...)
			if data {
				j.note(path, "a map, as its keys look like data: %s", examples(list))
			} else {
				j.note(path, "a map, as %s", forced)
			}
			return mapOf(t)
		}
	}
	t := schema.Type{Kind: schema.Struct}
	for _, g := range list {
		j.spellings(path+"."+g.name, g)
		t.Fields = append(t.Fields, schema.Field{Name: g.name, Type: j.decide(path+"."+g.name, g.evidence())})
	}
	return t
}

func (j *judge) spellings(path string, g *group) {
	for _, f := range g.others {
		j.note(path, "written %s in %s, first in %s: names are matched in any case", f.name, plural(f.evidence.seen, "object"), j.file(f.evidence.first))
	}
}

func mapOf(t schema.Type) schema.Type {
	key := textType
	return schema.Type{Kind: schema.Map, Key: &key, Elem: &t}
}

func examples(list []*group) string {
	var out []string
	for _, g := range list[:min(3, len(list))] {
		out = append(out, cut(g.name))
	}
	return strings.Join(out, ", ")
}

func (j *judge) conflict(path string, counts [kinds]met, t schema.Type) {
	c := Conflict{Column: path, Type: t.Hive()}
	for k, m := range counts {
		if m.count > 0 {
			c.Kinds = append(c.Kinds, Kind{Kind: spoken[k], Count: m.count, Example: m.example, File: j.file(m.at), Line: m.line})
			if j.serde != jsonSerde {
				c.Kinds[len(c.Kinds)-1].Kind = strings.TrimSuffix(spoken[k], " in quotes")
			}
		}
	}
	slices.SortStableFunc(c.Kinds, func(a, b Kind) int { return int(max(-1, min(1, b.Count-a.Count))) })
	j.conflicts = append(j.conflicts, c)
}
