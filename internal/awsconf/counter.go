package awsconf

import (
	"maps"
	"net/http"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Counter counts the requests of one target's clients as they go out, retries included.
type Counter struct {
	mu     sync.Mutex
	counts map[string]int
}

// Counts gives how often each operation was asked for: "s3 GET", "s3 PUT", "s3 LIST", or a Glue operation such as
// "glue UpdateTable".
func (c *Counter) Counts() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.counts)
}

// Total adds up the operations that begin with service and a space.
func (c *Counter) Total(service string) (n int) {
	for op, k := range c.Counts() {
		if strings.HasPrefix(op, service+" ") {
			n += k
		}
	}
	return n
}

func (c *Counter) add(r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = map[string]int{}
	}
	c.counts[operation(r)]++
}

func operation(r *http.Request) string {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		service, op, _ := strings.Cut(target, ".")
		return strings.ToLower(strings.TrimPrefix(service, "AWS")) + " " + op
	}
	if r.URL.Query().Has("list-type") {
		return "s3 LIST"
	}
	if strings.Contains(r.Header.Get("Content-Type"), "x-www-form-urlencoded") {
		return "sts POST"
	}
	return "s3 " + r.Method
}

type counting struct {
	next    aws.HTTPClient
	counter *Counter
}

func (c *counting) Do(r *http.Request) (*http.Response, error) {
	c.counter.add(r)
	return c.next.Do(r)
}
