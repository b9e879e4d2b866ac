package project

import (
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"
	"go.yaml.in/yaml/v3"

	"tarn/internal/sparkconf"
)

// The engines that execute models.
const (
	DuckDB = "duckdb"
	Spark  = "spark"
)

// engineYAML is the name of an engine, or Spark with its settings.
type engineYAML struct {
	name  text
	spark sparkYAML
	node  *yaml.Node
}

func (e engineYAML) set() bool { return e.node != nil }

// sparkYAML are the settings of `engine: {spark: …}`.
type sparkYAML struct {
	Spark       text          `yaml:"spark" jsonschema:"required,enum=local,enum=glue,enum=emr-serverless" jsonschema_description:"Where Spark runs: local is spark-submit on this machine, glue a job of AWS Glue 5, emr-serverless an application of EMR Serverless."`
	Submit      text          `yaml:"submit" jsonschema_description:"For local: the program spark-submit. Default: that of SPARK_HOME, or of the path."`
	Master      text          `yaml:"master" jsonschema_description:"For local: the cores, such as local[4], or a cluster's address. Default: all of this machine."`
	Jars        listYAML      `yaml:"jars" jsonschema_description:"Files that Spark loads beside its own: paths, relative to the lake, or places in a bucket. Local Spark needs Iceberg's runtime, and for tables in a bucket its AWS bundle."`
	Conf        settingsTable `yaml:"conf" jsonschema_description:"Settings of Spark by name, such as spark.driver.memory: 4g."`
	Job         text          `yaml:"job" jsonschema_description:"For glue: the name of the job. It needs Glue 5.0 or later and a role; script and arguments come with each run."`
	Role        text          `yaml:"role" jsonschema_description:"For glue: the ARN of the role that the job is made with if it is not there. For emr-serverless: the role that the job runs as."`
	Application text          `yaml:"application" jsonschema_description:"For emr-serverless: the id of the application, which has to have a release with Spark 3.5."`
	WorkerType  text          `yaml:"worker_type" jsonschema_description:"For glue: such as G.1X. Default: the job's."`
	Workers     count         `yaml:"workers" jsonschema_description:"For glue: how many workers. Default: the job's."`
	Load        text          `yaml:"load" jsonschema:"enum=auto,enum=spark,enum=here" jsonschema_description:"Who reads landing files: here is the machine that tarn runs on, spark the machines of Spark, auto these where a run has more than 20 GB to read. Default: auto."`
	Worker      text          `yaml:"worker" jsonschema_description:"The tarn that reads landing files on the machines of Spark, which run Linux on x86-64: a path, relative to the lake. Default: the one that is running."`
}

// listYAML is a list of texts.
type listYAML []text

// settingsTable keeps the places of names and values of free choice.
type settingsTable []pair[text]

func (s *settingsTable) decodeNode(d *decoder, n *yaml.Node, path string) {
	(*locationsYAML)(s).decodeNode(d, n, path)
}

// JSONSchema is what the schema generator asks for.
func (settingsTable) JSONSchema() *jsonschema.Schema { return locationsYAML{}.JSONSchema() }

func (e *engineYAML) decodeNode(d *decoder, n *yaml.Node, path string) {
	if isNull(n) {
		return
	}
	e.node = n
	if n.Kind != yaml.MappingNode {
		e.name.decodeNode(d, n, path)
		return
	}
	d.decodeStruct(n, structValue(&e.spark), path)
}

// JSONSchema is what the schema generator asks for.
func (engineYAML) JSONSchema() *jsonschema.Schema {
	name := scalar("string")
	name.Enum = []any{DuckDB}
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{name, reflectedPart(sparkYAML{})}}
}

// engine resolves what executes the models.
func (r *resolver) engine(c *Config, e engineYAML) {
	c.Engine = DuckDB
	if !e.set() {
		return
	}
	if e.node.Kind != yaml.MappingNode {
		before := len(r.list)
		if got := r.expanded(e.name).value; got != DuckDB && len(r.list) == before {
			hint := "this version has duckdb, and engine: {spark: local}, glue or emr-serverless"
			r.errorAt(e.node, "wrong-value", "engine: "+quoted(got)+" is not known", hint)
		}
		return
	}
	s := e.spark
	if !s.Spark.set() {
		r.errorAt(e.node, "missing-key", "engine: spark is missing", "write engine: {spark: local}, or engine: duckdb")
		return
	}
	c.Engine = Spark
	c.Spark = sparkconf.Settings{Where: r.oneOf(s.Spark, "engine: spark", sparkconf.Local, sparkconf.Glue, sparkconf.EMRServerless),
		Submit: r.value(s.Submit), Master: r.value(s.Master), Job: r.value(s.Job),
		Role:        r.matching(s.Role, "engine: role", rolePattern, "a role is such as arn:aws:iam::123456789012:role/glue"),
		Application: r.value(s.Application), WorkerType: r.value(s.WorkerType), Conf: map[string]string{},
		Load: r.oneOf(s.Load, "engine: load", sparkconf.LoadAuto, sparkconf.LoadSpark, sparkconf.LoadHere)}
	if s.Worker.set() {
		c.Spark.Worker = absolute(r.dir, filepath.FromSlash(r.value(s.Worker)))
	}
	if s.Workers.node != nil {
		c.Spark.Workers = int(s.Workers.n)
	}
	written := map[string]*yaml.Node{"submit": s.Submit.node, "master": s.Master.node, "job": s.Job.node, "role": s.Role.node, "application": s.Application.node,
		"worker_type": s.WorkerType.node, "workers": s.Workers.node}
	place := sparkconf.Places[c.Spark.Where]
	for _, key := range place.Needs {
		if written[key] == nil {
			r.errorAt(e.node, "missing-key", "engine: "+c.Spark.Where+" needs "+key, "")
		}
	}
	for _, key := range slices.Sorted(maps.Keys(written)) {
		if written[key] != nil && !slices.Contains(place.Needs, key) && !slices.Contains(place.Takes, key) {
			r.errorAt(written[key], "wrong-value", "engine: "+key+" has no meaning with spark: "+c.Spark.Where, "remove it")
		}
	}
	if c.Spark.Where != sparkconf.Local && !Remote(c.Warehouse) && r.list.Err() == nil {
		r.errorAt(e.node, "wrong-value", "engine: spark: "+c.Spark.Where+" needs a warehouse in a bucket", "write warehouse: s3://my-bucket/warehouse/")
	}
	if strings.Contains(c.Spark.Submit, "/") {
		c.Spark.Submit = absolute(r.dir, c.Spark.Submit)
	}
	for _, j := range s.Jars {
		jar := r.value(j)
		if !strings.Contains(jar, "://") {
			jar = absolute(r.dir, filepath.FromSlash(jar))
		}
		c.Spark.Jars = append(c.Spark.Jars, jar)
	}
	for _, p := range s.Conf {
		c.Spark.Conf[r.expanded(p.key).value] = r.value(p.value)
	}
}

var rolePattern = regexp.MustCompile(`^arn:aws[a-z-]*:iam::\d{12}:role/.+$`)
