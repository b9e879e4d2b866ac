package flow

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
)

// queue is an SQS queue with the mapping that gives its messages to the function: at least once, in any order, again if they were not
// taken, and to the dead letters after so many times (AWS Lambda Developer Guide, "Using Lambda with Amazon SQS").
type queue struct {
	w        *world
	mu       sync.Mutex
	messages []*message
	dead     []string
	sent     int
}

type message struct {
	id, body string
	received int
}

const (
	mostReceived = 3
	batchSize    = 10
	sideBySide   = 2
)

func (q *queue) send(bodies ...string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, b := range bodies {
		q.sent++
		q.messages = append(q.messages, &message{id: fmt.Sprintf("059f36b4-87a3-44ab-83d2-%012d", q.sent), body: b})
	}
}

// deliver gives all messages to the function until none is left, in an order of its own.
func (q *queue) deliver() {
	for {
		q.mu.Lock()
		rand.Shuffle(len(q.messages), func(i, j int) { q.messages[i], q.messages[j] = q.messages[j], q.messages[i] })
		var batches [][]*message
		for len(q.messages) > 0 && len(batches) < sideBySide {
			n := min(batchSize, len(q.messages))
			batches, q.messages = append(batches, q.messages[:n:n]), q.messages[n:]
		}
		q.mu.Unlock()
		if len(batches) == 0 {
			return
		}
		var wg sync.WaitGroup
		for _, b := range batches {
			wg.Go(func() { q.give(b) })
		}
		wg.Wait()
	}
}

// give is one invocation. What is not acknowledged comes again.
func (q *queue) give(batch []*message) {
	records := []map[string]any{}
	for _, m := range batch {
		sum := md5.Sum([]byte(m.body))
		records = append(records, map[string]any{"messageId": m.id, "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a", "body": m.body,
			"attributes":        map[string]string{"ApproximateReceiveCount": fmt.Sprint(m.received + 1), "SentTimestamp": "1545082649183", "SenderId": "AIDAIENQZJOLO23YVJ4VO", "ApproximateFirstReceiveTimestamp": "1545082649185"},
			"messageAttributes": map[string]any{}, "md5OfBody": hex.EncodeToString(sum[:]), "eventSource": "aws:sqs",
			"eventSourceARN": "arn:aws:sqs:us-east-1:" + account + ":stedi-aws", "awsRegion": "us-east-1"})
	}
	event, err := json.Marshal(map[string]any{"Records": records})
	if err != nil {
		q.w.t.Error(err)
		return
	}
	q.w.tellBefore(string(event))
	r, err := q.w.lambda.Invoke(q.w.t.Context(), event)
	if err != nil {
		q.w.t.Error(err)
		return
	}
	var answer struct {
		BatchItemFailures []struct{ ItemIdentifier string }
	}
	failed := map[string]bool{}
	switch {
	case r.Err != nil:
		for _, m := range batch {
			failed[m.id] = true
		}
	default:
		if err := json.Unmarshal(r.Payload, &answer); err != nil {
			q.w.t.Error(err)
			return
		}
		for _, f := range answer.BatchItemFailures {
			failed[f.ItemIdentifier] = true
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, m := range batch {
		if !failed[m.id] {
			continue
		}
		if m.received++; m.received >= mostReceived {
			q.dead = append(q.dead, m.body)
			continue
		}
		q.messages = append(q.messages, m)
	}
}

// created is what EventBridge says of a new object (Amazon S3 User Guide, "EventBridge event message structure"), if the stack's rule
// lets it through.
func (w *world) created(key string) []string {
	if !strings.HasPrefix(key, "landing/") {
		return nil
	}
	body, err := json.Marshal(map[string]any{"version": "0", "id": "17793124-05d4-b198-2fde-7ededc63b103", "detail-type": "Object Created", "source": "aws.s3",
		"account": account, "time": "2026-11-12T00:00:00Z", "region": "us-east-1", "resources": []string{"arn:aws:s3:::" + w.bucket},
		"detail": map[string]any{"version": "0", "bucket": map[string]any{"name": w.bucket},
			"object":     map[string]any{"key": key, "size": 5, "etag": "b1946ac92492d2347c6235b4d2611184", "sequencer": "617f08299329d189"},
			"request-id": "N4N7GDK58NMKJ12R", "requester": account, "source-ip-address": "1.2.3.4", "reason": "PutObject"}})
	if err != nil {
		w.t.Error(err)
	}
	return []string{string(body)}
}

// arrive sends news of objects.
func (w *world) arrive(keys ...string) {
	for _, k := range keys {
		w.queue.send(w.created(k)...)
	}
}
