package crawl

import (
	"hash/maphash"
	"math"
	"math/bits"
)

// distinct estimates how many different values there are (HyperLogLog, 3 % off at most times) and knows exactly whether all
// of them differ, up to maxExact values.
type distinct struct {
	registers *[1 << registerBits]uint8
	exact     map[uint64]struct{} // nil where there are too many
	count     int64
	repeated  bool // two were equal
	many      bool // there are too many to tell
}

const (
	registerBits = 10
	// maxExact bounds the memory for telling whether values are unique: 64 MB for a column at worst. Once two are equal,
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
	if d.exact == nil {
		d.exact = map[uint64]struct{}{}
	}
	if _, twice := d.exact[h]; twice {
		d.repeated = true
	} else {
		d.exact[h] = struct{}{}
	}
	d.trim()
}

func (d *distinct) trim() {
	if d.many || len(d.exact) > maxExact || d.repeated && len(d.exact) > fewExact {
		d.many, d.exact = true, nil
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
	d.trim()
	for h := range o.exact {
		d.keep(h)
	}
}

// unique reports whether all values differ.
func (d *distinct) unique() bool { return !d.repeated && !d.many }

// estimate gives the number of different values (Flajolet et al., 2007, with linear counting for few).
func (d *distinct) estimate() int64 {
	if d.exact != nil {
		return int64(len(d.exact))
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
