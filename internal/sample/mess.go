package sample

import (
	"bytes"
	"math"
	"strconv"
	"unicode/utf8"
)

// Kind says in what way a record is not as it should be.
type Kind string

// Broken records hold something that no column can take as it stands: they belong in quarantine.
const (
	// CutOff ends in the middle of the record: within its file, or (see [Options.Broken]) at the end of the file, which
	// then has no line end either.
	CutOff Kind = "cut_off"
	// TextForNumber has the word "fast" for a number.
	TextForNumber Kind = "text_for_number"
	// MissingQuote lacks the quote behind a text, so it is no JSON.
	MissingQuote Kind = "missing_quote"
	// FractionForInteger has a fraction where the column takes whole numbers.
	FractionForInteger Kind = "fraction_for_integer"
	// DuplicateKey has one key twice, with different values.
	DuplicateKey Kind = "duplicate_key"
)

// Odd records are unusual, but have one meaning only: they must load.
const (
	// TwoOnALine has the next record behind it on the same line.
	TwoOnALine Kind = "two_on_a_line"
	// TrailingComma has a comma at the end of the line.
	TrailingComma Kind = "trailing_comma"
	// Exponent has a whole number written as 1.69e12.
	Exponent Kind = "exponent"
	// QuotedNumber has a whole number in quotes.
	QuotedNumber Kind = "quoted_number"
	// CRLF ends its line as Windows does.
	CRLF Kind = "crlf"
	// OtherCase has a key in another case than the column.
	OtherCase Kind = "other_case"
)

var (
	// In the order in which [Options.Broken] takes them.
	brokenKinds = []Kind{CutOff, TextForNumber, MissingQuote, FractionForInteger, DuplicateKey}
	oddKinds    = []Kind{TwoOnALine, TrailingComma, Exponent, QuotedNumber, CRLF, OtherCase}
)

// keys are the fields of a table that are tampered with.
type keys struct {
	text, whole, number string // number is any; whole is taken by an integer column
	other               string // whole in another case
}

var tableKeys = map[string]keys{
	customerTable:      {text: "customerName", whole: "registrationDate", number: "lastUpdateDate", other: "RegistrationDate"},
	accelerometerTable: {text: "user", whole: "timestamp", number: "y", other: "timeStamp"},
	stepTrainerTable:   {text: "serialNumber", whole: "sensorReadingTime", number: "distanceFromObject", other: "SensorReadingTime"},
}

// maxListed is how many broken records are listed one by one.
const maxListed = 100_000

// target is a record that is to be broken, by its number in the table.
type target struct {
	at   int64
	kind Kind
}

// mess spoils the records of one table.
type mess struct {
	rnd     random
	share   uint64 // of the broken among all, and of the odd among the others, as a part of 2^53
	targets []target
	last    bool // the record at hand is the last of the table
	keys    keys

	path        string // of the folder, in the summary
	broken, odd int64
	listed      []BrokenRecord
}

func newMess(table string, o Options, seed uint64) *mess {
	return &mess{
		rnd: random(key(seed, forMess, uint64(len(table)))), share: uint64(o.Mess * (1 << 53)),
		keys: tableKeys[table], path: table + "/landing/",
	}
}

// end does what [output.end] does, after spoiling the record if it is its turn.
func (m *mess) end(o *output, start int) bool {
	kind, broken := m.choose(o.count)
	if kind == "" {
		o.buf = append(o.buf, '\n')
		o.line++
		return true
	}
	record := bytes.Clone(o.buf[start:])
	o.buf = append(o.buf[:start], m.spoil(kind, record)...)
	if broken {
		m.broken++
		if len(m.listed) < maxListed {
			m.listed = append(m.listed, BrokenRecord{File: m.path + o.name(), Line: o.line, Kind: kind})
		}
	} else {
		m.odd++
	}
	switch {
	case kind == TwoOnALine, kind == CutOff && m.last:
		return !broken
	case kind == CRLF:
		o.buf = append(o.buf, '\r')
	}
	o.buf = append(o.buf, '\n')
	o.line++
	return !broken
}

func (m *mess) choose(n int64) (kind Kind, broken bool) {
	if len(m.targets) > 0 && (m.targets[0].at == n || m.targets[0].at == atEnd && m.last) {
		kind = m.targets[0].kind
		m.targets = m.targets[1:]
		return kind, true
	}
	if m.share == 0 {
		return "", false
	}
	if m.rnd.next()>>11 < m.share {
		return brokenKinds[m.rnd.below(len(brokenKinds))], true
	}
	if m.rnd.next()>>11 < m.share {
		return oddKinds[m.rnd.below(len(oddKinds))], false
	}
	return "", false
}

// atEnd is the place of a target at the last record.
const atEnd = math.MaxInt64

func (m *mess) spoil(kind Kind, record []byte) []byte {
	switch kind {
	case CutOff:
		n := m.rnd.between(len(record)/4, len(record)*3/4)
		for !utf8.RuneStart(record[n]) {
			n--
		}
		return record[:n]
	case TextForNumber:
		from, to := value(record, m.keys.number)
		return splice(record, from, to, `"fast"`)
	case MissingQuote:
		_, to := value(record, m.keys.text)
		return splice(record, to-1, to, "")
	case FractionForInteger:
		_, to := value(record, m.keys.whole)
		return splice(record, to, to, ".5")
	case DuplicateKey:
		_, to := value(record, m.keys.whole)
		return splice(record, to, to, `,"`+m.keys.whole+`":1`)
	case TrailingComma:
		return append(record, ',')
	case Exponent:
		from, to := value(record, m.keys.whole)
		return splice(record, from, to, scientific(string(record[from:to])))
	case QuotedNumber:
		from, to := value(record, m.keys.whole)
		return splice(record, from, to, strconv.Quote(string(record[from:to])))
	case OtherCase:
		from, _ := value(record, m.keys.whole)
		from -= len(m.keys.whole) + 2
		return splice(record, from, from+len(m.keys.whole), m.keys.other)
	}
	return record
}

// value finds the value of a key in a record of ours, in which no text holds a comma or a closing brace.
func value(record []byte, name string) (from, to int) {
	from = bytes.Index(record, []byte(`"`+name+`":`)) + len(name) + 3
	return from, from + bytes.IndexAny(record[from:], ",}")
}

func splice(record []byte, from, to int, with string) []byte {
	return append(record[:from:from], with+string(record[to:])...)
}

// scientific writes a whole number with an exponent.
func scientific(digits string) string {
	rest := digits[1:]
	for len(rest) > 1 && rest[len(rest)-1] == '0' {
		rest = rest[:len(rest)-1]
	}
	return digits[:1] + "." + rest + "e" + strconv.Itoa(len(digits)-1)
}
