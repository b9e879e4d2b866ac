package cost

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed prices.yaml
var builtin []byte

// ErrPrices says that a file of prices cannot be used.
var ErrPrices = errors.New("prices")

// Checked says what a price was compared with when it was written down.
type Checked string

// How prices were compared.
const (
	// AWS is a stored copy of the page of AWS.
	AWS Checked = "aws"
	// Others are pages of others who quote it.
	Others Checked = "others"
	// Memory is nothing: the price is from memory.
	Memory Checked = "memory"
	// Yours is a price of the user's own file.
	Yours Checked = "yours"
)

// Price is what AWS charges for something, in US dollars.
type Price struct {
	// The price of so many units in us-east-1.
	USD float64 `yaml:"usd" json:"usd"`
	// How many units that buys.
	Per float64 `yaml:"per" json:"per"`
	// What is counted, such as requests or GB-second.
	Unit string `yaml:"unit" json:"unit"`
	// The price of so many units in regions where it is another one.
	Regions map[string]float64 `yaml:"regions" json:"regions,omitempty"`
	// Title of the page of AWS that has it.
	Page string `yaml:"page" json:"page"`
	// Address of that page.
	URL string `yaml:"url" json:"url"`
	// The day on which it was compared.
	Read string `yaml:"read" json:"read"`
	// What it was compared with: aws, others, memory (nothing), or yours.
	Checked Checked `yaml:"checked" json:"checked"`
}

// Minimum is the least amount of something that AWS bills.
type Minimum struct {
	Least   float64 `yaml:"least" json:"least"`
	Unit    string  `yaml:"unit" json:"unit"`
	Page    string  `yaml:"page" json:"page"`
	URL     string  `yaml:"url" json:"url"`
	Read    string  `yaml:"read" json:"read"`
	Checked Checked `yaml:"checked" json:"checked"`
}

// Prices are all prices for one region.
type Prices struct {
	region string
	list   map[string]Price
	least  map[string]Minimum
	// used are the names of prices that were asked for.
	used map[string]bool
}

type priceFile struct {
	Prices   map[string]Price   `yaml:"prices"`
	Minimums map[string]Minimum `yaml:"minimums"`
}

// Load gives the prices of a region: those in the program, and over them those of a file of the user's, "" for none. A file that
// names what there is not, or has a price without a number, is [ErrPrices].
func Load(region, file string) (*Prices, error) {
	f, err := parse(builtin)
	if err != nil {
		return nil, err
	}
	p := &Prices{region: region, list: f.Prices, least: f.Minimums, used: map[string]bool{}}
	if file == "" {
		return p, nil
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPrices, err)
	}
	own, err := parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if err := p.override(own); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrPrices, file, err)
	}
	return p, nil
}

// override puts the prices of a user's file over those of the program.
func (p *Prices) override(own priceFile) error {
	for name, price := range own.Prices {
		base, ok := p.list[name]
		switch {
		case !ok:
			return fmt.Errorf("no price is called %s\nhint: they are %s", name, strings.Join(slices.Sorted(maps.Keys(p.list)), ", "))
		case price.USD < 0 || price.Per < 0:
			return fmt.Errorf("%s is below zero", name)
		}
		// What the file says counts in every region that it says nothing else of.
		base.USD, base.Regions, base.Checked, base.Read = price.USD, price.Regions, Yours, price.Read
		if price.Per > 0 {
			base.Per = price.Per
		}
		if price.Page != "" {
			base.Page, base.URL = price.Page, price.URL
		}
		p.list[name] = base
	}
	for name, m := range own.Minimums {
		base, ok := p.least[name]
		switch {
		case !ok:
			return fmt.Errorf("no minimum is called %s\nhint: they are %s", name, strings.Join(slices.Sorted(maps.Keys(p.least)), ", "))
		case m.Least < 0:
			return fmt.Errorf("the minimum of %s is below zero", name)
		}
		base.Least, base.Checked, base.Read = m.Least, Yours, m.Read
		p.least[name] = base
	}
	return nil
}

func parse(raw []byte) (priceFile, error) {
	var f priceFile
	d := yaml.NewDecoder(bytes.NewReader(raw))
	d.KnownFields(true)
	if err := d.Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		return f, fmt.Errorf("%w: %w", ErrPrices, err)
	}
	return f, nil
}

// Of gives the price of one unit of something in the region, in US dollars. The name has to be one of the file.
func (p *Prices) Of(name string) float64 {
	price, ok := p.list[name]
	if !ok || price.Per == 0 {
		panic("cost: no price is called " + name)
	}
	p.used[name] = true
	usd := price.USD
	if here, ok := price.Regions[p.region]; ok {
		usd = here
	}
	return usd / price.Per
}

// Least gives the least amount of something that is billed. The name has to be one of the file.
func (p *Prices) Least(name string) float64 {
	m, ok := p.least[name]
	if !ok {
		panic("cost: no minimum is called " + name)
	}
	return m.Least
}

// Used gives the prices that were asked for so far, by name.
func (p *Prices) Used() map[string]Price {
	out := map[string]Price{}
	for name := range p.used {
		out[name] = p.list[name]
	}
	return out
}

// Dated gives the day of the oldest price of those that were asked for.
func (p *Prices) Dated() string {
	day := ""
	for _, price := range p.Used() {
		if price.Read != "" && (day == "" || price.Read < day) {
			day = price.Read
		}
	}
	return day
}

// Elsewhere reports whether a price that was asked for is only known of us-east-1, and the region is another one.
func (p *Prices) Elsewhere() bool {
	if p.region == "" || p.region == "us-east-1" {
		return false
	}
	for _, price := range p.Used() {
		if _, ok := price.Regions[p.region]; !ok && price.Checked != Yours {
			return true
		}
	}
	return false
}
