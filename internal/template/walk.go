package template

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// largestScript is the size in bytes up to which a file is taken for an SQL script.
const largestScript = 1 << 20

// foundDDL is a CREATE EXTERNAL TABLE of a script.
type foundDDL struct {
	file string // relative to the searched folder
	line int
	text string
}

// foundModel is a script with one SELECT in a folder called trusted or curated.
type foundModel struct{ file, zone, name, text string }

// dataFolder is a folder with raw files.
type dataFolder struct {
	path   string // relative to the searched folder, with forward slashes; "." is that folder
	format string // json, csv or parquet: that of most files
	files  int
	counts map[string]int
	// above: the files are in folders of it only, such as those of years and months.
	above bool
}

func (f *dataFolder) add(format string, files int) {
	f.files += files
	f.counts[format] += files
	if f.counts[format] > f.counts[f.format] {
		f.format = format
	}
}

// above gives the folders that have no raw files themselves, but folders with some; the searched folder is none of them.
func above(data []*dataFolder) []*dataFolder {
	byPath := map[string]*dataFolder{}
	for _, f := range data {
		byPath[f.path] = f
	}
	var out []*dataFolder
	for _, f := range data {
		for dir := path.Dir(f.path); dir != "."; dir = path.Dir(dir) {
			up := byPath[dir]
			if up == nil {
				up = &dataFolder{path: dir, counts: map[string]int{}, above: true}
				byPath[dir] = up
				out = append(out, up)
			}
			if up.above {
				for format, n := range f.counts {
					up.add(format, n)
				}
			}
		}
	}
	return out
}

// found is what there is in a folder.
type found struct {
	ddl    []foundDDL
	models []foundModel
	other  []OtherSQL
	data   []*dataFolder
}

// search walks root, except hidden folders and the lake that is being made. Links are not followed.
func search(ctx context.Context, root, lake string) (*found, error) {
	out := &found{}
	folders := map[string]*dataFolder{}
	err := filepath.WalkDir(root, func(p string, e fs.DirEntry, err error) error {
		if err = errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		if p != root && (strings.HasPrefix(e.Name(), ".") || strings.HasPrefix(e.Name(), "_")) || e.Name() == "node_modules" || p == lake && p != root {
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if !e.Type().IsRegular() {
			return nil
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		switch strings.ToLower(path.Ext(rel)) {
		case ".sql", ".ddl", ".hql":
			return out.script(p, rel)
		}
		format, err := formatOf(p)
		if err != nil || format == "" {
			return err
		}
		dir := path.Dir(rel)
		for strings.Contains(path.Base(dir), "=") { // a partition of the folder above
			dir = path.Dir(dir)
		}
		f := folders[dir]
		if f == nil {
			f = &dataFolder{path: dir, counts: map[string]int{}}
			folders[dir] = f
			out.data = append(out.data, f)
		}
		f.add(format, 1)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("search %s: %w", root, err)
	}
	slices.SortFunc(out.data, func(a, b *dataFolder) int { return strings.Compare(a.path, b.path) })
	return out, nil
}

func (f *found) script(p, rel string) error {
	info, err := os.Stat(p)
	if err != nil {
		return err
	}
	if info.Size() > largestScript {
		f.other = append(f.other, OtherSQL{File: rel, Line: 1, Text: fmt.Sprintf("larger than %d bytes, not read", largestScript)})
		return nil
	}
	text, err := os.ReadFile(p)
	if err != nil {
		return err
	}
	list := statements(string(text))
	zone := path.Base(path.Dir(rel))
	if len(list) == 1 && list[0].kind == query && (zone == "trusted" || zone == "curated") {
		name := strings.ToLower(strings.TrimSuffix(path.Base(rel), path.Ext(rel)))
		f.models = append(f.models, foundModel{rel, zone, name, string(text)})
		return nil
	}
	for _, s := range list {
		if s.kind == externalTable {
			f.ddl = append(f.ddl, foundDDL{rel, s.line, s.text})
			continue
		}
		first, _, _ := strings.Cut(s.text, "\n")
		if r := []rune(first); len(r) > 80 {
			first = string(r[:77]) + "..."
		}
		f.other = append(f.other, OtherSQL{File: rel, Line: s.line, Text: strings.TrimSpace(first)})
	}
	return nil
}

var dataFormats = map[string]string{".json": "json", ".jsonl": "json", ".ndjson": "json", ".csv": "csv", ".tsv": "csv", ".parquet": "parquet", ".pq": "parquet"}

// formatOf tells by its name what format a file has, for a name without an extension by its first bytes; "" is no data.
func formatOf(p string) (string, error) {
	name := strings.ToLower(filepath.Base(p))
	for _, packed := range []string{".gz", ".zst"} {
		name = strings.TrimSuffix(name, packed)
	}
	if format, ok := dataFormats[filepath.Ext(name)]; ok {
		return format, nil
	}
	if filepath.Ext(name) != "" {
		return "", nil
	}
	return sniff(p)
}

// sniff recognises Parquet and JSON objects, the latter also gzipped or as zstd.
func sniff(p string) (string, error) {
	file, err := os.Open(p)
	if err != nil {
		return "", err
	}
	defer file.Close() // only read
	r := bufio.NewReader(file)
	head, _ := r.Peek(4) // shorter for a short file
	switch {
	case bytes.HasPrefix(head, []byte("PAR1")):
		return "parquet", nil
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(r)
		if err != nil {
			return "", nil
		}
		return jsonStart(z), nil
	case bytes.Equal(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return "", nil
		}
		defer z.Close()
		return jsonStart(z), nil
	}
	return jsonStart(r), nil
}

// jsonStart gives "json" if the text begins with an object that has a key, or is empty, maybe in an array.
func jsonStart(r io.Reader) string {
	buf := make([]byte, 512)
	n, _ := io.ReadFull(r, buf) // shorter for a short file
	text := strings.TrimLeft(strings.TrimPrefix(string(buf[:n]), "\uFEFF"), " \t\r\n[")
	if rest, ok := strings.CutPrefix(text, "{"); ok {
		if rest = strings.TrimLeft(rest, " \t\r\n"); strings.HasPrefix(rest, `"`) || strings.HasPrefix(rest, "}") {
			return "json"
		}
	}
	return ""
}
