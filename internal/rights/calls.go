package rights

import "slices"

// Kind is a kind of resource that an action is allowed on, as the Service Authorization Reference has them.
type Kind string

// The kinds.
const (
	Bucket    Kind = "bucket"
	Object    Kind = "object"
	Catalog   Kind = "catalog"
	Database  Kind = "database"
	TableKind Kind = "table"
	// UserFunction is a function of Hive in a database, of which a lake has none.
	UserFunction Kind = "userdefinedfunction"
	Workgroup    Kind = "workgroup"
	DataCatalog  Kind = "datacatalog"
	Job          Kind = "job"
	CrawlerKind  Kind = "crawler"
	Function     Kind = "function"
	Mapping      Kind = "eventSourceMapping"
	StateMachine Kind = "stateMachine"
	Execution    Kind = "execution"
	Topic        Kind = "topic"
	Queue        Kind = "queue"
	Key          Kind = "key"
	// LogGroup is a group of logs with its streams.
	LogGroup Kind = "log-group"
	Notebook Kind = "notebook-instance"
	Role     Kind = "role"
	Stack    Kind = "stack"
	// Any is for actions that IAM knows no resource for: they are allowed on * or not at all.
	Any Kind = "*"
)

// Need is an action, and the kinds of resources that it has to be allowed on, each of them.
type Need struct {
	Action string
	On     []Kind
}

// Call is an operation of an API.
type Call struct {
	// Service and Operation are named as the SDKs do: s3, HeadObject.
	Service, Operation string
	Needs              []Need
	// Source is the page that says so: the title of one in AWS's documentation.
	Source string
	// Unseen says why no client of this program ever sends it, such as that Athena does so on the caller's behalf; "" for a call that
	// tests see. Of a call that is both, what each actor is allowed says who makes it: see [Unseen].
	Unseen string
}

// Name is such as s3:HeadObject; it is no action.
func (c *Call) Name() string { return c.Service + ":" + c.Operation }

const reference = "Service Authorization Reference, "

// Find gives a call of the table, or nil.
func Find(service, operation string) *Call {
	i := slices.IndexFunc(table, func(c Call) bool { return c.Service == service && c.Operation == operation })
	if i < 0 {
		return nil
	}
	return &table[i]
}

// Calls gives the table.
func Calls() []Call { return slices.Clone(table) }

// s3 is an operation of S3 on objects or buckets.
func s3(operation, action string, on Kind) Call {
	return Call{Service: "s3", Operation: operation, Needs: []Need{{"s3:" + action, []Kind{on}}},
		Source: "Amazon S3 User Guide, Required permissions for Amazon S3 API operations"}
}

// glueCall is an operation of the Data Catalog. It needs its action on what it is about and on all that this is in (AWS Glue Developer
// Guide, Specifying AWS Glue resource ARNs).
func glueCall(operation string, about ...Kind) Call {
	return Call{Service: "glue", Operation: operation, Needs: []Need{{"glue:" + operation, about}},
		Source: reference + "AWS Glue; AWS Glue Developer Guide, Specifying AWS Glue resource ARNs"}
}

// same is an operation whose action has its name.
func same(service, operation, page string, on ...Kind) Call {
	return Call{Service: service, Operation: operation, Needs: []Need{{service + ":" + operation, on}}, Source: reference + page}
}

func unseen(why, source string, c Call) Call {
	c.Unseen = why
	if source != "" {
		c.Source = source
	}
	return c
}

// Who makes calls that no client of ours sends.
const (
	byAthena    = "Athena makes it, with the rights of whoever asks"
	byKMS       = "S3 makes it, with the rights of whoever reads or writes an object under the key"
	byJob       = "Spark in the Glue job makes it"
	byGlue      = "Glue makes it to run the job, with the job's role"
	byLambda    = "Lambda makes it, with the function's role"
	byStates    = "Step Functions makes it, with the role of the state machine"
	byScheduler = "EventBridge Scheduler makes it"
	byPerson    = "a person's command or console makes it"
	byReader    = "awswrangler, a driver or a person's command makes it"
	byUploader  = "whoever brings raw files makes it, such as by aws s3 sync"
	byCrawler   = "the Glue crawler makes it"
)

