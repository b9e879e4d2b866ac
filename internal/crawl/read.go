package crawl

import (
	"context"
	"errors"
	"io"
	"iter"
	"strings"

	"tarn/internal/careful"
	"tarn/internal/ddl"
	"tarn/internal/schema"
	"tarn/internal/store"
)

// profile is what was read of a table.
type profile struct {
	files  []string // below the crawled location, by number
	read   int64    // files
	rows   int64    // that are good for any type
	bytes  int64
	whole  bool // every file was read to its end
	set    *fieldSet
	text   []*evidence // of text files, by column
	budget int
	codecs map[string]int64
	// First files in which objects go over lines, share a line, or stand in an array; and text files with another header.
	multiLine, shared, array, otherHeader string
	// compressed files whose names do not say so, and the other way round: Athena goes by the name.
	misnamed     string
	misnamedWhat string
	keys         map[string]map[string]bool // values of k=v folders, by column
	without      map[string]int64           // files outside of such a folder
	patterns     map[string]int64
	gone         int64
	stray        int64
	// bad is the first row that could not be read, whatever the types.
	bad *Refusal
	// skip holds the keys of files that are no data of the table.
	skip map[string]bool

	parquetByName map[string]*parquetKind // in lower case
	parquetOrder  []*parquetKind
	shapes        map[string]*parquetShape
	shapeOrder    []*parquetShape
}

func (p *profile) file(s spot) string {
	if i := s.file(); i < len(p.files) {
		return p.files[i]
	}
	return ""
}

// part is what was read of one file.
type part struct {
	skipped     bool // it is no file of the table
	gone        bool
	rows, bytes int64
	whole       bool
	set         *fieldSet
	text        []*evidence
	codec       string
	multiLine   bool
	shared      bool
	array       bool
	otherHeader bool
	parquet     *parquetFile
	bad         *careful.Bad // the first
}

const (
	// mergedPlaces bounds the places of values that are told apart in a table.
	mergedPlaces = 100_000
	// maxKeyValues bounds the values kept of a partition column.
	maxKeyValues = 10_000
)

func newProfile() *profile {
	return &profile{whole: true, set: newFieldSet(), budget: mergedPlaces, codecs: map[string]int64{}, keys: map[string]map[string]bool{}, without: map[string]int64{}, patterns: map[string]int64{}, parquetByName: map[string]*parquetKind{}, shapes: map[string]*parquetShape{}, skip: map[string]bool{}}
}

// files gives the files of a table that are to be read: the sample, or all as they are listed.
func (c *crawler) filesOf(ctx context.Context, t *candidate) iter.Seq2[store.Object, error] {
	if !c.o.All || t.only != "" {
		return listed(t.sample)
	}
	return func(yield func(store.Object, error) bool) {
		n := int64(0)
		for o, err := range c.store.List(ctx, t.key, store.ListOptions{}) {
			if err == nil {
				if hidden(o.Key[len(t.key):]) || !t.takes(o.Key) {
					continue
				}
				if n++; n%1000 == 0 {
					c.tell(n, 0, 0)
				}
			}
			if !yield(o, err) || err != nil {
				return
			}
		}
	}
}

// limit gives how many bytes are read of each file.
func (c *crawler) limit(t *candidate) int64 {
	if c.o.All {
		return 1<<63 - 1
	}
	return max(leastBytes, c.o.sampleBytes/int64(max(1, len(t.sample))))
}

// read reads the files of a table.
func (c *crawler) read(ctx context.Context, t *candidate, d dialect) (*profile, error) {
	p := newProfile()
	limit := c.limit(t)
	err := inOrder(ctx, c.workers(), c.filesOf(ctx, t), func(ctx context.Context, i int, o store.Object) (*part, error) {
		r, err := c.readFile(ctx, i, o, t.format, d, limit)
		if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrCondition) {
			return &part{gone: true}, nil
		}
		return r, err
	}, func(o store.Object, r *part) error {
		p.take(c, t, o, r)
		return nil
	})
	return p, err
}

func (c *crawler) readFile(ctx context.Context, i int, o store.Object, format ddl.Format, d dialect, limit int64) (*part, error) {
	h, in, err := c.again(ctx, o)
	if in != nil {
		defer in.close()
	}
	if err != nil {
		return nil, err
	}
	r := &part{whole: true, codec: h.codec, array: h.array, parquet: h.parquet}
	switch {
	case h.empty:
		return r, nil
	case h.format != format:
		r.skipped = true
		why := h.why
		if h.format != "" {
			why = formats[h.format] + " among files of " + formats[format]
		}
		c.leave(o.Key, why)
		c.tell(0, 1, 0)
		return r, nil
	case format == ddl.Parquet:
		r.rows = h.parquet.rows
		return r, nil
	}
	if format == ddl.JSON {
		return r, c.readJSON(ctx, i, in, limit, r)
	}
	if d.header != nil {
		first := d.firstRecord(h)
		r.otherHeader = first != nil && strings.Join(first, "\x00") != strings.Join(d.header, "\x00")
	}
	return r, c.readCSV(ctx, i, in, d, limit, r)
}

