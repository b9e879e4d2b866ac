// Package substrait stands in for the module of the same path, without its extension definitions.
//
// iceberg-go parses all of them at program start, for filters that are pushed into Arrow scans. tarn never scans through
// Arrow (DuckDB reads the data files), and 70 ms at each start of the program would be most of what a run with nothing
// to do takes. Filtered scans and deletes through iceberg-go fail with this module: they find no function to call.
package substrait

import "embed"

//go:embed extensions/*
var extensions embed.FS

// GetSubstraitExtensionsFS gives a file system whose folder extensions defines nothing.
func GetSubstraitExtensionsFS() embed.FS { return extensions }

// GetSubstraitFS gives the same: the module's older name for it.
func GetSubstraitFS() embed.FS { return extensions }
