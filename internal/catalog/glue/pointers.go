package glue

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/glue/types"
)

// looks is how often Pointers begins anew because of a publish in between, before it takes the head's word.
const looks = 5

// Pointers implements [catalog.Catalog]: others have tables in the database as well, and those are left out. It takes two small
// requests of the store, or one of who holds the lock, and one of Glue for 100 tables.
func (c *Catalog) Pointers(ctx context.Context) (map[string]string, error) {
	before, etag, err := c.known(ctx)
	if err != nil {
		return nil, err
	}
	for look := 1; ; look++ {
		tables, err := c.readable(ctx, &before)
		if err != nil {
			return nil, err
		}
		now := before
		o, err := c.lease.Stat(ctx)
		if err != nil {
			return nil, err
		}
		if o.ETag != etag {
			if now, etag, err = c.head(ctx); err != nil {
				return nil, err
			}
		}
		switch {
		case now.Seq == before.Seq:
			return c.during(&before, &now, tables), nil
		case look == looks:
			return asWritten(&now), nil
		}
		before = now
	}
}

// readable is all tables of the database. Whoever may see some of them only gets those, or is refused; then the tables that the head
// names are asked for one by one, and one that may not be seen counts as where the head has it: who may read its files is not
// Glue's business.
func (c *Catalog) readable(ctx context.Context, h *head) (map[string]*types.Table, error) {
	tables, _, err := c.tables(ctx)
	if err != nil && !denied(err) {
		return nil, err
	}
	if err != nil {
		tables = map[string]*types.Table{}
	}
	for name, p := range h.Tables {
		if tables[name] != nil {
			continue
		}
		t, err := c.table(ctx, name)
		switch {
		case denied(err):
			t = &types.Table{Name: &name, Parameters: map[string]string{paramType: "ICEBERG", paramAt: p.At, paramLake: c.o.Lake}}
		case err != nil:
			return nil, err
		case t == nil:
			continue
		}
		tables[name] = t
	}
	return tables, nil
}

// during gives the pointers if no publish began while the tables were read. One that had begun before counts as done.
func (c *Catalog) during(before, now *head, tables map[string]*types.Table) map[string]string {
	out := map[string]string{}
	for name, t := range tables {
		if iceberg(t) && !c.ghost(now, t) && c.ours(now, t) {
			out[name] = at(t)
		}
	}
	if now.Journal == nil || before.Journal == nil || !before.Journal.Open {
		return out
	}
	for i := range now.Journal.Moves {
		e := &now.Journal.Moves[i]
		// If the journal was closed in between, what is neither before nor after is somebody else's later commit.
		if e.Contested || !now.Journal.Open && !e.came(out[e.Table]) {
			continue
		}
		if e.To == "" {
			delete(out, e.Table)
		} else {
			out[e.Table] = e.To
		}
	}
	return out
}

// asWritten gives the pointers as the head has them.
func asWritten(now *head) map[string]string {
	out := map[string]string{}
	for name, p := range now.Tables {
		out[name] = p.At
	}
	return out
}

// Others implements [catalog.Shared].
func (c *Catalog) Others(ctx context.Context) (folders []string, err error) {
	h, _, err := c.head(ctx)
	if err != nil {
		return nil, err
	}
	tables, _, err := c.tables(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range tables {
		if c.ghost(&h, t) || c.ours(&h, t) {
			continue
		}
		if f := folder(t); f != "" {
			folders = append(folders, f)
		}
		if dir, _, ok := strings.Cut(at(t), "/metadata/"); ok {
			folders = append(folders, dir)
		}
	}
	return folders, nil
}
