package glue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"tarn/internal/catalog"
)

// mostPartitions is how many partitions one call can register (AWS Glue API, "BatchCreatePartition").
const mostPartitions = 100

// marks say which partitions of a landing table are registered, and under which definition: each partition carries one of
// its own. They stand in a parameter of the table, so that nothing has to be asked to know that there is nothing to do.
type marks struct{ definition, partitions string }

func marksOf(x catalog.External) marks {
	if len(x.Partitions) == 0 {
		return marks{}
	}
	list := make([]string, len(x.Partitions))
	for i, p := range x.Partitions {
		list[i] = strings.Join(append(slices.Clone(p.Values), p.Location), "\x00")
	}
	slices.Sort(list)
	return marks{definition: digest(storage(x.Table)), partitions: digest(list)}
}

// digest identifies a value by its JSON.
func digest(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic("glue: " + err.Error()) // texts and lists of them
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:12])
}

func (m marks) String() string {
	if m.partitions == "" {
		return ""
	}
	return m.definition + "-" + m.partitions
}

func parseMarks(text string) marks {
	definition, partitions, _ := strings.Cut(text, "-")
	return marks{definition, partitions}
}

// partitions registers what is not registered yet or is elsewhere, and all partitions anew if they were written under
// another definition. had and want say what was done before and is to be done.
func (c *Catalog) partitions(ctx context.Context, x catalog.External, had, want marks) (n int, err error) {
	if had == want || want.partitions == "" {
		return 0, nil
	}
	name := strings.ToLower(x.Table.Name)
	have, err := c.registered(ctx, name)
	if err != nil {
		return 0, err
	}
	var create []types.PartitionInput
	var rewrite []types.BatchUpdatePartitionRequestEntry
	seen := map[string]bool{}
	for _, p := range x.Partitions {
		if len(p.Values) != len(x.Table.Partitions) {
			return 0, fmt.Errorf("%s: a partition has %d values %q, and PARTITIONED BY has %d columns", c.name(name), len(p.Values), p.Values, len(x.Table.Partitions))
		}
		key := strings.Join(p.Values, "\x00")
		if seen[key] {
			return 0, fmt.Errorf("%s: partition %q is given twice", c.name(name), p.Values)
		}
		seen[key] = true
		sd := storage(x.Table)
		sd.Location = aws.String(p.Location)
		in := types.PartitionInput{Values: p.Values, StorageDescriptor: sd}
		if at, ok := have[key]; !ok {
			create = append(create, in)
		} else if at != strings.TrimSuffix(p.Location, "/") || had.definition != want.definition {
			rewrite = append(rewrite, types.BatchUpdatePartitionRequestEntry{PartitionInput: &in, PartitionValueList: p.Values})
		}
	}
	for batch := range slices.Chunk(create, mostPartitions) {
		out, err := c.client.BatchCreatePartition(ctx, &glue.BatchCreatePartitionInput{DatabaseName: &c.o.Database, CatalogId: c.id(), TableName: &name, PartitionInputList: batch})
		if err != nil {
			return n, failed("BatchCreatePartition", c.name(name), err)
		}
		for _, e := range out.Errors {
			if err := c.refused("BatchCreatePartition", name, e.PartitionValues, e.ErrorDetail); err != nil {
				return n, err
			}
		}
		n += len(batch) - len(out.Errors)
	}
	for batch := range slices.Chunk(rewrite, mostPartitions) {
		out, err := c.client.BatchUpdatePartition(ctx, &glue.BatchUpdatePartitionInput{DatabaseName: &c.o.Database, CatalogId: c.id(), TableName: &name, Entries: batch})
		if err != nil {
			return n, failed("BatchUpdatePartition", c.name(name), err)
		}
		for _, e := range out.Errors {
			if err := c.refused("BatchUpdatePartition", name, e.PartitionValueList, e.ErrorDetail); err != nil {
				return n, err
			}
		}
		n += len(batch)
	}
	return n, nil
}

// registered gives the locations of a table's partitions by their values.
func (c *Catalog) registered(ctx context.Context, table string) (map[string]string, error) {
	have := map[string]string{}
	pages := glue.NewGetPartitionsPaginator(c.client, &glue.GetPartitionsInput{DatabaseName: &c.o.Database, CatalogId: c.id(), TableName: &table, ExcludeColumnSchema: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failed("GetPartitions", c.name(table), err)
		}
		for _, p := range page.Partitions {
			location := ""
			if p.StorageDescriptor != nil {
				location = aws.ToString(p.StorageDescriptor.Location)
			}
			have[strings.Join(p.Values, "\x00")] = strings.TrimSuffix(location, "/")
		}
	}
	return have, nil
}

// refused is what Glue says of one partition of a batch. One that is there already, because somebody else or an answer that
// was lost has made it, is none.
func (c *Catalog) refused(op, table string, values []string, e *types.ErrorDetail) error {
	if e == nil || aws.ToString(e.ErrorCode) == "AlreadyExistsException" {
		return nil
	}
	return &Error{Op: op, What: fmt.Sprintf("%s, partition %q", c.name(table), values), Code: aws.ToString(e.ErrorCode),
		Err: fmt.Errorf("%s: %s", aws.ToString(e.ErrorCode), aws.ToString(e.ErrorMessage))}
}
