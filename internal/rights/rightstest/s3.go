package rightstest

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"tarn/internal/rights"
	"tarn/internal/store/s3/s3test"
)

// S3 starts the layer before the process's S3 server, for the length of a test, and gives its URL. Every actor's secret is that of
// the server: the signature of a request does not depend on whose access key it names, so the request can go on as it is, under the
// server's own.
func (g *Guard) S3(t testing.TB, server string) string {
	t.Helper()
	target, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	next := g.objects(target)
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.s3(w, r) {
			next.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(h.Close)
	return h.URL
}

// objects passes requests on to an S3 server under the server's own access key.
func (g *Guard) objects(server *url.URL) http.Handler {
	next := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = server.Scheme, server.Host, r.In.Host
			r.Out.URL.RawQuery = r.In.URL.RawQuery
			r.Out.Header.Set("Authorization", strings.Replace(r.In.Header.Get("Authorization"), "Credential="+actorOf(r.In)+"/", "Credential="+s3test.AccessKey+"/", 1))
		},
		ModifyResponse: g.hideMissing,
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), actorKey{}, actorOf(r))))
	})
}

// actorOf is the access key of a signed request.
func actorOf(r *http.Request) string {
	_, credential, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	key, _, _ := strings.Cut(credential, "/")
	return key
}

// s3 reports whether a request may go on, and answers it where it may not.
func (g *Guard) s3(w http.ResponseWriter, r *http.Request) bool {
	actor := actorOf(r)
	if g.policies[actor] == nil {
		denied(w, r, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
		return false
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	operation := operationOf(r, key)
	on := []thing{{rights.Bucket, "arn:aws:s3:::" + bucket}}
	if key != "" {
		on = append(on, thing{rights.Object, "arn:aws:s3:::" + bucket + "/" + key})
	}
	values := map[string]string{}
	if operation == "ListObjectsV2" {
		// Amazon S3 User Guide, "Bucket policy examples using condition keys": what is listed without a prefix has none.
		if p := r.URL.Query(); p.Has("prefix") {
			values["s3:prefix"] = p.Get("prefix")
		}
	}
	if operation == "DeleteObjects" {
		keys, versions, err := deleted(r)
		if err != nil {
			g.fail(err)
		}
		if versions {
			operation = "DeleteObjects of versions"
		}
		for _, k := range keys {
			on = append(on, thing{rights.Object, "arn:aws:s3:::" + bucket + "/" + k})
		}
	}
	if g.allows(actor, "s3", operation, values, on...) {
		return true
	}
	denied(w, r, "AccessDenied", fmt.Sprintf("User: arn:aws:sts::%s:assumed-role/%s is not authorized to perform: s3:%s on resource: %q", Account, actor, actionOf(operation), resourceOf(bucket, key)))
	return false
}

// actionOf is what IAM calls an operation, as S3's refusals say it.
func actionOf(operation string) string {
	if c := rights.Find("s3", operation); c != nil && len(c.Needs) > 0 {
		return strings.TrimPrefix(c.Needs[0].Action, "s3:")
	}
	return operation
}

func resourceOf(bucket, key string) string {
	if key == "" {
		return "arn:aws:s3:::" + bucket
	}
	return "arn:aws:s3:::" + bucket + "/" + key
}

// operationOf names the operation of a request as the SDKs do.
func operationOf(r *http.Request, key string) string {
	q := r.URL.Query()
	has := func(names ...string) bool {
		for _, n := range names {
			if !q.Has(n) {
				return false
			}
		}
		return true
	}
	if key == "" {
		switch {
		case r.Method == http.MethodHead:
			return "HeadBucket"
		case r.Method == http.MethodGet && q.Get("list-type") == "2":
			return "ListObjectsV2"
		case r.Method == http.MethodGet && has("location"):
			return "GetBucketLocation"
		case r.Method == http.MethodGet && has("uploads"):
			return "ListMultipartUploads"
		case r.Method == http.MethodGet && has("versions"):
			return "ListObjectVersions"
		case r.Method == http.MethodPost && has("delete"):
			return "DeleteObjects"
		case r.Method == http.MethodDelete && r.URL.RawQuery == "":
			return "DeleteBucket"
		case r.Method == http.MethodPut && r.URL.RawQuery == "":
			return "CreateBucket"
		}
		for name, asked := range map[string]string{"tagging": "BucketTagging", "policy": "BucketPolicy", "notification": "BucketNotificationConfiguration", "versioning": "BucketVersioning"} {
			if has(name) {
				return strings.ToUpper(r.Method[:1]) + strings.ToLower(r.Method[1:]) + asked
			}
		}
		return r.Method + " bucket ?" + r.URL.RawQuery
	}
	switch {
	case has("uploadId", "partNumber") && r.Method == http.MethodPut && r.Header.Get("X-Amz-Copy-Source") == "":
		return "UploadPart"
	case has("uploads") && r.Method == http.MethodPost:
		return "CreateMultipartUpload"
	case has("uploadId"):
		if op := map[string]string{http.MethodPost: "CompleteMultipartUpload", http.MethodDelete: "AbortMultipartUpload", http.MethodGet: "ListParts"}[r.Method]; op != "" {
			return op
		}
	case has("acl"), has("tagging"), has("versionId"), has("retention"), has("legal-hold"), r.Header.Get("X-Amz-Copy-Source") != "":
	default:
		if op := map[string]string{http.MethodGet: "GetObject", http.MethodHead: "HeadObject", http.MethodPut: "PutObject", http.MethodDelete: "DeleteObject"}[r.Method]; op != "" {
			return op
		}
	}
	return r.Method + " object ?" + r.URL.RawQuery
}

// deleted reads the keys of a DeleteObjects, whose body stays to be read, and whether it names versions of them.
func deleted(r *http.Request) (keys []string, versions bool, err error) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, false, err
	}
	r.Body = io.NopCloser(bytes.NewReader(raw))
	var body struct {
		Object []struct{ Key, VersionId string }
	}
	if err := xml.Unmarshal(raw, &body); err != nil {
		return nil, false, err
	}
	for _, o := range body.Object {
		keys, versions = append(keys, o.Key), versions || o.VersionId != ""
	}
	return keys, versions, nil
}

