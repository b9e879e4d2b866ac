package glue

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/google/go-cmp/cmp"

	"tarn/internal/catalog"
	"tarn/internal/catalog/catalogtest"
	"tarn/internal/catalog/glue/gluetest"
	"tarn/internal/schema"
)

// A published table looks in Glue as Athena writes Iceberg tables, within Glue's limits, and keeps what others noted on it.
func TestTableInGlue(t *testing.T) {
	l := newLake(t)
	m := catalogtest.Step("readings", 0, 1)
	list := schema.Type{Kind: schema.Array, Elem: &schema.Type{Kind: schema.TimestampTZ}}
	m.Shape = catalog.Shape{Location: "s3://bucket/warehouse/db/readings", Description: strings.Repeat("Ü😀\n", 2000), Columns: []schema.Column{
		{Name: "Id", Type: schema.Type{Kind: schema.BigInt}, Comment: "line one\nline two\x00 " + strings.Repeat("😀", 300)},
		{Name: "at", Type: schema.Type{Kind: schema.TimestampTZ}},
		{Name: "nested", Type: schema.Type{Kind: schema.Struct, Fields: []schema.Field{{Name: "u", Type: schema.Type{Kind: schema.UUID}, Comment: "x"}, {Name: "l", Type: list},
			{Name: "m", Type: schema.Type{Kind: schema.Map, Key: &schema.Type{Kind: schema.String}, Elem: &schema.Type{Kind: schema.Decimal, Precision: 38, Scale: 9}}}}}}}}
	if err := catalogtest.Publish(t, l.open(), m); err != nil {
		t.Fatal(err)
	}
	type column struct{ Name, Type, Comment string }
	var got struct {
		TableType, Description, VersionId string
		Parameters                        map[string]string
		StorageDescriptor                 struct {
			Location string
			Columns  []column
		}
	}
	look := func() {
		t.Helper()
		got.Parameters = nil
		if err := json.Unmarshal([]byte(l.server.Text("db", "readings")), &got); err != nil {
			t.Fatal(err)
		}
	}
	look()
	if n := len(utf16.Encode([]rune(got.Description))); n > 2048 || n < 2046 || !strings.HasSuffix(got.Description, "…") || !strings.HasPrefix(got.Description, "Ü😀\n") {
		t.Errorf("the description has %d units: %s", n, got.Description)
	}
	c := got.StorageDescriptor.Columns
	if n := len(utf16.Encode([]rune(c[0].Comment))); n > 255 || n < 253 || !strings.HasPrefix(c[0].Comment, "line one line two 😀") {
		t.Errorf("the comment has %d units: %s", n, c[0].Comment)
	}
	c[0].Comment = ""
	if diff := cmp.Diff([]column{{"id", "bigint", ""}, {"at", "timestamp", ""}, {"nested", "struct<u:string,l:array<timestamp>,m:map<string,decimal(38,9)>>", ""}}, c); diff != "" {
		t.Error(diff)
	}
	if got.TableType != "EXTERNAL_TABLE" || got.StorageDescriptor.Location != m.Shape.Location {
		t.Errorf("%s at %s", got.TableType, got.StorageDescriptor.Location)
	}
	want := map[string]string{"EXTERNAL": "TRUE", "table_type": "ICEBERG", "metadata_location": m.To, "tarn.lake": "lake-1", "tarn.table": "readings", "tarn.publish": "1"}
	if diff := cmp.Diff(want, got.Parameters); diff != "" {
		t.Error(diff)
	}

	// Somebody edits the table in the console, which is no commit: the run goes on.
	table, err := l.server.Call("GetTable", map[string]any{"DatabaseName": "db", "Name": "readings"})
	if err != nil {
		t.Fatal(err)
	}
	in := table["Table"].(map[string]any)
	in["Parameters"].(map[string]any)["owner.team"] = "devices"
	c1 := l.open()
	w := catalogtest.Lock(t, c1, "run-2")
	c1.step = func(name string) error {
		if name == "committed" {
			_, err := l.server.Call("UpdateTable", map[string]any{"DatabaseName": "db", "TableInput": in, "SkipArchive": true})
			return err
		}
		return nil
	}
	next := catalogtest.Step("readings", 1, 2)
	next.Shape = catalog.Shape{}
	if err := errors.Join(w.Publish(t.Context(), []catalog.Move{next}), w.Release(t.Context())); err != nil {
		t.Error(err)
	}
	look()
	if got.Parameters["owner.team"] != "devices" || got.Parameters["metadata_location"] != next.To || got.Parameters["previous_metadata_location"] != m.To || len(got.StorageDescriptor.Columns) != 3 {
		t.Errorf("after the next publish: %+v", got)
	}
	db, err := l.server.Call("GetDatabase", map[string]any{"Name": "db"})
	if err != nil || db["Database"].(map[string]any)["Description"] != "a lake" {
		t.Errorf("database: %v, %v", db, err)
	}
}

func TestNamesThatGlueWouldChange(t *testing.T) {
	l := newLake(t)
	if err := catalogtest.Publish(t, l.open(), catalogtest.Step("Readings", 0, 1)); err == nil || hint(err) != "call it readings" {
		t.Errorf("upper case: %v", err)
	}
	twice := []catalog.Move{catalogtest.Step("a", 0, 1), catalogtest.Step("a", 0, 1)}
	if err := catalogtest.Publish(t, l.open(), twice...); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("twice: %v", err)
	}
}

