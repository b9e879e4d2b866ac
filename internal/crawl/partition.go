package crawl

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"tarn/internal/ddl"
	"tarn/internal/schema"
)

// partitions makes columns of k=v folders, in the order in which they lie in each other.
func (c *crawler) partitions(f *candidate, b *builder) {
	var order []string
	at := map[string]int{}
	for key := range c.tree.below(f.key) {
		keys, values := partitionKeys(key[len(f.key):])
		for i, k := range keys {
			if b.keys[k] == nil {
				b.keys[k] = map[string]bool{}
			}
			if len(b.keys[k]) < maxKeyValues {
				b.keys[k][values[i]] = true
			}
			at[k] = max(at[k], i)
		}
	}
	for k := range b.keys {
		order = append(order, k)
	}
	slices.SortFunc(order, func(x, y string) int {
		if at[x] != at[y] {
			return at[x] - at[y]
		}
		return strings.Compare(x, y)
	})
	var dates []string
	for _, k := range order {
		values := slices.Sorted(maps.Keys(b.keys[k]))
		typ := partitionType(values)
		name := b.free(k)
		col := Column{Name: name, Type: typ.Hive(), Distinct: int64(len(values)), Min: cut(values[0]), Max: cut(values[len(values)-1])}
		if typ.Whole() {
			n := numbers{}
			for _, v := range values {
				if x, ok := parseNumber(v, false); ok {
					n.add(x, v)
				}
			}
			col.Min, col.Max = n.minText, n.maxText
		}
		if name != k {
			b.Notes = append(b.Notes, fmt.Sprintf("the folder's key %s cannot be the name of a column, so %s stays null: rename the folders", k, name))
		}
		b.Partitions = append(b.Partitions, col)
		b.def.Partitions = append(b.def.Partitions, ddl.Column{Column: schema.Column{Name: name, Type: typ}})
		if typ.Kind == schema.Date && !slices.Contains(values, defaultPartition) {
			dates = append(dates, col.Min)
		}
	}
	if len(order) == 0 {
		return
	}
	// Projection spares registering partitions, but shows only what it lists; of days it is known what will come.
	if len(order) == 1 && len(dates) == 1 {
		p := "projection." + b.def.Partitions[0].Name + "."
		b.def.Properties["projection.enabled"] = "true"
		b.def.Properties[p+"type"] = "date"
		b.def.Properties[p+"format"] = "yyyy-MM-dd"
		b.def.Properties[p+"range"] = dates[0] + ",NOW"
		b.Notes = append(b.Notes, fmt.Sprintf("Athena finds the days since %s by itself (partition projection); registered partitions are then not looked at", dates[0]))
		return
	}
	b.Notes = append(b.Notes, "in Athena, MSCK REPAIR TABLE finds the partitions once the table is made, and again when new ones came")
}
