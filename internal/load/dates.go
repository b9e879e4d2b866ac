package load

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// period is the time that the folders of a path stand for, as far as they were read: nothing yet, a year, a month or a day.
// What lies below a day (an hour, say) is part of it.
type period struct {
	year, month, day int
}

// whole reports whether nothing more of a date can follow.
func (p period) whole() bool { return p.day > 0 }

// dated reports whether any part of a date was read.
func (p period) dated() bool { return p.year > 0 }

// end is the first moment after the period. Folders can be named by the clock of any place, which the days that a listing
// goes back make up for.
func (p period) end() time.Time {
	switch {
	case p.day > 0:
		return time.Date(p.year, time.Month(p.month), p.day+1, 0, 0, 0, 0, time.UTC)
	case p.month > 0:
		return time.Date(p.year, time.Month(p.month)+1, 1, 0, 0, 0, 0, time.UTC)
	}
	return time.Date(p.year+1, 1, 1, 0, 0, 0, 0, time.UTC)
}

// Keys that `k=v` folders of parts of a date go by; a whole date can have any.
var (
	yearKeys  = map[string]bool{"year": true, "yyyy": true, "y": true, "yr": true}
	monthKeys = map[string]bool{"month": true, "mm": true, "m": true, "mon": true}
	dayKeys   = map[string]bool{"day": true, "dd": true, "d": true}
)

// enter reads one more folder; ok is false where its name is no further part of a date. Known are 2024/01/31 (Firehose's
// own), 2024-01-31, 20240131, 2024-01, each also as the value of a key such as dt=, and year=2024/month=1/day=31.
func (p period) enter(folder string) (next period, ok bool) {
	key, value, keyed := strings.Cut(folder, "=")
	if !keyed {
		key, value = "", folder
	}
	if v, err := url.PathUnescape(value); err == nil {
		value = v
	}
	key = strings.ToLower(key)
	if p.whole() {
		return p, false
	}
	if d, ok := wholeDate(value); ok {
		// Some repeat what the folders above say: 2024/2024-01-31.
		if p.dated() && (d.year != p.year || p.month > 0 && d.month != p.month) {
			return p, false
		}
		return d, true
	}
	n, digits := number(value)
	switch {
	case !p.dated() && digits == 4 && n >= 1900 && n < 2200 && (!keyed || yearKeys[key]):
		return period{year: n}, true
	case p.dated() && p.month == 0 && n >= 1 && n <= 12 && (!keyed && digits == 2 || monthKeys[key] && digits <= 2):
		return period{year: p.year, month: n}, true
	case p.month > 0 && n >= 1 && n <= 31 && (!keyed && digits == 2 || dayKeys[key] && digits <= 2):
		return period{p.year, p.month, n}, true
	}
	return p, false
}

// wholeDate reads a month or a day that one folder names, with or without an hour behind it.
func wholeDate(value string) (period, bool) {
	for _, layout := range []string{"2006-01-02", "20060102", "2006-01-02-15", "2006-01-02T15", "2006-01-02 15", "2006010215"} {
		if t, err := time.Parse(layout, value); err == nil && t.Year() >= 1900 && t.Year() < 2200 {
			return period{t.Year(), int(t.Month()), t.Day()}, true
		}
	}
	if t, err := time.Parse("2006-01", value); err == nil && t.Year() >= 1900 && t.Year() < 2200 {
		return period{year: t.Year(), month: int(t.Month())}, true
	}
	return period{}, false
}

// number reads a whole number without a sign, and tells how many digits it has; -1 is none.
func number(s string) (n, digits int) {
	if s == "" || len(s) > 4 || strings.Trim(s, "0123456789") != "" {
		return -1, 0
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return -1, 0
	}
	return n, len(s)
}
