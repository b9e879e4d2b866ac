package load

import (
	"fmt"
	"net/url"
	"os"
	"strings"

	"tarn/internal/store/local"
)

// File is one raw file below a landing table's LOCATION.
type File struct {
	// Name is the file's place in the lake: LOCATION followed by the path below it, with forward slashes. It is the
	// same on the laptop and in the cloud, and what the column _file holds.
	Name string
	// Location is where the file really is.
	Location string
	// Path is where the file is on this machine; "" while it is elsewhere only.
	Path string
	Size int64 // bytes
	// ETag changes when the content may have changed.
	ETag string
	// Keys holds the values of `k=v` folders between LOCATION and the file, by lower-case name.
	Keys map[string]string
}

// hidden reports whether a file or one of the folders above it is not data.
func hidden(rel string) bool {
	for part := range strings.SplitSeq(rel, "/") {
		if strings.HasPrefix(part, ".") || strings.HasPrefix(part, "_") {
			return true
		}
	}
	return false
}

// hiveKeys reads the `k=v` folders of a path; values are percent-decoded as Hive writes them. A folder without a name for
// its value gets the one that Glue's crawlers give it: partition_0 is the first folder below LOCATION.
func hiveKeys(rel string) map[string]string {
	var out map[string]string
	parts := strings.Split(rel, "/")
	for i, p := range parts[:len(parts)-1] {
		k, v := hiveKey(i, p)
		if out == nil {
			out = map[string]string{}
		}
		out[k] = v
	}
	return out
}

// hiveKey reads the i-th folder below LOCATION.
func hiveKey(i int, folder string) (key, value string) {
	k, v, ok := strings.Cut(folder, "=")
	if !ok {
		k, v = fmt.Sprintf("partition_%d", i), folder
	}
	if d, err := url.PathUnescape(v); err == nil {
		v = d
	}
	return strings.ToLower(k), v
}

// settled reports whether a file is still as it was when it was listed: a file that grows while it is read is left
// for the next run.
func (f File) settled() bool {
	info, err := os.Stat(f.Path)
	return err == nil && local.ETag(info) == f.ETag
}
