package stacktest

import (
	"encoding/json"
	"io"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
)

// Execution is one of a state machine.
type Execution struct {
	Name, Status string
	Start, Stop  time.Time
}

// LogEvent is a line of a log group.
type LogEvent struct {
	At      time.Time
	Stream  string
	Message string
}

// Executed gives a state machine an execution, by its name.
func (s *Server) Executed(machine string, e Execution) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.executions[machine] = append(s.executions[machine], e)
}

// Queued says how many messages wait in a queue, by its name.
func (s *Server) Queued(queue string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queues[queue] = n
}

// Alarmed puts an alarm into a state.
func (s *Server) Alarmed(alarm, state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.alarms[alarm] = state
}

// Logged writes to a log group, which is made if need be.
func (s *Server) Logged(group string, events ...LogEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logs[group] = append(s.logs[group], events...)
}

// LogGroups lists the log groups.
func (s *Server) LogGroups() (out []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for g := range s.logs {
		out = append(out, g)
	}
	slices.Sort(out)
	return out
}

// watch answers services with JSON protocols.
func (s *Server) watch(w http.ResponseWriter, r *http.Request, target string) {
	raw, err := io.ReadAll(r.Body)
	in := map[string]any{}
	if err == nil {
		err = json.Unmarshal(raw, &in)
	}
	if err != nil {
		refuse(w, "SerializationException", err.Error())
		return
	}
	text := func(k string) string { v, _ := in[k].(string); return v }
	number := func(k string) float64 { v, _ := in[k].(float64); return v }
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]any{}
	switch target {
	case "AWSStepFunctions.ListExecutions":
		list := []any{}
		for _, e := range slices.Backward(s.executions[path.Base(strings.ReplaceAll(text("stateMachineArn"), ":", "/"))]) {
			x := map[string]any{"executionArn": text("stateMachineArn") + ":" + e.Name, "stateMachineArn": text("stateMachineArn"), "name": e.Name, "status": e.Status, "startDate": seconds(e.Start)}
			if !e.Stop.IsZero() {
				x["stopDate"] = seconds(e.Stop)
			}
			list = append(list, x)
		}
		out["executions"] = list[:min(len(list), int(max(number("maxResults"), 1)))]
	case "TrentService.DescribeKey":
		key := s.aliases[text("KeyId")]
		if key == "" {
			refuse(w, "NotFoundException", "Alias "+text("KeyId")+" is not found.")
			return
		}
		out["KeyMetadata"] = map[string]any{"KeyId": key, "KeyState": "Enabled"}
	case "AmazonSQS.GetQueueAttributes":
		out["Attributes"] = map[string]any{"ApproximateNumberOfMessages": strconv.Itoa(s.queues[path.Base(text("QueueUrl"))]), "ApproximateNumberOfMessagesNotVisible": "0"}
	case "Logs_20140328.FilterLogEvents":
		events, ok := s.logs[text("logGroupName")]
		if !ok {
			refuse(w, "ResourceNotFoundException", "The specified log group does not exist.")
			return
		}
		list := []any{}
		for i, e := range events {
			if e.At.UnixMilli() >= int64(number("startTime")) {
				list = append(list, map[string]any{"timestamp": e.At.UnixMilli(), "ingestionTime": e.At.UnixMilli(), "logStreamName": e.Stream, "message": e.Message, "eventId": strconv.Itoa(i)})
			}
		}
		out["events"] = list
	case "Logs_20140328.DeleteLogGroup":
		if _, ok := s.logs[text("logGroupName")]; !ok {
			refuse(w, "ResourceNotFoundException", "The specified log group does not exist.")
			return
		}
		delete(s.logs, text("logGroupName"))
	default:
		refuse(w, "UnknownOperationException", "the stand-in has no "+target)
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(out)
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// cbor answers CloudWatch.
func (s *Server) cbor(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	w.Header().Set("Content-Type", "application/cbor")
	raw, err := io.ReadAll(r.Body)
	var in cbor.Value
	if err == nil {
		in, err = cbor.Decode(raw)
	}
	if err != nil || path.Base(r.URL.Path) != "DescribeAlarms" {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write(cbor.Encode(cbor.Map{"__type": cbor.String("UnknownOperationException")}))
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	list := cbor.List{}
	if m, ok := in.(cbor.Map); ok {
		if names, ok := m["AlarmNames"].(cbor.List); ok {
			for _, n := range names {
				name, _ := n.(cbor.String)
				state := s.alarms[string(name)]
				if state == "" {
					state = "INSUFFICIENT_DATA"
				}
				list = append(list, cbor.Map{"AlarmName": name, "StateValue": cbor.String(state)})
			}
		}
	}
	_, _ = w.Write(cbor.Encode(cbor.Map{"MetricAlarms": list}))
}
