package lake

import (
	"path"
	"slices"
	"strings"
)

// Tables lie in a folder for their zone, so that rights can be given by zone: DATABASE/ZONE/TABLE below the warehouse. Where a
// table is stands in its metadata alone; one that was made before there were such folders stays where it is.

// zoneFolders are the folders of zones. What is of no zone, as the lake's own account, can have what came from raw files, and is
// kept as these are.
var zoneFolders = []string{rawFolder, "trusted", "curated"}

const rawFolder = "landing"

// ZoneFolder is the folder for the tables of a zone, relative to that of the database.
func ZoneFolder(zone string) string {
	if slices.Contains(zoneFolders, zone) {
		return zone
	}
	return rawFolder
}

// Zone is the zone in whose folder the table lies, or "" where it lies in none.
func (t *Table) Zone() string { return t.lake.zoneOf(t.meta.Location()) }

func (l *Lake) zoneOf(location string) string {
	rest, ok := strings.CutPrefix(plainScheme(location), l.warehouse+"/"+l.database+"/")
	zone, name, nested := strings.Cut(rest, "/")
	if !ok || !nested || name == "" || !slices.Contains(zoneFolders, zone) {
		return ""
	}
	return zone
}

// home is where a table of a zone is made, or moves to from another zone's folder.
func (l *Lake) home(name, zone string) string {
	return l.warehouse + "/" + l.database + "/" + ZoneFolder(zone) + "/" + name
}

// homes are the folders in which a table of a name can have been made, relative to that of the database.
func homes(name string) []string {
	out := []string{name}
	for _, z := range zoneFolders {
		out = append(out, path.Join(z, name))
	}
	return out
}
