package sample

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
)

// small is data of a second or two.
var small = Options{People: 40, Days: 2, SessionSeconds: 20, Seed: 3}

// content reads all files below a folder, unpacked, by their path without .gz.
func content(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, zipped := strings.CutSuffix(path, ".gz")
		if zipped {
			r, err := gzip.NewReader(bytes.NewReader(raw))
			if err != nil {
				return err
			}
			if raw, err = io.ReadAll(r); err != nil {
				return err
			}
		}
		rel, err := filepath.Rel(dir, name)
		out[filepath.ToSlash(rel)] = string(raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func digest(files map[string]string) string {
	h := sha256.New()
	names := []string{}
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		h.Write([]byte(name + "\x00" + files[name] + "\x00"))
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

func generate(t *testing.T, o Options) (map[string]string, *Summary) {
	t.Helper()
	dir := t.TempDir()
	s, err := Generate(context.Background(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return content(t, dir), s
}

func with(o Options, change func(*Options)) Options {
	change(&o)
	return o
}

// TestBytes holds the promise that the same options give the same bytes, in every version and on every machine: a digest
// here changes only with a note in the changelog.
func TestBytes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options Options
		late    bool
		want    string
	}{
		"plain":  {options: small, want: "6adb739e312d063e"},
		"seed":   {options: with(small, func(o *Options) { o.Seed = 4 }), want: "8111bd6ce734c6a4"},
		"mess":   {options: with(small, func(o *Options) { o.Mess = 0.05; o.FileBytes = 64 << 10 }), want: "76c9243cae9b18c6"},
		"broken": {options: with(small, func(o *Options) { o.Broken = 7 }), want: "727bae076f1be9a0"},
		"late":   {options: small, late: true, want: "3d6c924246cedce6"},
		"long":   {options: Options{People: 5, Days: 400, SessionSeconds: 4, Sessions: 2, Pairs: -1, Start: time.Date(2030, 2, 28, 23, 0, 0, 0, time.UTC)}, want: "0a26dd1b3b6b7b77"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			write := Generate
			if c.late {
				write = Late
			}
			for _, zip := range []bool{false, true} {
				dir := t.TempDir()
				c.options.Gzip = zip
				if _, err := write(context.Background(), dir, c.options); err != nil {
					t.Fatal(err)
				}
				if got := digest(content(t, dir)); got != c.want {
					t.Errorf("gzip %v: the bytes have digest %s, want %s", zip, got, c.want)
				}
			}
		})
	}
}

func TestProcessorsDoNotMatter(t *testing.T) { // not parallel: it changes the process
	one, _ := func() (map[string]string, *Summary) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
		return generate(t, small)
	}()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8))
	eight, _ := generate(t, small)
	if digest(one) != digest(eight) {
		t.Error("one processor and eight give different bytes")
	}
}

