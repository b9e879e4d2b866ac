package project

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/invopop/jsonschema"
	"go.yaml.in/yaml/v3"

	"tarn/internal/deployconf"
)

// deployYAML is the key deploy as written.
type deployYAML struct {
	keys deployKeys
	node *yaml.Node
}

func (y deployYAML) set() bool { return y.node != nil }

func (y *deployYAML) decodeNode(d *decoder, n *yaml.Node, path string) {
	if isNull(n) {
		return
	}
	y.node = n
	d.decodeStruct(n, structValue(&y.keys), path)
}

// JSONSchema is what the schema generator asks for.
func (deployYAML) JSONSchema() *jsonschema.Schema { return reflectedPart(deployKeys{}) }

// deployKeys are the settings of what is deployed. Where a key says nothing, [deployconf.Defaults] counts.
type deployKeys struct {
	Stack          text         `yaml:"stack" jsonschema:"pattern=^[A-Za-z][A-Za-z0-9-]{0\\,127}$|[$][{]" jsonschema_description:"Name of the CloudFormation stack. Default: tarn-LAKE-TARGET."`
	Bucket         text         `yaml:"bucket" jsonschema:"enum=new,enum=existing" jsonschema_description:"The bucket of the warehouse: new is made by the stack, and kept when the stack goes; existing is one that is there, whose settings nobody touches. Default: new."`
	Database       text         `yaml:"database" jsonschema:"enum=new,enum=existing" jsonschema_description:"The Glue database, likewise. Default: new."`
	Results        text         `yaml:"results" jsonschema_description:"Where query results go. Default: results/ in the warehouse's bucket."`
	Artefacts      text         `yaml:"artefacts" jsonschema_description:"Where the program and the template are put. Default: artefacts/ in the warehouse's bucket."`
	OwnKey         truth        `yaml:"own_key" jsonschema_description:"Makes a key of AWS KMS and encrypts bucket, queue, topic and logs with it; about 1 dollar a month. A kms_key of the target goes first. Default: false, which is the encryption that S3 and SQS have for nothing."`
	Versioned      truth        `yaml:"versioned" jsonschema_description:"Keeps what was written over or deleted in a new bucket, for noncurrent_days. Default: false."`
	NoncurrentDays whole        `yaml:"noncurrent_days" jsonschema:"minimum=1,maximum=36500" jsonschema_description:"How many days a versioned bucket keeps what was written over or deleted. Default: 30."`
	ResultDays     whole        `yaml:"result_days" jsonschema:"minimum=1,maximum=36500" jsonschema_description:"How many days query results are kept. Default: 30."`
	Engine         text         `yaml:"engine" jsonschema:"enum=auto,enum=lambda,enum=glue" jsonschema_description:"Where runs work: the Lambda function, the Glue job, or auto, by which the plan of each run decides. Default: auto."`
	Function       functionYAML `yaml:"function" jsonschema_description:"The Lambda function, which is tarn itself."`
	Job            jobYAML      `yaml:"job" jsonschema_description:"The Glue job for runs that are too big for the function. It costs nothing until it is started."`
	Athena         athenaYAML   `yaml:"athena" jsonschema_description:"Athena's workgroups and named queries."`
	Events         eventsYAML   `yaml:"events" jsonschema_description:"When runs start by themselves."`
	Notebook       notebookYAML `yaml:"notebook" jsonschema_description:"A SageMaker notebook instance."`
	Roles          rolesYAML    `yaml:"roles" jsonschema_description:"Roles: who may do what."`
	Crawler        truth        `yaml:"crawler" jsonschema_description:"Makes a Glue crawler on the landing places, with a database of its own. It has no schedule, and costs when it is started. Default: false."`
	LogDays        whole        `yaml:"log_days" jsonschema_description:"How many days logs are kept: one of those that CloudWatch knows, such as 1, 7, 30, 90, 365. Default: 30."`
	Alarms         truth        `yaml:"alarms" jsonschema_description:"Makes the alarms on failed runs, waiting events, dead letters and quarantined rows. Default: true."`
	LakeFormation  truth        `yaml:"lake_formation" jsonschema_description:"Makes the grants that a database under Lake Formation needs, as far as there are tables to grant on: deploy.md says what follows. Default: false."`
	Tags           tagsYAML     `yaml:"tags" jsonschema_description:"Tags on everything that takes some, such as cost-centre: data."`
}

