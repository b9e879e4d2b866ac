package sample

// The physics is in whole numbers: floating point may differ in the last place from one processor to another (some fuse
// multiplication and addition), and then so would the files.

const (
	sineSteps = 4096  // of a turn
	one       = 10000 // 1 g, and the value of a sine of 1: four decimals
)

// sines is a table of the sine, in parts of one.
type sines [sineSteps]int32

func newSines() *sines {
	const (
		scale  = 1 << 30
		halfPi = 1686629713 // pi/2 in parts of scale
		steps  = sineSteps / 4
	)
	t := new(sines)
	for i := range steps + 1 {
		x := int64(halfPi) * int64(i) / steps
		square := x * x / scale
		sum, term := x, x
		for k := int64(2); k <= 14; k += 2 {
			term = -term * square / scale / (k * (k + 1))
			sum += term
		}
		v := int32((sum*one + scale/2) / scale)
		t[i] = v
		t[(2*steps-i)%sineSteps] = v
		t[2*steps+i] = -v
		t[(4*steps-i)%sineSteps] = -v
	}
	return t
}

func (t *sines) sin(angle int) int { return int(t[angle&(sineSteps-1)]) }
func (t *sines) cos(angle int) int { return t.sin(angle + sineSteps/4) }

// motion is one person balancing through one session: at the start of each exercise the body swings, the swing dies
// away, and a slow sway stays.
type motion struct {
	sin *sines
	rnd random
	who *person

	swing          int // of the exercise, in thousandths
	decay          int // of the swing in a second, in 1/1024
	fast, slow     int // phases
	fastHz, slowHz int // steps of the phases in a second
	next           int // seconds to the next exercise
	strength       int // of the swings, in thousandths

	distance int    // cm
	still    [3]int // acceleration without noise, in parts of one
}

// newMotion starts a session. Those who trained for days are steadier.
func newMotion(t *sines, who *person, seed uint64, day int) motion {
	m := motion{sin: t, rnd: random(seed), who: who}
	m.strength = who.sway * 64 / (64 + min(day, 64))
	m.fastHz = m.rnd.between(sineSteps*25/100, sineSteps*45/100)
	m.slowHz = m.rnd.between(sineSteps*4/100, sineSteps*9/100)
	m.decay = m.rnd.between(800, 940)
	m.fast, m.slow = m.rnd.below(sineSteps), m.rnd.below(sineSteps)
	return m
}

// second goes on by a second.
func (m *motion) second() {
	r := m.rnd.next()
	if m.next == 0 {
		m.next = 12 + int(r>>60)
		m.swing = m.strength * (700 + int(r>>50&511)) / 1000
	}
	m.next--
	m.swing = m.swing * m.decay >> 10
	m.fast += m.fastHz
	m.slow += m.slowHz
	quick := m.swing * m.sin.sin(m.fast) / one
	slow := m.strength * m.sin.sin(m.slow) / one
	sway := quick + slow/3

	m.distance = min(max(m.who.distance+sway*28/1000+int(r&3)-int(r>>2&3), 201), 300)

	// The phone turns with the body; the swing also speeds it up and down, against the way it went.
	pitch := m.who.pitch + sway*sineSteps*9/360/1000
	roll := m.who.roll + (slow*12-quick*5)*sineSteps/360/1000
	lift := one - quick*one*6/100/1000
	level := m.sin.cos(pitch) * lift / one
	m.still[0] = m.sin.sin(roll) * level / one
	m.still[1] = m.sin.sin(pitch) * lift / one
	m.still[2] = m.sin.cos(roll) * level / one
}

// reading appends what the phone measures, with the noise of its sensor: up to 0.025 g.
func (m *motion) reading(b []byte) []byte {
	r := m.rnd.next()
	b = appendG(append(b, `,"x":`...), m.still[0]+noise(r))
	b = appendG(append(b, `,"y":`...), m.still[1]+noise(r>>20))
	return appendG(append(b, `,"z":`...), m.still[2]+noise(r>>40))
}

func noise(r uint64) int { return (int(r&1023) + int(r>>10&1023) - 1023) / 4 }

// appendG writes an acceleration of less than 10 g with four decimals.
func appendG(b []byte, v int) []byte {
	if v < 0 {
		b = append(b, '-')
		v = -v
	}
	return append(b, '0'+byte(v/10000), '.', '0'+byte(v/1000%10), '0'+byte(v/100%10), '0'+byte(v/10%10), '0'+byte(v%10))
}
