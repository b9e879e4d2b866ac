package careful

import (
	"math"
	"math/big"
	"strconv"
)

// number is a JSON number as it was read: ±digits × 10^exp.
type number struct {
	text   []byte
	digits uint64 // the significant digits, if there are at most 19
	many   bool   // there are more
	whole  bool   // written without a fraction and without an exponent
	neg    bool
	exp    int // -fraction digits + exponent, kept within ±1e9
}

const expLimit = 1_000_000_000

// number reads a number; the byte behind it must be there too, as it could be part of it.
func (s *scanner) number() (number, status) {
	n, end, problem := readNumber(s.b, s.at, false)
	s.at = end
	switch {
	case end >= len(s.b):
		return n, need
	case problem != "":
		return n, s.fail("%s, found %s", problem, s.found())
	}
	return n, ok
}

// parseNumber reads a text that has to be a number and nothing else. Loose allows what text files have and JSON has not:
// zeros in front, and no digits on one side of the point.
func parseNumber(b []byte, loose bool) (number, bool) {
	n, end, problem := readNumber(b, 0, loose)
	return n, problem == "" && end == len(b)
}

// readNumber reads a number at b[i:] and gives where it ends, or where what is wrong with it was noticed.
func readNumber(b []byte, i int, loose bool) (n number, end int, problem string) {
	start := i
	n.whole = true
	if i < len(b) && b[i] == '-' {
		n.neg = true
		i++
	}
	count, first := 0, i
	if !loose && i < len(b) && b[i] == '0' {
		i++ // nothing may follow but a point or an exponent
	} else {
		for i < len(b) && b[i]-'0' <= 9 {
			if d := b[i] - '0'; count > 0 || d > 0 {
				if count++; count <= 19 {
					n.digits = n.digits*10 + uint64(d)
				}
			}
			i++
		}
	}
	whole := i - first
	if whole == 0 && (!loose || i >= len(b) || b[i] != '.') {
		return n, i, "expected a digit"
	}
	if i < len(b) && b[i] == '.' {
		n.whole = false
		i++
		from := i
		for i < len(b) && b[i]-'0' <= 9 {
			if d := b[i] - '0'; count > 0 || d > 0 {
				if count++; count <= 19 {
					n.digits = n.digits*10 + uint64(d)
				}
			}
			i++
		}
		if i == from && (!loose || whole == 0) {
			return n, i, "expected a digit after the point"
		}
		n.exp = -(i - from)
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		n.whole = false
		i++
		down := false
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			down = b[i] == '-'
			i++
		}
		from, e := i, 0
		for i < len(b) && b[i]-'0' <= 9 {
			e = min(e*10+int(b[i]-'0'), expLimit)
			i++
		}
		if i == from {
			return n, i, "expected a digit in the exponent"
		}
		if down {
			e = -e
		}
		n.exp = max(-expLimit, min(expLimit, n.exp+e))
	}
	n.many = count > 19
	n.text = b[start:i]
	return n, i, ""
}

var powers = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// float gives the nearest double; false if that is infinite.
func (n *number) float() (float64, bool) {
	// Digits and power are exact doubles, so one operation rounds once (Clinger's fast path).
	if !n.many && n.digits <= 1<<53 && n.exp >= -22 && n.exp <= 22 {
		f := float64(n.digits)
		if n.exp < 0 {
			f /= powers[-n.exp]
		} else {
			f *= powers[n.exp]
		}
		// A zero written as a whole number has no sign, as DuckDB reads it too.
		if n.neg && !(n.whole && n.digits == 0) {
			f = -f
		}
		return f, true
	}
	f, err := strconv.ParseFloat(string(n.text), 64)
	return f, err == nil && !math.IsInf(f, 0)
}

func (n *number) float32() (float32, bool) {
	if n.whole && n.digits == 0 {
		return 0, true
	}
	f, err := strconv.ParseFloat(string(n.text), 32)
	return float32(f), err == nil && !math.IsInf(f, 0)
}

// wholeLimit is the first whole number that a double cannot tell from its neighbour.
const wholeLimit = 1 << 53

// int gives the number as a whole number of that many bits. A number with fraction or exponent counts as the double it
// reads as, if that is whole and its size below 2^53. Otherwise reason says why not.
func (n *number) int(size uint) (v int64, reason Reason) {
	if n.whole {
		limit := uint64(1)<<(size-1) - 1
		if n.neg {
			limit++
		}
		if n.many || n.digits > limit {
			return 0, OutOfRange
		}
		if n.neg {
			return -int64(n.digits), ""
		}
		return int64(n.digits), ""
	}
	f, fits := n.float()
	if !fits {
		return 0, OutOfRange
	}
	if f != math.Trunc(f) {
		return 0, WrongType
	}
	if math.Abs(f) >= wholeLimit {
		return 0, OutOfRange
	}
	v = int64(f)
	if low, high := -int64(1)<<(size-1), int64(1)<<(size-1)-1; v < low || v > high {
		return 0, OutOfRange
	}
	return v, ""
}

// decimal gives the number exactly, or false where precision and scale cannot hold it.
func (n *number) decimal(precision, scale int) (Decimal, bool) {
	d := Decimal{Precision: precision, Scale: scale}
	v := new(big.Int)
	if n.many {
		text := make([]byte, 0, len(n.text))
	digits:
		for _, c := range n.text {
			switch {
			case c-'0' <= 9:
				text = append(text, c)
			case c|0x20 == 'e':
				break digits
			}
		}
		// Zeros at the end are moved into the exponent, so that the size of the rest says whether it fits.
		exp := n.exp
		for len(text) > 1 && text[len(text)-1] == '0' {
			text = text[:len(text)-1]
			exp++
		}
		for len(text) > 1 && text[0] == '0' {
			text = text[1:]
		}
		if len(text) > 2*38 {
			return d, false
		}
		if _, fine := v.SetString(string(text), 10); !fine {
			return d, false
		}
		return d.shift(v, exp, n.neg)
	}
	v.SetUint64(n.digits)
	return d.shift(v, n.exp, n.neg)
}

// shift sets Unscaled to ±v × 10^(exp+Scale) if that is whole and has at most Precision digits.
func (d Decimal) shift(v *big.Int, exp int, neg bool) (Decimal, bool) {
	d.Unscaled = v
	by := exp + d.Scale
	ten := big.NewInt(10)
	switch {
	case v.Sign() == 0:
		return d, true
	case by > d.Precision || by < -2*38:
		return d, false
	case by > 0:
		v.Mul(v, new(big.Int).Exp(ten, big.NewInt(int64(by)), nil))
	case by < 0:
		rest := new(big.Int)
		v.QuoRem(v, new(big.Int).Exp(ten, big.NewInt(int64(-by)), nil), rest)
		if rest.Sign() != 0 {
			return d, false
		}
	}
	if v.Cmp(new(big.Int).Exp(ten, big.NewInt(int64(d.Precision)), nil)) >= 0 {
		return d, false
	}
	if neg {
		v.Neg(v)
	}
	return d, true
}
