package project

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"tarn/internal/awsconf"
	"tarn/internal/deployconf"
	"tarn/internal/diag"
	"tarn/internal/sparkconf"
)

// ConfigFile is the name of the file that makes a folder a lake.
const ConfigFile = "tarn.yaml"

// StateDir is the folder inside a lake that holds what can be rebuilt from the landing zone.
const StateDir = ".tarn"

// Config is tarn.yaml, resolved for one target: that target's settings over those at the top, variables replaced,
// folders absolute.
type Config struct {
	Name string
	// Database stands before the dot in SQL, whatever the target. Default: Name.
	Database string
	// Stored is what the catalog calls the database: that of the target, or Database.
	Stored string
	// Target is the chosen target, or "" for the settings at the top.
	Target string
	// Warehouse is the absolute folder of the tables, or a location such as s3://bucket/warehouse. Default:
	// .tarn/warehouse in the lake.
	Warehouse string
	// Locations map the beginning of a LOCATION, such as s3://bucket/, to an absolute folder on this machine or to a
	// location in an object store.
	Locations map[string]string
	// Memory bounds the engine, such as 2GB; "" leaves it to the engine. See [ParseMemory].
	Memory string
	// Engine executes the models: [DuckDB] or [Spark], and Spark says where that is.
	Engine string
	Spark  sparkconf.Settings
	// Catalog keeps the table names: sqlite or glue.
	Catalog string
	// CatalogID is the account whose Glue Data Catalog it is; "" is the own one.
	CatalogID string
	// AWS says how the target's account is reached.
	AWS awsconf.Settings
	// Disk bounds the copies of remote files on this machine, and what else a run into a remote warehouse takes, in bytes.
	Disk int64
	// Recent is how far back the dates of landing folders go that every run lists, Sweep how long it takes at most until
	// all others are listed too.
	Recent, Sweep time.Duration
	// Deploy says what is deployed to AWS, and how.
	Deploy deployconf.Settings
	// Variables are those of the environment that the settings name, with their values.
	Variables map[string]string
	// Targets lists the names of all targets, sorted.
	Targets []string

	// OwnWarehouse says that the target has a warehouse of its own.
	OwnWarehouse bool
}

// configYAML is tarn.yaml as written.
type configYAML struct {
	Name text `yaml:"name" jsonschema:"required,pattern=^[a-z][a-z0-9_]*$|[$][{]" jsonschema_description:"Name of the lake: lower-case letters, digits and _, beginning with a letter."`
	settingsYAML
	Targets targetsYAML `yaml:"targets" jsonschema_description:"Named sets of the settings above (all but name), chosen with --target. A key that a target leaves out has the value from the top of the file; only a target with a warehouse of its own inherits no locations."`
}

