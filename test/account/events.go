package account

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

// Created is what EventBridge says of a new object (Amazon S3 User Guide, "EventBridge event message structure").
func Created(account, bucket, key string) string {
	body, err := json.Marshal(map[string]any{"version": "0", "id": "17793124-05d4-b198-2fde-7ededc63b103", "detail-type": "Object Created", "source": "aws.s3",
		"account": account, "time": "2026-11-12T00:00:00Z", "region": "us-east-1", "resources": []string{"arn:aws:s3:::" + bucket},
		"detail": map[string]any{"version": "0", "bucket": map[string]any{"name": bucket},
			"object":     map[string]any{"key": key, "size": 5, "etag": "b1946ac92492d2347c6235b4d2611184", "sequencer": "617f08299329d189"},
			"request-id": "N4N7GDK58NMKJ12R", "requester": account, "source-ip-address": "1.2.3.4", "reason": "PutObject"}})
	if err != nil {
		panic(err) // of texts and numbers
	}
	return string(body)
}

// Message is one of an SQS queue.
type Message struct {
	ID, Body string
	// Received is how often it was given to somebody.
	Received int
}

// Batch is the event by which Lambda gives messages of a queue to a function (AWS Lambda Developer Guide, "Using Lambda with Amazon SQS").
func Batch(queue string, messages []*Message) []byte {
	records := []map[string]any{}
	for _, m := range messages {
		sum := md5.Sum([]byte(m.Body))
		records = append(records, map[string]any{"messageId": m.ID, "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a", "body": m.Body,
			"attributes":        map[string]string{"ApproximateReceiveCount": fmt.Sprint(m.Received + 1), "SentTimestamp": "1545082649183", "SenderId": "AIDAIENQZJOLO23YVJ4VO", "ApproximateFirstReceiveTimestamp": "1545082649185"},
			"messageAttributes": map[string]any{}, "md5OfBody": hex.EncodeToString(sum[:]), "eventSource": "aws:sqs",
			"eventSourceARN": queue, "awsRegion": "us-east-1"})
	}
	event, err := json.Marshal(map[string]any{"Records": records})
	if err != nil {
		panic(err) // of texts
	}
	return event
}

// events are on their way from the buckets to the functions: by the rules that were deployed, and the mappings of their queues.
type events struct {
	a       *Account
	mu      sync.Mutex
	waiting map[string][]*Message // by function
	sent    int
	done    sync.WaitGroup
	closed  bool
}

// window is how long messages of a queue are gathered for one call.
const window = 500 * time.Millisecond

// written looks whether a request that succeeded has made an object of which somebody wants to hear.
func (e *events) written(r *http.Request) {
	bucket, key, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	q := r.URL.Query()
	if !ok || key == "" || r.Method == http.MethodPut && q.Has("partNumber") || r.Method == http.MethodPost && !q.Has("uploadId") || q.Has("tagging") || q.Has("acl") {
		return
	}
	if !strings.Contains(e.a.stack.Notifications(bucket), "EventBridgeConfiguration") && !e.notifies(bucket) {
		return
	}
	for _, p := range e.a.stack.Deployed("AWS::Events::Rule") {
		if matches(p, bucket, key) {
			for _, m := range e.a.stack.Deployed("AWS::Lambda::EventSourceMapping") {
				e.send(fmt.Sprint(m["FunctionName"]), Created("123456789012", bucket, key))
			}
		}
	}
}

// notifies tells whether a bucket that a stack has made tells EventBridge what happens.
func (e *events) notifies(bucket string) bool {
	p := e.a.stack.Deployed("AWS::S3::Bucket")[bucket]
	n, _ := p["NotificationConfiguration"].(map[string]any)
	_, on := n["EventBridgeConfiguration"]
	return on
}

// matches goes by a rule's pattern: names of buckets, and prefixes of keys.
func matches(rule map[string]any, bucket, key string) bool {
	at := func(v any, keys ...string) []any {
		for _, k := range keys {
			m, _ := v.(map[string]any)
			v = m[k]
		}
		list, _ := v.([]any)
		return list
	}
	named, prefixed := false, false
	for _, b := range at(rule, "EventPattern", "detail", "bucket", "name") {
		named = named || b == bucket
	}
	for _, k := range at(rule, "EventPattern", "detail", "object", "key") {
		m, _ := k.(map[string]any)
		prefix, ok := m["prefix"].(string)
		prefixed = prefixed || ok && strings.HasPrefix(key, prefix)
	}
	return named && prefixed
}

func (e *events) send(function, body string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return
	}
	if e.waiting == nil {
		e.waiting = map[string][]*Message{}
	}
	e.sent++
	e.waiting[function] = append(e.waiting[function], &Message{ID: fmt.Sprintf("059f36b4-87a3-44ab-83d2-%012d", e.sent), Body: body})
	if len(e.waiting[function]) > 1 {
		return // somebody is gathering
	}
	e.done.Go(func() {
		time.Sleep(window)
		e.mu.Lock()
		batch := e.waiting[function]
		delete(e.waiting, function)
		e.mu.Unlock()
		if err := e.give(function, batch); err != nil {
			fmt.Fprintln(e.a.log, "event source:", err)
		}
	})
}

// give calls a function. What it does not take is counted as a dead letter at once: nothing here makes it try again.
func (e *events) give(name string, batch []*Message) error {
	ctx := context.Background()
	f, err := e.a.function(ctx, name)
	if err != nil {
		return err
	}
	r, err := f.Invoke(ctx, Batch("arn:aws:sqs:us-east-1:123456789012:"+path.Base(name)+"-landing", batch))
	if err != nil {
		return err
	}
	if r.Err != nil {
		return r.Err
	}
	var failed struct{ BatchItemFailures []any }
	if err := json.Unmarshal(r.Payload, &failed); err != nil {
		return err
	}
	if n := len(failed.BatchItemFailures); n > 0 {
		e.a.stack.Queued(path.Base(name)+"-dead-letters", n)
	}
	return nil
}

func (e *events) close() {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.done.Wait()
}
