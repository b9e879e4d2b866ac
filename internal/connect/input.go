package connect

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"tarn/internal/notebook"
	"tarn/internal/schema"
)

// Input is a table's state as the input of a SageMaker job, as the AWS CLI and boto3 take it.
type Input struct {
	// Name of the input: the table, in letters, digits and hyphens.
	Name string
	// JSON is a ProcessingInput of CreateProcessingJob, or a Channel of CreateTrainingJob.
	JSON []byte
}

// longestQuery is how long QueryString of an AthenaDatasetDefinition may be (Amazon SageMaker API Reference).
const longestQuery = 4096

// ErrLongQuery says that the statement of a dataset would be longer than SageMaker takes.
var ErrLongQuery = errors.New("the statement is longer than SageMaker takes")

// Query is the statement that gives a table as it was at a snapshot: its columns by name while that is short enough, or all.
// The error is [ErrLongQuery].
func Query(t Table, snapshot int64) (string, error) {
	from := " FROM " + schema.Quote(t.Name) + asOf(snapshot)
	columns := notebook.Names(t.Columns)
	for i, c := range columns {
		columns[i] = schema.Quote(c)
	}
	sql := "SELECT " + strings.Join(columns, ", ") + from
	if len(columns) == 0 || len(sql) > longestQuery {
		sql = "SELECT *" + from
	}
	if len(sql) > longestQuery {
		return "", fmt.Errorf("%w: %d characters, %d are the limit", ErrLongQuery, len(sql), longestQuery)
	}
	return sql, nil
}

// Processing writes a table's state as the input of a Processing job: the job asks Athena for it before it begins, by the role of
// the job, and finds the rows as Parquet in its folder. results is where Athena may put them, key a KMS key or "".
func Processing(p Place, t Table, snapshot int64, results, key string) (Input, error) {
	if !p.Glue {
		return Input{}, &UnfitError{"sagemaker", "reads tables of the AWS Glue Data Catalog only", "choose a target with catalog: glue, such as --target aws"}
	}
	sql, err := Query(t, snapshot)
	if err != nil {
		return Input{}, err
	}
	in := Input{Name: inputName(t.Name)}
	athena := dataset{Catalog: "AwsDataCatalog", Database: p.Database, QueryString: sql, WorkGroup: p.ByScientist(), OutputS3URI: folder(results) + t.Name + "/",
		KMSKeyID: key, OutputFormat: "PARQUET", OutputCompression: "SNAPPY"}
	in.JSON = pretty(struct {
		InputName         string
		DatasetDefinition datasetDefinition
	}{in.Name, datasetDefinition{athena, "/opt/ml/processing/input/" + in.Name, "FullyReplicated", "File"}})
	return in, nil
}

type datasetDefinition struct {
	AthenaDatasetDefinition dataset
	LocalPath               string
	DataDistributionType    string
	InputMode               string
}

// dataset has the members of AthenaDatasetDefinition in their order there.
type dataset struct {
	Catalog           string
	Database          string
	QueryString       string
	WorkGroup         string `json:",omitempty"`
	OutputS3URI       string `json:"OutputS3Uri"`
	KMSKeyID          string `json:"KmsKeyId,omitempty"`
	OutputFormat      string
	OutputCompression string
}

// Manifest writes the file that names data files to a job, for S3DataType ManifestFile: a place that they have in common, and
// their names behind it. folder is the table's location. The error is an [*UnfitError] where a file is in no bucket.
func Manifest(location string, files []string) ([]byte, error) {
	prefix := folder(location)
	for _, f := range files {
		if !strings.HasPrefix(f, "s3://") {
			return nil, &UnfitError{"sagemaker", "reads files in S3 only, and the tables are on this machine", "choose a target whose warehouse is in a bucket"}
		}
		for !strings.HasPrefix(f, prefix) {
			cut := strings.LastIndex(strings.TrimSuffix(prefix, "/"), "/")
			if cut < len("s3://") {
				return nil, fmt.Errorf("the data files are in more than one bucket: %s is not in that of %s", f, location)
			}
			prefix = prefix[:cut+1]
		}
	}
	list := []any{map[string]string{"prefix": prefix}}
	for _, f := range files {
		list = append(list, strings.TrimPrefix(f, prefix))
	}
	return pretty(list), nil
}

// Training writes the manifest at a place as the input of a Training job.
func Training(table, manifest string) Input {
	in := Input{Name: inputName(table)}
	type s3 struct {
		S3DataType             string
		S3URI                  string `json:"S3Uri"`
		S3DataDistributionType string
	}
	type source struct{ S3DataSource s3 }
	in.JSON = pretty(struct {
		ChannelName string
		DataSource  source
		ContentType string
		InputMode   string
	}{in.Name, source{s3{"ManifestFile", manifest, "FullyReplicated"}}, "application/x-parquet", "File"})
	return in
}

// longestChannel is how long ChannelName of a Channel may be (Amazon SageMaker API Reference).
const longestChannel = 64

// inputName is a table's name as names of channels and inputs are written. A longer one is cut; a job has few inputs, and who reads
// it can choose another.
func inputName(table string) string {
	name := strings.Trim(strings.ReplaceAll(table, "_", "-"), "-")
	return strings.TrimRight(name[:min(len(name), longestChannel)], "-")
}

func folder(location string) string { return strings.TrimRight(location, "/") + "/" }

func pretty(v any) []byte {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	_ = e.Encode(v) // texts only
	return []byte(b.String())
}