// What Glue refuses is said with the right or the setting that helps, and without secrets.
func TestErrorsHelp(t *testing.T) {
	l := newLake(t)
	if err := catalogtest.Publish(t, l.open(), catalogtest.Step("a", 0, 1)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ op, code, message, want string }{
		"right":     {"GetTables", "AccessDeniedException", "User: arn:aws:iam::1:user/x is not authorized to perform: glue:GetTables", "needs glue:GetTables"},
		"right 2":   {"UpdateTable", "AccessDeniedException", "not authorized", "needs glue:UpdateTable"},
		"formation": {"UpdateTable", "AccessDeniedException", "Insufficient Lake Formation permission(s) on a", "Lake Formation guards this"},
		"expired":   {"GetTables", "ExpiredTokenException", "The security token included in the request is expired", "aws sso login"},
		"key":       {"GetTables", "UnrecognizedClientException", "The security token included in the request is invalid", "access key"},
		"kms":       {"GetTables", "GlueEncryptionException", "no", "kms:Decrypt"},
	} {
		l.server.Do(func(op string) gluetest.Fault {
			if op == c.op {
				return gluetest.Fault{Error: c.code, Message: c.message}
			}
			return gluetest.Fault{}
		})
		w := catalogtest.Lock(t, l.open(), "run")
		err := w.Publish(t.Context(), []catalog.Move{catalogtest.Step("a", 1, 2)})
		var e *Error
		if !errors.As(err, &e) || e.Code != c.code || hint(err) == "" || !strings.Contains(hint(err), c.want) || strings.Contains(err.Error(), "tarn-test-secret") {
			t.Errorf("%s: %v", name, err)
		}
		var pending *PendingError
		if got := errors.As(err, &pending); got != (c.op == "UpdateTable") {
			t.Errorf("%s counts as published: %v", name, got)
		}
		l.server.Do(nil)
		if err := w.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		if c.op == "UpdateTable" {
			catalogtest.Want(t, l.open(), map[string]string{"a": catalogtest.At("a", 2)})
			if err := catalogtest.Publish(t, l.open(), catalogtest.Step("a", 2, 1)); err != nil {
				t.Error(err)
			}
		}
	}
}

// Where nothing answers that is said in a line, and so is what is not configured.
func TestNothingAnswers(t *testing.T) {
	l := newLake(t)
	t.Setenv("AWS_ENDPOINT_URL_GLUE", "http://127.0.0.1:1")
	_, err := quick(l.open()).Pointers(t.Context())
	if err == nil || !strings.HasPrefix(err.Error(), "Glue GetTables database db: dial tcp 127.0.0.1:1: ") || !strings.Contains(hint(err), "AWS_ENDPOINT_URL_GLUE") {
		t.Errorf("no server: %v; %s", err, hint(err))
	}
	for _, k := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		t.Setenv(k, "")
	}
	_, err = quick(l.open()).Pointers(t.Context())
	if err == nil || !strings.Contains(err.Error(), "no AWS credentials") || len(err.Error()) > 150 || !strings.Contains(hint(err), "aws sso login") {
		t.Errorf("no credentials: %v; %s", err, hint(err))
	}
}

// A publish that is cancelled once it has happened is brought to its end.
func TestCancelledAfterTheCommit(t *testing.T) {
	for _, name := range []string{"journal", "committed", "moved a"} {
		l := newLake(t)
		c := l.open()
		if err := catalogtest.Publish(t, c, first...); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		c.step = func(now string) error {
			if now == name {
				cancel()
			}
			return nil
		}
		w := catalogtest.Lock(t, c, "run")
		err := w.Publish(ctx, second)
		if err := w.Release(ctx); err != nil {
			t.Error(err)
		}
		want := newState
		if name == "journal" {
			want = oldState
		}
		if (err != nil) != (name == "journal") {
			t.Errorf("cancelled at %s: %v", name, err)
		}
		if diff := cmp.Diff(want, l.inGlue("a", "b", "c", "d")); diff != "" {
			t.Errorf("cancelled at %s (-want +got):\n%s", name, diff)
		}
	}
}

// A reader begins while a journal is open and ends after it was closed: what it read of Glue in between is one run all the
// same.
func TestReadAcrossTheEndOfAPublish(t *testing.T) {
	c := newLake(t).open()
	move := func(table, from, to string, passed ...string) entry {
		return entry{Move: catalog.Move{Table: table, From: from, To: to}, Passed: passed}
	}
	contested := move("contested", "1", "2")
	contested.Contested = true
	moves := []entry{move("moved", "1", "2"), move("new", "", "2"), move("dropped", "1", ""), move("rebased", "x", "x2", "1"), contested}
	now := head{Seq: 7, Journal: &journal{Moves: moves}}
	before := now
	before.Journal = &journal{Open: true, Moves: moves}
	read := func(at map[string]string) map[string]*types.Table {
		out := map[string]*types.Table{}
		for name, at := range at {
			out[name] = &types.Table{Name: &name, Parameters: map[string]string{"table_type": "ICEBERG", "metadata_location": at, paramLake: "lake-1"}}
		}
		return out
	}
	done := map[string]string{"moved": "2", "new": "2", "rebased": "x2", "contested": "theirs"}
	for name, x := range map[string]struct{ read, want map[string]string }{
		"before the pointers": {map[string]string{"moved": "1", "dropped": "1", "rebased": "1", "contested": "theirs"}, done},
		"before the rebase":   {map[string]string{"moved": "2", "new": "2", "rebased": "x", "contested": "theirs"}, done},
		"after":               {done, done},
		"after, and others have gone on": {map[string]string{"moved": "3", "new": "3", "dropped": "3", "rebased": "3", "contested": "3"},
			map[string]string{"moved": "3", "new": "3", "dropped": "3", "rebased": "3", "contested": "3"}},
	} {
		if diff := cmp.Diff(x.want, c.during(&before, &now, read(x.read))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