// settingsYAML are the keys that a target can replace.
type settingsYAML struct {
	Database  text          `yaml:"database" jsonschema:"pattern=^[a-z][a-z0-9_]*$|[$][{]" jsonschema_description:"What stands before the dot in SQL, as in database.table. Default: the name of the lake."`
	Warehouse text          `yaml:"warehouse" jsonschema_description:"Where the tables are that tarn writes: a folder, relative to the lake, or a place in a bucket such as s3://my-bucket/warehouse/. Default: .tarn/warehouse."`
	Locations locationsYAML `yaml:"locations" jsonschema_description:"Where the LOCATION of a landing table really is: the beginning of a LOCATION to a folder, relative to the lake, or to another place in a bucket, such as s3://my-bucket/: data/. The longest matching beginning counts. A LOCATION that is a path or file:// needs no entry, and neither does a bucket where the warehouse is in one too: it is meant as it stands."`
	Memory    text          `yaml:"memory" jsonschema:"pattern=^[0-9]+([.][0-9]+)? *[KMGTkmgt]?[iI]?[Bb]?$|[$][{]" jsonschema_description:"Most memory that the engine uses, such as 512MB or 2GB, at least 32MB; what does not fit goes to disk. Default: chosen by tarn. --memory goes first."`
	Engine    engineYAML    `yaml:"engine" jsonschema_description:"What executes the models: duckdb, or Spark with the keys below, such as {spark: local}. Default: duckdb."`
	Catalog   text          `yaml:"catalog" jsonschema:"enum=sqlite,enum=glue" jsonschema_description:"Where table names point to their metadata: sqlite is the file .tarn/catalog.db, or one beside the tables of a warehouse in a bucket; glue is the AWS Glue Data Catalog. Default: sqlite."`

	Region      text  `yaml:"region" jsonschema_description:"AWS region, such as eu-central-1. Default: as all AWS tools find it."`
	Profile     text  `yaml:"profile" jsonschema_description:"Profile of ~/.aws/config for credentials and region. Default: as all AWS tools find it."`
	Endpoint    text  `yaml:"endpoint" jsonschema_description:"URL of a server that speaks the protocols of AWS, such as http://localhost:9000. AWS_ENDPOINT_URL_S3, _GLUE and _STS go first."`
	PathStyle   truth `yaml:"path_style" jsonschema_description:"Puts the bucket into the path of a URL, as many servers want it. It is so by itself where the endpoint is an address or localhost."`
	KMSKey      text  `yaml:"kms_key" jsonschema_description:"Key of AWS KMS that encrypts what tarn writes. Default: what the bucket does."`
	BucketOwner text  `yaml:"bucket_owner" jsonschema_description:"Account that every bucket has to belong to, twelve digits in quotes: sent with each request as ExpectedBucketOwner."`
	CatalogID   text  `yaml:"catalog_id" jsonschema_description:"Account whose Glue Data Catalog it is, twelve digits in quotes. Default: the own one."`
	Disk        text  `yaml:"disk" jsonschema:"pattern=^[0-9]+([.][0-9]+)? *[KMGTkmgt]?[iI]?[Bb]?$|[$][{]" jsonschema_description:"Most disk of this machine that a run takes at a time where its tables are in a bucket, and copies of remote files in any case, such as 20GB. Default: 20GB."`
	Recent      text  `yaml:"recent" jsonschema:"pattern=^[0-9]{1,5}[dh]$|[$][{]" jsonschema_description:"How far back every run lists landing files in a bucket that are in folders of dates, such as 3d or 36h: from then on everything is listed. Default: 3d."`
	Sweep       text  `yaml:"sweep" jsonschema:"pattern=^[0-9]{1,5}[dh]$|[$][{]" jsonschema_description:"After which time a run lists all landing files again, those of old dates too, such as 1d or 12h; 0d is in every run. Default: 1d."`

	Deploy deployYAML `yaml:"deploy" jsonschema_description:"What tarn deploy makes of the lake in AWS, with the keys below."`
}

// locationsYAML keeps the places of its keys and values.
type locationsYAML []pair[text]

func (l *locationsYAML) decodeNode(d *decoder, n *yaml.Node, path string) {
	if isNull(n) {
		return
	}
	*l = locationsYAML{}
	d.eachKey(n, path, func(key, v *yaml.Node) {
		p := pair[text]{key: text{key.Value, key}}
		p.value.decodeNode(d, v, join(path, key.Value))
		*l = append(*l, p)
	})
}

type targetsYAML []pair[settingsYAML]

func (t *targetsYAML) decodeNode(d *decoder, n *yaml.Node, path string) {
	if isNull(n) {
		return
	}
	d.eachKey(n, path, func(key, v *yaml.Node) {
		p := pair[settingsYAML]{key: text{key.Value, key}}
		d.decodeStruct(v, structValue(&p.value), join(path, key.Value))
		*t = append(*t, p)
	})
}

// LookupEnv finds a variable of the environment, as os.LookupEnv does.
type LookupEnv func(name string) (string, bool)

// resolver turns the file's settings into a Config.
type resolver struct {
	*decoder
	dir string
	env LookupEnv
	// used are the variables that were replaced.
	used map[string]string
	// deploys says that the target has the key deploy itself.
	deploys bool
}

var namePattern = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

