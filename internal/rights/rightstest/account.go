package rightstest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path"
	"strings"

	"tarn/internal/rights"
)

// Account puts the layer before a stand-in for a whole account, which has one URL for all services.
func (g *Guard) Account(server *url.URL) http.Handler {
	objects := g.objects(server)
	next := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = server.Scheme, server.Host, r.In.Host
	}}
	documents := g.Service(next)
	// Lake Formation and Service Quotas have nothing to say of this account.
	nothing := g.Service(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch service := serviceOf(r); {
		case service == "s3":
			if g.s3(w, r) {
				objects.ServeHTTP(w, r)
			}
		case service == "monitoring":
			// The SDK names CloudWatch's operation in the path (Smithy RPC v2 CBOR), the AWS CLI in a header. None of those that are known is
			// about one thing.
			_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
			if operation == "" {
				operation = path.Base(r.URL.Path)
			}
			if !g.allows(actorOf(r), "cloudwatch", operation, nil) {
				refuse(w, "AccessDenied", denial(actorOf(r), "cloudwatch:"+operation, "*"))
				return
			}
			next.ServeHTTP(w, r)
		case service == "sts":
			g.STS().ServeHTTP(w, r)
		case service == "lakeformation" || service == "servicequotas":
			nothing.ServeHTTP(w, r)
		case strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"):
			if g.query(w, r, service) {
				next.ServeHTTP(w, r)
			}
		default:
			documents.ServeHTTP(w, r)
		}
	})
}

// serviceOf is the service that a request is signed for (AWS Signature Version 4, the credential's scope).
func serviceOf(r *http.Request) string {
	_, credential, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	scope := strings.Split(credential, "/")
	if len(scope) < 5 {
		return ""
	}
	return scope[3]
}

// query reports whether a request of the Query protocol may go on, and answers it where it may not.
func (g *Guard) query(w http.ResponseWriter, r *http.Request, service string) bool {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		g.fail(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(raw))
	in, err := url.ParseQuery(string(raw))
	if err != nil {
		g.fail(err)
	}
	actor, operation := actorOf(r), in.Get("Action")
	var on []thing
	if service == "cloudformation" {
		on = []thing{{rights.Stack, stackOf(in)}}
	}
	if g.policies[actor] != nil && g.allows(actor, service, operation, nil, on...) {
		return true
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(http.StatusForbidden)
	fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>%s</Message></Error></ErrorResponse>`, denial(actor, service+":"+operation, fmt.Sprint(on)))
	return false
}

// stackOf is the ARN of the stack that a call is about: it is named, by name or ARN. Who asks what holds a
// resource may ask of any stack that is found, of which tests have those of the lake.
func stackOf(in url.Values) string {
	name := in.Get("StackName")
	if strings.HasPrefix(name, "arn:") {
		return name
	}
	return arn("cloudformation", "stack/"+name+"/1")
}

// denial is how AWS says that somebody may not do something.
func denial(actor, action, resource string) string {
	return fmt.Sprintf("User: arn:aws:sts::%s:assumed-role/%s/session is not authorized to perform: %s on resource: %s because no identity-based policy allows the %s action", Account, actor, action, resource, action)
}
