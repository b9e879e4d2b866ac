package sample

import "math/bits"

// golden is 2^64 divided by the golden ratio: the step of splitmix64, and of [spread].
const golden = 0x9e3779b97f4a7c15

// random is splitmix64 (Steele, Lea, Flood 2014). Its figures depend on nothing but its start, so the same options give
// the same bytes on every machine.
type random uint64

func (r *random) next() uint64 {
	*r += golden
	return mix(uint64(*r))
}

// below gives a number from 0 to n-1.
func (r *random) below(n int) int {
	high, _ := bits.Mul64(r.next(), uint64(n))
	return int(high)
}

// between gives a number from low to high, both included.
func (r *random) between(low, high int) int { return low + r.below(high-low+1) }

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// key makes one number of several; each of them changes all of it.
func key(parts ...uint64) uint64 {
	h := uint64(0)
	for _, p := range parts {
		h = mix(h + golden + mix(p+golden))
	}
	return h
}

// What a key is for, so that the figures drawn from it are independent of each other.
const (
	forNames = iota + 1
	forPerson
	forConsent
	forIdle
	forDay
	forStart
	forSession
	forMess
	forBroken
)

// percent is a share of the range of uint64.
func percent(n uint64) uint64 { return n * (1<<64/100 - 1) }

// spread gives the i-th of a row of numbers that lie evenly in the range of uint64, so that of n people about the
// wanted share is below a [percent], also when n is small.
func spread(i int, step, offset uint64) uint64 { return uint64(i)*step + offset }
