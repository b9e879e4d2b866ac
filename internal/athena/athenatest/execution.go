package athenatest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"
)

// The states of a statement.
const (
	queued    = "QUEUED"
	running   = "RUNNING"
	succeeded = "SUCCEEDED"
	failed    = "FAILED"
	cancelled = "CANCELLED"
)

// execution is one statement and what became of it.
type execution struct {
	id, sql, group, database, output string
	kind, substatement               string
	submitted                        time.Time
	cancel                           context.CancelFunc

	mu        sync.Mutex
	state     string
	reason    string
	userError bool
	completed time.Time
	result    *Result
}

// maxQuery is the longest statement, in bytes: Amazon Athena User Guide, "Service Quotas".
const maxQuery = 262144

func (s *Server) start(in request) (object, error) {
	group := in.WorkGroup
	if group == "" {
		group = "primary"
	}
	g, ok := s.groups[group]
	switch {
	case !ok:
		return nil, invalid("WorkGroup %s is not found.", group)
	case strings.TrimSpace(in.QueryString) == "":
		return nil, invalid("Query string must not be empty")
	case len(in.QueryString) > maxQuery:
		return nil, invalid("Query string is longer than %d bytes", maxQuery)
	}
	output := in.ResultConfiguration.OutputLocation
	if output == "" || g.Enforce {
		output = g.Output
	}
	if !strings.HasPrefix(output, "s3://") {
		return nil, invalid("No output location provided. An output location is required either through the Workgroup result configuration setting or as an API input.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if token := in.ClientRequestToken; token != "" {
		if id, ok := s.tokens[token]; ok {
			return object{"QueryExecutionId": id}, nil
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	e := &execution{id: newID(), sql: in.QueryString, group: group, database: in.QueryExecutionContext.Database, submitted: time.Now(), state: queued, cancel: cancel}
	e.kind, e.substatement = kindOf(in.QueryString)
	ending := ".csv"
	if e.kind != "DML" {
		ending = ".txt"
	}
	e.output = strings.TrimSuffix(output, "/") + "/" + e.id + ending
	s.runs[e.id], s.order = e, append([]string{e.id}, s.order...)
	if in.ClientRequestToken != "" {
		s.tokens[in.ClientRequestToken] = e.id
	}
	go s.work(ctx, e, in.ExecutionParameters, g)
	return object{"QueryExecutionId": e.id}, nil
}

// kindOf tells what Athena calls a statement.
func kindOf(sql string) (kind, sub string) {
	words := strings.Fields(strings.ToUpper(strings.TrimLeft(sql, "( \n\t")))
	if len(words) == 0 {
		return "DML", ""
	}
	switch w := words[0]; w {
	case "SELECT", "WITH", "VALUES", "TABLE":
		return "DML", "SELECT"
	case "INSERT", "UPDATE", "DELETE", "MERGE", "UNLOAD":
		return "DML", w
	case "SHOW", "DESCRIBE", "EXPLAIN":
		return "UTILITY", w
	default:
		return "DDL", w
	}
}

// writing are the words that statements begin with which change something.
var writing = []string{"CREATE", "DROP", "ALTER", "INSERT", "UPDATE", "DELETE", "MERGE", "UNLOAD", "OPTIMIZE", "VACUUM", "MSCK", "TRUNCATE", "PREPARE", "EXECUTE", "DEALLOCATE"}

func (s *Server) work(ctx context.Context, e *execution, parameters []string, g WorkGroup) {
	defer e.cancel()
	e.set(running, "", false)
	r, err := s.answer(ctx, e, parameters, g)
	var own *Failure
	switch {
	case ctx.Err() != nil:
		e.set(cancelled, "Query cancelled by user", true)
	case errors.As(err, &own):
		e.set(failed, own.Message, true)
	case err != nil:
		e.set(failed, "GENERIC_INTERNAL_ERROR: "+err.Error(), false)
	default:
		e.mu.Lock()
		e.result = r
		e.mu.Unlock()
		e.set(succeeded, "", false)
	}
}

func (s *Server) answer(ctx context.Context, e *execution, parameters []string, g WorkGroup) (*Result, error) {
	sql, err := filled(e.sql, parameters)
	if err != nil {
		return nil, err
	}
	switch {
	case e.kind == "UTILITY" || e.substatement == "SELECT":
	case slices.Contains(writing, e.substatement):
		return nil, &Failure{"NOT_SUPPORTED: " + e.substatement + " writes, and the stand-in only reads"}
	default:
		return nil, &Failure{"SYNTAX_ERROR: line 1:1: mismatched input '" + e.substatement + "'"}
	}
	r, err := s.engine.Query(ctx, e.database, sql)
	if err != nil {
		return nil, err
	}
	if g.Cutoff > 0 && r.Scanned > g.Cutoff {
		return nil, &Failure{"Query exhausted resources: bytes scanned limit was exceeded"}
	}
	text := r.csv(e.kind == "DML")
	at, key, err := s.stores.Locate(ctx, e.output)
	if err != nil {
		return nil, err
	}
	if err := put(ctx, at, key, text); err != nil {
		return nil, err
	}
	return r, put(ctx, at, key+".metadata", nil)
}

// filled puts parameters, which are literals in SQL, in place of the question marks of a statement.
func filled(sql string, parameters []string) (string, error) {
	if len(parameters) == 0 {
		return sql, nil
	}
	var b bytes.Buffer
	var quote byte
	n := 0
	for i := range len(sql) {
		c := sql[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '?':
			if n < len(parameters) {
				b.WriteString(parameters[n])
			}
			n++
			continue
		}
		b.WriteByte(c)
	}
	if n != len(parameters) {
		return "", &Failure{"SYNTAX_ERROR: the statement and its parameters do not fit together"}
	}
	return b.String(), nil
}

func (e *execution) set(state, reason string, user bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.state, e.reason, e.userError = state, reason, user
	if state != running {
		e.completed = time.Now()
	}
}

func (e *execution) stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.state == queued || e.state == running {
		e.cancel()
	}
}

// describe gives a QueryExecution.
func (e *execution) describe() object {
	e.mu.Lock()
	defer e.mu.Unlock()
	status := object{"State": e.state, "SubmissionDateTime": seconds(e.submitted)}
	statistics := object{}
	if !e.completed.IsZero() {
		took := e.completed.Sub(e.submitted).Milliseconds()
		status["CompletionDateTime"] = seconds(e.completed)
		statistics["EngineExecutionTimeInMillis"], statistics["TotalExecutionTimeInMillis"] = took, took
	}
	if e.result != nil {
		statistics["DataScannedInBytes"] = e.result.Scanned
	}
	if e.state == failed || e.state == cancelled {
		status["StateChangeReason"] = e.reason
	}
	if e.state == failed {
		category := 1 // the service
		if e.userError {
			category = 2
		}
		status["AthenaError"] = object{"ErrorCategory": category, "ErrorType": 1006, "Retryable": false, "ErrorMessage": e.reason}
	}
	about := object{"Database": e.database, "Catalog": strings.ToLower(Catalog)}
	return object{"QueryExecutionId": e.id, "Query": e.sql, "StatementType": e.kind, "SubstatementType": e.substatement, "WorkGroup": e.group,
		"ResultConfiguration": object{"OutputLocation": e.output}, "QueryExecutionContext": about, "Status": status, "Statistics": statistics,
		"EngineVersion": engineVersion()}
}

func engineVersion() object {
	return object{"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"}
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func (s *Server) execution(id string) (*execution, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.runs[id]; e != nil {
		return e, nil
	}
	return nil, invalid("QueryExecution %s was not found", id)
}

func (s *Server) several(in request) (object, error) {
	found, missing := []object{}, []object{}
	for _, id := range in.QueryExecutionIds {
		e, err := s.execution(id)
		if err != nil {
			missing = append(missing, object{"QueryExecutionId": id, "ErrorCode": "INVALID_INPUT", "ErrorMessage": err.Error()})
			continue
		}
		found = append(found, e.describe())
	}
	return object{"QueryExecutions": found, "UnprocessedQueryExecutionIds": missing}, nil
}

func (s *Server) list(in request) (object, error) {
	group := in.WorkGroup
	if group == "" {
		group = "primary"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := []string{}
	for _, id := range s.order {
		if s.runs[id].group == group {
			ids = append(ids, id)
		}
	}
	return object{"QueryExecutionIds": ids}, nil
}
