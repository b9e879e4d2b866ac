package gluetest

import (
	"fmt"
	"regexp"
	"unicode/utf16"
)

// Lengths and forms that Glue checks (AWS Glue Developer Guide, "Catalog objects": Table structure, Column structure).
const (
	longestName        = 255
	longestComment     = 255
	longestDescription = 2048
	longestType        = 131072
	longestParameter   = 512000
	longestLocation    = 2056
)

// singleLine is Glue's "single-line string pattern".
var singleLine = regexp.MustCompile(`^[\x{20}-\x{D7FF}\x{E000}-\x{FFFD}\x{10000}-\x{10FFFF}\t]*$`)

// multiLine is Glue's "URI address multi-line string pattern".
var multiLine = regexp.MustCompile(`^[\x{20}-\x{D7FF}\x{E000}-\x{FFFD}\x{10000}-\x{10FFFF}\r\n\t]*$`)

// member checks one text of a request, and says what is wrong in the words of AWS's validation.
func member(path, value string, longest int, form *regexp.Regexp) error {
	what := ""
	switch {
	case len(utf16.Encode([]rune(value))) > longest:
		what = fmt.Sprintf("Member must have length less than or equal to %d", longest)
	case !form.MatchString(value):
		what = "Member must satisfy regular expression pattern: " + form.String()
	default:
		return nil
	}
	return failure("ValidationException", "1 validation error detected: Value at '%s' failed to satisfy constraint: %s", path, what)
}

// validTable checks a TableInput.
func validTable(in object) error {
	name := text(in, "Name")
	if name == "" {
		return failure("ValidationException", "1 validation error detected: Value at 'tableInput.name' failed to satisfy constraint: Member must not be null")
	}
	checks := []error{member("tableInput.name", name, longestName, singleLine), member("tableInput.description", text(in, "Description"), longestDescription, multiLine)}
	for k, v := range part(in, "Parameters") {
		value, ok := v.(string)
		if !ok {
			return failure("SerializationException", "parameter %s is no string", k)
		}
		checks = append(checks, member("tableInput.parameters", k, longestName, singleLine), member("tableInput.parameters", value, longestParameter, multiLine))
	}
	sd := part(in, "StorageDescriptor")
	checks = append(checks, member("tableInput.storageDescriptor.location", text(sd, "Location"), longestLocation, multiLine),
		columns("tableInput.storageDescriptor.columns", list(sd, "Columns")), columns("tableInput.partitionKeys", list(in, "PartitionKeys")))
	for _, err := range checks {
		if err != nil {
			return err
		}
	}
	return nil
}

func columns(path string, list []any) error {
	seen := map[string]bool{}
	for i, v := range list {
		c, _ := v.(object)
		at := fmt.Sprintf("%s.%d.member", path, i+1)
		name := text(c, "Name")
		if name == "" {
			return failure("ValidationException", "1 validation error detected: Value at '%s.name' failed to satisfy constraint: Member must not be null", at)
		}
		if seen[name] {
			return failure("InvalidInputException", "Duplicate column name: %s", name)
		}
		seen[name] = true
		for _, err := range []error{member(at+".name", name, longestName, singleLine), member(at+".type", text(c, "Type"), longestType, singleLine),
			member(at+".comment", text(c, "Comment"), longestComment, singleLine)} {
			if err != nil {
				return err
			}
		}
	}
	return nil
}
