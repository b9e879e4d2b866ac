// Package registry finds the store of a location. Adding a kind of store is one line in kinds.
package registry

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"

	"tarn/internal/awsconf"
	"tarn/internal/store"
	"tarn/internal/store/local"
	"tarn/internal/store/s3"
)

// kinds are the stores by the scheme of their locations. host is what stands between :// and the next slash.
var kinds = map[string]func(s *Set, ctx context.Context, host string) (store.Store, error){
	"file": func(*Set, context.Context, string) (store.Store, error) { return local.New(), nil },
	"s3":   (*Set).bucket,
	"s3a":  (*Set).bucket, // Hadoop's names for the same
	"s3n":  (*Set).bucket,
}

// Set opens each store once. It is a [store.Locator], safe for concurrent use.
type Set struct {
	settings awsconf.Settings
	mu       sync.Mutex
	open     map[string]store.Store
	account  *aws.Config // once it was needed
}

// bucket opens a bucket of the account, which is looked up once: all buckets share its credentials.
func (s *Set) bucket(ctx context.Context, name string) (store.Store, error) {
	if s.account == nil {
		cfg, err := awsconf.Load(ctx, s.settings)
		if err != nil {
			return nil, fmt.Errorf("s3://%s: %w", name, err)
		}
		s.account = &cfg
	}
	return s3.New(name, *s.account, s.settings), nil
}

// New gives the stores of one target.
func New(settings awsconf.Settings) *Set {
	return &Set{settings: settings, open: map[string]store.Store{}}
}

// Locate implements [store.Locator]. A path without a scheme is one of this machine, and so is Spark's file:/path.
func (s *Set) Locate(ctx context.Context, location string) (store.Store, string, error) {
	scheme, host, key := split(location)
	open, ok := kinds[scheme]
	if !ok {
		return nil, "", fmt.Errorf("%s: there is no store for %s://; there are %s", location, scheme, strings.Join(slices.Sorted(maps.Keys(kinds)), ", "))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	name := scheme + "://" + host
	if have := s.open[name]; have != nil {
		return have, key, nil
	}
	opened, err := open(s, ctx, host)
	if err != nil {
		return nil, "", err
	}
	s.open[name] = opened
	return opened, key, nil
}

func split(location string) (scheme, host, key string) {
	if rest, ok := strings.CutPrefix(location, "file:"); ok {
		rest = strings.TrimPrefix(rest, "//")
		rest = strings.TrimPrefix(rest, "localhost")
		return "file", "", strings.TrimLeft(rest, "/")
	}
	scheme, rest, ok := strings.Cut(location, "://")
	if !ok {
		return "file", "", strings.TrimLeft(location, "/")
	}
	host, key, _ = strings.Cut(rest, "/")
	return strings.ToLower(scheme), host, key
}
