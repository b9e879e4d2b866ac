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

// Folder finds where a LOCATION really is: an absolute folder or a location in an object store, or "" if nothing tells.
// The longest matching key of Locations counts. A LOCATION that is a path, relative to the lake's folder dir, or a file:
// URL needs no key; one in a bucket needs none where the warehouse is in a bucket too.
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
		if Remote(c.Locations[best]) {
			return strings.TrimRight(c.Locations[best]+"/"+rest, "/"), true
		}
		return filepath.Join(c.Locations[best], filepath.FromSlash(rest)), true
	}
	if path, ok := strings.CutPrefix(location, "file://"); ok {
		return filepath.Clean(filepath.FromSlash(path)), true
	}
	if Remote(location) && Remote(c.Warehouse) {
		return strings.TrimRight(location, "/"), true
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
