package project

import (
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// DefaultDisk is how many bytes of this machine's disk copies of remote files may take where nothing else is set.
const DefaultDisk = 20_000_000_000

// What is listed where nothing else is set.
const (
	DefaultRecent = 3 * 24 * time.Hour
	DefaultSweep  = 24 * time.Hour
)

// truth is true or false.
type truth struct {
	on   bool
	node *yaml.Node
}

func (f *truth) decodeNode(d *decoder, n *yaml.Node, path string) {
	if n.ShortTag() != "!!bool" || n.Decode(&f.on) != nil {
		d.wrong(n, path, "true or false")
		return
	}
	f.node = n
}

// overAWS lays a target's settings for an account over those at the top.
func overAWS(top, t settingsYAML) settingsYAML {
	for _, s := range []struct{ from, to *text }{{&t.Region, &top.Region}, {&t.Profile, &top.Profile}, {&t.Endpoint, &top.Endpoint}, {&t.KMSKey, &top.KMSKey},
		{&t.BucketOwner, &top.BucketOwner}, {&t.CatalogID, &top.CatalogID}, {&t.Disk, &top.Disk}, {&t.Recent, &top.Recent}, {&t.Sweep, &top.Sweep}} {
		if s.from.set() {
			*s.to = *s.from
		}
	}
	if t.PathStyle.node != nil {
		top.PathStyle = t.PathStyle
	}
	return top
}

var (
	accountPattern = regexp.MustCompile(`^\d{12}$`)
	// Five digits of days are what a duration has room for.
	durationPattern = regexp.MustCompile(`^([0-9]{1,5})([dh])$`)
	regionPattern   = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-\d+$`)
)

// account resolves what a target says about its AWS account and about remote files.
func (r *resolver) account(c *Config, s settingsYAML) {
	c.AWS.Region = r.matching(s.Region, "region", regionPattern, "a region is such as eu-central-1")
	c.AWS.Profile = r.value(s.Profile)
	if c.AWS.Endpoint = r.value(s.Endpoint); c.AWS.Endpoint != "" {
		if u, err := url.Parse(c.AWS.Endpoint); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			r.errorAt(s.Endpoint.node, "wrong-value", "endpoint: "+quoted(c.AWS.Endpoint)+" is not a URL", "such as http://localhost:9000")
		}
	}
	c.AWS.PathStyle = s.PathStyle.on
	c.AWS.KMSKey = r.value(s.KMSKey)
	c.AWS.BucketOwner = r.matching(s.BucketOwner, "bucket_owner", accountPattern, "an account is twelve digits; put them in quotes")
	c.CatalogID = r.matching(s.CatalogID, "catalog_id", accountPattern, "an account is twelve digits; put them in quotes")
	c.Disk = DefaultDisk
	if s.Disk.set() {
		before := len(r.list)
		n, err := parseSize("disk", r.expanded(s.Disk).value)
		if err != nil && len(r.list) == before {
			r.errorAt(s.Disk.node, "wrong-value", err.Error(), "")
		}
		c.Disk = n
	}
	c.Recent, c.Sweep = r.duration(s.Recent, "recent", DefaultRecent), r.duration(s.Sweep, "sweep", DefaultSweep)
}

// duration reads a number of days or hours, such as 3d.
func (r *resolver) duration(t text, key string, otherwise time.Duration) time.Duration {
	if !t.set() {
		return otherwise
	}
	before := len(r.list)
	value := r.expanded(t).value
	if m := durationPattern.FindStringSubmatch(value); m != nil {
		n, _ := strconv.Atoi(m[1]) // five digits
		return time.Duration(n) * map[string]time.Duration{"d": 24 * time.Hour, "h": time.Hour}[m[2]]
	}
	if len(r.list) == before {
		r.errorAt(t.node, "wrong-value", key+": "+quoted(value)+" is no time", "write a number of days or hours, such as 3d or 36h")
	}
	return otherwise
}

func (r *resolver) value(t text) string {
	if !t.set() {
		return ""
	}
	return r.expanded(t).value
}

func (r *resolver) matching(t text, key string, pattern *regexp.Regexp, hint string) string {
	before := len(r.list)
	v := r.value(t)
	if t.set() && !pattern.MatchString(v) && len(r.list) == before {
		r.errorAt(t.node, "wrong-value", fmt.Sprintf("%s: %s cannot be right", key, quoted(v)), hint)
	}
	return v
}

// place gives an absolute path of a folder that is written relative to the lake or as file:///path, or a location in an
// object store without a slash at its end.
func (r *resolver) place(t text, key string) string {
	if l := normalLocation(r.quietly(t)); strings.HasPrefix(l, "s3://") {
		before := len(r.list)
		l = normalLocation(r.expanded(t).value)
		bucket, _, _ := strings.Cut(strings.TrimPrefix(l, "s3://"), "/")
		switch {
		case len(r.list) > before:
		case bucket == "":
			r.errorAt(t.node, "wrong-value", key+": the bucket has no name", exampleBucket)
		case !bucketPattern.MatchString(bucket) || key == "warehouse" && strings.Contains(l[len("s3://"):], "//"):
			r.errorAt(t.node, "wrong-value", fmt.Sprintf("%s: %s is not a place in a bucket", key, l),
				exampleBucket+"; a bucket's name has small letters, digits, hyphens and dots, and neither s3:// nor /")
		}
		return strings.TrimRight(l, "/")
	}
	if r.quietly(t) != "" && almostS3.MatchString(r.quietly(t)) {
		r.errorAt(t.node, "wrong-value", key+": "+r.quietly(t)+" is not how a place in a bucket is written", exampleBucket)
		return ""
	}
	return r.folder(t, key)
}

// bucketPattern has the characters of bucket names (Amazon S3 User Guide, "General purpose bucket naming rules"); how many
// there have to be, servers see differently.
var bucketPattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`)

// almostS3 is what people write for s3:// by mistake.
var almostS3 = regexp.MustCompile(`(?i)^(s3[an]?:|arn:aws)`)

const exampleBucket = "such as s3://my-bucket/warehouse/"

// quietly replaces variables without telling of those that are not set.
func (r *resolver) quietly(t text) string {
	return variable.ReplaceAllStringFunc(t.value, func(m string) string {
		v, _ := r.env(strings.Trim(m, "${}"))
		return v
	})
}

// Remote reports whether a warehouse or landing place is in an object store.
func Remote(place string) bool { return strings.HasPrefix(place, "s3://") }

// state is the folder of what this machine keeps for a target: targets that share a warehouse share it.
func (c Config) state(dir string) string {
	if c.OwnWarehouse {
		return filepath.Join(dir, StateDir, "targets", c.Target)
	}
	return filepath.Join(dir, StateDir)
}
