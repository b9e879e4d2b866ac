package careful

import (
	"bytes"
	"math"
)

// foreign recognises files that are no text of the expected kind at all. Row by row they would only be noise. Each mark has
// a byte that text has not, or is too long to begin a text by chance.
func foreign(head []byte) string {
	for _, k := range []struct{ magic, what string }{
		{"\xff\xfe", "the file is UTF-16, not UTF-8: `iconv -f UTF-16 -t UTF-8` turns it into what can be read"},
		{"\xfe\xff", "the file is UTF-16, not UTF-8: `iconv -f UTF-16 -t UTF-8` turns it into what can be read"},
		{"PAR1\x15", "the file is Parquet, which the definition does not say"},
		{"ORC\x08", "the file is ORC, which tarn does not read"},
		{"ORC\x0a", "the file is ORC, which tarn does not read"},
		{"Obj\x01", "the file is Avro, which tarn does not read"},
		{"PK\x03\x04", "the file is a zip archive, which tarn does not read: unpack it"},
		{"BZh91AY&SY", "the file is compressed by bzip2, which tarn does not read: gzip and zstd are read"},
		{"\xfd7zXZ\x00", "the file is compressed by xz, which tarn does not read: gzip and zstd are read"},
		{"\x04\x22\x4d\x18", "the file is compressed by lz4, which tarn does not read: gzip and zstd are read"},
		{"\xff\x06\x00\x00sNaPpY", "the file is compressed by snappy, which tarn does not read: gzip and zstd are read"},
	} {
		if bytes.HasPrefix(head, []byte(k.magic)) {
			return k.what
		}
	}
	if len(head) >= 4 && (head[0] == 0) != (head[1] == 0) && (head[0] == 0) == (head[2] == 0) && (head[1] == 0) == (head[3] == 0) {
		return "the file seems to be UTF-16 without a byte order mark: `iconv -f UTF-16LE -t UTF-8` (or UTF-16BE) turns it into what can be read"
	}
	return ""
}

// begin looks at the start of the file: it goes over a byte order mark, and over the whole of a file that is foreign.
func (s *source) begin() *Bad {
	for s.end-s.pos < 16 && s.more() {
	}
	what := foreign(s.buf[s.pos:s.end])
	if what == "" {
		s.skipBOM()
		return nil
	}
	k := s.skipper()
	for k.take(s.end - s.pos); s.more(); k.take(s.end - s.pos) {
	}
	if s.err != nil {
		return nil
	}
	k.solid = math.MaxInt64 // whatever is shown is no more than an impression
	return k.bad(WrongFormat, what)
}
