package sample

import (
	"cmp"
	"slices"
)

// People train between these hours, UTC, so that no session goes over midnight.
const (
	firstHour = 6
	lastHour  = 22
)

// session is one person training once.
type session struct {
	start int64 // epoch milliseconds
	owner int
	order int // of the day, for this owner
	secs  int
}

// calendar tells who trains when.
type calendar struct {
	*people
	perDay, secs int
	buf          []session
}

// day gives the sessions of a day in the order of their starts. The slice is good until the next call.
func (c *calendar) day(day int) []session {
	c.buf = c.buf[:0]
	for i := range c.count + c.unknown {
		c.add(day, i)
	}
	return c.sorted()
}

// late gives the sessions of every tenth customer.
func (c *calendar) late(day int) []session {
	c.buf = c.buf[:0]
	for i := 0; i < c.count; i += 10 {
		c.add(day, i)
	}
	return c.sorted()
}

func (c *calendar) sorted() []session {
	slices.SortFunc(c.buf, func(a, b session) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.owner, b.owner))
	})
	return c.buf
}

func (c *calendar) add(day, i int) {
	if c.idle(i) {
		return
	}
	// Who trains in pairs has the same times of the day, and starts the first of them at the same millisecond: one phone
	// starts both devices.
	first, _ := c.leader(i)
	plan := random(key(c.seed, forDay, uint64(first), uint64(day)))
	n := c.perDay + plan.below(2) - plan.below(2) // one less, as many (twice as often) or one more
	for order := range n {
		own := random(key(c.seed, forStart, uint64(i), uint64(day), uint64(order)))
		secs := own.between(c.secs/2, c.secs+c.secs/2)
		slot := (lastHour - firstHour) * hourMS / n
		room := slot - (c.secs+c.secs/2)*secondMS
		offset := own.below(room)
		if order == 0 {
			offset = plan.below(room)
		}
		start := c.start + int64(day)*dayMS + firstHour*hourMS + int64(order*slot+offset)
		c.buf = append(c.buf, session{start: start, owner: i, order: order, secs: max(secs, 1)})
	}
}

// steps counts the step trainer readings of so many days.
func (c *calendar) steps(days int) int64 {
	var n int64
	for day := range days {
		for _, s := range c.day(day) {
			n += int64(s.secs)
		}
	}
	return n
}
