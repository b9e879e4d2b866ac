package sample

import "strconv"

const (
	secondMS = 1000
	hourMS   = 3600 * secondMS
	dayMS    = 24 * hourMS
)

// Shares of the customers, in percent. The bounds of consent are of one scale: below the first it was given before the
// readings, and so on; above the last it was not given.
const (
	consentBefore  = 42
	consentAmid    = 57
	consentAfter   = 60
	publicShare    = 35
	friendsShare   = 45
	idleShare      = 4
	unknownDevices = 2 // for each hundred customers
)

// person is a customer, or the unknown owner of a device. All of it comes from the seed and the number, so nobody has to
// be kept in memory.
type person struct {
	name, email, phone, birthDay, serial string

	registered, updated       int64 // epoch milliseconds
	research, public, friends int64 // epoch milliseconds; 0 if consent was not given
	sway                      int   // how unsteady, in thousandths
	pitch, roll               int   // how the phone is carried, in parts of a turn of sineSteps
	distance                  int   // usual distance from the sensor in cm
	known                     bool  // has a customer record
}

// people is the population that the options describe.
type people struct {
	count, unknown int // customers, and devices without one
	pairs, stride  int // pair k are the customers k*stride and k*stride+1
	seed           uint64
	start, end     int64 // of the readings, epoch milliseconds

	consentOffset, idleOffset uint64
	nameStep, nameOffset      int
}

