package project

import (
	"path/filepath"
	"regexp"
	"strings"
)

var s3Scheme = regexp.MustCompile(`(?i)^s3[an]?://`)
var fileScheme = regexp.MustCompile(`(?i)^file:/+`)

// normalLocation gives s3://, s3a:// and s3n:// (Hadoop's names for the same) one form, and file:/path and
// file:///path another.
func normalLocation(l string) string {
	l = s3Scheme.ReplaceAllString(strings.TrimSpace(l), "s3://")
	return fileScheme.ReplaceAllString(l, "file:///")
}

// Folder finds where a LOCATION is on this machine: an absolute folder, or "" if nothing tells. The longest matching key
// of Locations counts. A LOCATION that is a path, relative to the lake's folder dir, or a file: URL needs no key.
func (c Config) Folder(dir, location string) string {
	folder, _ := c.folder(dir, location)
	return folder
}

// folder also reports whether anything tells where the location is: a key whose value is wrong does, without a folder.
func (c Config) folder(dir, location string) (folder string, told bool) {
	location = normalLocation(location)
	best, rest := "", ""
	for key := range c.Locations {
		tail, ok := strings.CutPrefix(strings.TrimSuffix(location, "/")+"/", normalLocation(key))
		if ok && len(key) > len(best) {
			best, rest = key, tail
		}
	}
	if best != "" {
		if c.Locations[best] == "" {
			return "", true
		}
		return filepath.Join(c.Locations[best], filepath.FromSlash(rest)), true
	}
	if path, ok := strings.CutPrefix(location, "file://"); ok {
		return filepath.Clean(filepath.FromSlash(path)), true
	}
	if location == "" || strings.Contains(location, "://") {
		return "", false
	}
	return absolute(dir, location), true
}

func absolute(dir, path string) string {
	path = filepath.FromSlash(path)
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, path)
}