// again opens a file to be read, unless it is one whose footer was read.
func (c *crawler) again(ctx context.Context, o store.Object) (*head, *begun, error) {
	c.mu.Lock()
	h := c.heads[o.Key]
	c.mu.Unlock()
	if h != nil && h.format == ddl.Parquet {
		return h, nil, nil
	}
	h, in, err := c.open(ctx, o)
	if err == nil && h.format == ddl.Parquet {
		err = h.examine(ctx, c)
	}
	return h, in, err
}

func (c *crawler) readJSON(ctx context.Context, i int, in io.Reader, limit int64, out *part) error {
	out.set = newFieldSet()
	budget := maxPlaces
	w := &walker{next: spot(i) << fileBits, budget: &budget}
	r := careful.NewJSON(in, careful.Options{})
	lastLine := int64(0)
	return c.eachRow(ctx, r, limit, out, func([]any) {
		text, line := r.Text()
		w.object(text, line, out.set)
		n := int64(lines(text))
		out.multiLine = out.multiLine || n > 0
		out.shared = out.shared || line == lastLine
		lastLine = line + n
	})
}

// eachRow reads rows up to a limit of bytes, and keeps the first that could not be read.
func (c *crawler) eachRow(ctx context.Context, r careful.Reader, limit int64, out *part, take func(row []any)) error {
	told := int64(0)
	for {
		if out.bytes = r.Stats().Bytes; out.bytes >= limit {
			out.whole = false
			break
		}
		if out.bytes-told > 4<<20 {
			c.tell(0, 0, out.bytes-told)
			told = out.bytes
		}
		row, bad, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return errors.Join(err, ctx.Err())
		}
		if bad != nil {
			out.bad = first(out.bad, bad)
			continue
		}
		out.rows++
		take(row)
	}
	c.tell(0, 1, out.bytes-told)
	return nil
}

func first(have, next *careful.Bad) *careful.Bad {
	if have != nil {
		return have
	}
	return next
}

// textColumns are the columns of a text file before their types are known.
func textColumns(n int) []schema.Column {
	out := make([]schema.Column, n)
	for i := range out {
		out[i] = schema.Column{Type: textType}
	}
	return out
}

// careful gives the dialect as the careful reader takes it.
func (d dialect) careful() careful.Dialect {
	out := careful.Dialect{Separator: rune(d.separator), Null: `\N`}
	switch {
	case d.quoted:
		out.Quote, out.Escape, out.Null = '"', '\\', ""
	case d.escaped:
		out.Escape = '\\'
	}
	if d.header != nil {
		out.SkipLines = 1
	}
	return out
}

func (c *crawler) readCSV(ctx context.Context, i int, in io.Reader, d dialect, limit int64, out *part) error {
	out.text = make([]*evidence, d.fields)
	for k := range out.text {
		out.text[k] = &evidence{distinct: &distinct{}}
	}
	next := spot(i) << fileBits
	r := careful.NewCSV(in, careful.Options{Columns: textColumns(d.fields)}, d.careful())
	return c.eachRow(ctx, r, limit, out, func(row []any) {
		line := r.Line()
		for k, v := range row {
			next++
			out.text[k].fieldOf(v, next, line)
		}
	})
}

// fieldOf takes a field of a text file up.
func (e *evidence) fieldOf(v any, at spot, line int64) {
	if e.seen++; e.seen == 1 {
		e.first = at
	}
	s, ok := v.(string)
	switch {
	case !ok:
		e.nulls++
		return
	case nullMarkers[s]:
		e.marker(s, met{1, at, line, s})
		return
	}
	e.text(s, at, line, true)
	if s != "" {
		e.distinct.add(s)
	}
}

