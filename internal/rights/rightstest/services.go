package rightstest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"

	"tarn/internal/rights"
)

// targets are services by what the names of their operations begin with in JSON protocols.
var targets = map[string]string{"AWSGlue": "glue", "AmazonAthena": "athena", "AWSStepFunctions": "states", "ServiceQuotasV20190624": "servicequotas",
	"AmazonSQS": "sqs", "Logs_20140328": "logs", "TrentService": "kms"}

// Service puts the layer before a stand-in of a service with a JSON protocol, whose requests name their operation in X-Amz-Target:
// Glue, Athena, Step Functions, Service Quotas; and before Lake Formation.
func (g *Guard) Service(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			// Whoever asked was killed in the middle of it, and the answer is nobody's.
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(raw))
		target, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		service := targets[target]
		if operation == "" && r.URL.Path != "/" {
			// Of Lake Formation the path says what is asked for.
			service, operation = "lakeformation", strings.Trim(r.URL.Path, "/")
		}
		var in map[string]any
		if service == "" || json.Unmarshal(raw, &in) != nil {
			g.fail(fmt.Errorf("%s %s with the target %q is of no service that is known here", r.Method, r.URL, r.Header.Get("X-Amz-Target")))
			refuse(w, "UnknownOperationException", "unknown")
			return
		}
		actor := actorOf(r)
		if g.policies[actor] == nil {
			refuse(w, "UnrecognizedClientException", "The security token included in the request is invalid.")
			return
		}
		var on []thing
		switch service {
		case "glue":
			on = g.inGlue(in)
		case "athena":
			on = g.inAthena(in)
		case "states":
			on = inStates(in)
		case "sqs":
			on = []thing{{rights.Queue, arn("sqs", path.Base(text(in, "QueueUrl")))}}
		case "logs":
			on = []thing{{rights.LogGroup, arn("logs", "log-group:"+text(in, "logGroupName")+":log-stream:"+text(in, "logStreamName"))}}
		case "kms":
			on = []thing{{rights.Key, arn("kms", "key/"+text(in, "KeyId"))}}
		}
		filter := g.FilterTables && service == "glue" && operation == "GetTables"
		if service == "glue" && operation == "GetTables" {
			on = append(on, thing{rights.TableKind, arn("glue", "table/"+text(in, "DatabaseName")+"/*")})
		}
		if service == "glue" && operation == "DeleteDatabase" {
			// All that is in it goes with it.
			on = append(on, thing{rights.TableKind, arn("glue", "table/"+text(in, "Name")+"/*")}, thing{rights.UserFunction, arn("glue", "userDefinedFunction/"+text(in, "Name")+"/*")})
		}
		allowed := false
		if filter {
			// Each table of the answer is judged by itself.
			allowed = g.narrowed(actor, "glue", operation, on, rights.Catalog, rights.Database)
		} else {
			allowed = g.allows(actor, service, operation, nil, on...)
		}
		if !allowed {
			refuse(w, "AccessDeniedException", fmt.Sprintf("User: arn:aws:sts::%s:assumed-role/%s is not authorized to perform: %s:%s on resource: %v", Account, actor, service, operation, on))
			return
		}
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		body := answer.Body.Bytes()
		if filter {
			body = g.visible(actor, text(in, "DatabaseName"), body)
		}
		g.remember(operation, in, body)
		for k, v := range answer.Header() {
			w.Header()[k] = v
		}
		w.Header().Del("Content-Length")
		w.WriteHeader(answer.Code)
		_, _ = w.Write(body)
	})
}

func text(in map[string]any, member string) string {
	v, _ := in[member].(string)
	return v
}

// inGlue finds what a call of Glue is about.
func (g *Guard) inGlue(in map[string]any) []thing {
	on := []thing{{rights.Catalog, arn("glue", "catalog")}}
	if name := text(in, "JobName"); name != "" {
		on = append(on, thing{rights.Job, arn("glue", "job/"+name)})
	}
	database := text(in, "DatabaseName")
	if input, ok := in["DatabaseInput"].(map[string]any); ok {
		database = text(input, "Name")
	} else if database == "" {
		database = text(in, "Name")
	}
	on = append(on, thing{rights.Database, arn("glue", "database/"+database)})
	table := text(in, "TableName")
	if input, ok := in["TableInput"].(map[string]any); ok {
		table = text(input, "Name")
	} else if table == "" && text(in, "DatabaseName") != "" {
		table = text(in, "Name")
	}
	if table != "" {
		on = append(on, thing{rights.TableKind, arn("glue", "table/"+database+"/"+table)})
	}
	return on
}

// inAthena finds the workgroup of a call: it is named, or is that of a query that was started before.
func (g *Guard) inAthena(in map[string]any) []thing {
	group := text(in, "WorkGroup")
	if id := text(in, "QueryExecutionId"); id != "" {
		g.mu.Lock()
		group = g.groups[id]
		g.mu.Unlock()
	}
	if group == "" {
		group = "primary" // Athena's own, where none is named
	}
	return []thing{{rights.Workgroup, arn("athena", "workgroup/"+group)}}
}

// remember keeps in which workgroup a query was started.
func (g *Guard) remember(operation string, in map[string]any, answer []byte) {
	var out struct{ QueryExecutionId string }
	if operation != "StartQueryExecution" || json.Unmarshal(answer, &out) != nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.groups[out.QueryExecutionId] = text(in, "WorkGroup")
}

func inStates(in map[string]any) []thing {
	var on []thing
	if arn := text(in, "stateMachineArn"); arn != "" {
		on = append(on, thing{rights.StateMachine, arn})
	}
	if arn := text(in, "executionArn"); arn != "" {
		on = append(on, thing{rights.Execution, arn})
	}
	return on
}

// visible takes tables out of an answer that the caller may not see.
func (g *Guard) visible(actor, database string, body []byte) []byte {
	var out map[string]any
	if json.Unmarshal(body, &out) != nil {
		return body
	}
	all, _ := out["TableList"].([]any)
	kept := []any{}
	for _, t := range all {
		table, _ := t.(map[string]any)
		if g.quietly(actor, "glue:GetTables", arn("glue", "table/"+database+"/"+text(table, "Name"))) {
			kept = append(kept, t)
		}
	}
	out["TableList"] = kept
	filtered, err := json.Marshal(out)
	if err != nil {
		g.fail(err)
	}
	return filtered
}

func refuse(w http.ResponseWriter, code, message string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("X-Amzn-Errortype", code)
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": code, "Message": message, "message": message})
}

// STS answers who calls, which needs no right, and nothing else.
func (g *Guard) STS() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		in, _ := url.ParseQuery(string(raw))
		actor := actorOf(r)
		g.allows(actor, "sts", in.Get("Action"), nil)
		fmt.Fprintf(w, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:sts::%s:assumed-role/%s/test</Arn><UserId>X</UserId><Account>%[1]s</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`, Account, actor)
	})
}
