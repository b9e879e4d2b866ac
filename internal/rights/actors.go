package rights

import (
	"fmt"
	"slices"
	"strings"
)

// Actor is a role of a lake's stack, or who works without one.
type Actor string

// The actors.
const (
	// Runner is the function's role: it runs the lake.
	Runner Actor = "runner"
	// JobRole is the Glue job's: it makes data files for tables that the runner publishes.
	JobRole Actor = "job"
	// Pipeline is the state machine's and the schedule's.
	Pipeline Actor = "pipeline"
	// Analyst reads the curated tables, by Athena in a workgroup of its own or by tarn query.
	Analyst Actor = "analyst"
	// Scientist reads the curated tables, by SageMaker, Athena or tarn query.
	Scientist Actor = "scientist"
	// Operator starts and repeats executions and reads logs, and reads no table.
	Operator Actor = "operator"
	// Laptop runs the lake from a machine of one's own, without any stack.
	Laptop Actor = "laptop"
	// Uploader brings raw files, which no role of the stack may.
	Uploader Actor = "uploader"
	// CrawlerRole is that of the Glue crawler, which is off by default.
	CrawlerRole Actor = "crawler"
)

// Actors are all of which [Of] knows the rights.
func Actors() []Actor {
	return []Actor{Runner, JobRole, Pipeline, Analyst, Scientist, Operator, Laptop, Uploader, CrawlerRole, Deployer}
}

// use is what an actor does: calls, and the things of each kind that it does them with.
type use struct {
	sid   string
	calls []string
	// by says who makes the calls in the actor's name where no client of ours does, in this use; "" where one does.
	by string
	on map[Kind][]string
	// when has conditions for what is allowed on a kind.
	when map[Kind]map[string]map[string]List
}

var usesOf = map[Actor]func(Places) []use{Runner: runner, JobRole: job, Pipeline: pipeline, Analyst: analyst, Scientist: scientist, Operator: operator,
	Laptop: laptop, Uploader: uploader, CrawlerRole: crawler, Deployer: deployer}

// Of gives what an actor may do with a lake.
func Of(a Actor, p Places) (Policy, error) {
	uses, ok := usesOf[a]
	if !ok {
		return Policy{}, fmt.Errorf("rights: there is no actor %s", a)
	}
	out := policy()
	for _, u := range uses(p) {
		s, err := u.statements()
		if err != nil {
			return Policy{}, fmt.Errorf("rights of the %s: %w", a, err)
		}
		out.Statement = append(out.Statement, s...)
	}
	// Not for a laptop: whose it is can have the right to bring raw files beside this.
	if a == Runner || a == JobRole {
		out.Statement = append(out.Statement, keepLanding(p)...)
	}
	return out, nil
}

// Unseen gives the actions of a policy that no client of ours ever asks for in this actor's name, with who does.
func Unseen(a Actor, p Places) map[string]string {
	out := map[string]string{}
	for _, u := range usesOf[a](p) {
		for _, name := range u.calls {
			service, operation, _ := strings.Cut(name, ":")
			c := Find(service, operation)
			by := u.by
			if by == "" {
				by = c.Unseen
			}
			for _, n := range c.Needs {
				if by != "" {
					out[n.Action] = by
				}
			}
		}
	}
	return out
}

