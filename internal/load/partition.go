package load

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"tarn/internal/careful"
	"tarn/internal/schema"
)

// Partition gives the values of partition columns that the folders of a file say, without escapes, and the deepest of these
// folders; file is the path below LOCATION. It is false for a file that is not in folders of all columns.
func Partition(file string, columns []schema.Column) (values []string, folder string, ok bool) {
	folders := strings.Split(file, "/")
	folders = folders[:len(folders)-1]
	deepest := 0
	for _, c := range columns {
		at := -1
		for i := range folders {
			if k, _ := hiveKey(i, folders[i]); k == strings.ToLower(c.Name) {
				at = i
			}
		}
		if at < 0 {
			return nil, "", false
		}
		_, v := hiveKey(at, folders[at])
		values, deepest = append(values, v), max(deepest, at)
	}
	return values, strings.Join(folders[:deepest+1], "/"), len(columns) > 0
}

// placed leaves out the files whose folders say what no partition column can hold. Such a file goes to quarantine whole:
// its rows would be in the wrong place.
func (l *Loader) placed(ctx context.Context, t Table, files []File, q *Quarantine, res *Result) ([]File, error) {
	if len(t.Partitions) == 0 {
		return files, nil
	}
	good := make([]File, 0, len(files))
	for _, f := range files {
		var wrong *partitionError
		for _, c := range t.Partitions {
			if _, err := partitionValue(f, c); errors.As(err, &wrong) {
				break
			} else if err != nil {
				return nil, err
			}
		}
		if wrong == nil {
			good = append(good, f)
			continue
		}
		bad := &careful.Bad{Line: 1, Column: wrong.column, Reason: careful.WrongType, Message: "the file's folder: " + wrong.Error(), Raw: wrong.column + "=" + wrong.text}
		if err := q.add(ctx, t.Name, f.Name, bad); err != nil {
			return nil, err
		}
		res.Files = append(res.Files, Counted{File: f, Objects: 1, Quarantined: 1})
	}
	return good, nil
}

// partitionError is a folder whose value is none of its column.
type partitionError struct {
	column, text string
	err          error
}

func (e *partitionError) Error() string { return e.err.Error() }
func (e *partitionError) Unwrap() error { return e.err }

// partitionValue gives a file's value of a PARTITIONED BY column as an SQL literal. Files outside of such folders have
// null. The error is a *partitionError.
func partitionValue(f File, c schema.Column) (string, error) {
	text, ok := f.Keys[strings.ToLower(c.Name)]
	if !ok || text == "__HIVE_DEFAULT_PARTITION__" {
		// Without a type of its own, a list of nothing but nulls would be one of integers.
		if c.Type.Kind == schema.Binary {
			return "NULL::BLOB", nil
		}
		return "NULL::VARCHAR", nil
	}
	v, err := careful.Text(text, c.Type)
	if err != nil {
		return "", &partitionError{column: c.Name, text: text, err: err}
	}
	switch v := v.(type) {
	case []byte:
		return "unhex(" + schema.Literal(hex.EncodeToString(v)) + ")", nil
	case time.Time:
		return schema.Literal(v.Format("2006-01-02 15:04:05.999999")), nil
	case careful.Decimal:
		unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(v.Scale)), nil)
		return schema.Literal(new(big.Rat).SetFrac(v.Unscaled, unit).FloatString(v.Scale)), nil
	}
	return schema.Literal(fmt.Sprint(v)), nil
}
