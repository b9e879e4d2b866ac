package athenatest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Trino hands statements on to a Trino server, which is of Athena's engine family, over the same catalog and bucket.
type Trino struct {
	// URL is the server's, Catalog what it calls the lake.
	URL, Catalog string
}

// statement is an answer of Trino's client protocol.
type statement struct {
	NextURI string `json:"nextUri"`
	Columns []struct{ Name, Type string }
	Data    [][]json.RawMessage
	Error   *struct{ Message, ErrorName, ErrorType string }
	Stats   struct{ ProcessedBytes int64 }
}

// noNodes is what a server answers that does not know itself yet, as shortly after its start on a busy machine.
const noNodes = "NO_NODES_AVAILABLE"

// Query implements [Engine].
func (e Trino) Query(ctx context.Context, database, sql string) (*Result, error) {
	for patience := time.Now().Add(5 * time.Minute); ; {
		r, err := e.query(ctx, database, sql)
		if err == nil || !strings.Contains(err.Error(), noNodes) || time.Now().After(patience) {
			return r, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
}

func (e Trino) query(ctx context.Context, database, sql string) (*Result, error) {
	out := &Result{Rows: [][]*string{}}
	a, err := e.call(ctx, http.MethodPost, e.URL+"/v1/statement", database, sql)
	for {
		if err != nil {
			return nil, err
		}
		if a.Error != nil {
			text := a.Error.ErrorName + ": " + a.Error.Message
			if a.Error.ErrorType == "USER_ERROR" {
				return nil, &Failure{text}
			}
			return nil, fmt.Errorf("trino: %s", text)
		}
		if len(out.Columns) == 0 {
			for _, c := range a.Columns {
				typ := c.Type
				if before, _, ok := strings.Cut(typ, "("); ok && before != "decimal" {
					typ = before
				}
				out.Columns = append(out.Columns, Column{Name: c.Name, Type: typ})
			}
		}
		for _, values := range a.Data {
			row := make([]*string, len(values))
			for i, v := range values {
				row[i] = plain(v, out.Columns[i].Type)
			}
			out.Rows = append(out.Rows, row)
		}
		out.Scanned = a.Stats.ProcessedBytes
		if a.NextURI == "" {
			return out, nil
		}
		a, err = e.call(ctx, http.MethodGet, a.NextURI, database, "")
	}
}

// plain is a JSON value as Athena writes it; nil is null.
func plain(v json.RawMessage, typ string) *string {
	text := string(bytes.TrimSpace(v))
	if text == "null" {
		return nil
	}
	var s string
	if json.Unmarshal(v, &s) == nil {
		text = s
	}
	text = written(text, typ)
	return &text
}

func (e Trino) call(ctx context.Context, method, url, database, body string) (out statement, err error) {
	for {
		r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
		if err != nil {
			return out, err
		}
		for k, v := range map[string]string{"X-Trino-User": "athena", "X-Trino-Catalog": e.Catalog, "X-Trino-Schema": database, "X-Trino-Time-Zone": "UTC",
			"X-Trino-Client-Capabilities": "PARAMETRIC_DATETIME"} {
			if v != "" {
				r.Header.Set(k, v)
			}
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return out, err
		}
		raw, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		switch {
		case err != nil:
			return out, err
		case answer.StatusCode == http.StatusServiceUnavailable: // the protocol says to ask again
			select {
			case <-ctx.Done():
				return out, ctx.Err()
			case <-time.After(100 * time.Millisecond):
			}
			continue
		case answer.StatusCode != http.StatusOK:
			return out, fmt.Errorf("trino: %s: %s", answer.Status, raw)
		}
		return out, json.Unmarshal(raw, &out)
	}
}

// Databases implements [Engine].
func (e Trino) Databases(ctx context.Context) ([]string, error) {
	r, err := e.Query(ctx, "", "SHOW SCHEMAS")
	if err != nil {
		return nil, err
	}
	var out []string
	for _, row := range r.Rows {
		if name := *row[0]; name != "information_schema" {
			out = append(out, name)
		}
	}
	return out, nil
}

// Tables implements [Engine].
func (e Trino) Tables(ctx context.Context, database string) (out []Table, ok bool, err error) {
	names, err := e.Databases(ctx)
	if err != nil {
		return nil, false, err
	}
	for _, n := range names {
		ok = ok || strings.EqualFold(n, database)
	}
	if !ok {
		return nil, false, nil
	}
	literal := "'" + strings.ReplaceAll(strings.ToLower(database), "'", "''") + "'"
	r, err := e.Query(ctx, database, "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = "+literal+" ORDER BY table_name, ordinal_position")
	if err != nil {
		return nil, false, err
	}
	for _, row := range r.Rows {
		if len(out) == 0 || out[len(out)-1].Name != *row[0] {
			out = append(out, Table{Name: *row[0]})
		}
		last := &out[len(out)-1]
		typ := bare(*row[2])
		if typ == "varchar" {
			typ = "string"
		}
		last.Columns = append(last.Columns, Column{Name: *row[1], Type: typ})
	}
	return out, true, nil
}
