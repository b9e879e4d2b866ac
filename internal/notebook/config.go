package notebook

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"tarn/internal/schema"
)

// Table is the table that is meant where none is named, in lakes that have it.
const Table = "machine_learning_curated"

// Config is what the notebook has to be told. Its user changes it.
type Config struct {
	// The Glue database.
	Database string `json:"database"`
	// The table that is read.
	Table string `json:"table"`
	// The Athena workgroup that is asked in.
	WorkGroup string `json:"workgroup"`
	// The region; "" for what the machine says.
	Region string `json:"region"`
	// The column that says whose a row is; "" if nobody has named one yet.
	Person string `json:"person"`
	// The column that a model shall guess; "" if nobody has named one yet.
	Predict string `json:"predict"`
	// The columns that a model may look at.
	LearnFrom []string `json:"learn_from"`
	// All columns of the table.
	Columns []string `json:"columns"`
}

// persons are columns that say whose a row is, the most telling first: of STEDI's tables, a device has one owner.
var persons = []string{"serialnumber", "email", "user"}

// Persons are the names of columns by which [Person] tells whose a row is.
func Persons() []string { return slices.Clone(persons) }

// predicted is what the model case is about.
const predicted = "distancefromobject"

// Names gives the names of a table's columns as Athena has them.
func Names(columns []schema.Column) []string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = strings.ToLower(schema.StoredName(c.Name))
	}
	return out
}

// Person gives the column that says whose a row is: the one that is named, in any case, or the one that can be told by its name; ""
// if there is none. The error is a [*ColumnError].
func Person(columns []schema.Column, named string) (found string, err error) {
	names := Names(columns)
	if named = strings.ToLower(named); named != "" && !slices.Contains(names, named) {
		return "", &ColumnError{named, "the table does not have it", names}
	}
	if i := slices.IndexFunc(persons, func(p string) bool { return slices.Contains(names, p) }); i >= 0 {
		found = persons[i]
	}
	return cmp.Or(named, found), nil
}

// number reports whether a column is a number, or true and false.
func number(c schema.Column) bool {
	return c.Type.Whole() || slices.Contains([]schema.Kind{schema.Float, schema.Double, schema.Decimal, schema.Boolean}, c.Type.Kind)
}

// ColumnError says that a column cannot be what it was named for.
type ColumnError struct {
	// Name of the column, and Why it cannot be that.
	Name, Why string
	// Others could be.
	Others []string
}

func (e *ColumnError) Error() string { return "column " + e.Name + ": " + e.Why }

// Hint says what could be named.
func (e *ColumnError) Hint() string {
	if len(e.Others) == 0 {
		return "the table has no such column: choose another table"
	}
	return "one of " + strings.Join(e.Others, ", ")
}

// Choose fills in which columns are meant: those that are named, in any case, or those that can be told by their names. The
// error is a [*ColumnError].
func (c *Config) Choose(columns []schema.Column, person, predict string) (err error) {
	c.Columns, c.LearnFrom = Names(columns), []string{}
	var numbers, known []string
	for i, column := range columns {
		switch {
		case number(column):
			numbers = append(numbers, c.Columns[i])
			fallthrough
		case column.Type.Kind == schema.Date || column.Type.Kind == schema.Timestamp:
			known = append(known, c.Columns[i])
		}
	}
	if c.Person, err = Person(columns, person); err != nil {
		return err
	}
	if c.Predict = strings.ToLower(predict); c.Predict == "" && slices.Contains(numbers, predicted) {
		c.Predict = predicted
	}
	numbers = slices.DeleteFunc(numbers, func(n string) bool { return n == c.Person })
	if c.Predict != "" && !slices.Contains(numbers, c.Predict) {
		why := "it is no number, which is all that the notebook predicts"
		switch {
		case c.Predict == c.Person:
			why = "it says whose a row is, so it cannot be predicted too"
		case !slices.Contains(c.Columns, c.Predict):
			why = "the table does not have it"
		}
		return &ColumnError{c.Predict, why, numbers}
	}
	for _, name := range known {
		if name != c.Person && name != c.Predict {
			c.LearnFrom = append(c.LearnFrom, name)
		}
	}
	return nil
}

// Missing says what the notebook's user has to write into [ConfigFile] before it runs; "" if nothing.
func (c Config) Missing() string {
	var keys []string
	for key, empty := range map[string]bool{"person": c.Person == "", "predict": c.Predict == "", "learn_from": len(c.LearnFrom) == 0} {
		if empty {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	if len(keys) == 0 {
		return ""
	}
	return fmt.Sprintf("%s does not say %s yet", ConfigFile, strings.Join(keys, " and "))
}

// JSON is the text of [ConfigFile].
func (c Config) JSON() []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	_ = e.Encode(c) // texts only
	return b.Bytes()
}
