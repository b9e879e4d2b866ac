package cache

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// Arrange gives files that were fetched the names that they have in their store: links below one new folder, until
// release is called. A name that no file of this machine can have, or not beside the others, becomes another one with the
// same ending: plain is false for it. The files have to be held for as long.
func (c *Cache) Arrange(paths, names []string) (arranged []string, plain []bool, release func(), err error) {
	root := filepath.Join(c.own, "as-"+rand.Text())
	release = sync.OnceFunc(func() { _ = os.RemoveAll(root) })
	arranged, plain = make([]string, len(paths)), make([]bool, len(paths))
	for i, from := range paths {
		to := filepath.Join(root, "named", filepath.FromSlash(names[i]))
		if plain[i] = plainName(names[i]) && link(from, to) == nil; !plain[i] {
			to = filepath.Join(root, fmt.Sprint(i)+filepath.Ext(from))
			if err := link(from, to); err != nil {
				release()
				return nil, nil, nil, err
			}
		}
		arranged[i] = to
	}
	return arranged, plain, release, nil
}

func link(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.Link(from, to)
}

// plainName reports whether a key means the same as a path below a folder.
func plainName(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part == "." || part == ".." {
			return false
		}
	}
	return true
}
