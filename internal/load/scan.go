package load

import (
	"bytes"
	"errors"
	"io"

	"tarn/internal/careful"
	"tarn/internal/load/tally"
)

// fingerprint counts what the bytes of a JSON file must agree with after DuckDB has read it as typed columns.
//
// DuckDB's typed reader is fast but lenient (it takes true as 1, "5" as 5, and a key of another case as absent). Of a file
// of flat objects, though, these sums tell if it saw all there is: every quote of the file belongs to a key or to a
// text value, so with K keys that had a value and T text values among them a clean file has exactly 2·K + 2·T quotes.
// An unknown key, a key in another case, an explicit null, an escaped quote or a quoted number only ever adds quotes.
// Of columns whose sample has explicit nulls, K is counted in the bytes instead: as `"name":`, which nothing but a key of
// that name can be.
// (Numbers in text columns would take some away; the SELECT refuses those.) Nesting shows in the braces, and bare
// true and false, which numeric columns would swallow, are looked for by name.
type fingerprint struct {
	Quotes   int64
	Braces   int64 // opening ones: the number of objects, where nothing nests
	Literals bool  // true or false stand somewhere
	BOM      bool
	Bytes    int64
	Lines    int64 // line breaks
	Open     bool  // the last line has none
	// Keys counts the keys of the columns that were asked for.
	Keys map[string]int64
	// Long says that there may be a line of more bytes than an object can have.
	Long bool
}

// longLine is how many bytes without a line break make a line suspicious. DuckDB's own limit is not exact, and blocks are
// all that is looked at.
const longLine = 12 << 20

// longestLiteral is the length of "false".
const longestLiteral = 5

// oneByLine reports whether the file can have one object on each line. (Where it has not, for blank lines, objects
// side by side, braces in a text or nesting, the fast reader would most likely fail, and take all others with it.)
func (f fingerprint) oneByLine() bool {
	lines := f.Lines
	if f.Open {
		lines++
	}
	return f.Braces == lines
}

func (f *fingerprint) add(o fingerprint) {
	f.Quotes += o.Quotes
	f.Braces += o.Braces
	f.Bytes += o.Bytes
	for c, n := range o.Keys {
		if f.Keys == nil {
			f.Keys = map[string]int64{}
		}
		f.Keys[c] += n
	}
}

// keyPattern is how a column's key stands in a file, and whether that is certain: a name that JSON has to escape, or may
// escape in part, is not looked for.
func keyPattern(column string) ([]byte, bool) {
	for _, c := range []byte(column) {
		if c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '/' || c == ':' {
			return nil, false
		}
	}
	return []byte(`"` + column + `":`), true
}

// scanFile reads a file once and counts, also the keys of the given columns. Compressed files are counted as they read
// uncompressed. The buffer must be far longer than a column's name.
func scanFile(path string, buf []byte, keys []string) (fingerprint, error) {
	var f fingerprint
	overlap := longestLiteral - 1 // of blocks
	patterns := map[string][]byte{}
	for _, c := range keys {
		if p, certain := keyPattern(c); certain {
			patterns[c] = p
			overlap = max(overlap, len(p)-1)
			f.add(fingerprint{Keys: map[string]int64{c: 0}})
		}
	}
	r, err := careful.Open(path)
	if err != nil {
		return f, err
	}
	defer r.Close()
	var line int64 // bytes of whole blocks since the last one with a line break
	keep := 0      // the end of the block before, so that a word across two blocks is seen
	for {
		n, err := io.ReadFull(r, buf[keep:])
		block := buf[:keep+n]
		fresh := block[keep:]
		if f.Bytes == 0 && bytes.HasPrefix(fresh, []byte("\xef\xbb\xbf")) {
			f.BOM = true
		}
		f.Bytes += int64(n)
		counted := tally.Count(fresh)
		f.Quotes += counted.Quotes
		f.Braces += counted.Braces
		f.Lines += counted.Lines
		// A word may lie across two blocks.
		f.Literals = f.Literals || counted.Literal || tally.Count(block[:min(keep+longestLiteral, len(block))]).Literal
		for c, p := range patterns {
			// What lies in the overlap as a whole was counted with the block before.
			f.Keys[c] += int64(bytes.Count(block, p) - bytes.Count(block[:keep], p))
		}
		if n > 0 {
			f.Open = fresh[n-1] != '\n'
		}
		if counted.Lines > 0 {
			line = 0
		} else if line += int64(n); line > longLine {
			f.Long = true
		}
		var damage *careful.DamageError
		switch {
		case errors.As(err, &damage): // it wraps what io.ReadFull gives at an ordinary end
			return f, err
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return f, nil
		case err != nil:
			return f, err
		}
		keep = copy(buf, block[len(block)-overlap:])
	}
}
