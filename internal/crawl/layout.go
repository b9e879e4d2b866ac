package crawl

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"tarn/internal/careful"
	"tarn/internal/schema"
)

// folderKind is what the name of a folder says about what is in it.
type folderKind uint8

const (
	named    folderKind = iota // customers: a table, or a part of one
	keyed                      // k=v: a partition
	dated                      // 2024, 07, 2024-07-31: a time
	numbered                   // other numbers
)

var (
	yearName  = regexp.MustCompile(`^(19|20|21)[0-9]{2}$`)
	dateNames = regexp.MustCompile(`^(19|20|21)[0-9]{2}(-?(0[1-9]|1[0-2])(-?(0[1-9]|[12][0-9]|3[01])([T-]?[0-9]{2})?)?)?$`)
	twoDigits = regexp.MustCompile(`^[0-9]{1,2}$`)
	allDigits = regexp.MustCompile(`^[0-9]+$`)
)

func base(key string) string {
	key = strings.TrimSuffix(key, "/")
	return key[strings.LastIndexByte(key, '/')+1:]
}

func kindOfFolder(name string) folderKind {
	switch {
	case strings.IndexByte(name, '=') > 0:
		return keyed
	case dateNames.MatchString(name):
		return dated
	case allDigits.MatchString(name):
		return numbered
	}
	return named
}

// parts reports whether folders are parts of one table by their names: all k=v, all times, or all numbers.
func parts(folders []string) bool {
	for i, f := range folders {
		k := kindOfFolder(base(f))
		if k == named || i > 0 && (k == keyed) != (kindOfFolder(base(folders[0])) == keyed) {
			return false
		}
	}
	return true
}

// pattern describes the folders of a path below a table, such as YYYY/MM/dd/HH or dt=…/hour=….
func pattern(path string) string {
	segments := strings.Split(path, "/")
	segments = segments[:len(segments)-1]
	var out []string
	var times []string // what may follow a year
	for _, s := range segments {
		switch {
		case kindOfFolder(s) == keyed:
			k, _, _ := strings.Cut(s, "=")
			out = append(out, k+"=…")
		case yearName.MatchString(s):
			out, times = append(out, "YYYY"), []string{"MM", "dd", "HH"}
		case len(times) > 0 && twoDigits.MatchString(s):
			out, times = append(out, times[0]), times[1:]
		case dateNames.MatchString(s) && strings.Count(s, "-") == 2 && len(s) == 10:
			out = append(out, "YYYY-MM-dd")
		case dateNames.MatchString(s) && len(s) == 7:
			out = append(out, "YYYY-MM")
		case dateNames.MatchString(s) && len(s) == 8 && !strings.Contains(s, "-"):
			out = append(out, "YYYYMMdd")
		default:
			out = append(out, "…")
		}
	}
	return strings.Join(out, "/")
}

// defaultPartition is Hive's folder for null.
const defaultPartition = "__HIVE_DEFAULT_PARTITION__"

// partitionKeys gives the k=v folders of a path in order, values as Hive decodes them.
func partitionKeys(path string) (keys, values []string) {
	segments := strings.Split(path, "/")
	for _, s := range segments[:len(segments)-1] {
		if k, v, ok := strings.Cut(s, "="); ok && k != "" {
			keys, values = append(keys, strings.ToLower(k)), append(values, unescaped(v))
		}
	}
	return keys, values
}

// partitionType chooses the type of a partition column: date and whole numbers where all values are such as they would be
// written again, else string.
func partitionType(values []string) schema.Type {
	is := func(fits func(string) bool) bool {
		some := false
		for _, v := range values {
			if v == defaultPartition {
				continue
			}
			if some = true; !fits(v) {
				return false
			}
		}
		return some
	}
	switch {
	case is(func(v string) bool { _, err := careful.Text(v, dateType); return err == nil }):
		return dateType
	case is(func(v string) bool {
		n, ok := parseNumber(v, false)
		return ok && n.whole && !n.beyond64() && v != "-0"
	}):
		return schema.Type{Kind: schema.BigInt}
	}
	return textType
}

// sameShape reports whether two sets of field names are those of one table: most of the smaller one's are in the other.
func sameShape(a, b []string) bool {
	if len(a) == 0 || len(b) == 0 {
		return len(a) == len(b)
	}
	both := 0
	for _, n := range a {
		if slices.Contains(b, n) {
			both++
		}
	}
	return both*10 >= min(len(a), len(b))*7 && both*2 >= max(len(a), len(b))
}

func unescaped(v string) string {
	if d, err := url.PathUnescape(v); err == nil {
		return d
	}
	return v
}
