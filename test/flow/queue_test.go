package flow

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"

	here "tarn/test/account"
)

// queue is an SQS queue with the mapping that gives its messages to the function: at least once, in any order, again if they were not
// taken, and to the dead letters after so many times (AWS Lambda Developer Guide, "Using Lambda with Amazon SQS").
type queue struct {
	w        *world
	mu       sync.Mutex
	messages []*here.Message
	dead     []string
	sent     int
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
		q.messages = append(q.messages, &here.Message{ID: fmt.Sprintf("059f36b4-87a3-44ab-83d2-%012d", q.sent), Body: b})
	}
}

// deliver gives all messages to the function until none is left, in an order of its own.
func (q *queue) deliver() {
	for {
		q.mu.Lock()
		rand.Shuffle(len(q.messages), func(i, j int) { q.messages[i], q.messages[j] = q.messages[j], q.messages[i] })
		var batches [][]*here.Message
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
func (q *queue) give(batch []*here.Message) {
	event := here.Batch("arn:aws:sqs:us-east-1:"+account+":stedi-aws", batch)
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
			failed[m.ID] = true
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
		if !failed[m.ID] {
			continue
		}
		if m.Received++; m.Received >= mostReceived {
			q.dead = append(q.dead, m.Body)
			continue
		}
		q.messages = append(q.messages, m)
	}
}

// created is what EventBridge says of a new object, if the stack's rule lets it through.
func (w *world) created(key string) []string {
	if !strings.HasPrefix(key, "landing/") {
		return nil
	}
	return []string{here.Created(account, w.bucket, key)}
}

// arrive sends news of objects.
func (w *world) arrive(keys ...string) {
	for _, k := range keys {
		w.queue.send(w.created(k)...)
	}
}