func newPeople(o Options) people {
	p := people{count: o.People, seed: o.Seed, start: o.Start.UnixMilli()}
	p.end = p.start + int64(o.Days)*dayMS
	p.consentOffset = key(o.Seed, forConsent)
	p.idleOffset = key(o.Seed, forIdle)
	p.unknown = p.count * unknownDevices / 100
	if p.unknown == 0 && p.count >= 10 {
		p.unknown = 1
	}
	if o.Pairs > 0 {
		p.pairs = int(o.Pairs * float64(p.count) / 2)
		if p.pairs == 0 && p.count >= 4 {
			p.pairs = 1
		}
	}
	if p.pairs > 0 {
		p.stride = p.count / p.pairs
	}
	// Stepping through all names with a step that has no divisor in common with their number meets each once.
	names := len(firstNames) * len(lastNames)
	r := random(key(o.Seed, forNames))
	p.nameOffset = r.below(names)
	p.nameStep = r.between(names/3, names/2)
	for gcd(p.nameStep, names) != 1 {
		p.nameStep++
	}
	return p
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// leader gives the first of the pair that a person belongs to, or the person; paired says if there is a second.
func (p *people) leader(i int) (first int, paired bool) {
	if p.pairs == 0 || i/p.stride >= p.pairs || i%p.stride > 1 {
		return i, false
	}
	return i - i%p.stride, true
}

// idle says that a customer never uses the device.
func (p *people) idle(i int) bool {
	if _, paired := p.leader(i); paired || i >= p.count || i == 0 {
		return false
	}
	// The step is 2^64 times the fraction of the square root of 2.
	return spread(i, 0x6a09e667f3bcc909, p.idleOffset) < percent(idleShare)
}

// person gives the i-th customer; from count on, unknown owners.
func (p *people) person(i int) person {
	r := random(key(p.seed, forPerson, uint64(i)))
	var h person
	h.known = i < p.count
	h.serial = uuid(r.next(), r.next())
	p.body(&h, &r)
	if !h.known {
		return h
	}

	names := len(firstNames) * len(lastNames)
	at := int((int64(i%names)*int64(p.nameStep) + int64(p.nameOffset)) % int64(names))
	first, firstMail := spelled(firstNames[at/len(lastNames)])
	last, lastMail := spelled(lastNames[at%len(lastNames)])
	h.name = first + " " + last
	h.email = firstMail + "." + lastMail
	if again := i / names; again > 0 {
		h.email += strconv.Itoa(again + 1)
	}
	h.email += "@" + mailHosts[r.below(len(mailHosts))]
	// 555-0100 to 555-0199 are kept for fiction.
	h.phone = areaCodes[r.below(len(areaCodes))] + "-555-01" + twoDigits(r.below(100))
	h.birthDay = strconv.Itoa(r.between(1931, 2001)) + "-" + twoDigits(r.between(1, 12)) + "-" + twoDigits(r.between(1, 28))
	p.dates(i, &h, &r)
	return h
}

func (p *people) body(h *person, r *random) {
	h.sway = r.between(400, 1100)
	h.distance = r.between(238, 262)
	switch r.below(4) {
	case 0: // in the hand, screen towards the face
		h.pitch, h.roll = sineSteps*r.between(30, 55)/360, sineSteps*r.between(-8, 8)/360
	case 1: // in a pocket, upside down
		h.pitch, h.roll = -sineSteps*r.between(65, 85)/360, sineSteps*r.between(-20, 20)/360
	default: // on the belt
		h.pitch, h.roll = sineSteps*r.between(70, 88)/360, sineSteps*r.between(-15, 15)/360
	}
}

func (p *people) dates(i int, h *person, r *random) {
	h.registered = p.start - int64(r.between(2*dayMS, 180*dayMS))
	h.updated = h.registered
	early := p.start - dayMS - h.registered // room for what happens before the first reading
	soon := func() int64 {
		if r.below(3) > 0 {
			return h.registered // most people decide when they register
		}
		return h.registered + int64(r.below(int(early)))
	}

	// Pairs decide together, or a pair of which only one agreed would not show what a careless join does.
	first, paired := p.leader(i)
	c := spread(first, golden, p.consentOffset)
	research, span := soon(), p.end-p.start
	middle := p.start + span/10 + int64(r.below(int(span*8/10)))
	after := p.end + int64(r.below(dayMS))
	switch {
	case c < percent(consentBefore) || paired && first == 0:
		h.research = research
	case c < percent(consentAmid):
		h.research = middle
	case c < percent(consentAfter):
		h.research = after
	}
	public, friends := soon(), soon()
	if r.next() < percent(publicShare) {
		h.public = public
	}
	if r.next() < percent(friendsShare) {
		h.friends = friends
	}
	h.updated = max(h.updated, h.research, h.public, h.friends)
}

// record appends the customer record.
func (h *person) record(b []byte) []byte {
	b = appendText(b, `{"customerName":"`, h.name)
	b = appendText(b, `","email":"`, h.email)
	b = appendText(b, `","phone":"`, h.phone)
	b = appendText(b, `","birthDay":"`, h.birthDay)
	b = appendText(b, `","serialNumber":"`, h.serial)
	b = appendNumber(b, `","registrationDate":`, h.registered)
	b = appendNumber(b, `,"lastUpdateDate":`, h.updated)
	if h.research != 0 {
		b = appendNumber(b, `,"shareWithResearchAsOfDate":`, h.research)
	}
	if h.public != 0 {
		b = appendNumber(b, `,"shareWithPublicAsOfDate":`, h.public)
	}
	if h.friends != 0 {
		b = appendNumber(b, `,"shareWithFriendsAsOfDate":`, h.friends)
	}
	return append(b, '}')
}

func appendText(b []byte, before, value string) []byte {
	return append(append(b, before...), value...)
}

func appendNumber(b []byte, before string, value int64) []byte {
	return strconv.AppendInt(append(b, before...), value, 10)
}

func twoDigits(n int) string { return string([]byte{'0' + byte(n/10), '0' + byte(n%10)}) }

// uuid writes two numbers as a random UUID (RFC 9562, version 4).
func uuid(high, low uint64) string {
	const digits = "0123456789abcdef"
	high = high&^0xf000 | 0x4000
	low = low&^(3<<62) | 2<<62
	b := make([]byte, 0, 36)
	for i := range 32 {
		switch i {
		case 8, 12, 16, 20:
			b = append(b, '-')
		}
		v := high
		if i >= 16 {
			v = low
		}
		b = append(b, digits[v>>(60-4*(i%16))&0xf])
	}
	return string(b)
}