// hideMissing answers 403 for a key that is not there to whoever may not list (Amazon S3 API Reference, "GetObject", Permissions).
func (g *Guard) hideMissing(answer *http.Response) error {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(answer.Request.URL.Path, "/"), "/")
	read := answer.Request.Method == http.MethodGet || answer.Request.Method == http.MethodHead
	in := answer.Request
	actor, _ := in.Context().Value(actorKey{}).(string)
	if answer.StatusCode != http.StatusNotFound || key == "" || !read || g.quietly(actor, "s3:ListBucket", "arn:aws:s3:::"+bucket) {
		return nil
	}
	if err := answer.Body.Close(); err != nil {
		return err
	}
	body := ""
	if in.Method == http.MethodGet {
		body = errorBody("AccessDenied", "Access Denied")
	}
	answer.StatusCode, answer.Status = http.StatusForbidden, "403 Forbidden"
	answer.Header = http.Header{"Content-Type": {"application/xml"}}
	answer.ContentLength, answer.Body = int64(len(body)), io.NopCloser(strings.NewReader(body))
	return nil
}

// actorKey keeps the access key of a request that goes on under the server's.
type actorKey struct{}

func errorBody(code, message string) string {
	var text bytes.Buffer
	_ = xml.EscapeText(&text, []byte(message))
	return `<?xml version="1.0" encoding="UTF-8"?><Error><Code>` + code + `</Code><Message>` + text.String() + `</Message></Error>`
}

func denied(w http.ResponseWriter, r *http.Request, code, message string) {
	// The client may still be sending.
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(http.StatusForbidden)
	if r.Method != http.MethodHead {
		_, _ = io.WriteString(w, errorBody(code, message))
	}
}
