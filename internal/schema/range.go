package schema

import "math"

// Range is what the values of a column have to lie in, both ends included. Values are whole numbers, days since 1970 of a
// date, or microseconds since 1970 of a timestamp; null lies in no range.
type Range struct {
	Column   string
	Min, Max int64
}

// Everything is the range of all values of a column.
func Everything(column string) Range {
	return Range{Column: column, Min: math.MinInt64, Max: math.MaxInt64}
}

// Meets reports whether a value between low and high, both included, can lie in the range.
func (r Range) Meets(low, high int64) bool { return low <= r.Max && high >= r.Min }

// Ranged reports whether a [Range] can speak of values of the type.
func (t Type) Ranged() bool { return t.Whole() || t.Kind == Date || t.Kind == Timestamp }
