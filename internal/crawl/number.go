package crawl

import (
	"math"
	"strconv"
	"strings"
)

// number is what a type has to know of one number as it is written: ±mantissa × 10^exp.
type number struct {
	whole bool // written without fraction and exponent
	neg   bool
	// mantissa has no zeros at either end; it is empty for zero.
	mantissa string
	exp      int
	// places are the digits written behind the point, zeros included; -1 with an exponent.
	places int
}

// expLimit bounds exponents: nothing that is stored exactly comes near it.
const expLimit = 100_000

// parseNumber reads a text that is a JSON number (RFC 8259) and nothing else. Loose takes ".5" too, which text files have.
func parseNumber(s string, loose bool) (n number, ok bool) {
	n.whole = true
	rest, neg := strings.CutPrefix(s, "-")
	n.neg = neg
	whole := leadingDigits(rest)
	rest = rest[len(whole):]
	if len(whole) > 1 && whole[0] == '0' || whole == "" && (!loose || !strings.HasPrefix(rest, ".")) {
		return n, false
	}
	digits := whole
	if after, point := strings.CutPrefix(rest, "."); point {
		n.whole = false
		part := leadingDigits(after)
		if part == "" {
			return n, false
		}
		digits += part
		n.exp, n.places = -len(part), len(part)
		rest = after[len(part):]
	}
	if rest != "" {
		if rest[0]|0x20 != 'e' {
			return n, false
		}
		n.whole, n.places = false, -1
		text := rest[1:]
		bare := text
		if bare != "" && (bare[0] == '+' || bare[0] == '-') {
			bare = bare[1:]
		}
		if bare == "" || leadingDigits(bare) != bare {
			return n, false
		}
		e, err := strconv.Atoi(bare)
		if err != nil {
			e = expLimit // more digits than an int has
		}
		e = min(e, expLimit)
		if text[0] == '-' {
			e = -e
		}
		n.exp += e
	}
	trimmed := strings.TrimRight(digits, "0")
	n.exp += len(digits) - len(trimmed)
	n.mantissa = strings.TrimLeft(trimmed, "0")
	if n.mantissa == "" {
		n.exp = 0
	}
	return n, true
}

func leadingDigits(s string) string {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return s[:i]
}

// intDigits and fracDigits count the digits before and behind the point that the value needs.
func (n number) intDigits() int  { return max(0, len(n.mantissa)+n.exp) }
func (n number) fracDigits() int { return max(0, -n.exp) }

// beyond64 reports whether a whole number is none of 64 bits.
func (n number) beyond64() bool {
	switch d := n.intDigits(); {
	case d < 19:
		return false
	case d > 19:
		return true
	}
	digits := n.mantissa + strings.Repeat("0", n.exp)
	if n.neg {
		return digits > "9223372036854775808"
	}
	return digits > "9223372036854775807"
}

// numbers is what is known of many numbers. The zero value knows none; all of it joins by or, least and most.
type numbers struct {
	any       bool
	fractions bool // some are written with a fraction or an exponent
	beyond64  bool
	infinite  bool // some are beyond the range of a double
	inexact   bool // some are not what a double of them prints
	exponents bool

	intDigits, fracDigits int // most
	// minPlaces and maxPlaces bound the digits written behind the point.
	minPlaces, maxPlaces int

	min, max         float64
	minText, maxText string
	minFine, maxFine string // the least and greatest inexact one, for examples
}

// add takes one number up.
func (c *numbers) add(n number, text string) {
	f, _ := strconv.ParseFloat(text, 64) // infinite beyond the range
	one := numbers{any: true, fractions: !n.whole, beyond64: n.beyond64(), infinite: math.IsInf(f, 0), exponents: n.places < 0,
		intDigits: n.intDigits(), fracDigits: n.fracDigits(), minPlaces: n.places, maxPlaces: n.places, min: f, max: f}
	one.inexact = !one.infinite && !prints(f, n)
	if c.any && !c.infinite && f > c.min && f < c.max {
		// The ends stay as they are: most numbers need no text.
		one.min, one.max, one.minText, one.maxText = c.min, c.max, c.minText, c.maxText
	} else {
		one.minText, one.maxText = cut(text), cut(text)
	}
	if one.inexact {
		one.minFine, one.maxFine = cut(text), cut(text)
	}
	c.join(one)
}

// prints reports whether a double printed with as many digits as the number has is that number.
func prints(f float64, n number) bool {
	if n.mantissa == "" || len(n.mantissa) <= 15 && n.intDigits() < 300 && n.fracDigits() < 290 {
		return true
	}
	got, exp, ok := strings.Cut(strconv.FormatFloat(math.Abs(f), 'e', len(n.mantissa)-1, 64), "e")
	e, err := strconv.Atoi(exp)
	return ok && err == nil && strings.Replace(got, ".", "", 1) == n.mantissa && e == len(n.mantissa)-1+n.exp
}

// join makes c what is known of both.
func (c *numbers) join(o numbers) {
	if !o.any {
		return
	}
	if !c.any {
		*c = o
		return
	}
	c.fractions = c.fractions || o.fractions
	c.beyond64 = c.beyond64 || o.beyond64
	c.infinite = c.infinite || o.infinite
	c.inexact = c.inexact || o.inexact
	c.exponents = c.exponents || o.exponents
	c.intDigits, c.fracDigits = max(c.intDigits, o.intDigits), max(c.fracDigits, o.fracDigits)
	c.minPlaces, c.maxPlaces = min(c.minPlaces, o.minPlaces), max(c.maxPlaces, o.maxPlaces)
	// Of texts for the same value the first in order is taken, so that joining has no direction.
	if o.min < c.min || o.min == c.min && o.minText < c.minText {
		c.min, c.minText = o.min, o.minText
	}
	if o.max > c.max || o.max == c.max && o.maxText < c.maxText {
		c.max, c.maxText = o.max, o.maxText
	}
	if c.minFine == "" || o.minFine != "" && o.minFine < c.minFine {
		c.minFine = o.minFine
	}
	c.maxFine = max(c.maxFine, o.maxFine)
}
