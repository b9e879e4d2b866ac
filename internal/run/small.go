package run

import (
	"fmt"

	"tarn/internal/lake"
)

const (
	// smallFile is below which size a data file costs more to ask for than to read.
	smallFile = 1 << 20
	// manySmall is how many small data files a partition of a landing table may have before they are written anew as one.
	manySmall = 8
)

// tooSmall gives the data files, by their place in the list, that are better written anew together. Each run that loads a file
// adds one, and whoever reads the table fetches every one of them.
func tooSmall(files []lake.DataFile) map[int]bool {
	partitions := map[string][]int{}
	for i, f := range files {
		if f.Bytes < smallFile {
			// Maps are printed in the order of their keys.
			key := fmt.Sprint(f.Partition)
			partitions[key] = append(partitions[key], i)
		}
	}
	out := map[int]bool{}
	for _, small := range partitions {
		if len(small) < manySmall {
			continue
		}
		for _, i := range small {
			out[i] = true
		}
	}
	return out
}
