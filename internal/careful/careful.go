// Package careful reads landing files of JSON and CSV row by row, strictly, and goes on after whatever it cannot load.
//
// A [Reader] ([NewJSON], [NewCSV]) gives rows typed by the columns of a table, and one [Bad] for every object or record
// that could not be loaded: nothing is rounded, cut or turned to null on the way. It holds one object at a time, so
// memory is bounded by [Options.MaxObject]. [Stats] tells how files and definition differ. [Open] opens plain and
// compressed files. Where rows and bad ones go is left to the caller.
package careful

import (
	"math/big"
	"strings"
	"unicode/utf8"

	"tarn/internal/schema"
)

// Reason says in one stable word why something could not be loaded.
type Reason string

const (
	// InvalidJSON is text that does not follow RFC 8259, the allowed commas aside.
	InvalidJSON Reason = "invalid_json"
	// CutOff is an object or record that begins but does not end before the file does.
	CutOff Reason = "cut_off"
	// WrongType is a value that its column's type has no place for.
	WrongType Reason = "wrong_type"
	// OutOfRange is a value of the right kind that its column's type cannot hold exactly.
	OutOfRange Reason = "out_of_range"
	// DuplicateKey is an object in which one key, or one column, stands twice.
	DuplicateKey Reason = "duplicate_key"
	// NotAnObject is valid JSON where an object was expected.
	NotAnObject Reason = "not_an_object"
	// WrongFieldCount is a CSV record that has not as many fields as the table has columns.
	WrongFieldCount Reason = "wrong_field_count"
	// TooLarge is an object or record of more than Options.MaxObject bytes.
	TooLarge Reason = "too_large"
	// InvalidUTF8 is text with bytes that are no UTF-8, or with an escaped half of a surrogate pair.
	InvalidUTF8 Reason = "invalid_utf8"
	// WrongFormat is a file of another kind altogether: UTF-16, an archive, another format. It is refused whole.
	WrongFormat Reason = "wrong_format"
	// BadQuoting is a CSV record whose quotes or escapes do not fit together.
	BadQuoting Reason = "bad_quoting"
)

// Bad is one thing in a file that could not be loaded. Its text starts at Offset; how far it goes, the next row tells.
type Bad struct {
	// Offset counts bytes of the uncompressed file from 0, Line lines from 1. Both say where Raw starts.
	Offset, Line int64
	// Column is the column at fault; empty where the whole row is.
	Column string
	Reason Reason
	// Message is for people, in lower case and without a full stop.
	Message string
	// Raw is the text as it stands in the file, cut at 64 KiB and always valid UTF-8: other bytes are written as \xNN.
	Raw string
	// Cut says that Raw is not the whole text.
	Cut bool
}

// Options says what rows look like. Only Columns is needed.
type Options struct {
	Columns []schema.Column
	// Keys gives the JSON key of a column (by its name) where that is not the column's name.
	Keys map[string]string
	// DotsInKeys lets a dot in a JSON key stand for _ in the column's name.
	DotsInKeys bool
	// MaxObject is the size in bytes over which an object or record is refused; 0 means 16 MiB.
	MaxObject int
	// Size is how many bytes there are to read where that is known; 0 where it is not. It saves memory, and a wrong one does
	// no harm.
	Size int64

	window int // size of the first buffer in bytes; tests make it tiny
}

// Reader gives the rows of one file in their order. It is not safe for concurrent use.
type Reader interface {
	// Next gives the next row (one value a column, in a slice that the following call overwrites), or what could not be
	// loaded, or io.EOF. Errors are those of the file below and final; damage inside a compressed file is a Bad.
	//
	// Values are nil, bool, int8 to int64, float32, float64, string, []byte, time.Time (dates at midnight UTC, timestamps
	// in microseconds UTC), Decimal, []any (array), StructValue and []MapEntry. They may be kept.
	Next() (row []any, bad *Bad, err error)
	// Stats gives the counts so far, owned by the reader.
	Stats() *Stats
}

var (
	_ Reader = (*JSONReader)(nil)
	_ Reader = (*CSVReader)(nil)
)

// Decimal is Unscaled × 10^-Scale. Precision and Scale are those of the column.
type Decimal struct {
	Unscaled         *big.Int
	Precision, Scale int
}

// StructValue holds the fields of a struct in the order of its type.
type StructValue []any

// MapEntry is one entry of a map. Entries keep the order of the file.
type MapEntry struct{ Key, Value any }

// Stats counts what was read so far.
type Stats struct {
	// Objects is Loaded and Quarantined: everything in the file that is a row or should have been one.
	Objects, Loaded, Quarantined int64
	// Bytes counts those of the uncompressed file that were read.
	Bytes int64
	// Unknown holds the fields that no column stands for, by name; those of structs as "a.b". It has at most 200 names.
	Unknown map[string]*Unknown
	// Others counts occurrences of further names.
	Others int64
	// Seen counts, for each column, the objects in which its key stood, null or not.
	Seen []int64
}

// Unknown is a field that the definition does not have.
type Unknown struct {
	// Count is in how many objects it stood.
	Count int64
	// Example is the first value as written, cut to 80 characters.
	Example string
}

const (
	maxUnknown    = 200
	maxRaw        = 64 << 10
	defaultObject = 16 << 20
	defaultWindow = 128 << 10
)

func (o Options) withDefaults() Options {
	if o.MaxObject <= 0 {
		o.MaxObject = defaultObject
	}
	if o.window <= 0 {
		o.window = defaultWindow
		if o.Size > 0 && o.Size < defaultWindow {
			o.window = int(o.Size) + 16 // so that the end shows
		}
	}
	return o
}

// readable writes raw bytes as valid UTF-8 of at most limit bytes; whole says that nothing had to be left out.
func readable(raw []byte, limit int) (text string, whole bool) {
	if len(raw) <= limit && utf8.Valid(raw) {
		return string(raw), true
	}
	const hex = "0123456789abcdef"
	var b strings.Builder
	for i := 0; i < len(raw); {
		c, n := utf8.DecodeRune(raw[i:])
		if c == utf8.RuneError && n == 1 {
			if b.Len()+4 > limit {
				return b.String(), false
			}
			b.WriteString(`\x`)
			b.WriteByte(hex[raw[i]>>4])
			b.WriteByte(hex[raw[i]&15])
			i++
			continue
		}
		if b.Len()+n > limit {
			return b.String(), false
		}
		b.Write(raw[i : i+n])
		i += n
	}
	return b.String(), true
}

// excerpt quotes text for a message, cut to 60 characters.
func excerpt(raw []byte) string {
	text, _ := readable(raw, 1024)
	return `"` + cut(text, 60) + `"`
}

// cut shortens text to n characters, the last of which then is an ellipsis.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	count := 0
	last := 0
	for i := range text {
		if count == n-1 {
			last = i
		}
		if count == n {
			return text[:last] + "…"
		}
		count++
	}
	return text
}
