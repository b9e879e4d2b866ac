// Package athenatest is a stand-in for Amazon Athena's API: statements are taken, worked on and answered as Athena does it,
// with results as CSV in a bucket, over the published tables of a lake. The SQL is executed by DuckDB, or by a Trino server.
//
// awswrangler, PyAthena, boto3 and the AWS CLI work against it; AWS_ENDPOINT_URL_ATHENA leads them there. It reads only: what
// would write fails, as it does for a reader whose rights are those of curated tables. Signatures are not checked.
package athenatest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"tarn/internal/store"
)

// Catalog is what Athena calls the Glue Data Catalog.
const Catalog = "AwsDataCatalog"

// Engine executes statements and knows tables.
type Engine interface {
	// Query runs one statement. A [*Failure] is the statement's own fault.
	Query(ctx context.Context, database, sql string) (*Result, error)
	// Tables describes the tables of a database; ok is false if there is none of that name.
	Tables(ctx context.Context, database string) (tables []Table, ok bool, err error)
	// Databases lists the names of databases.
	Databases(ctx context.Context) ([]string, error)
}

// Result is what a statement has given.
type Result struct {
	Columns []Column
	// Rows have values as Athena writes them; nil is null.
	Rows [][]*string
	// Scanned is about how many bytes were read.
	Scanned int64
}

// Column is a column of a result or of a table, with a type in Athena's words for results, such as varchar, or in Hive's for
// tables, such as string.
type Column struct{ Name, Type, Comment string }

// Table is a table of a database.
type Table struct {
	Name    string
	Columns []Column
}

// Failure is a statement that cannot be executed as it is.
type Failure struct {
	// Message begins with Athena's word for the kind of mistake, such as SYNTAX_ERROR.
	Message string
}

func (f *Failure) Error() string { return f.Message }

// WorkGroup is a workgroup.
type WorkGroup struct {
	// Output is where results go, such as s3://bucket/results/analyst/; "" leaves it to each statement.
	Output string
	// Enforce makes the workgroup's settings go before those of a statement.
	Enforce bool
	// Cutoff fails statements that would read more bytes; 0 sets no bound.
	Cutoff int64
}

// Server is a stand-in. It is an [http.Handler]; see [New].
type Server struct {
	engine Engine
	stores store.Locator
	groups map[string]WorkGroup

	mu     sync.Mutex
	runs   map[string]*execution
	order  []string
	tokens map[string]string
	counts map[string]int
}

// New gives a server whose results are kept in stores. groups are its workgroups by name; primary is always there.
func New(engine Engine, stores store.Locator, groups map[string]WorkGroup) *Server {
	s := &Server{engine: engine, stores: stores, groups: map[string]WorkGroup{"primary": {}}, runs: map[string]*execution{}, tokens: map[string]string{}, counts: map[string]int{}}
	maps.Copy(s.groups, groups)
	return s
}

// Start serves a stand-in for the length of a test, and points the environment's Athena clients to it. The test cannot be
// parallel.
func Start(t testing.TB, engine Engine, stores store.Locator, groups map[string]WorkGroup) (*Server, string) {
	t.Helper()
	s := New(engine, stores, groups)
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	t.Setenv("AWS_ENDPOINT_URL_ATHENA", h.URL)
	return s, h.URL
}

// Counts gives how often each operation has arrived.
func (s *Server) Counts() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.counts)
}

// object is a JSON object of the protocol.
type object = map[string]any

// problem is an error of the API, which is an answer with code 400.
type problem struct{ code, message string }

func (p *problem) Error() string { return p.code + ": " + p.message }

func invalid(format string, args ...any) error {
	return &problem{"InvalidRequestException", fmt.Sprintf(format, args...)}
}

// ServeHTTP implements [http.Handler]: the JSON protocol 1.1, one operation a request, named by X-Amz-Target.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	op, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "AmazonAthena.")
	raw, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return
	}
	in := request{}
	var out object
	switch {
	case !ok:
		err = &problem{"UnknownOperationException", "not a request to Athena"}
	case json.Unmarshal(raw, &in) != nil:
		err = &problem{"SerializationException", "the body is no JSON object"}
	default:
		s.mu.Lock()
		s.counts[op]++
		s.mu.Unlock()
		out, err = s.call(r.Context(), op, in)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("x-amzn-RequestId", newID())
	if err != nil {
		var p *problem
		status := http.StatusBadRequest
		if !errors.As(err, &p) {
			p, status = &problem{"InternalServerException", err.Error()}, http.StatusInternalServerError
		}
		w.Header().Set("x-amzn-ErrorType", p.code)
		w.WriteHeader(status)
		out = object{"__type": p.code, "Message": p.message, "message": p.message}
	}
	_ = json.NewEncoder(w).Encode(out)
}

// request is the body of any request.
type request struct {
	QueryString           string
	ClientRequestToken    string
	QueryExecutionContext struct{ Database, Catalog string }
	ResultConfiguration   struct{ OutputLocation string }
	WorkGroup             string
	ExecutionParameters   []string

	QueryExecutionId  string
	QueryExecutionIds []string
	MaxResults        int
	NextToken         string

	CatalogName, Name, DatabaseName, TableName, Expression string
}

func (s *Server) call(ctx context.Context, op string, in request) (object, error) {
	switch op {
	case "StartQueryExecution":
		return s.start(in)
	case "GetQueryExecution":
		e, err := s.execution(in.QueryExecutionId)
		if err != nil {
			return nil, err
		}
		return object{"QueryExecution": e.describe()}, nil
	case "BatchGetQueryExecution":
		return s.several(in)
	case "GetQueryResults":
		return s.results(in)
	case "StopQueryExecution":
		e, err := s.execution(in.QueryExecutionId)
		if err != nil {
			return nil, err
		}
		e.stop()
		return object{}, nil
	case "ListQueryExecutions":
		return s.list(in)
	case "GetWorkGroup":
		return s.workGroup(in.WorkGroup)
	case "ListWorkGroups":
		return s.workGroups(), nil
	case "ListDataCatalogs":
		return object{"DataCatalogsSummary": []object{{"CatalogName": Catalog, "Type": "GLUE"}}}, nil
	case "GetDataCatalog":
		return object{"DataCatalog": object{"Name": Catalog, "Type": "GLUE"}}, nil
	case "ListDatabases", "GetDatabase", "ListTableMetadata", "GetTableMetadata":
		return s.metadata(ctx, op, in)
	}
	return nil, &problem{"UnknownOperationException", op + " is not an operation that the stand-in knows"}
}

// newID is an id such as Athena gives.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
