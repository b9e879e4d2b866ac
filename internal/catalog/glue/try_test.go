package glue

import (
	"strings"
	"testing"

	"tarn/internal/catalog"
	"tarn/internal/catalog/glue/gluetest"
)

// Trying rights names the one that is missing, and leaves the database as it was.
func TestTry(t *testing.T) {
	l := newLake(t)
	c := l.open()
	if told, err := c.Try(t.Context()); err != nil || told != "the first run makes database db" {
		t.Errorf("before there is a database: %q, %v", told, err)
	}
	if _, err := c.External(t.Context(), []catalog.External{{Table: parse(t, readings)}}); err != nil {
		t.Fatal(err)
	}
	for _, denied := range []string{"", "CreateTable", "UpdateTable", "GetTable"} {
		l.server.Do(func(op string) gluetest.Fault {
			if op == denied {
				return gluetest.Fault{Error: "AccessDeniedException", Message: "not authorized"}
			}
			return gluetest.Fault{}
		})
		told, err := c.Try(t.Context())
		switch {
		case denied == "" && (err != nil || told != "a table was made, changed and dropped"):
			t.Errorf("%q, %v", told, err)
		case denied != "" && (err == nil || !strings.Contains(err.Error(), "Glue "+denied+" table db.tarn_doctor_") || !strings.Contains(hint(err), "glue:"+denied)):
			t.Errorf("without the right to %s: %v, hint %q", denied, err, hint(err))
		}
		l.server.Do(nil)
		all, _, err := c.tables(t.Context())
		if err != nil || len(all) != 1 {
			t.Errorf("left after %q: %v, %v", denied, all, err)
		}
	}
}
