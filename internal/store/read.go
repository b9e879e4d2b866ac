package store

import (
	"context"
	"errors"
	"io"
)

// Read gives the content of an object. With an etag that is not empty it has to be that content: see [Store.Open].
func Read(ctx context.Context, s Store, key, etag string) ([]byte, error) {
	r, err := s.Open(ctx, key, etag, 0, -1)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		return nil, err
	}
	return raw, nil
}

// ReadLocation gives the content of the object at a location.
func ReadLocation(ctx context.Context, l Locator, location string) ([]byte, error) {
	s, key, err := l.Locate(ctx, location)
	if err != nil {
		return nil, err
	}
	return Read(ctx, s, key, "")
}