// take joins what was read of a file.
func (p *profile) take(c *crawler, t *candidate, o store.Object, r *part) {
	p.files = append(p.files, c.show(o.Key))
	switch {
	case r.gone:
		p.gone++
		p.skip[o.Key] = true
		return
	case r.skipped:
		p.stray++
		p.skip[o.Key] = true
		return
	}
	p.read++
	p.rows += r.rows
	p.bytes += r.bytes
	p.whole = p.whole && r.whole
	p.codecs[r.codec]++
	name := c.show(o.Key)
	if p.bad == nil && r.bad != nil {
		p.bad = c.refusal(o, r.bad)
	}
	note := func(to *string, is bool) {
		if is && *to == "" {
			*to = name
		}
	}
	note(&p.multiLine, r.multiLine)
	note(&p.shared, r.shared)
	note(&p.array, r.array)
	note(&p.otherHeader, r.otherHeader)
	if r.parquet != nil {
		p.footer(len(p.files)-1, r.parquet)
	} else {
		p.checkName(name, r.codec)
	}
	if r.set != nil {
		p.set.join(r.set, &p.budget)
	}
	if r.text != nil {
		if p.text == nil {
			p.text = r.text
		} else {
			for k := range p.text {
				p.text[k].join(r.text[k], nil)
			}
		}
	}
	below := o.Key[len(t.key):]
	p.patterns[pattern(below)]++
	keys, values := partitionKeys(below)
	for i, k := range keys {
		if p.keys[k] == nil {
			p.keys[k] = map[string]bool{}
		}
		if len(p.keys[k]) < maxKeyValues {
			p.keys[k][values[i]] = true
		}
	}
}

// checkName notes a file whose compression Athena would not know, as it goes by the end of the name.
func (p *profile) checkName(name, codec string) {
	low := strings.ToLower(name)
	says := ""
	switch {
	case strings.HasSuffix(low, ".gz"), strings.HasSuffix(low, ".gzip"):
		says = "gzip"
	case strings.HasSuffix(low, ".zst"), strings.HasSuffix(low, ".zstd"):
		says = "zstd"
	}
	if says != codec && p.misnamed == "" {
		p.misnamed, p.misnamedWhat = name, codec
	}
}

// Refusal is a sampled row that will go to quarantine.
type Refusal struct {
	// File is its path below the crawled location.
	File string `json:"file"`
	// Line is the line there, from 1.
	Line int64 `json:"line"`
	// Column is the column at fault, where it is one.
	Column string `json:"column,omitempty"`
	// Reason is the word that quarantine will have for it.
	Reason string `json:"reason"`
	// Message is the reason in words.
	Message string `json:"message"`
}

func (c *crawler) refusal(o store.Object, bad *careful.Bad) *Refusal {
	return &Refusal{File: c.show(o.Key), Line: bad.Line, Column: bad.Column, Reason: string(bad.Reason), Message: bad.Message}
}

// proof is the result of reading the sample again, typed.
type proof struct {
	loads, refused int64
	refusals       []Refusal
}

// prove reads the same rows as read did with the reader that a run uses, and counts what loads.
func (c *crawler) prove(ctx context.Context, t *candidate, d *ddl.Table, p *profile) (*proof, error) {
	out := &proof{}
	limit := c.limit(t)
	columns := make([]schema.Column, len(d.Columns))
	for i, col := range d.Columns {
		columns[i] = col.Column
	}
	err := inOrder(ctx, c.workers(), c.filesOf(ctx, t), func(ctx context.Context, _ int, o store.Object) (*proof, error) {
		if p.skip[o.Key] || o.Size == 0 {
			return &proof{}, nil
		}
		one, err := c.proveFile(ctx, o, d, columns, limit)
		if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrCondition) {
			return &proof{}, nil
		}
		return one, err
	}, func(_ store.Object, one *proof) error {
		out.loads += one.loads
		out.refused += one.refused
		out.refusals = append(out.refusals, one.refusals...)
		out.refusals = out.refusals[:min(len(out.refusals), maxRefusals)]
		return nil
	})
	return out, err
}

func (c *crawler) proveFile(ctx context.Context, o store.Object, d *ddl.Table, columns []schema.Column, limit int64) (*proof, error) {
	out := &proof{}
	in, _, err := openText(ctx, c.store, o)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	options := careful.Options{Columns: columns}
	var r careful.Reader
	if d.Format == ddl.JSON {
		options.Keys = d.JSON().Mapping
		r = careful.NewJSON(in, options)
	} else {
		v := d.CSV()
		r = careful.NewCSV(in, options, careful.Dialect{Separator: v.Separator, Quote: v.Quote, Escape: v.Escape, SkipLines: v.SkipLines, Null: v.Null})
	}
	told := int64(0)
	for r.Stats().Bytes < limit {
		if n := r.Stats().Bytes - told; n > 4<<20 {
			c.tellProved(n)
			told += n
		}
		_, bad, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, errors.Join(err, ctx.Err())
		}
		if bad != nil && len(out.refusals) < maxRefusals {
			out.refusals = append(out.refusals, *c.refusal(o, bad))
		}
	}
	s := r.Stats()
	c.tellProved(s.Bytes - told)
	out.loads, out.refused = s.Loaded, s.Quarantined
	return out, nil
}