type functionYAML struct {
	Memory  whole `yaml:"memory" jsonschema:"minimum=512,maximum=10240" jsonschema_description:"Memory in MB, 512 to 10240; CPU comes with it. Default: 2048."`
	Disk    whole `yaml:"disk" jsonschema:"minimum=512,maximum=10240" jsonschema_description:"Disk in MB, 512 to 10240. Default: 4096."`
	Arch    text  `yaml:"arch" jsonschema:"enum=x86_64,enum=arm64" jsonschema_description:"The processor. Default: x86_64."`
	Timeout text  `yaml:"timeout" jsonschema_description:"How long it works at a time, 1m to 15m. A run that needs longer goes on in the next call. Default: 15m."`
}

type jobYAML struct {
	Enabled    truth `yaml:"enabled" jsonschema_description:"Makes the job. Default: true."`
	Version    text  `yaml:"version" jsonschema_description:"Version of Glue, 5.0 or later. Default: 5.0."`
	WorkerType text  `yaml:"worker_type" jsonschema_description:"Size of a worker, such as G.1X or G.2X. Default: G.1X."`
	Workers    whole `yaml:"workers" jsonschema:"minimum=2,maximum=299" jsonschema_description:"How many workers, at least 2. Default: 2."`
	States     text  `yaml:"states" jsonschema:"enum=one,enum=models" jsonschema_description:"one makes all models in one job run; models starts a job run for each, under the name that its description begins with, which costs each time. Default: one."`
	Timeout    text  `yaml:"timeout" jsonschema_description:"When a job run is ended, 1m to 7d. Default: 2h."`
}

type athenaYAML struct {
	Cutoff  text  `yaml:"cutoff" jsonschema_description:"Ends a query that would read more, such as 100GB; 10MB is the least. none sets no bound. Default: 100GB."`
	Queries truth `yaml:"queries" jsonschema_description:"Makes named queries: one for each table, and the files queries/*.sql of the lake. Default: true."`
}

type eventsYAML struct {
	Enabled     truth `yaml:"enabled" jsonschema_description:"Starts runs when files land. Default: true."`
	MinInterval text  `yaml:"min_interval" jsonschema_description:"The least time between the starts of two such runs, 1m to 1d. Default: 5m."`
	Settle      text  `yaml:"settle" jsonschema_description:"How long a run waits for more files after the first one, 1s to 15m. Default: 20s."`
	Schedule    text  `yaml:"schedule" jsonschema_description:"When a run catches up and cleans up, as EventBridge Scheduler writes it: rate(1 day), cron(0 3 * * ? *), in UTC; or none. Default: rate(1 day)."`
	Email       text  `yaml:"email" jsonschema_description:"Address that gets the reports of failed runs and the alarms, after it has confirmed."`
}

type notebookYAML struct {
	Enabled  truth `yaml:"enabled" jsonschema_description:"Makes it. It costs while it runs. Default: false."`
	Instance text  `yaml:"instance" jsonschema_description:"Its type. Default: ml.t3.medium."`
	Table    text  `yaml:"table" jsonschema_description:"The curated table that its notebook reads. Default: machine_learning_curated, or the last one."`
	Person   text  `yaml:"person" jsonschema_description:"The column that says whose a row is: nobody is in both parts of a split. Default: the first of serialnumber, email, user that is there."`
	Predict  text  `yaml:"predict" jsonschema_description:"The column of numbers that its model guesses. Default: distanceFromObject if it is there."`
}

type rolesYAML struct {
	Runner    text     `yaml:"runner" jsonschema_description:"ARN of a role that is there, for the Lambda function. Default: one that the stack makes; so for all that follow."`
	Job       text     `yaml:"job" jsonschema_description:"For the Glue job."`
	Pipeline  text     `yaml:"pipeline" jsonschema_description:"For the state machine and the schedule."`
	Analyst   text     `yaml:"analyst" jsonschema_description:"For people who query curated tables."`
	Scientist text     `yaml:"scientist" jsonschema_description:"For SageMaker."`
	Operator  text     `yaml:"operator" jsonschema_description:"For people who look after runs, without seeing data."`
	Crawler   text     `yaml:"crawler" jsonschema_description:"For the Glue crawler."`
	Boundary  text     `yaml:"boundary" jsonschema_description:"ARN of a permissions boundary for the roles that the stack makes."`
	Path      text     `yaml:"path" jsonschema_description:"Path of these roles, such as /data/. Default: /."`
	Assume    listYAML `yaml:"assume" jsonschema_description:"ARNs of who may take on the roles of analysts, scientists and operators. Default: whoever the account's policies let."`
	Grant     listYAML `yaml:"grant" jsonschema_description:"What analysts may read beside the curated tables: trusted, landing. Both hold what names people."`
}

