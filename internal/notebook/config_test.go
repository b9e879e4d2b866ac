package notebook

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"tarn/internal/schema"
)

func column(name string, kind schema.Kind) schema.Column {
	return schema.Column{Name: name, Type: schema.Type{Kind: kind, Precision: 9, Scale: 2}}
}

var stedi = []schema.Column{column("timestamp", schema.Timestamp), column("serialNumber", schema.String), column("distanceFromObject", schema.Int), column("x", schema.Double), column("ok", schema.Boolean)}

func TestChoose(t *testing.T) {
	shop := []schema.Column{column("EMail", schema.String), column("user", schema.BigInt), column("day", schema.Date), column("price", schema.Decimal), column("_file", schema.String), column("tags", schema.Array)}
	for name, c := range map[string]struct {
		columns                                        []schema.Column
		person, predict                                string
		wantPerson, wantPredict, wantFrom, wantMissing string
	}{
		"model case":    {stedi, "", "", "serialnumber", "distancefromobject", "timestamp x ok", ""},
		"named":         {stedi, "X", "OK", "x", "ok", "timestamp distancefromobject", ""},
		"told by name":  {shop, "", "", "email", "", "user day price", "predict"},
		"other person":  {shop, "user", "price", "user", "price", "day", ""},
		"nothing there": {[]schema.Column{column("a", schema.String)}, "", "", "", "", "", "learn_from and person and predict"},
	} {
		config := Config{Table: "t"}
		if err := config.Choose(c.columns, c.person, c.predict); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		from := strings.Join(config.LearnFrom, " ")
		if config.Person != c.wantPerson || config.Predict != c.wantPredict || from != c.wantFrom || !strings.Contains(config.Missing(), c.wantMissing) || (c.wantMissing == "") != (config.Missing() == "") {
			t.Errorf("%s: %+v, missing: %s", name, config, config.Missing())
		}
	}
	if got := Names(shop); !slices.Contains(got, "tarn__file") || !slices.Contains(got, "email") {
		t.Errorf("Athena's names are %q", got)
	}
}

func TestChooseRefuses(t *testing.T) {
	for _, c := range []struct{ person, predict, why, hint string }{
		{"serial", "", "column serial: the table does not have it", "serialnumber"},
		{"", "distance", "column distance: the table does not have it", "one of distancefromobject, x, ok"},
		{"", "timestamp", "it is no number", "x"},
		{"x", "x", "it says whose a row is", "one of distancefromobject, ok"},
	} {
		err := (&Config{}).Choose(stedi, c.person, c.predict)
		var wrong *ColumnError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), c.why) || !strings.Contains(wrong.Hint(), c.hint) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
