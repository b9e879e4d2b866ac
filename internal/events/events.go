// Package events reads what Amazon S3 tells of objects that have come or gone.
//
// S3 notifies queues, topics and functions, and EventBridge. Either kind comes in envelopes of those that carried it: the
// list of messages that `aws sqs receive-message` prints, the Records of a function, the Notification of a topic, one in the
// other. Keys are URL-encoded in S3's own notifications and plain in those of EventBridge (Amazon S3 User Guide, "Event
// message structure" and "EventBridge event message structure").
//
// An event is a hint where to look, and nothing in it is believed: it can come late, twice, or out of order.
package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
)

// Batch is what a number of messages say.
type Batch struct {
	// Objects are the locations that are named, such as s3://bucket/key, each once, in order.
	Objects []string
	// Tests counts messages that S3 sends when notifications are turned on, Other those that are not about objects of S3.
	Tests, Other int
}

// MaxBytes is how much is read at a time: a queue's message has at most 1 MiB.
const MaxBytes = 256 << 20

// Error is a mistake in the text of events.
type Error struct {
	// Line counts from 1.
	Line    int
	Message string
}

func (e *Error) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Message) }

// Read reads messages: one JSON value, or several, such as one on each line. The error is an [Error] where the text is not
// JSON, or where none of it is about S3.
func Read(r io.Reader) (Batch, error) {
	raw, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return Batch{}, err
	}
	if len(raw) > MaxBytes {
		return Batch{}, &Error{1, fmt.Sprintf("more than %d MB of events at a time", MaxBytes>>20)}
	}
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	var b batch
	d := json.NewDecoder(bytes.NewReader(raw))
	for {
		var v json.RawMessage
		err := d.Decode(&v)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			at := d.InputOffset()
			var syntax *json.SyntaxError
			if errors.As(err, &syntax) {
				at = syntax.Offset
			}
			return Batch{}, &Error{1 + bytes.Count(raw[:min(max(at, 0), int64(len(raw)))], []byte("\n")), "not JSON: " + err.Error()}
		}
		b.message(v, 0)
	}
	out := Batch{Objects: b.objects, Tests: b.tests, Other: b.other}
	slices.Sort(out.Objects)
	out.Objects = slices.Compact(out.Objects)
	if out.Other > 0 && len(out.Objects)+out.Tests == 0 {
		return out, &Error{1, "no event of S3 in it: expected messages of SQS, SNS or EventBridge"}
	}
	return out, nil
}

// batch is a Batch that is being read.
type batch struct {
	objects      []string
	tests, other int
}

// deepest bounds how many envelopes are in each other. EventBridge to a topic to a queue to a pipe needs six values.
const deepest = 12

// envelope has the fields by which the kinds of messages and what carries them are told apart. Names go in any case: a
// queue's message has a Body for the command line and a body for a function.
type envelope struct {
	Messages json.RawMessage
	Records  json.RawMessage
	Body     *string
	Message  *string
	Sns      json.RawMessage

	Event  string
	S3     *object
	Source string
	Detail json.RawMessage
}

// object is what both kinds of events say of an object.
type object struct {
	Bucket struct{ Name string }
	Object struct{ Key string }
}

// message reads one value.
func (b *batch) message(raw json.RawMessage, depth int) {
	raw = bytes.TrimSpace(raw)
	if depth > deepest || len(raw) == 0 {
		b.other++
		return
	}
	if raw[0] == '[' {
		b.list(raw, depth)
		return
	}
	var e envelope
	if raw[0] != '{' || json.Unmarshal(raw, &e) != nil {
		b.other++
		return
	}
	switch {
	case e.S3 != nil:
		key := e.S3.Object.Key
		if plain, err := url.QueryUnescape(key); err == nil {
			key = plain
		}
		b.add(e.S3.Bucket.Name, key)
	case e.Source == "aws.s3" && e.Detail != nil:
		var o object
		if json.Unmarshal(e.Detail, &o) != nil {
			b.other++
			return
		}
		b.add(o.Bucket.Name, o.Object.Key)
	case e.Event == "s3:TestEvent":
		b.tests++
	case e.Messages != nil:
		b.list(e.Messages, depth)
	case e.Records != nil:
		b.list(e.Records, depth)
	case e.Sns != nil:
		b.message(e.Sns, depth+1)
	case e.Body != nil:
		b.text(*e.Body, depth)
	case e.Message != nil:
		b.text(*e.Message, depth)
	default:
		b.other++
	}
}

func (b *batch) list(raw json.RawMessage, depth int) {
	var all []json.RawMessage
	if json.Unmarshal(raw, &all) != nil {
		b.other++
		return
	}
	for _, m := range all {
		b.message(m, depth+1)
	}
}

// text reads a value that was put into a string.
func (b *batch) text(s string, depth int) {
	if !json.Valid([]byte(s)) {
		b.other++
		return
	}
	b.message(json.RawMessage(s), depth+1)
}

func (b *batch) add(bucket, key string) {
	if bucket == "" || key == "" || strings.Contains(bucket, "/") {
		b.other++
		return
	}
	b.objects = append(b.objects, "s3://"+bucket+"/"+key)
}