// tagsYAML keeps the places of tags.
type tagsYAML []pair[text]

func (t *tagsYAML) decodeNode(d *decoder, n *yaml.Node, path string) {
	(*locationsYAML)(t).decodeNode(d, n, path)
}

// JSONSchema is what the schema generator asks for.
func (tagsYAML) JSONSchema() *jsonschema.Schema { return locationsYAML{}.JSONSchema() }

// whole is a whole number, or the variable that has one.
type whole struct{ text }

func (v *whole) decodeNode(d *decoder, n *yaml.Node, path string) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" && !variable.MatchString(n.Value) {
		d.wrong(n, path, "a whole number")
		return
	}
	v.text.decodeNode(d, n, path)
}

// JSONSchema is what the schema generator asks for.
func (whole) JSONSchema() *jsonschema.Schema { return scalar("integer") }

var (
	stackPattern   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,127}$`)
	policyPattern  = regexp.MustCompile(`^arn:aws[a-z-]*:iam::(\d{12}|aws):policy/.+$`)
	personPattern  = regexp.MustCompile(`^arn:aws[a-z-]*:(iam|sts)::\d{12}:.+$`)
	rolePath       = regexp.MustCompile(`^/([\x21-\x7e]{1,510}/)?$`)
	glueVersion    = regexp.MustCompile(`^([5-9]|[1-9]\d)\.\d$`)
	workerPattern  = regexp.MustCompile(`^(G\.(1|2|4|8|12|16)|R\.[1248])X$`)
	notebookType   = regexp.MustCompile(`^ml\.[a-z0-9-]+\.[a-z0-9]+$`)
	schedule       = regexp.MustCompile(`^(rate\([1-9]\d* (minute|hour|day)s?\)|cron\(([^ ()]+ ){5}[^ ()]+\))$`)
	emailPattern   = regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s]+$`)
	tagPattern     = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)
	keyPattern     = regexp.MustCompile(`^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/.+$`)
	plainS3Bucket  = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$`)
	logDays        = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
	reservedPrefix = "aws:"
)

// deploy resolves what is deployed. What the rest of a target lacks for it is told here where the target has the key itself; elsewhere
// [Config.Deployable] tells it once somebody deploys.
func (r *resolver) deploy(c *Config, s settingsYAML) {
	c.Deploy = deployconf.Defaults()
	if !s.Deploy.set() {
		return
	}
	k, d := s.Deploy.keys, &c.Deploy
	d.Stack = r.matching(k.Stack, "deploy: stack", stackPattern, "letters, digits and hyphens, beginning with a letter")
	d.Bucket = r.oneOf(k.Bucket, "deploy: bucket", deployconf.New, deployconf.Existing)
	d.Database = r.oneOf(k.Database, "deploy: database", deployconf.New, deployconf.Existing)
	d.Results, d.Artefacts = r.bucketPlace(k.Results, "deploy: results"), r.bucketPlace(k.Artefacts, "deploy: artefacts")
	d.OwnKey, d.Versioned, d.Crawler, d.LakeFormation = k.OwnKey.on, k.Versioned.on, k.Crawler.on, k.LakeFormation.on
	d.Alarms = orTrue(k.Alarms)
	d.NoncurrentDays = r.number(k.NoncurrentDays, "deploy: noncurrent_days", 1, 36500, d.NoncurrentDays)
	d.ResultDays = r.number(k.ResultDays, "deploy: result_days", 1, 36500, d.ResultDays)
	d.LogDays = r.number(k.LogDays, "deploy: log_days", 1, 3653, d.LogDays)
	if !slices.Contains(logDays, d.LogDays) {
		r.errorAt(k.LogDays.node, "wrong-value", fmt.Sprintf("deploy: log_days: CloudWatch does not know %d", d.LogDays), "one of "+strings.Trim(fmt.Sprint(logDays), "[]"))
	}
	d.Engine = r.oneOf(k.Engine, "deploy: engine", deployconf.Auto, deployconf.Lambda, deployconf.Glue)
	d.Function.Memory = r.number(k.Function.Memory, "deploy: function: memory", deployconf.LeastMemory, deployconf.MostMemory, d.Function.Memory)
	d.Function.Disk = r.number(k.Function.Disk, "deploy: function: disk", deployconf.LeastDisk, deployconf.MostDisk, d.Function.Disk)
	d.Function.Arch = r.oneOf(k.Function.Arch, "deploy: function: arch", "x86_64", "arm64")
	d.Function.Timeout = r.span(k.Function.Timeout, "deploy: function: timeout", time.Minute, deployconf.MostTime, d.Function.Timeout)
	r.deployJob(d, k)
	r.deployEvents(d, k)
	if k.Athena.Cutoff.set() {
		d.Athena.Cutoff = r.cutoff(k.Athena.Cutoff)
	}
	d.Athena.NoQueries = !orTrue(k.Athena.Queries)
	d.Notebook.On = k.Notebook.Enabled.on
	d.Notebook.Table, d.Notebook.Person, d.Notebook.Predict = k.Notebook.Table.value, k.Notebook.Person.value, k.Notebook.Predict.value
	d.Notebook.Instance = cmp.Or(r.matching(k.Notebook.Instance, "deploy: notebook: instance", notebookType, "such as ml.t3.medium"), d.Notebook.Instance)
	r.deployRoles(d, k.Roles)
	r.deployTags(d, k.Tags)
	if r.deploys && r.list.Err() == nil {
		if e := c.deployable(); e != nil {
			r.errorAt(cmp.Or(map[string]*yaml.Node{"catalog": s.Catalog.node, "warehouse": s.Warehouse.node, "kms_key": s.KMSKey.node}[e.Key], s.Deploy.node),
				"wrong-value", e.Message, e.Fix)
		}
	}
}

func (r *resolver) deployJob(d *deployconf.Settings, k deployKeys) {
	d.Job.Off = !orTrue(k.Job.Enabled)
	d.Job.Version = cmp.Or(r.matching(k.Job.Version, "deploy: job: version", glueVersion, "Spark 3.5 and Iceberg 1.7 need Glue 5.0; write it in quotes"), d.Job.Version)
	d.Job.WorkerType = cmp.Or(r.matching(k.Job.WorkerType, "deploy: job: worker_type", workerPattern, "G.1X, G.2X, G.4X, G.8X, G.12X or G.16X; with more memory R.1X, R.2X, R.4X or R.8X"), d.Job.WorkerType)
	d.Job.Workers = r.number(k.Job.Workers, "deploy: job: workers", 2, 299, d.Job.Workers)
	d.Job.States = r.oneOf(k.Job.States, "deploy: job: states", deployconf.OneState, deployconf.StateForEach)
	d.Job.Timeout = r.span(k.Job.Timeout, "deploy: job: timeout", time.Minute, 7*24*time.Hour, d.Job.Timeout)
	if d.Job.Off && d.Engine == deployconf.Glue {
		r.errorAt(k.Engine.node, "wrong-value", "deploy: engine: glue needs the job, which is not enabled", "remove enabled: false from job:, or take engine: lambda")
	}
}

func (r *resolver) deployEvents(d *deployconf.Settings, k deployKeys) {
	e := &d.Events
	e.Off = !orTrue(k.Events.Enabled)
	e.MinInterval = r.span(k.Events.MinInterval, "deploy: events: min_interval", time.Minute, 24*time.Hour, e.MinInterval)
	e.Settle = r.span(k.Events.Settle, "deploy: events: settle", time.Second, 15*time.Minute, e.Settle)
	switch r.value(k.Events.Schedule) {
	case "":
	case "none":
		e.Schedule = ""
	default:
		e.Schedule = r.matching(k.Events.Schedule, "deploy: events: schedule", schedule, "such as rate(1 day), or cron(0 3 * * ? *) for three in the morning, UTC; or none")
		if strings.HasPrefix(e.Schedule, "rate(1 ") == strings.HasSuffix(e.Schedule, "s)") && strings.HasPrefix(e.Schedule, "rate(") {
			r.errorAt(k.Events.Schedule.node, "wrong-value", fmt.Sprintf("deploy: events: schedule: EventBridge does not take %q", e.Schedule), "rate(1 day) and rate(2 days): one has no s")
		}
	}
	e.Email = r.matching(k.Events.Email, "deploy: events: email", emailPattern, "an address such as data@example.com")
}

func (r *resolver) deployRoles(d *deployconf.Settings, k rolesYAML) {
	for _, role := range []struct {
		key string
		t   text
		to  *string
	}{{"runner", k.Runner, &d.Roles.Runner}, {"job", k.Job, &d.Roles.Job}, {"pipeline", k.Pipeline, &d.Roles.Pipeline}, {"analyst", k.Analyst, &d.Roles.Analyst},
		{"scientist", k.Scientist, &d.Roles.Scientist}, {"operator", k.Operator, &d.Roles.Operator}, {"crawler", k.Crawler, &d.Roles.Crawler}} {
		*role.to = r.matching(role.t, "deploy: roles: "+role.key, rolePattern, "a role is such as arn:aws:iam::123456789012:role/data/reader")
	}
	d.Roles.Boundary = r.matching(k.Boundary, "deploy: roles: boundary", policyPattern, "a policy is such as arn:aws:iam::123456789012:policy/boundary")
	d.Roles.Path = cmp.Or(r.matching(k.Path, "deploy: roles: path", rolePath, "a path begins and ends with a slash, such as /data/"), d.Roles.Path)
	for _, t := range k.Assume {
		d.Roles.Assume = append(d.Roles.Assume, r.matching(t, "deploy: roles: assume", personPattern, "such as arn:aws:iam::123456789012:role/analysts"))
	}
	for _, t := range k.Grant {
		before := len(r.list)
		zone := r.value(t)
		if (zone != "trusted" && zone != "landing" || slices.Contains(d.Roles.Grant, zone)) && len(r.list) == before {
			r.errorAt(t.node, "wrong-value", "deploy: roles: grant: "+quoted(zone)+" is not a zone to grant, or is there twice", "trusted or landing; curated is granted anyway")
			continue
		}
		d.Roles.Grant = append(d.Roles.Grant, zone)
	}
}

// deployTags reads tags, whose limits are those of all services together (AWS General Reference, "Tag naming limits and requirements").
func (r *resolver) deployTags(d *deployconf.Settings, tags tagsYAML) {
	for _, t := range tags {
		key, value := r.expanded(t.key).value, r.value(t.value)
		switch {
		case len(tags) > 40:
			r.errorAt(t.key.node, "wrong-value", "deploy: tags: more than 40", "AWS takes 50, and tarn has some of its own")
			return
		case key == "" || value == "" || len(key) > 128 || len(value) > 256 || !tagPattern.MatchString(key) || !tagPattern.MatchString(value) || strings.HasPrefix(strings.ToLower(key), reservedPrefix):
			r.errorAt(t.key.node, "wrong-value", "deploy: tags: AWS does not take "+quoted(key)+" with "+quoted(value), "letters, digits, spaces and _ . : / = + - @; 1 to 128 and 1 to 256; aws: is AWS's own")
		case strings.HasPrefix(key, "tarn:"):
			r.errorAt(t.key.node, "wrong-value", "deploy: tags: "+quoted(key)+" is tarn's own", "choose another name")
		default:
			if d.Tags == nil {
				d.Tags = map[string]string{}
			}
			d.Tags[key] = value
		}
	}
}

func orTrue(t truth) bool { return t.node == nil || t.on }

// number reads a whole number between two others, each included.
func (r *resolver) number(t whole, key string, least, most, otherwise int) int {
	if !t.set() {
		return otherwise
	}
	before := len(r.list)
	written := r.expanded(t.text).value
	n, err := strconv.Atoi(written)
	if len(r.list) > before {
		return otherwise
	}
	if err != nil || n < least || n > most {
		r.errorAt(t.node, "wrong-value", fmt.Sprintf("%s: %s is out of range", key, quoted(written)), fmt.Sprintf("a whole number from %d to %d", least, most))
		return otherwise
	}
	return n
}

// span reads a time between two others, each included, in whole seconds.
func (r *resolver) span(t text, key string, least, most, otherwise time.Duration) time.Duration {
	if !t.set() {
		return otherwise
	}
	before := len(r.list)
	written := r.expanded(t).value
	d, ok := span(written)
	if len(r.list) > before {
		return otherwise
	}
	if !ok || d < least || d > most {
		r.errorAt(t.node, "wrong-value", fmt.Sprintf("%s: %s is no time, or out of range", key, quoted(written)), fmt.Sprintf("from %s to %s, written with d, h, m or s, such as 90s", short(least), short(most)))
		return otherwise
	}
	return d
}

// short writes a time without parts that are 0.
func short(d time.Duration) string {
	switch {
	case d%(24*time.Hour) == 0:
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	case d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return d.String()
}

// cutoff reads how much a query may read.
func (r *resolver) cutoff(t text) int64 {
	before := len(r.list)
	written := r.expanded(t).value
	if written == "none" || len(r.list) > before {
		return 0
	}
	n, err := parseSize("deploy: athena: cutoff:", written)
	if err == nil && (n < 10_000_000 || n > math.MaxInt64/4) {
		err = fmt.Errorf("deploy: athena: cutoff: %q is out of range", written)
	}
	if err != nil {
		r.errorAt(t.node, "wrong-value", err.Error(), "at least 10MB, such as 100GB; or none")
	}
	return n
}

// bucketPlace gives a place in a bucket.
func (r *resolver) bucketPlace(t text, key string) string {
	if !t.set() {
		return ""
	}
	before := len(r.list)
	p := normalLocation(r.expanded(t).value)
	if Remote(p) {
		p = r.place(t, key)
	}
	if len(r.list) > before {
		return ""
	}
	if _, prefix, _ := strings.Cut(strings.TrimPrefix(p, "s3://"), "/"); !Remote(p) || prefix == "" {
		r.errorAt(t.node, "wrong-value", key+": "+quoted(p)+" is not a folder in a bucket", "such as s3://my-bucket/results/")
	}
	return p
}

// DeployError says what a target lacks to be deployed.
type DeployError struct {
	// Key is the key of the target, Fix what to do.
	Key, Message, Fix string
}

func (e *DeployError) Error() string { return ConfigFile + ": " + e.Message }

// Hint says what to do.
func (e *DeployError) Hint() string { return e.Fix }

// Deployable says what the target lacks for tarn deploy, as a [*DeployError], or nothing.
func (c Config) Deployable() error {
	if e := c.deployable(); e != nil {
		return e
	}
	return nil
}

func (c Config) deployable() *DeployError {
	place := func(location string) string { return strings.TrimRight(location, "/") + "/" }
	bucket, prefix, _ := strings.Cut(strings.TrimPrefix(c.Warehouse, "s3://"), "/")
	switch {
	case !Remote(c.Warehouse):
		return &DeployError{"warehouse", "a lake is deployed with a warehouse in a bucket, and that of this target is " + c.Warehouse, "choose a target with --target, or write warehouse: s3://my-bucket/warehouse/"}
	case prefix == "":
		return &DeployError{"warehouse", "the warehouse is the whole bucket " + bucket + ", which has no room for results and artefacts", "write warehouse: s3://" + bucket + "/warehouse/"}
	case c.Deploy.Bucket == deployconf.New && !plainS3Bucket.MatchString(bucket):
		return &DeployError{"warehouse", "AWS does not take " + bucket + " as the name of a bucket, or has no certificate for it", "3 to 63 small letters, digits and hyphens"}
	case c.Catalog != "glue":
		return &DeployError{"catalog", "a lake is deployed with its table names in the Glue Data Catalog, and this target has catalog: " + c.Catalog, "write catalog: glue"}
	case len(c.Stored) > 255:
		return &DeployError{"database", "Glue takes 255 characters for the name of a database", "write a shorter database:"}
	case c.AWS.KMSKey != "" && !keyPattern.MatchString(c.AWS.KMSKey):
		return &DeployError{"kms_key", "roles name a key by its ARN, and " + quoted(c.AWS.KMSKey) + " is something else", "such as arn:aws:kms:eu-central-1:123456789012:key/1234abcd-…"}
	case c.CatalogID != "" && c.Deploy.Database == deployconf.New:
		return &DeployError{"catalog_id", "a stack makes no database in another account's catalog", "write database: existing below deploy:"}
	}
	places := map[string]string{"the warehouse": place(c.Warehouse), "results": "s3://" + bucket + "/results/", "artefacts": "s3://" + bucket + "/artefacts/"}
	if c.Deploy.Results != "" {
		places["results"] = place(c.Deploy.Results)
	}
	if c.Deploy.Artefacts != "" {
		places["artefacts"] = place(c.Deploy.Artefacts)
	}
	for _, pair := range [][2]string{{"the warehouse", "results"}, {"the warehouse", "artefacts"}, {"results", "artefacts"}} {
		a, b := places[pair[0]], places[pair[1]]
		if strings.HasPrefix(a, b) || strings.HasPrefix(b, a) {
			return &DeployError{"warehouse", fmt.Sprintf("%s (%s) and %s (%s) lie in one another", pair[0], a, pair[1], b), "choose folders beside each other"}
		}
	}
	return nil
}
