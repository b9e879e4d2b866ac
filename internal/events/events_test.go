package events_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/events"
)

// The files of testdata are messages as AWS documents them, and as its command line prints them.
func TestEnvelopes(t *testing.T) {
	t.Parallel()
	strange := []string{"s3://b/in/2024/01/31/ä b+c%25=&.json", "s3://b/in/plain.json"}
	for file, want := range map[string]events.Batch{
		"notification.json":    {Objects: strange},
		"sqs_receive.json":     {Objects: strange, Tests: 1},
		"sqs_bodies.jsonl":     {Objects: strange, Tests: 1},
		"lambda_sqs.json":      {Objects: strange},
		"lambda_sns.json":      {Objects: strange},
		"sqs_sns.json":         {Objects: strange},
		"eventbridge.json":     {Objects: strange},
		"eventbridge.jsonl":    {Objects: strange},
		"sqs_eventbridge.json": {Objects: strange, Other: 1},
		"removed.json":         {Objects: []string{"s3://b/in/expired.json", "s3://b/in/gone.json"}},
		"empty.json":           {},
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(filepath.Join("testdata", file))
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range [][]byte{raw, append([]byte("\xef\xbb\xbf"), bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n"))...)} {
				got, err := events.Read(bytes.NewReader(text))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"{}\n{}\n{oops":                 "line 3: not JSON",
		`{"Records": [`:                 "line 1: not JSON",
		"tarn run":                      "line 1: not JSON",
		`[1, "x", null, {"a": 1}]`:      "line 1: no event of S3",
		`{"Messages": [{"Body": "x"}]}`: "line 1: no event of S3",
	} {
		_, err := events.Read(strings.NewReader(text))
		var e *events.Error
		if !errors.As(err, &e) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	for _, text := range []string{"", "\n", "[]", `{"Messages": []}`, `{"Records": null, "Messages": []}`} {
		if got, err := events.Read(strings.NewReader(text)); err != nil || !cmp.Equal(got, events.Batch{}) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	deep := strings.Repeat("[", 20) + `{"s3":{"bucket":{"name":"b"},"object":{"key":"k"}}}` + strings.Repeat("]", 20)
	if _, err := events.Read(strings.NewReader(deep)); err == nil {
		t.Error("envelopes without end were opened")
	}
}

// wrapped puts a message into a topic's envelope.
func wrapped(message string) string {
	raw, err := json.Marshal(map[string]string{"Type": "Notification", "Message": message})
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// FuzzRead reads anything without harm, and finds any key again, in every envelope.
func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json*")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	for _, key := range []string{"a", "ä b+c%25=&.json", "100%", "%zz", "a/../b", `"\` + "\n", "🙂"} {
		f.Add([]byte(key))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if got, err := events.Read(bytes.NewReader(raw)); err == nil {
			for _, o := range got.Objects {
				if !strings.HasPrefix(o, "s3://") || strings.Count(o, "/") < 3 {
					t.Errorf("object %q", o)
				}
			}
		}
		key := strings.ToValidUTF8(string(raw), "?")
		if key == "" || len(key) > 1024 {
			return
		}
		text := func(v any) string {
			out, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			return string(out)
		}
		object := func(key string) map[string]any {
			return map[string]any{"bucket": map[string]any{"name": "b"}, "object": map[string]any{"key": key}}
		}
		notice := text(map[string]any{"Records": []any{map[string]any{"eventSource": "aws:s3", "s3": object(url.QueryEscape(key))}}})
		bridge := text(map[string]any{"source": "aws.s3", "detail-type": "Object Created", "detail": object(key)})
		for _, message := range []string{notice, bridge} {
			for _, m := range []string{message, wrapped(message), "[" + message + "]", text(map[string]any{"Messages": []any{map[string]any{"Body": wrapped(message)}}}), message + "\n" + message} {
				got, err := events.Read(strings.NewReader(m))
				if err != nil || !slices.Equal(got.Objects, []string{"s3://b/" + key}) {
					t.Errorf("%s\ngave %q, %v", m, got.Objects, err)
				}
			}
		}
	})
}
