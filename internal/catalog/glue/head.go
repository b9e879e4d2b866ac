package glue

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	"tarn/internal/catalog"
	"tarn/internal/diag"
)

// head is the payload of the lease: where the tables stand.
type head struct {
	Kind      string `json:"kind"`
	Lake      string `json:"lake"`
	Database  string `json:"database"`
	CatalogID string `json:"catalog_id,omitempty"`
	// Seq counts publishes.
	Seq int64 `json:"seq"`
	// Tables are the lake's own, as they are since the last publish.
	Tables map[string]place `json:"tables,omitempty"`
	// Journal is the last publish, whether its pointers have moved or not.
	Journal *journal `json:"journal,omitempty"`
	// Contested are tables on which others have put their own commit in place of a publish.
	Contested map[string]Contested `json:"contested,omitempty"`
}

// kind is what a head of this package says of itself.
const kind = "glue"

// place is a table's metadata file, and its folder, by which it is known if its parameters are lost.
type place struct {
	At     string `json:"at"`
	Folder string `json:"folder,omitempty"`
}

// journal is what a publish moves.
type journal struct {
	Run string `json:"run,omitempty"`
	// Token is the fencing token of whoever wrote it.
	Token int64 `json:"token"`
	// Open says that pointers may not have moved yet.
	Open  bool    `json:"open"`
	Moves []entry `json:"moves"`
}

// entry is one move, and what was there before.
type entry struct {
	catalog.Move
	// Version is the VersionId of the table before, or "".
	Version string `json:",omitempty"`
	// Passed are earlier values of From, before the change was brought together with commits of others.
	Passed []string `json:",omitempty"`
	// Contested says that the move is not made, because of a commit of somebody else.
	Contested bool `json:",omitempty"`
}

// came reports whether a table at this place has not been moved yet.
func (e *entry) came(at string) bool {
	if at == e.From {
		return true
	}
	for _, p := range e.Passed {
		if at == p {
			return true
		}
	}
	return false
}

// Contested is a table of which a publish did not become the current version: others had committed to it after the publish
// was written down, and before its pointer moved. Their version stays until the table is published anew.
type Contested struct {
	Table string `json:"table"`
	Run   string `json:"run,omitempty"`
	// To is the metadata that the publish wrote, Theirs what is current; empty where they dropped the table.
	To     string `json:"to"`
	Theirs string `json:"theirs"`
	Why    string `json:"why"`
}

// Contested lists the tables whose last publish was crossed by somebody else, by name. They are whole, but not what their
// definition makes of its inputs, and nothing should be built from them before they are.
func (c *Catalog) Contested(ctx context.Context) (map[string]Contested, error) {
	h, _, err := c.head(ctx)
	return h.Contested, err
}

// known is the head and the ETag of its object, as this process has written it if it holds the lock: then nobody else may
// have written it, and whether somebody has taken the lock over shows when the object is looked at again.
func (c *Catalog) known(ctx context.Context) (head, string, error) {
	c.mu.Lock()
	held := c.held
	c.mu.Unlock()
	if held == nil {
		return c.head(ctx)
	}
	d, err := held.Document(ctx)
	if err != nil {
		return c.head(ctx)
	}
	h, err := c.decode(d.Payload)
	return h, d.Object.ETag, err
}

// head reads the head and the ETag of its object.
func (c *Catalog) head(ctx context.Context) (head, string, error) {
	d, err := c.lease.Read(ctx)
	if err != nil {
		return head{}, "", err
	}
	h, err := c.decode(d.Payload)
	return h, d.Object.ETag, err
}

// decode reads a payload and makes sure that it is of this lake and database.
func (c *Catalog) decode(raw json.RawMessage) (head, error) {
	h := head{Kind: kind, Lake: c.o.Lake, Database: c.o.Database, CatalogID: c.o.CatalogID}
	if len(raw) == 0 {
		return h, nil
	}
	h = head{}
	if err := json.Unmarshal(raw, &h); err != nil {
		return h, fmt.Errorf("%s is damaged: %w", c.lease.Location(), err)
	}
	for _, m := range []struct{ what, is, want string }{{"of catalog kind", h.Kind, kind}, {"of lake", h.Lake, c.o.Lake},
		{"of database", h.Database, c.o.Database}, {"of the catalog of account", h.CatalogID, c.o.CatalogID}} {
		if m.is != m.want {
			return h, diag.WithHint(fmt.Errorf("%s is the head %s %q, and this is %q: %w", c.lease.Location(), m.what, m.is, m.want, ErrOtherLake),
				"give the target a warehouse or a database of its own")
		}
	}
	return h, nil
}

// clone copies what a publish changes.
func (h head) clone() head {
	h.Tables, h.Contested = maps.Clone(h.Tables), maps.Clone(h.Contested)
	if h.Tables == nil {
		h.Tables = map[string]place{}
	}
	if h.Contested == nil {
		h.Contested = map[string]Contested{}
	}
	return h
}
