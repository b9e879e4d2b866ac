package s3test

import (
	"net/http"
	"slices"
	"strings"
)

// settings are the operations on a bucket's settings, by what stands in the query and the method.
var settings = map[string]map[string]string{
	"location":          {http.MethodGet: "GetBucketLocation"},
	"tagging":           {http.MethodGet: "GetBucketTagging", http.MethodPut: "PutBucketTagging", http.MethodDelete: "DeleteBucketTagging"},
	"policy":            {http.MethodGet: "GetBucketPolicy", http.MethodPut: "PutBucketPolicy", http.MethodDelete: "DeleteBucketPolicy"},
	"notification":      {http.MethodGet: "GetBucketNotificationConfiguration", http.MethodPut: "PutBucketNotificationConfiguration"},
	"versioning":        {http.MethodGet: "GetBucketVersioning", http.MethodPut: "PutBucketVersioning"},
	"versions":          {http.MethodGet: "ListObjectVersions"},
	"uploads":           {http.MethodGet: "ListMultipartUploads"},
	"delete":            {http.MethodPost: "DeleteObjects"},
	"encryption":        {http.MethodGet: "GetBucketEncryption", http.MethodPut: "PutBucketEncryption"},
	"publicAccessBlock": {http.MethodGet: "GetPublicAccessBlock", http.MethodPut: "PutPublicAccessBlock"},
}

// Operation names the operation of a request to S3, with the bucket in its path, as the SDKs do. One that is not known is described.
func Operation(r *http.Request) string {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	q := r.URL.Query()
	has := func(names ...string) bool {
		return !slices.ContainsFunc(names, func(n string) bool { return !q.Has(n) })
	}
	switch {
	case bucket == "":
		return "ListBuckets"
	case key == "":
		for setting, by := range settings {
			if op := by[r.Method]; op != "" && has(setting) {
				return op
			}
		}
		switch {
		case r.Method == http.MethodGet && q.Get("list-type") == "2":
			return "ListObjectsV2"
		case r.URL.RawQuery != "" && !has("x-id"):
		default:
			if op := map[string]string{http.MethodHead: "HeadBucket", http.MethodPut: "CreateBucket", http.MethodDelete: "DeleteBucket"}[r.Method]; op != "" {
				return op
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