// Files end somewhere else, but hold the same records.
func TestFileSize(t *testing.T) {
	t.Parallel()
	join := func(files map[string]string, table string) string {
		names := []string{}
		for name := range files {
			if strings.HasPrefix(name, table+"/") {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		all := ""
		for _, name := range names {
			all += files[name]
		}
		return all
	}
	whole, _ := generate(t, small)
	parts, s := generate(t, with(small, func(o *Options) { o.FileBytes = 10_000 }))
	if s.Files < 20 || len(parts) != s.Files {
		t.Errorf("%d files, %d in the summary", len(parts), s.Files)
	}
	for _, table := range []string{customerTable, accelerometerTable, stepTrainerTable} {
		if join(whole, table) != join(parts, table) {
			t.Errorf("%s: other records in small files", table)
		}
	}
	var size int64
	for _, text := range parts {
		size += int64(len(text))
	}
	if size != s.Bytes {
		t.Errorf("the summary says %d bytes, there are %d", s.Bytes, size)
	}
}

type customer struct {
	CustomerName, Email, Phone, BirthDay, SerialNumber                           string
	RegistrationDate, LastUpdateDate                                             int64
	ShareWithResearchAsOfDate, ShareWithPublicAsOfDate, ShareWithFriendsAsOfDate int64
}

type reading struct {
	User      string
	Timestamp int64
	X, Y, Z   float64
}

type step struct {
	SensorReadingTime  int64
	SerialNumber       string
	DistanceFromObject int
}

func decode[T any](t *testing.T, files map[string]string, table string) []T {
	t.Helper()
	var out []T
	for name, text := range files {
		if !strings.HasPrefix(name, table+"/") {
			continue
		}
		d := json.NewDecoder(strings.NewReader(text))
		for {
			var v T
			err := d.Decode(&v)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			out = append(out, v)
		}
	}
	return out
}

func TestPeople(t *testing.T) {
	t.Parallel()
	o := Options{People: 400, Days: 3, SessionSeconds: 10}
	files, s := generate(t, o)
	customers := decode[customer](t, files, customerTable)
	readings := decode[reading](t, files, accelerometerTable)
	if len(customers) != 400 || s.Customers != 400 {
		t.Fatalf("%d customers, %d in the summary", len(customers), s.Customers)
	}
	first := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	last := first + 3*dayMS
	emails, serials := map[string]customer{}, map[string]bool{}
	var before, amid, after, none int
	for _, c := range customers {
		emails[c.Email], serials[c.SerialNumber] = c, true
		if host := c.Email[strings.LastIndex(c.Email, "@")+1:]; !slices.Contains(mailHosts, host) || !strings.Contains(c.Phone, "-555-01") {
			t.Errorf("%s, %s may belong to somebody", c.Email, c.Phone)
		}
		if c.RegistrationDate >= first || c.LastUpdateDate < max(c.RegistrationDate, c.ShareWithResearchAsOfDate, c.ShareWithPublicAsOfDate) {
			t.Errorf("dates out of order: %+v", c)
		}
		switch d := c.ShareWithResearchAsOfDate; {
		case d == 0:
			none++
		case d < first:
			before++
		case d < last:
			amid++
		default:
			after++
		}
	}
	if len(emails) != 400 || len(serials) != 400 {
		t.Errorf("%d addresses and %d devices of 400 people", len(emails), len(serials))
	}
	for what, n := range map[string]int{"before": before, "amid": amid, "after": after, "none": none} {
		if n < 5 {
			t.Errorf("only %d people with consent %s the readings", n, what)
		}
	}
	active := map[string]bool{}
	users := map[int64]map[string]bool{}
	for _, r := range readings {
		if r.Timestamp < first || r.Timestamp >= last {
			t.Fatalf("reading at %d is outside of the days", r.Timestamp)
		}
		if _, known := emails[r.User]; !known {
			t.Fatalf("reading of %s, who is no customer", r.User)
		}
		active[r.User] = true
		if users[r.Timestamp] == nil {
			users[r.Timestamp] = map[string]bool{}
		}
		users[r.Timestamp][r.User] = true
	}
	if idle := 400 - len(active); idle < 5 || idle > 40 {
		t.Errorf("%d people without readings", idle)
	}
	shared := 0
	for _, who := range users {
		if len(who) > 1 {
			shared++
		}
	}
	if share := float64(shared) / float64(len(users)); share < 0.01 || share > 0.15 {
		t.Errorf("%.3f of the moments belong to several people", share)
	}
	unknown := map[string]bool{}
	for _, r := range decode[step](t, files, stepTrainerTable) {
		if !serials[r.SerialNumber] {
			unknown[r.SerialNumber] = true
		}
	}
	if len(unknown) != 8 {
		t.Errorf("%d devices belong to nobody known, want 8", len(unknown))
	}
}

func TestPhysics(t *testing.T) {
	t.Parallel()
	files, _ := generate(t, Options{People: 30, Days: 2, SessionSeconds: 100})
	serials := map[string]string{}
	for _, c := range decode[customer](t, files, customerTable) {
		serials[c.SerialNumber] = c.Email
	}
	type at struct {
		user string
		time int64
	}
	distances := map[at]int{}
	for _, s := range decode[step](t, files, stepTrainerTable) {
		if s.DistanceFromObject < 201 || s.DistanceFromObject > 300 {
			t.Fatalf("%d cm", s.DistanceFromObject)
		}
		distances[at{serials[s.SerialNumber], s.SensorReadingTime}] = s.DistanceFromObject
	}
	perUser := map[string][][2]float64{}
	sum, n := 0.0, 0.0
	for _, r := range decode[reading](t, files, accelerometerTable) {
		g := math.Sqrt(r.X*r.X + r.Y*r.Y + r.Z*r.Z)
		if g < 0.8 || g > 1.2 {
			t.Fatalf("%v: %.3f g is no balancing", r, g)
		}
		sum, n = sum+g, n+1
		d, ok := distances[at{r.User, r.Timestamp}]
		if !ok {
			t.Fatalf("%v: the device measured nothing at that time", r)
		}
		perUser[r.User] = append(perUser[r.User], [2]float64{float64(d), math.Atan2(r.Y, r.Z)})
	}
	if mean := sum / n; mean < 0.98 || mean > 1.02 {
		t.Errorf("the mean is %.3f g, standing still is 1", mean)
	}
	// Distance and tilt follow from one motion, so there is something to learn.
	total := 0.0
	for _, pairs := range perUser {
		total += correlation(pairs)
	}
	if mean := total / float64(len(perUser)); mean < 0.5 {
		t.Errorf("distance and tilt of a person correlate by %.2f on average", mean)
	}
}

func correlation(pairs [][2]float64) float64 {
	var x, y, xx, yy, xy float64
	for _, p := range pairs {
		x, y, xx, yy, xy = x+p[0], y+p[1], xx+p[0]*p[0], yy+p[1]*p[1], xy+p[0]*p[1]
	}
	n := float64(len(pairs))
	return (n*xy - x*y) / math.Sqrt((n*xx-x*x)*(n*yy-y*y))
}

func TestBroken(t *testing.T) {
	t.Parallel()
	_, s := generate(t, with(small, func(o *Options) { o.Broken = 3 }))
	if s.BrokenTotal != 3 || len(s.Broken) != 3 {
		t.Fatalf("%d broken records, %d listed", s.BrokenTotal, len(s.Broken))
	}
	kinds := map[string]Kind{}
	for _, b := range s.Broken {
		kinds[b.File[:strings.Index(b.File, "/")]] = b.Kind
	}
	if diff := cmp.Diff(map[string]Kind{stepTrainerTable: CutOff, accelerometerTable: TextForNumber, customerTable: MissingQuote}, kinds); diff != "" {
		t.Error(diff)
	}
	if _, err := Generate(context.Background(), t.TempDir(), with(small, func(o *Options) { o.Broken = 900_000 })); !errors.Is(err, ErrOptions) {
		t.Errorf("more broken records than there are: %v", err)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"people": {People: -1}, "many people": {People: 10_000_001}, "days": {Days: -1}, "mess": {Mess: 1.5}, "no number": {Mess: math.NaN()},
		"pairs": {Pairs: 2}, "both": {Mess: 0.1, Broken: 1}, "start": {Start: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)},
		"sessions": {Sessions: 151}, "seconds": {SessionSeconds: 1}, "file": {FileBytes: -1},
	} {
		dir := t.TempDir()
		if _, err := Generate(context.Background(), dir, o); !errors.Is(err, ErrOptions) {
			t.Errorf("%s: %v", name, err)
		}
		if files := content(t, dir); len(files) > 0 {
			t.Errorf("%s: wrote %d files", name, len(files))
		}
	}
}
