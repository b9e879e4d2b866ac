package run

import "tarn/internal/lake"

const (
	// smallFile is below which size a data file costs more to ask for than to read.
	smallFile = 1 << 20
	// manySmall is how many small data files a landing table may have before they are written anew as one.
	manySmall = 5
)

// tooSmall gives the data files of a landing table, by their place in the list, that are better written anew together. Each
// run that loads a file adds one, and whoever reads the table fetches every one of them.
func tooSmall(files []lake.DataFile) map[int]bool {
	out := map[int]bool{}
	for i, f := range files {
		if f.Bytes < smallFile {
			out[i] = true
		}
	}
	if len(out) < manySmall {
		return nil
	}
	return out
}
