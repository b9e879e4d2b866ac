package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tarn/internal/store"
)

func conditions(t *testing.T, s store.Store, p string) {
	put := func(text string, c store.Condition) (store.Object, error) {
		return s.Put(t.Context(), p+"file", strings.NewReader(text), c)
	}
	first, err := put("1", store.Condition{Absent: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := put("2", store.Condition{Absent: true}); !errors.Is(err, store.ErrCondition) {
		t.Errorf("create twice: %v", err)
	}
	second, err := put("3", store.Condition{ETag: first.ETag})
	if err != nil {
		t.Errorf("replace what is there: %v", err)
	}
	if _, err := put("4", store.Condition{ETag: first.ETag}); !errors.Is(err, store.ErrCondition) {
		t.Errorf("replace what was there: %v", err)
	}
	if got := Get(t, s, p+"file"); got != "3" {
		t.Errorf("content is %q", got)
	}
	if _, err := put("5", store.Condition{}); err != nil {
		t.Errorf("replace anything: %v", err)
	}
	if _, err := put("6", store.Condition{ETag: second.ETag}); !errors.Is(err, store.ErrCondition) {
		t.Errorf("replace what was there: %v", err)
	}
	if err := s.Delete(t.Context(), p+"file"); err != nil {
		t.Fatal(err)
	}
	if _, err := put("7", store.Condition{Absent: true}); err != nil {
		t.Errorf("create after delete: %v", err)
	}
}

func oneOfManyCreates(t *testing.T, s store.Store, p string) {
	for round := range 10 {
		var wg sync.WaitGroup
		var won atomic.Int32
		for i := range 8 {
			wg.Go(func() {
				text := fmt.Sprintf("writer %d of round %d", i, round)
				switch _, err := s.Put(t.Context(), fmt.Sprint(p, "file", round), strings.NewReader(text), store.Condition{Absent: true}); {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, store.ErrCondition):
					t.Errorf("writer %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Errorf("%d writers created the same object", won.Load())
		}
	}
}

// noUpdateIsLost counts up in an object from many sides; each content names its writer, as [store.Store.Put] wants it.
func noUpdateIsLost(t *testing.T, s store.Store, p string) {
	const writers, each = 4, 10
	Put(t, s, p+"count", "0 nobody")
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for range each {
				if err := increment(t.Context(), s, p+"count", fmt.Sprint("writer ", w)); err != nil {
					t.Errorf("writer %d: %v", w, err)
					return
				}
			}
		})
	}
	wg.Wait()
	if got, _, _ := strings.Cut(Get(t, s, p+"count"), " "); got != strconv.Itoa(writers*each) {
		t.Errorf("%d increments gave %s", writers*each, got)
	}
}

func increment(ctx context.Context, s store.Store, key, who string) error {
	for {
		o, err := s.Stat(ctx, key)
		if err != nil {
			return err
		}
		text, err := read(ctx, s, key, o.ETag, 0, -1)
		if errors.Is(err, store.ErrCondition) {
			continue
		}
		if err != nil {
			return err
		}
		count, _, _ := strings.Cut(text, " ")
		n, err := strconv.Atoi(count)
		if err != nil {
			return err
		}
		_, err = s.Put(ctx, key, strings.NewReader(fmt.Sprint(n+1, " ", who)), store.Condition{ETag: o.ETag})
		if !errors.Is(err, store.ErrCondition) {
			return err
		}
	}
}

func deleteMany(t *testing.T, s store.Store, p string) {
	const n = 1050 // more than one request of a bucket can take
	var keys []string
	for i := range n {
		keys = append(keys, fmt.Sprintf("%sdir%d/%d", p, i%7, i))
		Put(t, s, keys[i], "x")
	}
	Put(t, s, p+"stays", "x")
	if err := s.Delete(t.Context(), append(keys, p+"was/never/there")...); err != nil {
		t.Fatal(err)
	}
	if left := Keys(t, s, p, store.ListOptions{}); len(left) != 1 {
		t.Errorf("%d objects left, first %q", len(left), left[0])
	}
	if err := s.Delete(t.Context()); err != nil {
		t.Errorf("delete nothing: %v", err)
	}
}

func cancelled(t *testing.T, s store.Store, p string) {
	o := Put(t, s, p+"file", "x")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, statErr := s.Stat(ctx, p+"file")
	_, openErr := read(ctx, s, p+"file", "", 0, -1)
	_, putErr := s.Put(ctx, p+"other", strings.NewReader("x"), store.Condition{})
	var listErr error
	for _, err := range s.List(ctx, p, store.ListOptions{}) {
		listErr = err
	}
	for what, err := range map[string]error{"stat": statErr, "open": openErr, "put": putErr, "list": listErr,
		"download": s.Download(ctx, o, nowhere{}), "delete": s.Delete(ctx, p+"file")} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if got := Get(t, s, p+"file"); got != "x" {
		t.Errorf("content is %q", got)
	}
}
