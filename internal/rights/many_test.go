package rights

import (
	"fmt"
	"strings"
	"testing"
)

// A grant opens files as well, so that readers of many tables get them one by one and never all tables of the database.
func TestGrantsOnManyTables(t *testing.T) {
	t.Parallel()
	p := Places{Database: "shop", Warehouse: Place{"b", "warehouse/"}, LandingTables: []string{"raw"}}
	for i := range mostNames + 1 {
		p.Models = append(p.Models, Table{fmt.Sprintf("t%d", i), Curated})
	}
	p.Models = append(p.Models, Table{"personal", Trusted})
	for _, a := range []Actor{Analyst, Scientist} {
		grants := Grants(a, p)
		if len(grants) != mostNames+2 {
			t.Errorf("the %s has %d grants", a, len(grants))
		}
		for _, g := range grants {
			if strings.ContainsAny(g.Table, "*") || g.Table == "personal" || g.Table == "raw" {
				t.Errorf("the %s is granted %q", a, g.Table)
			}
		}
	}
}