// statements allow what a use needs: one for each set of kinds that its actions are allowed on.
func (u use) statements() ([]Statement, error) {
	type group struct {
		kinds   []Kind
		actions []string
	}
	var groups []group
	for _, name := range u.calls {
		service, operation, _ := strings.Cut(name, ":")
		c := Find(service, operation)
		if c == nil {
			return nil, fmt.Errorf("the table of calls has no %s", name)
		}
		for _, n := range c.Needs {
			i := slices.IndexFunc(groups, func(g group) bool { return slices.Equal(g.kinds, n.On) })
			if i < 0 {
				i, groups = len(groups), append(groups, group{kinds: n.On})
			}
			if !slices.Contains(groups[i].actions, n.Action) {
				groups[i].actions = append(groups[i].actions, n.Action)
			}
		}
	}
	var out []Statement
	for _, g := range groups {
		s := Statement{Sid: u.sid, Effect: Allow, Action: g.actions}
		if len(groups) > 1 {
			s.Sid += sidOf(g.kinds[len(g.kinds)-1])
		}
		slices.Sort(s.Action)
		for _, kind := range g.kinds {
			on := u.on[kind]
			if kind == Any {
				on = []string{"*"}
			}
			for _, arn := range on {
				if arn != "" && !slices.Contains(s.Resource, arn) {
					s.Resource = append(s.Resource, arn)
				}
			}
			s.Condition = both(s.Condition, u.when[kind])
		}
		// What is not there needs no right.
		if len(s.Resource) > 0 {
			out = append(out, s)
		}
	}
	return out, nil
}

// both joins conditions.
func both(a, b map[string]map[string]List) map[string]map[string]List {
	if a == nil {
		return b
	}
	for op, keys := range b {
		a[op] = keys
	}
	return a
}

// sidOf writes a kind as a part of a Sid, which has letters and digits only (IAM User Guide, "Sid").
func sidOf(k Kind) string {
	var b strings.Builder
	for part := range strings.SplitSeq(string(k), "-") {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return strings.ReplaceAll(b.String(), "*", "All")
}

var (
	reads  = []string{"s3:GetObject", "s3:HeadObject"}
	writes = []string{"s3:PutObject", "s3:CreateMultipartUpload", "s3:UploadPart", "s3:CompleteMultipartUpload", "s3:AbortMultipartUpload", "s3:DeleteObject", "s3:DeleteObjects"}
	lists  = []string{"s3:ListObjectsV2", "s3:HeadBucket"}
)

// objects are the calls on objects below some places, and listings of them where those are asked for.
func objects(sid string, calls []string, on ...string) use {
	return use{sid: sid, calls: calls, on: map[Kind][]string{Object: on}}
}

// listing allows names of objects below some prefixes to be listed.
func listing(sid string, places ...Place) use {
	u := use{sid: sid, calls: []string{"s3:ListObjectsV2"}, on: map[Kind][]string{Bucket: buckets(places...)}}
	var prefixes List
	for _, p := range places {
		prefixes = append(prefixes, p.Prefix+"*")
	}
	u.when = map[Kind]map[string]map[string]List{Bucket: {"StringLike": {"s3:prefix": prefixes}}}
	return u
}

func by(who string, u use) use {
	u.by = who
	return u
}

// everything lists buckets whole, which also tells a key that is missing from one that may not be read (Amazon S3 API Reference,
// GetObject: without s3:ListBucket the answer is 403).
func everything(sid string, places ...Place) use {
	return use{sid: sid, calls: lists, on: map[Kind][]string{Bucket: buckets(places...)}}
}

// tables are calls of Glue on tables of the lake's database.
func (p Places) tables(sid string, calls []string, names ...string) use {
	on := map[Kind][]string{Catalog: {p.glue("catalog")}, Database: {p.glue("database/" + p.Database)}}
	for _, n := range names {
		on[TableKind] = append(on[TableKind], p.glue("table/"+p.Database+"/"+n))
	}
	return use{sid: sid, calls: calls, on: on}
}

// key is the use of the KMS key, where there is one.
func (p Places) key(calls ...string) []use {
	if p.Key == "" {
		return nil
	}
	return []use{{sid: "Key", calls: calls, on: map[Kind][]string{Key: {p.Key}}}}
}

// running are the rights of a run on the tables.
func running(p Places) []use {
	var landing []string
	for _, l := range p.Landing {
		landing = append(landing, l.below(""))
	}
	return slices.Concat([]use{
		objects("ReadLanding", reads, landing...),
		objects("Tables", slices.Concat(reads, writes), p.lake().below("")),
		everything("List", append([]Place{p.Warehouse}, p.Landing...)...),
		p.tables("Catalog", []string{"glue:GetTable", "glue:GetTables", "glue:CreateTable", "glue:UpdateTable", "glue:DeleteTable", "glue:GetPartitions",
			"glue:BatchCreatePartition", "glue:BatchUpdatePartition"}, "*"),
	}, p.key("kms:Decrypt", "kms:GenerateDataKey"))
}

// keepLanding denies what would change raw files, whatever else is attached to a role.
func keepLanding(p Places) []Statement {
	s := Statement{Sid: "KeepLanding", Effect: Deny, Action: List{"s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObject"}}
	for _, l := range p.Landing {
		s.Resource = append(s.Resource, l.below(""))
	}
	if len(s.Resource) == 0 {
		return nil
	}
	return []Statement{s}
}

func runner(p Places) []use {
	return append(running(p),
		use{sid: "Queue", calls: []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}, on: map[Kind][]string{Queue: {p.Queue}}},
		use{sid: "Start", calls: []string{"states:StartExecution", "states:DescribeExecution"},
			on: map[Kind][]string{StateMachine: {p.StateMachine}, Execution: {p.Executions}}},
		use{sid: "Job", calls: []string{"glue:GetJob", "glue:GetJobRun", "glue:GetJobRuns", "glue:BatchStopJobRun"}, on: map[Kind][]string{Job: {p.Job}}},
		use{sid: "Logs", calls: []string{"logs:CreateLogStream", "logs:PutLogEvents"}, on: map[Kind][]string{LogGroup: {logs(p.FunctionLogs)}}})
}

