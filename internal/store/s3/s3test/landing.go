package s3test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Landing is a bucket of very many small objects that exist only when they are asked for: it answers listings by the page,
// and gives objects and what is known of them. A plain PUT adds one. It checks no signatures.
type Landing struct {
	// Bucket is its name.
	Bucket string
	// Key gives the key of the i-th of N objects; they have to be in order.
	Key func(i int) string
	N   int
	// Content gives the text of an object that was not put there by Add; nil is empty ones.
	Content func(key string) string

	mu    sync.Mutex
	added map[string]string
	order []string // the keys of added, in order
}

// Days names files in folders of days such as 2024/01/31/, so many a day, up to the day of a time.
func Days(files, perDay int, last time.Time) func(i int) string {
	first := last.UTC().AddDate(0, 0, 1-(files+perDay-1)/perDay)
	return func(i int) string {
		return fmt.Sprintf("raw/%s/%04d.json", first.AddDate(0, 0, i/perDay).Format("2006/01/02"), i%perDay)
	}
}

// Add puts an object into the bucket.
func (l *Landing) Add(key, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(key, text)
}

func (l *Landing) add(key, text string) {
	if l.added == nil {
		l.added = map[string]string{}
	}
	if _, ok := l.added[key]; !ok {
		at, _ := slices.BinarySearch(l.order, key)
		l.order = slices.Insert(l.order, at, key)
	}
	l.added[key] = text
}

// ETag is that of an object with a text.
func (l *Landing) ETag(text string) string { return fmt.Sprintf("%032x", len(text)) }

// Handler answers requests for the bucket, and hands on all others.
func (l *Landing) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rest, ok := strings.CutPrefix(r.URL.Path, "/"+l.Bucket)
		if !ok || rest != "" && rest[0] != '/' {
			next.ServeHTTP(w, r)
			return
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if key := strings.TrimPrefix(rest, "/"); key != "" {
			l.object(w, r, key)
		} else {
			l.list(w, r.URL.Query())
		}
	})
}

func (l *Landing) object(w http.ResponseWriter, r *http.Request, key string) {
	text, ok := l.added[key]
	if !ok {
		i := sort.Search(l.N, func(i int) bool { return l.Key(i) >= key })
		if ok = i < l.N && l.Key(i) == key; ok {
			text = l.text(key)
		}
	}
	etag := `"` + l.ETag(text) + `"`
	switch {
	case r.Method == http.MethodPut:
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			refuse(w, r, http.StatusBadRequest, "IncompleteBody", "The body ended early.")
			return
		}
		l.add(key, string(raw))
	case !ok:
		refuse(w, r, http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
	case r.Header.Get("If-Match") != "" && r.Header.Get("If-Match") != etag:
		refuse(w, r, http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the preconditions you specified did not hold.")
	default:
		w.Header().Set("ETag", etag)
		w.Header().Set("Content-Length", strconv.Itoa(len(text)))
		if r.Method != http.MethodHead {
			_, _ = w.Write([]byte(text))
		}
	}
}

func (l *Landing) text(key string) string {
	if l.Content == nil {
		return ""
	}
	return l.Content(key)
}

// after gives the first key that is above another one, or above or the same.
func (l *Landing) after(key string, same bool) (next string, ok bool) {
	above := func(k string) bool { return k > key || same && k == key }
	if i := sort.Search(l.N, func(i int) bool { return above(l.Key(i)) }); i < l.N {
		next, ok = l.Key(i), true
	}
	if i := sort.Search(len(l.order), func(i int) bool { return above(l.order[i]) }); i < len(l.order) && (!ok || l.order[i] < next) {
		next, ok = l.order[i], true
	}
	return next, ok
}

// list answers ListObjectsV2, a thousand entries a page.
func (l *Landing) list(w http.ResponseWriter, q url.Values) {
	const most = 1000
	prefix := q.Get("prefix")
	from, err := url.QueryUnescape(q.Get("continuation-token"))
	if from = max(from, q.Get("start-after")); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><EncodingType>url</EncodingType>`)
	key, ok := l.after(max(from, prefix), from < prefix)
	var last string
	for n := 0; ok && strings.HasPrefix(key, prefix); n++ {
		if n == most {
			fmt.Fprintf(&b, "<IsTruncated>true</IsTruncated><NextContinuationToken>%s</NextContinuationToken>", url.QueryEscape(last))
			break
		}
		if i := strings.Index(key[len(prefix):], "/"); i >= 0 && q.Get("delimiter") != "" {
			folder := key[:len(prefix)+i+1]
			fmt.Fprintf(&b, "<CommonPrefixes><Prefix>%s</Prefix></CommonPrefixes>", url.QueryEscape(folder))
			last = folder + "\xff"
		} else {
			text, is := l.added[key]
			if !is {
				text = l.text(key)
			}
			fmt.Fprintf(&b, `<Contents><Key>%s</Key><LastModified>2024-01-31T12:00:00.000Z</LastModified><ETag>&#34;%s&#34;</ETag><Size>%d</Size></Contents>`, url.QueryEscape(key), l.ETag(text), len(text))
			last = key
		}
		key, ok = l.after(last, false)
	}
	b.WriteString("</ListBucketResult>")
	w.Header().Set("Content-Type", "application/xml")
	_, _ = w.Write([]byte(b.String()))
}

// Added counts the objects that were put there by Add.
func (l *Landing) Added() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.order)
}
