package gluetest

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// mostPartitions is the longest list of one batch (AWS Glue API: BatchCreatePartition, PartitionInputList).
const mostPartitions = 100

// pattern is a regular expression of GetTables, which has to match the whole name.
func pattern(expression string) (func(string) bool, error) {
	if expression == "" {
		return func(string) bool { return true }, nil
	}
	re, err := regexp.Compile("^(?:" + expression + ")$")
	if err != nil {
		return nil, failure("InvalidInputException", "Expression: %v", err)
	}
	return re.MatchString, nil
}

func values(in object, member string) string {
	parts := []string{}
	for _, v := range list(in, member) {
		s, _ := v.(string)
		parts = append(parts, s)
	}
	return strings.Join(parts, "\x00")
}

func (t *table) add(in object) error {
	if want, got := len(list(t.about, "PartitionKeys")), len(list(in, "Values")); want != got {
		return failure("InvalidInputException", "The number of partition keys do not match the number of partition values")
	}
	key := values(in, "Values")
	if t.partitions[key] != nil {
		return failure("AlreadyExistsException", "Partition already exists.")
	}
	p := maps.Clone(in)
	p["DatabaseName"], p["TableName"], p["CatalogId"], p["CreationTime"] = t.about["DatabaseName"], t.about["Name"], Account, now()
	t.partitions[key] = p
	return nil
}

func (s *Server) createPartition(in object) (object, error) {
	_, t, err := s.table(in, "TableName")
	if err != nil {
		return nil, err
	}
	return nil, t.add(part(in, "PartitionInput"))
}

func detail(in object, member string, err error) object {
	p, ok := err.(*problem)
	if !ok {
		p = &problem{"InternalServiceException", err.Error()}
	}
	return object{"PartitionValues": in[member], "PartitionValueList": in[member], "ErrorDetail": object{"ErrorCode": p.code, "ErrorMessage": p.message}}
}

func batch(all []any) error {
	if len(all) > mostPartitions {
		return failure("ValidationException", "1 validation error detected: Value at 'partitionInputList' failed to satisfy constraint: Member must have length less than or equal to %d", mostPartitions)
	}
	return nil
}

func (s *Server) batchCreatePartition(in object) (object, error) {
	_, t, err := s.table(in, "TableName")
	if err != nil {
		return nil, err
	}
	all := list(in, "PartitionInputList")
	if err := batch(all); err != nil {
		return nil, err
	}
	errors := []any{}
	for _, v := range all {
		p, _ := v.(object)
		if err := t.add(p); err != nil {
			errors = append(errors, detail(p, "Values", err))
		}
	}
	return object{"Errors": errors}, nil
}

func (s *Server) getPartition(in object) (object, error) {
	_, t, err := s.table(in, "TableName")
	if err != nil {
		return nil, err
	}
	p := t.partitions[values(in, "PartitionValues")]
	if p == nil {
		return nil, failure("EntityNotFoundException", "Cannot find partition.")
	}
	return object{"Partition": p}, nil
}

// comparison is the one kind of condition that the stand-in understands; anything else gives all partitions, which engines
// filter again.
var comparison = regexp.MustCompile(`^\s*\(?\s*["` + "`" + `]?(\w+)["` + "`" + `]?\s*=\s*'([^']*)'\s*\)?\s*$`)

func (t *table) matching(expression string) func(object) bool {
	wants := map[int]string{}
	for _, c := range regexp.MustCompile(`(?i)\s+AND\s+`).Split(strings.Trim(expression, "() "), -1) {
		m := comparison.FindStringSubmatch(c)
		if m == nil {
			return func(object) bool { return true }
		}
		for i, k := range list(t.about, "PartitionKeys") {
			if key, _ := k.(object); strings.EqualFold(text(key, "Name"), m[1]) {
				wants[i] = m[2]
			}
		}
	}
	return func(p object) bool {
		for i, want := range wants {
			if have, _ := list(p, "Values")[i].(string); have != want {
				return false
			}
		}
		return true
	}
}

func (s *Server) getPartitions(in object) (object, error) {
	_, t, err := s.table(in, "TableName")
	if err != nil {
		return nil, err
	}
	matches := t.matching(text(in, "Expression"))
	var all []any
	if seg := part(in, "Segment"); seg == nil || seg["SegmentNumber"] == 0.0 {
		for _, key := range slices.Sorted(maps.Keys(t.partitions)) {
			if p := t.partitions[key]; matches(p) {
				all = append(all, p)
			}
		}
	}
	return paged(in, "Partitions", all, 1000)
}

func (s *Server) batchGetPartition(in object) (object, error) {
	_, t, err := s.table(in, "TableName")
	if err != nil {
		return nil, err
	}
	found, missing := []any{}, []any{}
	for _, v := range list(in, "PartitionsToGet") {
		want, _ := v.(object)
		if p := t.partitions[values(want, "Values")]; p != nil {
			found = append(found, p)
		} else {
			missing = append(missing, want)
		}
	}
	return object{"Partitions": found, "UnprocessedKeys": missing}, nil
}

func (t *table) change(in object) error {
	key := values(in, "PartitionValueList")
	old := t.partitions[key]
	if old == nil {
		return failure("EntityNotFoundException", "Cannot find partition.")
	}
	delete(t.partitions, key)
	if err := t.add(part(in, "PartitionInput")); err != nil {
		t.partitions[key] = old
		return err
	}
	return nil
}

func (s *Server) updatePartition(in object) (object, error) {
	_, t, err := s.table(in, "TableName")
	if err != nil {
		return nil, err
	}
	return nil, t.change(in)
}

func (s *Server) batchUpdatePartition(in object) (object, error) {
	_, t, err := s.table(in, "TableName")
	if err != nil {
		return nil, err
	}
	all := list(in, "Entries")
	if err := batch(all); err != nil {
		return nil, err
	}
	errors := []any{}
	for _, v := range all {
		e, _ := v.(object)
		if err := t.change(e); err != nil {
			errors = append(errors, detail(e, "PartitionValueList", err))
		}
	}
	return object{"Errors": errors}, nil
}

func (s *Server) deletePartition(in object) (object, error) {
	_, t, err := s.table(in, "TableName")
	if err != nil {
		return nil, err
	}
	key := values(in, "PartitionValues")
	if t.partitions[key] == nil {
		return nil, failure("EntityNotFoundException", "Cannot find partition.")
	}
	delete(t.partitions, key)
	return nil, nil
}

func (s *Server) batchDeletePartition(in object) (object, error) {
	_, t, err := s.table(in, "TableName")
	if err != nil {
		return nil, err
	}
	errors := []any{}
	for _, v := range list(in, "PartitionsToDelete") {
		p, _ := v.(object)
		key := values(p, "Values")
		if t.partitions[key] == nil {
			errors = append(errors, detail(p, "Values", failure("EntityNotFoundException", "Cannot find partition.")))
		}
		delete(t.partitions, key)
	}
	return object{"Errors": errors}, nil
}