func (r *resolver) resolve(f *configYAML, target string) Config {
	c := Config{Target: target, Locations: map[string]string{}}
	for _, t := range f.Targets {
		c.Targets = append(c.Targets, t.key.value)
		r.name(t.key, "a target")
	}
	slices.Sort(c.Targets)
	s := f.settingsYAML
	if target != "" {
		i := slices.IndexFunc(f.Targets, func(t pair[settingsYAML]) bool { return t.key.value == target })
		if i >= 0 {
			c.OwnWarehouse, r.deploys = f.Targets[i].value.Warehouse.set(), f.Targets[i].value.Deploy.set()
			s = over(s, f.Targets[i].value)
		} else {
			hint := diag.DidYouMean(target, c.Targets)
			if hint == "" && len(c.Targets) > 0 {
				hint = "known are " + strings.Join(c.Targets, ", ")
			}
			if hint == "" {
				hint = "describe it under targets:"
			}
			r.list = append(r.list, r.src.AtLine(0, 0, "unknown-target", "no target "+quoted(target), hint))
		}
	}
	if f.Name.set() {
		c.Name = r.name(r.expanded(f.Name), "the name of a lake")
	} else if r.list.Err() == nil {
		r.list = append(r.list, r.src.AtLine(1, 0, "missing-key", "name is missing", "write name: "+Clean(filepath.Base(r.dir))))
	}
	c.Database = c.Name
	if s.Database.set() {
		c.Stored = r.name(r.expanded(s.Database), "a database")
	}
	if f.Database.set() {
		c.Database = r.name(r.expanded(f.Database), "a database")
	}
	if c.Stored == "" {
		c.Stored = c.Database
	}
	c.Warehouse = filepath.Join(r.dir, StateDir, "warehouse")
	if s.Warehouse.set() {
		c.Warehouse = r.place(s.Warehouse, "warehouse")
	}
	r.checkWarehouse(s.Warehouse, c.Warehouse)
	if s.Memory.set() {
		before := len(r.list)
		c.Memory = r.expanded(s.Memory).value
		if _, err := ParseMemory(c.Memory); err != nil && len(r.list) == before {
			r.errorAt(s.Memory.node, "wrong-value", err.Error(), "")
		}
	}
	r.engine(&c, s.Engine)
	c.Catalog = r.oneOf(s.Catalog, "catalog", "sqlite", "glue")
	if c.Catalog == "glue" && !Remote(c.Warehouse) && r.list.Err() == nil {
		r.errorAt(s.Catalog.node, "wrong-value", "catalog: glue needs a warehouse in a bucket: what Athena reads has to be in S3", "write warehouse: s3://my-bucket/warehouse/")
	}
	r.account(&c, s)
	r.deploy(&c, s)
	for _, l := range s.Locations {
		key := normalLocation(r.expanded(l.key).value)
		if !strings.HasSuffix(key, "/") {
			key += "/"
		}
		if _, twice := c.Locations[key]; twice {
			r.errorAt(l.key.node, "duplicate-key", "locations: "+key+" is there twice", "keep one of them")
		}
		if l.value.set() {
			c.Locations[key] = r.place(l.value, "locations: "+l.key.value)
		}
	}
	c.Variables = r.used
	return c
}

// unsafeInPaths are characters that readers of tables decode in different ways, as the paths of tables are URIs to them.
const unsafeInPaths = "%?#"

// CheckFolder says why a folder cannot hold a lake with a warehouse inside, or nothing.
func CheckFolder(path string) error {
	if i := strings.IndexAny(path, unsafeInPaths); i >= 0 {
		return fmt.Errorf("a lake's folder cannot have a %s in its path, which other readers of its tables would misunderstand: %s", path[i:i+1], path)
	}
	return nil
}

func (r *resolver) checkWarehouse(written text, path string) {
	i := strings.IndexAny(path, unsafeInPaths)
	if i < 0 {
		return
	}
	message := "the path of the warehouse has a " + path[i:i+1] + ", which other readers of its tables would misunderstand: " + path
	hint := "choose a path without " + strings.Join(strings.Split(unsafeInPaths, ""), ", ")
	switch {
	case !strings.ContainsAny(r.dir, unsafeInPaths) && written.set():
		r.errorAt(written.node, "wrong-value", message, hint)
	case written.set():
		r.errorAt(written.node, "wrong-value", message, "move the lake's folder, or "+hint)
	default:
		r.list = append(r.list, r.src.AtLine(0, 0, "wrong-value", message, "move the lake's folder, or set warehouse: to a path without these characters"))
	}
}

