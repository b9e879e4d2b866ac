package crawl

import (
	"regexp"
	"strings"
)

// What keys look like when they are values: numbers, days, identifiers, addresses.
var dataKeys = []*regexp.Regexp{
	regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`),
	regexp.MustCompile(`^[0-9]{4}-[0-9]{2}(-[0-9]{2}.*)?$`),
	regexp.MustCompile(`(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`),
	regexp.MustCompile(`(?i)^[0-9a-f]*[0-9][0-9a-f]*$`), // with looksHex
	regexp.MustCompile(`^[^@\s]+@[^@\s]+$`),
	regexp.MustCompile(`^[0-9]{1,3}(\.[0-9]{1,3}){3}$`),
}

var digitRun = regexp.MustCompile(`[0-9]+`)

// keysAreData tells a map from a struct. Its answer does not change when the same objects are seen twice.
func keysAreData(s *fieldSet, list []*group) bool {
	if len(list) < 2 {
		// One key tells nothing, unless it can be nothing else.
		return len(list) == 1 && (dataKeys[2].MatchString(list[0].name) || dataKeys[4].MatchString(list[0].name) || dataKeys[1].MatchString(list[0].name))
	}
	for i, p := range dataKeys {
		fits := true
		for _, g := range list {
			if !p.MatchString(g.name) || i == 3 && len(g.name) < 8 {
				fits = false
				break
			}
		}
		if fits {
			return true
		}
	}
	// A few numbered names are the fields of a form (line1, line2); many are data (sensor_0017, …).
	if len(list) >= 10 {
		shape := digitRun.ReplaceAllString(strings.ToLower(list[0].name), "#")
		same := strings.Contains(shape, "#")
		for _, g := range list {
			same = same && digitRun.ReplaceAllString(strings.ToLower(g.name), "#") == shape
		}
		if same {
			return true
		}
	}
	// Many keys, of which each object has few.
	return len(list) >= 50 && s.values*10 <= s.objects*int64(len(list))
}
