package project

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// text is a scalar with its place.
type text struct {
	value string
	node  *yaml.Node
}

func (t *text) decodeNode(d *decoder, n *yaml.Node, path string) {
	if n.Kind != yaml.ScalarNode || isNull(n) {
		d.wrong(n, path, "text")
		return
	}
	t.value, t.node = n.Value, n
}

func (t text) set() bool { return t.node != nil }

// names is one name, or a list of them.
type names []string

func (s *names) decodeNode(d *decoder, n *yaml.Node, path string) {
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	if len(items) == 0 {
		d.errorAt(n, "wrong-value", path+": name at least one column", "")
	}
	for _, item := range items {
		var t text
		t.decodeNode(d, aliased(item), path)
		if t.set() {
			*s = append(*s, t.value)
		}
	}
}

// pair is a key of the user's own choice with its value.
type pair[T any] struct {
	key   text
	value T
}

// value is a number, text, truth value, date or time as YAML writes it: int64, float64, string, bool or [time.Time].
type value struct {
	v    any
	node *yaml.Node
}

func (v *value) decodeNode(d *decoder, n *yaml.Node, path string) {
	if n.Kind != yaml.ScalarNode || isNull(n) {
		d.wrong(n, path, "a number, text or time")
		return
	}
	var err error
	switch n.ShortTag() {
	case "!!int":
		var i int64
		err = n.Decode(&i)
		v.v = i
	case "!!float":
		var f float64
		err = n.Decode(&f)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			err = fmt.Errorf("not a finite number")
		}
		v.v = f
	case "!!bool":
		var b bool
		err = n.Decode(&b)
		v.v = b
	case "!!timestamp":
		var t time.Time
		err = n.Decode(&t)
		v.v = t.UTC()
	default:
		v.v = n.Value
	}
	if err != nil {
		d.wrong(n, path, "a number, text or time")
		return
	}
	v.node = n
}

// count is a whole number, not negative.
type count struct {
	n    int64
	node *yaml.Node // nil where nothing is set
}

func (c *count) decodeNode(d *decoder, n *yaml.Node, path string) {
	if n.ShortTag() != "!!int" || n.Decode(&c.n) != nil || c.n < 0 {
		d.wrong(n, path, "a number of rows such as 1000")
		return
	}
	c.node = n
}

// duration is a length of time such as 24h, 7d or 1d12h.
type duration struct{ d time.Duration }

var durationPart = regexp.MustCompile(`^(\d{1,9})(w|d|h|m|s)`)

func (v *duration) decodeNode(d *decoder, n *yaml.Node, path string) {
	var ok bool
	if v.d, ok = span(n.Value); n.Kind != yaml.ScalarNode || !ok {
		d.wrong(n, path, "a time such as 24h or 7d (w, d, h, m, s)")
	}
}

// span reads a length of time such as 1d12h, which is more than nothing.
func span(s string) (time.Duration, bool) {
	units := map[string]time.Duration{"w": 7 * 24 * time.Hour, "d": 24 * time.Hour, "h": time.Hour, "m": time.Minute, "s": time.Second}
	var out time.Duration
	for s != "" {
		m := durationPart.FindStringSubmatch(s)
		if m == nil {
			return 0, false
		}
		amount, _ := strconv.ParseInt(m[1], 10, 64) // at most nine digits
		if unit := units[m[2]]; amount > int64((math.MaxInt64-out)/unit) {
			return 0, false
		}
		out += time.Duration(amount) * units[m[2]]
		s = s[len(m[0]):]
	}
	return out, out > 0
}

// limit is [Limit] as YAML writes it.
type limit struct {
	Limit
	node *yaml.Node
}

func (l *limit) decodeNode(d *decoder, n *yaml.Node, path string) {
	l.node = n
	const want = "a number of rows such as 100 or a share such as 0.01 or 1%"
	percent, isPercent := strings.CutSuffix(n.Value, "%")
	switch {
	case n.Kind != yaml.ScalarNode:
		d.wrong(n, path, want)
	case isPercent:
		f, err := strconv.ParseFloat(strings.TrimSpace(percent), 64)
		if err != nil || !(f >= 0 && f <= 100) {
			d.wrong(n, path, want)
			return
		}
		l.Share, l.Relative = f/100, true
	case n.ShortTag() == "!!int":
		if err := n.Decode(&l.Rows); err != nil || l.Rows < 0 {
			d.wrong(n, path, want)
		}
	case n.ShortTag() == "!!float":
		// 1.0 could mean all rows or one row.
		if err := n.Decode(&l.Share); err != nil || !(l.Share >= 0 && l.Share < 1) {
			d.wrong(n, path, want)
			return
		}
		l.Relative = true
	default:
		d.wrong(n, path, want)
	}
}

var memorySize = regexp.MustCompile(`(?i)^(\d{1,9}(?:\.\d{1,6})?)\s*([KMGT]?)(i?)B?$`)

// ParseMemory gives the bytes that a memory setting such as 512MB or 1.5GiB means (KB is 1000 bytes, KiB is 1024).
// It is an error if the text is of another form or means less than 32 MB, with which the engine cannot start.
func ParseMemory(s string) (int64, error) {
	n, err := parseSize("memory", s)
	if err == nil && n < 32e6 {
		return 0, fmt.Errorf("memory %q is less than 32MB, the least that the engine works with", s)
	}
	return n, err
}

// parseSize reads a size with its unit; key is what it is the size of.
func parseSize(key, s string) (int64, error) {
	m := memorySize.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil || m[2] == "" {
		return 0, fmt.Errorf("%s %q is not a size such as 512MB or 2GB", key, s)
	}
	f, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return 0, fmt.Errorf("%s %q: %w", key, s, err)
	}
	base := 1000.0
	if m[3] != "" {
		base = 1024
	}
	bytes := f * math.Pow(base, float64(1+strings.Index("KMGT", strings.ToUpper(m[2]))))
	if bytes > math.MaxInt64/2 {
		return 0, fmt.Errorf("%s %q is more than a machine has", key, s)
	}
	return int64(bytes), nil
}