var table = slices.Concat(append(deployCalls,
	[]Call{
		// S3, as our store, Spark's S3FileIO and Athena call it.
		s3("HeadObject", "GetObject", Object),
		s3("GetObject", "GetObject", Object),
		s3("PutObject", "PutObject", Object),
		s3("CreateMultipartUpload", "PutObject", Object),
		s3("UploadPart", "PutObject", Object),
		s3("CompleteMultipartUpload", "PutObject", Object),
		s3("AbortMultipartUpload", "AbortMultipartUpload", Object),
		unseen(byAthena, "Amazon Athena User Guide, Control access to Amazon S3 from Athena", s3("ListParts", "ListMultipartUploadParts", Object)),
		unseen(byAthena, "Amazon Athena User Guide, Control access to Amazon S3 from Athena", s3("ListMultipartUploads", "ListBucketMultipartUploads", Bucket)),
		s3("DeleteObject", "DeleteObject", Object),
		s3("DeleteObjects", "DeleteObject", Object),
		s3("ListObjectsV2", "ListBucket", Bucket),
		s3("HeadBucket", "ListBucket", Bucket),
		unseen(byAthena, "Amazon Athena User Guide, Control access to Amazon S3 from Athena", s3("GetBucketLocation", "GetBucketLocation", Bucket)),

		// The Data Catalog.
		glueCall("GetDatabase", Catalog, Database),
		glueCall("CreateDatabase", Catalog, Database),
		glueCall("GetTable", Catalog, Database, TableKind),
		glueCall("GetTables", Catalog, Database, TableKind),
		glueCall("CreateTable", Catalog, Database, TableKind),
		glueCall("UpdateTable", Catalog, Database, TableKind),
		glueCall("DeleteTable", Catalog, Database, TableKind),
		glueCall("GetPartition", Catalog, Database, TableKind),
		glueCall("GetPartitions", Catalog, Database, TableKind),
		glueCall("BatchGetPartition", Catalog, Database, TableKind),
		glueCall("BatchCreatePartition", Catalog, Database, TableKind),
		glueCall("BatchUpdatePartition", Catalog, Database, TableKind),

		// Glue jobs.
		same("glue", "GetJob", "AWS Glue", Job),
		same("glue", "StartJobRun", "AWS Glue", Job),
		same("glue", "GetJobRun", "AWS Glue", Job),
		same("glue", "GetJobRuns", "AWS Glue", Job),
		same("glue", "BatchStopJobRun", "AWS Glue", Job),

		// STS asks for no right: an explicit Deny would not keep anybody from it.
		{Service: "sts", Operation: "GetCallerIdentity", Source: "AWS STS API Reference, GetCallerIdentity: no permissions are required"},

		// Step Functions, as the function and people call it.
		same("states", "StartExecution", "AWS Step Functions", StateMachine),
		same("states", "ListExecutions", "AWS Step Functions", StateMachine),
		same("states", "DescribeStateMachine", "AWS Step Functions", StateMachine),
		same("states", "DescribeExecution", "AWS Step Functions", Execution),
		same("states", "GetExecutionHistory", "AWS Step Functions", Execution),
		same("states", "StopExecution", "AWS Step Functions", Execution),
		same("states", "RedriveExecution", "AWS Step Functions", Execution),
	},
	[]Call{
		// What the state machine's states and the schedule do.
		unseen(byStates, "AWS Step Functions Developer Guide, IAM policies for integrated services: AWS Lambda",
			Call{Service: "lambda", Operation: "Invoke", Needs: []Need{{"lambda:InvokeFunction", []Kind{Function}}}}),
		unseen(byStates, "AWS Step Functions Developer Guide, IAM policies for integrated services: Amazon SNS", same("sns", "Publish", "Amazon SNS", Topic)),
	},
	[]Call{
		// What S3 asks of KMS.
		unseen(byKMS, "Amazon S3 User Guide, Using server-side encryption with AWS KMS keys", same("kms", "Decrypt", "AWS KMS", Key)),
		unseen(byKMS, "Amazon S3 User Guide, Using server-side encryption with AWS KMS keys", same("kms", "GenerateDataKey", "AWS KMS", Key)),

		// Lambda's event source mapping, and logs.
		unseen(byLambda, "AWS Lambda Developer Guide, Using Lambda with Amazon SQS", same("sqs", "ReceiveMessage", "Amazon SQS", Queue)),
		unseen(byLambda, "AWS Lambda Developer Guide, Using Lambda with Amazon SQS", same("sqs", "DeleteMessage", "Amazon SQS", Queue)),
		unseen(byLambda, "AWS Lambda Developer Guide, Using Lambda with Amazon SQS", same("sqs", "GetQueueAttributes", "Amazon SQS", Queue)),
		unseen(byLambda, "AWS Lambda Developer Guide, Sending Lambda function logs to CloudWatch Logs", same("logs", "CreateLogStream", "Amazon CloudWatch Logs", LogGroup)),
		unseen(byLambda, "AWS Lambda Developer Guide, Sending Lambda function logs to CloudWatch Logs", same("logs", "PutLogEvents", "Amazon CloudWatch Logs", LogGroup)),
		// Glue 5 writes below /aws-glue/jobs and makes the groups that are not there.
		unseen(byGlue, "AWS Glue Developer Guide, Logging for AWS Glue jobs", same("logs", "CreateLogGroup", "Amazon CloudWatch Logs", LogGroup)),
		unseen(byGlue, "AWS Glue Developer Guide, Setting up encryption in AWS Glue", same("logs", "AssociateKmsKey", "Amazon CloudWatch Logs", LogGroup)),
		unseen(byGlue, "AWS Glue Developer Guide, Monitoring AWS Glue using Amazon CloudWatch metrics", same("cloudwatch", "PutMetricData", "Amazon CloudWatch", Any)),
	},
	[]Call{
		unseen("Athena makes it, with the rights of whoever asks, where Lake Formation governs a table", "AWS Lake Formation Developer Guide, Underlying data access control",
			same("lakeformation", "GetDataAccess", "AWS Lake Formation", Any)),
	},
	[]Call{
		// What tarn doctor asks beside the lake itself. Without the right it says so, and goes on.
		same("lakeformation", "GetDataLakeSettings", "AWS Lake Formation", Any),
		same("lakeformation", "ListPermissions", "AWS Lake Formation", Any),
		same("lakeformation", "ListResources", "AWS Lake Formation", Any),
		same("servicequotas", "ListServiceQuotas", "Service Quotas", Any),
	},
	logDelivery("CreateLogDelivery", "GetLogDelivery", "UpdateLogDelivery", "DeleteLogDelivery", "ListLogDeliveries", "PutResourcePolicy", "DescribeResourcePolicies", "DescribeLogGroups"),
	[]Call{
		// Athena, as a notebook and people call it.
		athena("StartQueryExecution"), athena("GetQueryExecution"), athena("GetQueryResults"), athena("StopQueryExecution"), athena("GetWorkGroup"),
		athena("GetNamedQuery"), athena("ListNamedQueries"), athena("BatchGetNamedQuery"), athena("ListQueryExecutions"), athena("BatchGetQueryExecution"),
		unseen("the console asks it to show the tables", "", same("athena", "GetDataCatalog", "Amazon Athena", DataCatalog)),
		unseen("JDBC and ODBC drivers stream results with it", "Amazon Athena User Guide, Access through JDBC and ODBC connections", Call{Service: "athena", Operation: "GetQueryResultsStream",
			Needs: []Need{{"athena:GetQueryResultsStream", []Kind{Workgroup}}}}),
	},
	people(
		Call{Service: "logs", Operation: "FilterLogEvents", Needs: []Need{{"logs:FilterLogEvents", []Kind{LogGroup}}}, Source: reference + "Amazon CloudWatch Logs"},
		same("logs", "GetLogEvents", "Amazon CloudWatch Logs", LogGroup),
		same("logs", "DescribeLogStreams", "Amazon CloudWatch Logs", LogGroup),
		same("cloudwatch", "DescribeAlarms", "Amazon CloudWatch", Any),
		same("cloudwatch", "GetMetricData", "Amazon CloudWatch", Any),
		same("sqs", "StartMessageMoveTask", "Amazon SQS", Queue),
		same("sqs", "ListMessageMoveTasks", "Amazon SQS", Queue),
		same("sqs", "SendMessage", "Amazon SQS", Queue),
		same("cloudformation", "DescribeStacks", "AWS CloudFormation", Stack),
		same("cloudformation", "DescribeStackEvents", "AWS CloudFormation", Stack),
		same("cloudformation", "DescribeStackResources", "AWS CloudFormation", Stack),
		same("sagemaker", "CreatePresignedNotebookInstanceUrl", "Amazon SageMaker", Notebook),
		same("sagemaker", "StartNotebookInstance", "Amazon SageMaker", Notebook),
		same("sagemaker", "StopNotebookInstance", "Amazon SageMaker", Notebook),
		same("sagemaker", "DescribeNotebookInstance", "Amazon SageMaker", Notebook),
	))...)

func athena(operation string) Call {
	c := same("athena", operation, "Amazon Athena", Workgroup)
	return c
}

// people marks calls that no test of ours makes with a client.
func people(list ...Call) []Call {
	for i := range list {
		list[i] = unseen(byPerson, "", list[i])
	}
	return list
}

// logDelivery are the calls by which Step Functions sends a state machine's logs. None of them can be narrowed to a resource.
func logDelivery(operations ...string) []Call {
	var out []Call
	for _, op := range operations {
		out = append(out, unseen(byStates, "AWS Step Functions Developer Guide, Using CloudWatch Logs to log execution history in Step Functions",
			same("logs", op, "Amazon CloudWatch Logs", Any)))
	}
	return out
}
