package render

import (
	"path"
	"strings"

	"tarn/internal/deploy"
	"tarn/internal/deploy/cfn"
	"tarn/internal/deploy/machine"
)

// SparkConf are the settings of Spark that the Glue job begins with: Iceberg's SQL, and the Glue Data Catalog under the name
// glue_catalog (AWS Glue Developer Guide, "Using the Iceberg framework in AWS Glue").
func SparkConf(s deploy.Spec) []string {
	const catalog = "spark.sql.catalog.glue_catalog"
	return []string{
		"spark.sql.extensions=org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
		catalog + "=org.apache.iceberg.spark.SparkCatalog",
		catalog + ".catalog-impl=org.apache.iceberg.aws.glue.GlueCatalog",
		catalog + ".io-impl=org.apache.iceberg.aws.s3.S3FileIO",
		catalog + ".warehouse=" + s.Warehouse.Location(),
	}
}

// JobArguments are what the Glue job begins with; a run adds its plan and its script.
func JobArguments(s deploy.Spec) map[string]string {
	return map[string]string{
		"--datalake-formats": "iceberg",
		// An argument is there once only: the settings go into one, each behind the first with its own --conf.
		"--conf":                   strings.Join(SparkConf(s), " --conf "),
		"--job-bookmark-option":    "job-bookmark-disable",
		"--custom-logGroup-prefix": s.Names().JobLogs,
	}
}

// job is the Glue job for runs that are too big for the function. It costs nothing until it is started.
func (r *renderer) job() error {
	if r.key() != nil && (r.Spark() || r.Settings.Crawler) {
		r.t.Add(cfn.Resource{ID: "JobSecurity", Type: "AWS::Glue::SecurityConfiguration", Properties: cfn.Map{"Name": r.n.Job, "EncryptionConfiguration": cfn.Map{
			"CloudWatchEncryption":   cfn.Map{"CloudWatchEncryptionMode": "SSE-KMS", "KmsKeyArn": r.key()},
			"JobBookmarksEncryption": cfn.Map{"JobBookmarksEncryptionMode": "CSE-KMS", "KmsKeyArn": r.key()},
			"S3Encryptions":          cfn.List{cfn.Map{"S3EncryptionMode": "SSE-KMS", "KmsKeyArn": r.key()}},
		}}})
	}
	if !r.Spark() {
		return nil
	}
	j := r.Settings.Job
	widest, err := machine.Widest(MachineOptions(r.Spec))
	if err != nil {
		return err
	}
	props := cfn.Map{
		"Name":        r.n.Job,
		"Description": "Models of the lake " + r.Lake + about(r.Target),
		"GlueVersion": j.Version,
		// Each run names the script that belongs to it.
		"Command":          cfn.Map{"Name": "glueetl", "PythonVersion": "3", "ScriptLocation": r.Warehouse.Location() + r.Database + "/_tarn/spark/runner.py"},
		"DefaultArguments": JobArguments(r.Spec),
		"WorkerType":       j.WorkerType,
		"NumberOfWorkers":  j.Workers,
		"Timeout":          int(j.Timeout.Minutes()),
		"MaxRetries":       0,
		// One that is being stopped still counts, beside those of the next run.
		"ExecutionProperty": cfn.Map{"MaxConcurrentRuns": widest + 1},
		"Role":              r.role("job"),
		"Tags":              r.tagMap(),
	}
	if r.key() != nil {
		props["SecurityConfiguration"] = cfn.Ref("JobSecurity")
	}
	r.t.Add(r.logs("JobOutput", r.jobLogs("output")), r.logs("JobErrors", r.jobLogs("error")),
		accept(cfn.Resource{ID: "Job", Type: "AWS::Glue::Job", Comment: "Spark, for runs that are too big for the function. It costs nothing until it is started.", Properties: props},
			r.unkeyed(noJobKey)...))
	return nil
}

// jobLogs names one of the job's log groups. With a security configuration Glue puts the name of that and of the role into it (AWS Glue
// Developer Guide, "Logging for AWS Glue jobs").
func (r *renderer) jobLogs(group string) any {
	if r.key() == nil {
		return r.n.JobLogs + "/" + group
	}
	folder := r.n.JobLogs + "/" + r.n.Job + "-role/"
	if given := r.Settings.Roles.Job; given != "" {
		return folder + path.Base(given) + "/" + group
	}
	return cfn.Sub(folder + "${JobRole}/" + group)
}
