package lake

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"tarn/internal/catalog"
	"tarn/internal/store"
)

// OtherError says that a warehouse belongs to another catalog than the one that is to be written: to this one, the files of
// the other would be garbage.
type OtherError struct {
	// Location is the object that says so.
	Location   string
	Have, Want catalog.Identity
}

func (e *OtherError) Error() string {
	return fmt.Sprintf("the warehouse is another catalog's: %s says %s, and this is %s", e.Location, identityText(e.Have, e.Want), identityText(e.Want, e.Have))
}

// identityText names what differs between two.
func identityText(id, other catalog.Identity) string {
	switch {
	case id.Kind != other.Kind || id.Database != other.Database:
		return fmt.Sprintf("catalog %s, database %s", id.Kind, id.Database)
	case id.Where != other.Where:
		return fmt.Sprintf("catalog %s of %s", id.Kind, id.Where)
	}
	return "lake " + id.Lake
}

// Hint says what helps.
func (e *OtherError) Hint() string {
	return "it can be read from here. To write, use the catalog that it was made with, or give the target a warehouse of its own; if that catalog is gone for good, remove " + e.Location
}

// identityFile says to which catalog the files of a database belong.
const identityFile = "warehouse.json"

// Identify makes sure that the warehouse belongs to the lake's catalog, whose lock is held. Where nothing says whose it is,
// it is this one's from now on. The error is an [*OtherError] where it is another's.
func (l *Lake) Identify(ctx context.Context) error {
	want, err := l.catalog.Identity(ctx)
	if err != nil {
		return err
	}
	s, key, err := l.stores.Locate(ctx, l.warehouse+"/"+OwnFolder(l.database)+"/"+identityFile)
	if err != nil {
		return err
	}
	for {
		have, err := readIdentity(ctx, s, key)
		switch {
		case err == nil && have == want:
			return nil
		case err == nil:
			return &OtherError{store.Location(s, key), have, want}
		case !errors.Is(err, store.ErrNotFound):
			return fmt.Errorf("whose warehouse it is: %w", err)
		}
		raw, err := json.MarshalIndent(want, "", "  ")
		if err != nil {
			return err
		}
		_, err = s.Put(ctx, key, bytes.NewReader(append(raw, '\n')), store.Condition{Absent: true})
		if !errors.Is(err, store.ErrCondition) {
			return err
		}
		// Somebody was faster.
	}
}

// Identified looks whether the warehouse belongs to another catalog, and leaves everything as it is.
func (l *Lake) Identified(ctx context.Context) error {
	s, key, err := l.stores.Locate(ctx, l.warehouse+"/"+OwnFolder(l.database)+"/"+identityFile)
	if err != nil {
		return err
	}
	have, err := readIdentity(ctx, s, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("whose warehouse it is: %w", err)
	}
	want, err := l.catalog.Identity(ctx)
	if errors.Is(err, catalog.ErrReadOnly) || err == nil && have == want {
		return nil
	}
	if err != nil {
		return err
	}
	return &OtherError{store.Location(s, key), have, want}
}

func readIdentity(ctx context.Context, s store.Store, key string) (id catalog.Identity, err error) {
	raw, err := store.Read(ctx, s, key, "")
	if err != nil {
		return id, err
	}
	if err := json.Unmarshal(raw, &id); err != nil {
		return id, fmt.Errorf("%s: %w", store.Location(s, key), err)
	}
	return id, nil
}
