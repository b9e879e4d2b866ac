package load

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// cpu gives the processor time of this process in milliseconds: on a shared machine it says more than the clock.
func cpu() float64 {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u) // it cannot fail for this process
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e6
}

// benchLoad loads so many rows spread over so many files.
func benchLoad(b *testing.B, rows, files int, slow bool) {
	s := setup(b)
	table := Table{Name: "t", Location: "l", Dir: b.TempDir(), Format: JSON, Columns: cols("user", "VARCHAR", "timestamp", "BIGINT", "x", "DOUBLE", "y", "DOUBLE", "z", "DOUBLE")}
	size := int64(0)
	for f := range files {
		var text bytes.Buffer
		for i := rows * f / files; i < rows*(f+1)/files; i++ {
			fmt.Fprintf(&text, "{\"user\":\"person.%d@example.com\",\"timestamp\":%d,\"x\":%.1f,\"y\":%.1f,\"z\":%.1f}\n", i%1000, 1690000000000+i/10, float64(i%30)/10, float64(i%20), -1.5)
		}
		size += int64(text.Len())
		write(b, filepath.Join(table.Dir, fmt.Sprint(f, ".json")), text.Bytes())
	}
	b.SetBytes(size)
	before := cpu()
	for b.Loop() {
		list, err := listed(context.Background(), table.Dir, table.Location)
		if err != nil {
			b.Fatal(err)
		}
		dir := filepath.Join(s.out, "b")
		l := Loader{Engine: s.engine, slow: slow}
		res, err := l.Load(context.Background(), table, list, dir, fieldIDs(table), s.q)
		if err != nil {
			b.Fatal(err)
		}
		if n, _ := res.Rows(); n != int64(rows) {
			b.Fatal(n)
		}
		if err := os.RemoveAll(dir); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric((cpu()-before)/float64(b.N), "cpu-ms/op")
}

func BenchmarkLoadOneFile(b *testing.B)   { benchLoad(b, 80_000, 1, false) }
func BenchmarkLoad500Files(b *testing.B)  { benchLoad(b, 80_000, 500, false) }
func BenchmarkLoadCarefully(b *testing.B) { benchLoad(b, 80_000, 1, true) }