func logs(group string) string {
	if group == "" {
		return ""
	}
	return logsARN(group)
}

// below are the log groups whose names begin with a folder.
func below(folder string) string {
	if folder == "" {
		return ""
	}
	return logsARN(folder + "/*")
}

// job gets no right on the catalog: the job's tables come and go as files. It writes the folders of tables, and of what is
// beside them only the folder for Spark.
func job(p Places) []use {
	var landing []string
	for _, l := range p.Landing {
		landing = append(landing, l.below(""))
	}
	written := []string{p.zone(LandingZone).below(""), p.zone(Trusted).below(""), p.zone(Curated).below(""), p.own().below("spark/")}
	// With a key of one's own, Glue encrypts the groups of logs in the job's name.
	var encrypted []use
	if p.Key != "" {
		encrypted = []use{{sid: "LogKey", calls: []string{"logs:AssociateKmsKey"}, on: map[Kind][]string{LogGroup: {logsARN("/aws-glue/*")}}}}
	}
	return slices.Concat([]use{
		by(byJob, objects("ReadLanding", reads, landing...)),
		by(byJob, objects("Read", reads, append(slices.Clone(written), p.Artefacts.below(""))...)),
		by(byJob, objects("Write", writes, written...)),
		by(byJob, listing("List", p.lake(), p.Artefacts)),
		{sid: "Logs", calls: []string{"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}, on: map[Kind][]string{LogGroup: {logsARN("/aws-glue/*")}}},
		{sid: "Metrics", calls: []string{"cloudwatch:PutMetricData"}, when: map[Kind]map[string]map[string]List{Any: {"StringEquals": {"cloudwatch:namespace": {"Glue"}}}}},
	}, p.key("kms:Decrypt", "kms:GenerateDataKey"), encrypted)
}

func pipeline(p Places) []use {
	return slices.Concat([]use{
		{sid: "Function", calls: []string{"lambda:Invoke"}, on: map[Kind][]string{Function: {p.Function}}},
		{sid: "Job", by: byStates, calls: []string{"glue:StartJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:BatchStopJobRun"}, on: map[Kind][]string{Job: {p.Job}}},
		{sid: "Report", calls: []string{"sns:Publish"}, on: map[Kind][]string{Topic: {p.Topic}}},
		{sid: "Schedule", by: byScheduler, calls: []string{"states:StartExecution"}, on: map[Kind][]string{StateMachine: {p.StateMachine}}},
		{sid: "DeadLetters", by: byScheduler, calls: []string{"sqs:SendMessage"}, on: map[Kind][]string{Queue: {p.DeadLetters}}},
		{sid: "Logs", calls: []string{"logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery", "logs:ListLogDeliveries",
			"logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "logs:DescribeLogGroups"}},
	}, p.key("kms:Decrypt", "kms:GenerateDataKey"))
}

// reading are the rights of a reader: the curated tables and those of granted zones, the pin that says where they stand, and
// results of one's own.
func reading(p Places, a Actor, workgroup string) []use {
	var tables []string
	places := []Place{}
	for _, z := range p.zones() {
		tables = append(tables, p.zone(z).below(""))
		places = append(places, p.zone(z))
	}
	result := p.result(a)
	uses := []use{
		objects("Tables", reads, tables...),
		objects("Pin", reads, p.own().at("head.json")),
		listing("List", append(places, result)...),
	}
	if names := p.readable(); len(names) > 0 {
		athena := p.tables("Athena", []string{"glue:GetDatabase", "glue:GetPartition", "glue:GetPartitions", "glue:BatchGetPartition"}, names...)
		athena.by = byAthena
		uses = append(uses, p.tables("Catalog", []string{"glue:GetTable", "glue:GetTables"}, names...), athena)
	}
	if p.LakeFormation {
		uses = append(uses, use{sid: "Governed", by: byAthena, calls: []string{"lakeformation:GetDataAccess"}})
	}
	if workgroup != "" {
		uses = append(uses,
			use{sid: "Default", by: byAthena, calls: []string{"glue:GetDatabase"}, on: map[Kind][]string{Catalog: {p.glue("catalog")}, Database: {p.glue("database/default")}}},
			use{sid: "Results", by: byAthena, calls: slices.Concat(reads, []string{"s3:PutObject", "s3:CreateMultipartUpload", "s3:AbortMultipartUpload", "s3:ListParts"}),
				on: map[Kind][]string{Object: {result.below("")}}},
			use{sid: "Location", by: byAthena, calls: []string{"s3:GetBucketLocation", "s3:ListMultipartUploads"}, on: map[Kind][]string{Bucket: buckets(p.Results, p.Warehouse)}},
			use{sid: "Ask", by: byReader, calls: []string{"athena:StartQueryExecution", "athena:GetQueryExecution", "athena:GetQueryResults", "athena:GetQueryResultsStream", "athena:StopQueryExecution",
				"athena:GetWorkGroup", "athena:ListQueryExecutions", "athena:BatchGetQueryExecution", "athena:GetNamedQuery", "athena:ListNamedQueries", "athena:BatchGetNamedQuery"},
				on: map[Kind][]string{Workgroup: {workgroupARN(workgroup)}}})
		return append(uses, p.key("kms:Decrypt", "kms:GenerateDataKey")...)
	}
	return append(uses, p.key("kms:Decrypt")...)
}

func analyst(p Places) []use { return reading(p, Analyst, p.AnalystWorkgroup) }

func scientist(p Places) []use {
	p.Grant = nil // exactly the curated tables
	uses := reading(p, Scientist, p.ScientistWorkgroup)
	if p.Notebook != "" {
		uses = append(uses, use{sid: "Notebook", calls: []string{"sagemaker:CreatePresignedNotebookInstanceUrl", "sagemaker:StartNotebookInstance", "sagemaker:StopNotebookInstance",
			"sagemaker:DescribeNotebookInstance"}, on: map[Kind][]string{Notebook: {ARN("sagemaker", "notebook-instance/"+strings.ToLower(p.Notebook))}}},
			use{sid: "Logs", calls: []string{"logs:CreateLogStream", "logs:PutLogEvents"}, on: map[Kind][]string{LogGroup: {logsARN("/aws/sagemaker/NotebookInstances")}}})
	}
	return uses
}

func operator(p Places) []use {
	return []use{
		{sid: "Executions", by: byPerson, calls: []string{"states:StartExecution", "states:ListExecutions", "states:DescribeStateMachine", "states:DescribeExecution", "states:GetExecutionHistory",
			"states:StopExecution", "states:RedriveExecution"}, on: map[Kind][]string{StateMachine: {p.StateMachine}, Execution: {p.Executions}}},
		{sid: "Function", by: byPerson, calls: []string{"lambda:Invoke"}, on: map[Kind][]string{Function: {p.Function}}},
		{sid: "Job", by: byPerson, calls: []string{"glue:GetJob", "glue:GetJobRun", "glue:GetJobRuns", "glue:BatchStopJobRun"}, on: map[Kind][]string{Job: {p.Job}}},
		{sid: "Redrive", by: byPerson, calls: []string{"sqs:StartMessageMoveTask", "sqs:ListMessageMoveTasks", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
			on: map[Kind][]string{Queue: {p.DeadLetters}}},
		{sid: "RedriveTo", by: byPerson, calls: []string{"sqs:SendMessage", "sqs:GetQueueAttributes"}, on: map[Kind][]string{Queue: {p.Queue}}},
		{sid: "Logs", by: byPerson, calls: []string{"logs:FilterLogEvents", "logs:GetLogEvents", "logs:DescribeLogStreams"},
			on: map[Kind][]string{LogGroup: {logs(p.FunctionLogs), logs(p.MachineLogs), below(p.JobLogs)}}},
		{sid: "Alarms", by: byPerson, calls: []string{"cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData"}},
		{sid: "Stack", by: byPerson, calls: []string{"cloudformation:DescribeStacks", "cloudformation:DescribeStackEvents", "cloudformation:DescribeStackResources", "cloudformation:ListStackResources"},
			on: map[Kind][]string{Stack: {p.stack()}}},
	}
}

func (p Places) stack() string {
	if p.Stack == "" {
		return ""
	}
	return ARN("cloudformation", "stack/"+p.Stack+"/*")
}

// laptop is the smallest way: a run needs no stack.
func laptop(p Places) []use {
	return append(running(p), p.tables("FirstRun", []string{"glue:CreateDatabase", "glue:GetDatabase"}),
		use{sid: "Doctor", calls: []string{"lakeformation:GetDataLakeSettings", "lakeformation:ListPermissions", "lakeformation:ListResources", "servicequotas:ListServiceQuotas"}})
}

// uploader is for `aws s3 cp` and `sync`, which compares with what is there.
func uploader(p Places) []use {
	var landing []string
	for _, l := range p.Landing {
		landing = append(landing, l.below(""))
	}
	return append([]use{
		by(byUploader, objects("Upload", []string{"s3:PutObject", "s3:CreateMultipartUpload", "s3:UploadPart", "s3:CompleteMultipartUpload", "s3:AbortMultipartUpload"}, landing...)),
		by(byUploader, listing("Compare", p.Landing...)),
	}, p.key("kms:Decrypt", "kms:GenerateDataKey")...)
}

// crawler reads the landing files and writes what it finds into a database of its own.
func crawler(p Places) []use {
	if p.Crawler == "" {
		return nil
	}
	var landing []string
	for _, l := range p.Landing {
		landing = append(landing, l.below(""))
	}
	// With a key of one's own, Glue encrypts the crawler's group of logs in its name.
	var encrypted []string
	if p.Key != "" {
		encrypted = []string{"logs:AssociateKmsKey"}
	}
	own := p
	own.Database += "_crawled"
	return slices.Concat([]use{
		by(byCrawler, objects("ReadLanding", []string{"s3:GetObject"}, landing...)),
		by(byCrawler, listing("List", p.Landing...)),
		by(byCrawler, own.tables("Catalog", []string{"glue:GetDatabase", "glue:GetTable", "glue:GetTables", "glue:CreateTable", "glue:UpdateTable", "glue:DeleteTable", "glue:GetPartitions",
			"glue:BatchGetPartition", "glue:BatchCreatePartition", "glue:BatchUpdatePartition"}, "*")),
		{sid: "Logs", calls: append([]string{"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}, encrypted...), on: map[Kind][]string{LogGroup: {logsARN("/aws-glue/crawlers*")}}},
	}, p.key("kms:Decrypt"))
}
