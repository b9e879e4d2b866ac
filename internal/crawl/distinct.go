package crawl

import (
	"hash/maphash"
	"math"
	"math/bits"
	"slices"
)

// distinct estimates how many different values there are (HyperLogLog, 3 % off at most times) and knows exactly whether all
// of them differ, up to maxExact values.
type distinct struct {
	registers *[1 << registerBits]uint8
	exact     hashSet // empty where there are too many
	count     int64
	repeated  bool // two were equal
	many      bool // there are too many to tell
}

const (
	registerBits = 10
	// maxExact bounds the memory for telling whether values are unique: 16 to 32 MB for a column. Once two are equal,
	// fewExact is enough for a count.
	maxExact = 1 << 20
	fewExact = 1 << 12
)

// seed makes hashes of one process comparable.
var seed = maphash.MakeSeed()

func (d *distinct) add(value string) {
	d.hash(maphash.String(seed, value))
}

func (d *distinct) hash(h uint64) {
	d.count++
	if d.registers == nil {
		d.registers = new([1 << registerBits]uint8)
	}
	r := &d.registers[h>>(64-registerBits)]
	*r = max(*r, uint8(bits.LeadingZeros64(h<<registerBits|1<<(registerBits-1))+1))
	d.keep(h)
}

func (d *distinct) keep(h uint64) {
	if d.many {
		return
	}
	if !d.exact.add(h) {
		d.repeated = true
	}
	d.trim()
}

func (d *distinct) trim() {
	if d.many || d.exact.n > maxExact || d.repeated && d.exact.n > fewExact {
		d.many, d.exact = true, hashSet{}
	}
}

func (d *distinct) join(o *distinct) {
	d.count += o.count
	if o.registers != nil {
		if d.registers == nil {
			d.registers = new([1 << registerBits]uint8)
		}
		for i, r := range o.registers {
			d.registers[i] = max(d.registers[i], r)
		}
	}
	d.repeated, d.many = d.repeated || o.repeated, d.many || o.many
	more := o.exact.slots
	if d.exact.n == 0 {
		d.exact, more = o.exact.clone(), nil
	}
	d.trim()
	for _, h := range more {
		if h != 0 {
			d.keep(h)
		}
	}
}

// unique reports whether all values differ.
func (d *distinct) unique() bool { return !d.repeated && !d.many }

// estimate gives the number of different values (Flajolet et al., 2007, with linear counting for few).
func (d *distinct) estimate() int64 {
	if d.exact.n > 0 {
		return int64(d.exact.n)
	}
	if d.registers == nil {
		return 0
	}
	const m = 1 << registerBits
	sum, zeros := 0.0, 0
	for _, r := range d.registers {
		sum += math.Ldexp(1, -int(r))
		if r == 0 {
			zeros++
		}
	}
	e := 0.7213 / (1 + 1.079/m) * m * m / sum
	if e <= 2.5*m && zeros > 0 {
		e = m * math.Log(float64(m)/float64(zeros))
	}
	return min(int64(math.Round(e)), d.count)
}

// hashSet is a set of hashes, open-addressed: half as big as a map, and several times as fast.
type hashSet struct {
	slots []uint64 // 0 is a free one
	n     int
}

// add reports whether the hash was not there.
func (s *hashSet) add(h uint64) bool {
	h |= 1 // never a free slot; the lost bit makes no two hashes likelier to be equal than chance does
	if 2*s.n >= len(s.slots) {
		s.grow()
	}
	for i := s.at(h); ; i = (i + 1) % len(s.slots) {
		switch s.slots[i] {
		case h:
			return false
		case 0:
			s.slots[i] = h
			s.n++
			return true
		}
	}
}

// at is where the search for a hash begins; the number of slots is a power of two.
func (s *hashSet) at(h uint64) int { return int(h>>8) & (len(s.slots) - 1) }

func (s *hashSet) grow() {
	old := s.slots
	s.slots, s.n = make([]uint64, max(16, 2*len(old))), 0
	for _, h := range old {
		if h != 0 {
			s.add(h)
		}
	}
}

func (s *hashSet) clone() hashSet { return hashSet{slices.Clone(s.slots), s.n} }
