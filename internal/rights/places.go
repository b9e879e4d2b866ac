package rights

import (
	"slices"
	"strings"
)

// Place is a place in a bucket. Prefix ends in a slash, or is "" for the whole bucket.
type Place struct{ Bucket, Prefix string }

// Table is a table that runs make.
type Table struct{ Name, Zone string }

// Places are where one lake has what its actors use. ARNs are what an actor's policy names: with ${…} of CloudFormation for a
// template, or as they are. An ARN that is "" is of something that is not there, and no actor gets rights on it.
type Places struct {
	// Lake and Target are their names in tarn.yaml; Database is the Glue database.
	Lake, Target, Database string
	// Base is what the names of the stack's parts begin with.
	Base string
	// Catalog is the account of the Glue catalog; "" is that of the stack.
	Catalog string
	// Warehouse is where the tables are: those of the lake below Prefix + Database. Results has a folder for each reading role,
	// Artefacts program and scripts.
	Warehouse, Results, Artefacts Place
	// Landing are where raw files come to.
	Landing []Place
	// Models are the tables that runs make.
	Models []Table
	// LandingTables are the names of the landing tables.
	LandingTables []string
	// Grant has zones that analysts read beside curated.
	Grant []string

	// Key is the ARN of the KMS key of what is written, "" for a bucket's own encryption. MakesKey says that the stack makes it.
	Key      string
	MakesKey bool
	// GivenRoles are the ARNs of roles that were there before, which the stack uses in place of its own.
	GivenRoles map[Actor]string
	// Function, StateMachine, Queue, DeadLetters, Topic and Job are ARNs. A job that is only known by its name: see [Places.JobARN].
	Function, StateMachine, Queue, DeadLetters, Topic, Job string
	// Executions is the ARN of the state machine's executions, with a * for which one: see [ExecutionsOf].
	Executions string
	// FunctionLogs and MachineLogs are the names of log groups, such as /aws/lambda/stedi-aws.
	FunctionLogs, MachineLogs string
	// JobLogs is what the names of the job's log groups begin with, "" for no job.
	JobLogs string
	// AnalystWorkgroup and ScientistWorkgroup are names of Athena workgroups.
	AnalystWorkgroup, ScientistWorkgroup string
	// Stack is the name of the CloudFormation stack, RolePath the path of the roles that it makes, such as /, and Boundary the ARN of
	// their permissions boundary or "".
	Stack, RolePath, Boundary string
	// Notebook is the name of the SageMaker notebook instance, "" for none.
	Notebook string
	// LakeFormation says that it governs the database, so that readers through Athena get files by its grants.
	LakeFormation bool
	// Crawler is the name of the Glue crawler, "" for none.
	Crawler string
}

// The beginning of ARNs, as CloudFormation fills it in.
const (
	here   = ":${AWS::Region}:${AWS::AccountId}:"
	prefix = "arn:${AWS::Partition}:"
)

// ARN writes the ARN of something in the stack's account and region: service is such as states, name such as stateMachine:x.
func ARN(service, name string) string { return prefix + service + here + name }

func bucketARN(name string) string { return prefix + "s3:::" + name }

// below is what lies below a place; at with a slash at its end is a folder there.
func (p Place) below(at string) string { return bucketARN(p.Bucket) + "/" + p.Prefix + at + "*" }

// at is one object of a place.
func (p Place) at(key string) string { return bucketARN(p.Bucket) + "/" + p.Prefix + key }

// lake is the folder of the lake's own tables.
func (p Places) lake() Place {
	return Place{p.Warehouse.Bucket, p.Warehouse.Prefix + p.Database + "/"}
}

// zone is the folder of the tables of a zone: see the package lake.
func (p Places) zone(name string) Place {
	return Place{p.Warehouse.Bucket, p.lake().Prefix + name + "/"}
}

// own is what the lake has beside its tables for itself.
func (p Places) own() Place { return Place{p.Warehouse.Bucket, p.lake().Prefix + "_tarn/"} }

// result is where the queries of a reading role put their results.
func (p Places) result(a Actor) Place {
	return Place{p.Results.Bucket, p.Results.Prefix + string(a) + "/"}
}

// ResultPrefix is the folder of results of the analyst or the scientist, for the workgroup.
func (p Places) ResultPrefix(a Actor) Place { return p.result(a) }

// buckets are those of some places, each once.
func buckets(list ...Place) []string {
	var out []string
	for _, p := range list {
		if arn := bucketARN(p.Bucket); !slices.Contains(out, arn) {
			out = append(out, arn)
		}
	}
	return out
}

func (p Places) account() string {
	if p.Catalog != "" {
		return p.Catalog
	}
	return "${AWS::AccountId}"
}

func (p Places) glue(what string) string {
	return prefix + "glue:${AWS::Region}:" + p.account() + ":" + what
}

// readable are the names of the models of curated and of granted zones.
func (p Places) readable() []string {
	var out []string
	for _, m := range p.Models {
		if m.Zone == Curated || slices.Contains(p.Grant, m.Zone) {
			out = append(out, m.Name)
		}
	}
	if slices.Contains(p.Grant, LandingZone) {
		for _, name := range p.LandingTables {
			out = append(out, name, name+"__rows")
		}
	}
	if len(out) > mostNames {
		return []string{"*"}
	}
	return out
}

// mostNames is how many tables a policy names, as the policies of a role have a longest length (IAM User Guide, "IAM and AWS STS
// quotas"). In a lake with more tables to read, readers see the definitions of all; the rows they see are those of the
// zones all the same, as these are folders.
const mostNames = 500

// zones are those that analysts read.
func (p Places) zones() []string {
	out := []string{Curated}
	for _, z := range p.Grant {
		if !slices.Contains(out, z) {
			out = append(out, z)
		}
	}
	return out
}

// Zones of tables, which are folders of the warehouse too. The lake's own tables rank as landing.
const (
	LandingZone = "landing"
	Trusted     = "trusted"
	Curated     = "curated"
)

// JobARN is the ARN of a Glue job of this account.
func JobARN(name string) string { return ARN("glue", "job/"+name) }

// StateMachineARN is the ARN of a state machine of this account.
func StateMachineARN(name string) string { return ARN("states", "stateMachine:"+name) }

// ExecutionsOf is the ARN of all executions of a state machine of this account.
func ExecutionsOf(name string) string { return ARN("states", "execution:"+name+":*") }

func workgroupARN(name string) string { return ARN("athena", "workgroup/"+name) }

// logsARN is a log group with its streams; one that ends in * is all groups that begin so.
func logsARN(group string) string {
	if strings.HasSuffix(group, "*") {
		return ARN("logs", "log-group:"+group)
	}
	return ARN("logs", "log-group:"+group+":*")
}