// over lays a target's settings over those at the top.
func over(top, t settingsYAML) settingsYAML {
	out := top
	if t.Warehouse.set() {
		// Another warehouse is another lake: reading this machine's stand-in files there would be a surprise.
		out.Warehouse, out.Locations = t.Warehouse, nil
	}
	if t.Locations != nil {
		out.Locations = t.Locations
	}
	for _, s := range []struct{ from, to *text }{{&t.Database, &out.Database}, {&t.Memory, &out.Memory}, {&t.Catalog, &out.Catalog}} {
		if s.from.set() {
			*s.to = *s.from
		}
	}
	if t.Engine.set() {
		out.Engine = t.Engine
	}
	if t.Deploy.set() {
		out.Deploy = t.Deploy
	}
	return overAWS(out, t)
}

func (r *resolver) name(t text, what string) string {
	if !namePattern.MatchString(t.value) {
		r.errorAt(t.node, "invalid-name", quoted(t.value)+" cannot be "+what+": use lower-case letters, digits and _, beginning with a letter",
			"for example "+Clean(t.value))
	}
	return t.value
}

// oneOf gives the value of a key that has only some; the first is the default.
func (r *resolver) oneOf(t text, key string, known ...string) string {
	if !t.set() {
		return known[0]
	}
	before := len(r.list)
	got := r.expanded(t).value
	if slices.Contains(known, got) {
		return got
	}
	if len(r.list) == before {
		r.errorAt(t.node, "wrong-value", fmt.Sprintf("%s: %s is not known", key, quoted(got)), "this version has "+strings.Join(known, " and "))
	}
	return known[0]
}

// folder gives the absolute path of a folder that is written relative to the lake or as file:///path.
func (r *resolver) folder(t text, key string) string {
	path := r.expanded(t).value
	if rest, ok := strings.CutPrefix(normalLocation(path), "file://"); ok {
		path = rest
	}
	if scheme, _, ok := strings.Cut(path, "://"); ok {
		r.errorAt(t.node, "wrong-value", key+": "+scheme+":// is not a folder on this machine", "this version reads and writes folders and s3://")
		return ""
	}
	if path == "" {
		r.errorAt(t.node, "wrong-value", key+": the path is empty", "write . for the lake's own folder")
		return ""
	}
	return absolute(r.dir, path)
}

var variable = regexp.MustCompile(`\$?\$\{[^}]*\}?`)
var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// expanded replaces ${NAME} by the variable of the environment; $${ stands for ${ itself.
func (r *resolver) expanded(t text) text {
	t.value = variable.ReplaceAllStringFunc(t.value, func(m string) string {
		if strings.HasPrefix(m, "$$") {
			return m[1:]
		}
		name := strings.TrimSuffix(m[2:], "}")
		if !strings.HasSuffix(m, "}") || !variableName.MatchString(name) {
			r.errorAt(t.node, "wrong-value", quoted(m)+" is not a variable", "write ${NAME}, or $${ for ${ itself")
			return ""
		}
		v, ok := r.env(name)
		if !ok {
			r.errorAt(t.node, "missing-variable", "variable "+name+" of the environment is not set", "run with "+name+"=… before the command")
			return "unset"
		}
		if r.used == nil {
			r.used = map[string]string{}
		}
		r.used[name] = v
		return v
	})
	return t
}

// Clean makes a valid lake, database or table name of a text, such as my_lake of "My Lake".
func Clean(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "_"):
			b.WriteByte('_')
		}
	}
	out := strings.Trim(b.String(), "_")
	if out == "" || out[0] >= '0' && out[0] <= '9' {
		out = strings.TrimSuffix("lake_"+out, "_")
	}
	return out
}
