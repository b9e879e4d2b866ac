package tally

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// plainly counts as one would in Go.
func plainly(b []byte) Tally {
	return Tally{
		Quotes:  int64(bytes.Count(b, []byte{'"'})),
		Braces:  int64(bytes.Count(b, []byte{'{'})),
		Lines:   int64(bytes.Count(b, []byte{'\n'})),
		Literal: bytes.Contains(b, []byte("true")) || bytes.Contains(b, []byte("false")),
	}
}

func same(t *testing.T, b []byte) {
	t.Helper()
	if diff := cmp.Diff(plainly(b), Count(b)); diff != "" {
		t.Fatalf("%d bytes: -want +got\n%s", len(b), diff)
	}
}

// Every length around the width of a vector and its look ahead, and a word at every place in it.
func TestWords(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"true", "false", "tru", "fals", "rue", "alse", "trfalsue", "True", "tfraulese", "\x80\xff{\"\n"} {
		for length := len(word); length < 150; length++ {
			for at := 0; at+len(word) <= length; at++ {
				b := bytes.Repeat([]byte("."), length)
				copy(b[at:], word)
				same(t, b)
			}
		}
	}
}

// A lane counts to 255 and no further: blocks of nothing but what is counted.
func TestLong(t *testing.T) {
	t.Parallel()
	for _, c := range []string{"\"", "{", "\n", "t", "\x00", "{\"\n"} {
		for _, n := range []int{0, 1, 31, 32, 36, 37, 255 * 32, 255*32 + 4, 256 * 32, 100_003} {
			same(t, bytes.Repeat([]byte(c), n))
		}
	}
}

func TestRandom(t *testing.T) {
	t.Parallel()
	letters := []byte("truefals\"{\n")
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		b := make([]byte, r.IntN(400))
		for i := range b {
			b[i] = letters[r.IntN(len(letters))]
		}
		from := r.IntN(len(b) + 1) // at all places in memory
		same(t, b[from:])
	}
}

func FuzzCount(f *testing.F) {
	f.Add([]byte(`{"user":"a","x":true}` + "\n"))
	f.Fuzz(func(t *testing.T, b []byte) { same(t, b) })
}

func BenchmarkCount(b *testing.B) {
	line := `{"user":"Mio.Gray03948@test.com","timestamp":1767225614981,"x":-1.0,"y":-1.0,"z":-1.0}` + "\n"
	block := bytes.Repeat([]byte(line), 128<<10/len(line))
	b.Run(fmt.Sprint(len(block)), func(b *testing.B) {
		b.SetBytes(int64(len(block)))
		for b.Loop() {
			Count(block)
		}
	})
}
