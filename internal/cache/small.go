package cache

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"tarn/internal/store"
)

// Small reads a file whole whose location only ever has one content, such as a table's metadata.
func (c *Cache) Small(ctx context.Context, location string) ([]byte, error) {
	s, key, err := c.stores.Locate(ctx, location)
	if err != nil {
		return nil, err
	}
	disk, onDisk := s.(store.OnDisk)
	if onDisk {
		raw, err := os.ReadFile(disk.Path(key))
		if errors.Is(err, os.ErrNotExist) {
			err = fmt.Errorf("%s: %w", location, store.ErrNotFound)
		}
		return raw, err
	}
	if raw, ok := c.kept(location); ok {
		return raw, nil
	}
	r, err := s.Open(ctx, key, "", 0, -1)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", location, err)
	}
	c.keep(location, raw)
	return raw, nil
}

// Tail reads the last bytes of a file whose location only ever has one content, at most so many, and keeps them at hand.
func (c *Cache) Tail(ctx context.Context, f File, most int64) ([]byte, error) {
	s, key, err := c.stores.Locate(ctx, f.Location)
	if err != nil {
		return nil, err
	}
	// No location of a file ends like this.
	name := fmt.Sprintf("%s\x00tail %d", f.Location, most)
	if raw, ok := c.kept(name); ok {
		return raw, nil
	}
	from := max(0, f.Size-most)
	r, err := s.Open(ctx, key, f.ETag, from, f.Size-from)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", f.Location, err)
	}
	c.keep(name, raw)
	return raw, nil
}

// PutSmall writes such a file, and keeps what it has written at hand.
func (c *Cache) PutSmall(ctx context.Context, location string, raw []byte) error {
	s, key, err := c.stores.Locate(ctx, location)
	if err != nil {
		return err
	}
	if _, err := s.Put(ctx, key, bytes.NewReader(raw), store.Condition{}); err != nil {
		return err
	}
	if _, onDisk := s.(store.OnDisk); !onDisk {
		c.keep(location, raw)
	}
	return nil
}

func (c *Cache) smallPath(location string) string {
	return filepath.Join(c.dir, copyName(File{Location: location})+".small")
}

// kept finds a copy. It begins with a checksum, as copies are not made durable and a power cut can leave half of one.
func (c *Cache) kept(location string) ([]byte, bool) {
	raw, err := os.ReadFile(c.smallPath(location))
	if err != nil || len(raw) < 4 || binary.LittleEndian.Uint32(raw) != crc32.ChecksumIEEE(raw[4:]) {
		return nil, false
	}
	return raw[4:], true
}

// keep puts a copy beside the others. That it fails costs a request some day.
func (c *Cache) keep(location string, raw []byte) {
	if os.MkdirAll(c.dir, 0o755) != nil || c.makeRoom(int64(len(raw))+4) != nil {
		return
	}
	kept := false
	defer func() { c.arrived(int64(len(raw))+4, kept) }()
	f, err := os.CreateTemp(c.dir, partial)
	if err != nil {
		return
	}
	_, err = f.Write(append(binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(raw)), raw...))
	if errors.Join(err, f.Close()) != nil || os.Rename(f.Name(), c.smallPath(location)) != nil {
		_ = os.Remove(f.Name())
		return
	}
	kept = true
}
