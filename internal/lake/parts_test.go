package lake

import (
	"math/rand/v2"
	"testing"

	"tarn/internal/cache"
)

// What lies between holes is there, no hole of some size is, and nothing stands twice.
func TestWithout(t *testing.T) {
	t.Parallel()
	const mega = 1 << 20
	for range 2000 {
		r := rand.New(rand.NewPCG(rand.Uint64(), 3))
		size := int64(1+r.IntN(200)) * mega
		var holes []cache.Part
		var inHoles int64
		for at := int64(4); at < size; {
			at += r.Int64N(8 * mega)
			n := min(r.Int64N(20*mega), size-at)
			if n <= 0 {
				break
			}
			// A hole of several columns is several.
			first := r.Int64N(n + 1)
			holes = append(holes, cache.Part{Offset: at + first, Length: n - first}, cache.Part{Offset: at, Length: first})
			if n >= worthHole {
				inHoles += n
			}
			at += n + 1
		}
		parts := without(size, holes)
		if parts == nil {
			if 2*(size-inHoles) <= size {
				t.Fatalf("%d of %d bytes could be left out", inHoles, size)
			}
			continue
		}
		var sum, at int64
		for _, p := range parts {
			if p.Offset < at || p.Length <= 0 || p.Offset+p.Length > size {
				t.Fatalf("parts %v of %d", parts, size)
			}
			at, sum = p.Offset+p.Length, sum+p.Length
		}
		if sum != size-inHoles || 2*sum > size {
			t.Fatalf("%d bytes are fetched of %d, with %d in holes", sum, size, inHoles)
		}
	}
	if parts := without(100*mega, []cache.Part{{Offset: 90 * mega, Length: 20 * mega}}); parts != nil {
		t.Errorf("a hole beyond the end: %v", parts)
	}
}
