package cost

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"regexp"
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
	// List is AWS's Price List, as others quote it.
	List Checked = "list"
	// Others are pages of others who quote AWS.
	Others Checked = "others"
	// Yours is a price of the user's own file.
	Yours Checked = "yours"
)

// Source says what a price counts and where it is from.
type Source struct {
	// What is counted, such as requests or GB-second.
	Unit string `yaml:"unit" json:"unit"`
	// Title of the page of AWS that has it.
	Page string `yaml:"page" json:"page"`
	// Address of that page.
	URL string `yaml:"url" json:"url"`
	// The day on which it was compared.
	Read string `yaml:"read" json:"read"`
	// What it was compared with: aws (a copy of that page), list (AWS's Price List, as others quote it), others (pages of others), or yours.
	Checked Checked `yaml:"checked" json:"checked"`
	// Where that is, if not AWS's page.
	By string `yaml:"by" json:"by,omitempty"`
}

// Price is what AWS charges for something, in US dollars.
type Price struct {
	// The price of so many units in us-east-1.
	USD float64 `yaml:"usd" json:"usd"`
	// How many units that buys.
	Per float64 `yaml:"per" json:"per"`
	// The price of so many units in regions where it is another one.
	Regions map[string]float64 `yaml:"regions" json:"regions,omitempty"`
	// Whether all other regions have the price of us-east-1.
	Same   bool `yaml:"same" json:"same,omitempty"`
	Source `yaml:",inline"`
}

// Known reports whether it is known to be the price of a region, and not only that of us-east-1.
func (p Price) Known(region string) bool {
	_, own := p.Regions[region]
	return own || p.Same || p.Checked == Yours || region == "" || region == builtinRegion
}

// builtinRegion is the one whose prices the program has.
const builtinRegion = "us-east-1"

// Minimum is the least amount of something that AWS bills.
type Minimum struct {
	Least  float64 `yaml:"least" json:"least"`
	Source `yaml:",inline"`
}

// Prices are all prices for one region.
type Prices struct {
	region string
	list   map[string]Price
	least  map[string]Minimum
	// used are the names of prices that were asked for.
	used map[string]bool
}

// builtinFile is the program's file of prices.
type builtinFile struct {
	Prices   map[string]Price   `yaml:"prices"`
	Minimums map[string]Minimum `yaml:"minimums"`
}

// priceFile is a user's file of prices, which may leave anything out.
type priceFile struct {
	Prices map[string]struct {
		USD     *float64           `yaml:"usd"`
		Per     *float64           `yaml:"per"`
		Regions map[string]float64 `yaml:"regions"`
		Same    bool               `yaml:"same"`
		Source  `yaml:",inline"`
	} `yaml:"prices"`
	Minimums map[string]struct {
		Least  *float64 `yaml:"least"`
		Source `yaml:",inline"`
	} `yaml:"minimums"`
}

// Load gives the prices of a region: those in the program, and over them those of a file of the user's, "" for none. A file that
// names what there is not, or has a price without a number, is [ErrPrices].
func Load(region, file string) (*Prices, error) {
	var f builtinFile
	if err := parse(builtin, &f); err != nil {
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
	var own priceFile
	if err := parse(raw, &own); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrPrices, file, err)
	}
	if err := p.override(own); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrPrices, file, err)
	}
	return p, nil
}

// override puts the prices of a user's file over those of the program.
func (p *Prices) override(own priceFile) error {
	for _, name := range slices.Sorted(maps.Keys(own.Prices)) {
		price := own.Prices[name]
		base, ok := p.list[name]
		switch {
		case !ok:
			return fmt.Errorf("no price is called %s\nhint: they are %s", name, strings.Join(slices.Sorted(maps.Keys(p.list)), ", "))
		case price.USD == nil && len(price.Regions) == 0:
			return fmt.Errorf("%s says no price: usd, or regions", name)
		case !amount(price.USD) || !amount(price.Per):
			return fmt.Errorf("%s is no price: a number, and not below zero", name)
		case price.Per != nil && *price.Per == 0:
			return fmt.Errorf("%s: per is how many units the price buys, and is above zero", name)
		}
		for region, usd := range price.Regions {
			if !amount(&usd) {
				return fmt.Errorf("%s in %s is no price: a number, and not below zero", name, region)
			}
		}
		if price.USD != nil {
			// What the file says counts in every region that it says nothing else of.
			base.USD, base.Regions = *price.USD, price.Regions
			if price.Per != nil {
				base.Per = *price.Per
			}
		} else {
			if price.Per != nil && *price.Per != base.Per {
				return fmt.Errorf("%s: with regions alone, per is %g as in the program", name, base.Per)
			}
			base.Regions = maps.Clone(base.Regions)
			if base.Regions == nil {
				base.Regions = map[string]float64{}
			}
			maps.Copy(base.Regions, price.Regions)
			if _, ok := price.Regions[p.region]; !ok {
				p.list[name] = base
				continue
			}
		}
		base.Source = own.source(base.Source, price.Source)
		p.list[name] = base
	}
	for _, name := range slices.Sorted(maps.Keys(own.Minimums)) {
		m := own.Minimums[name]
		base, ok := p.least[name]
		switch {
		case !ok:
			return fmt.Errorf("no minimum is called %s\nhint: they are %s", name, strings.Join(slices.Sorted(maps.Keys(p.least)), ", "))
		case m.Least == nil || !amount(m.Least):
			return fmt.Errorf("the minimum of %s is a number, and not below zero", name)
		}
		base.Least, base.Source = *m.Least, own.source(base.Source, m.Source)
		p.least[name] = base
	}
	return nil
}

// amount reports whether a number, if there is one, can be a price.
func amount(n *float64) bool { return n == nil || *n >= 0 && !math.IsInf(*n, 1) }

// source is where a price of the user's file is from; what it counts stays.
func (priceFile) source(base, own Source) Source {
	own.Unit, own.Checked = base.Unit, Yours
	if own.Page == "" {
		own.Page, own.URL = base.Page, base.URL
	}
	return own
}

func parse(raw []byte, to any) error {
	d := yaml.NewDecoder(bytes.NewReader(raw))
	d.KnownFields(true)
	err := d.Decode(to)
	var wrong *yaml.TypeError
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case errors.As(err, &wrong):
		text := unknownKey.ReplaceAllString(strings.Join(wrong.Errors, "\n"), "there is no key $1")
		return fmt.Errorf("%s\nhint: a price in US dollars is usd, per and regions, beside page, url and read; a minimum is least: docs/cost.md", wrongKind.ReplaceAllString(text, "keys and values"))
	}
	return err
}

// What the YAML library says of a key that is not known, and of something else in the place of keys: with Go's types, which say nothing to
// those who have written the file.
var (
	unknownKey = regexp.MustCompile(`field (\S+) not found in type .*`)
	wrongKind  = regexp.MustCompile(`(map\[|struct ?\{|cost\.).*`)
)

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
