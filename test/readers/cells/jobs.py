"""Takes the inputs of SageMaker jobs as `tarn connect sagemaker` prints them, as far as that is possible without SageMaker: holds them
against the shapes of the API, asks Athena for the dataset, and reads the files of the manifest.

usage: jobs.py PROCESSING TRAINING WORKGROUP EXPORT
PROCESSING and TRAINING are files with what --json printed. EXPORT is TABLE.parquet as `tarn query` wrote it of that state. Ends with 1
if anything is wrong.
"""

import io
import json
import os
import re
import sys

os.environ["AWS_DEFAULT_REGION"] = os.environ["AWS_REGION"]

import awswrangler as wr
import boto3
import pyarrow
import pyarrow.parquet
from botocore.validate import ParamValidator

processing, training = (json.load(open(f)) for f in sys.argv[1:3])
group, export = sys.argv[3:5]
want = pyarrow.parquet.read_table(export)
model = boto3.client("sagemaker").meta.service_model


def limits(shape, value, path):
    """Lengths, patterns and words, which botocore does not look at."""
    if shape.type_name == "structure":
        for k, v in value.items():
            limits(shape.members[k], v, path + "." + k)
    elif shape.type_name == "string":
        m = shape.metadata
        assert len(value) <= m.get("max", 1 << 30), (path, len(value))
        assert not shape.enum or value in shape.enum, (path, value, shape.enum)
        # AWS writes the characters beyond 16 bits as Java does.
        pattern = m.get("pattern", "(?s).*").replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")
        assert re.fullmatch(pattern, value), (path, value, pattern)


for operation, member, value in [("CreateProcessingJob", "ProcessingInputs", processing["input"]), ("CreateTrainingJob", "InputDataConfig", training["input"])]:
    shape = model.operation_model(operation).input_shape.members[member].member
    report = ParamValidator().validate(value, shape)
    assert not report.has_errors(), report.generate_report()
    limits(shape, value, member)


def rows(table):
    columns = {c.lower(): table.column(c).to_pylist() for c in table.column_names}
    return sorted(zip(*(columns[c.lower()] for c in want.column_names)), key=repr)


dataset = processing["input"]["DatasetDefinition"]["AthenaDatasetDefinition"]
assert "FOR VERSION AS OF" in dataset["QueryString"] and len(dataset["QueryString"]) <= 4096
df = wr.athena.read_sql_query(dataset["QueryString"], database=dataset["Database"], workgroup=group, ctas_approach=False)
for c in want.schema:
    if pyarrow.types.is_timestamp(c.type):
        df[c.name.lower()] = df[c.name.lower()].astype("datetime64[us]")
    elif pyarrow.types.is_integer(c.type):
        df[c.name.lower()] = df[c.name.lower()].astype("Int64")
got = pyarrow.Table.from_pandas(df, preserve_index=False)
assert rows(got) == rows(want), (got.num_rows, want.num_rows)

s3 = boto3.client("s3")


def read(uri):
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read()


source = training["input"]["DataSource"]["S3DataSource"]
head, *names = json.loads(read(source["S3Uri"]))
assert list(head) == ["prefix"] and head["prefix"].endswith("/") and not any(n.startswith("/") for n in names), (head, names)
files = pyarrow.concat_tables([pyarrow.parquet.read_table(io.BytesIO(read(head["prefix"] + n))) for n in names], promote_options="permissive")
assert len(names) == training["files"] and rows(files) == rows(want), (files.num_rows, want.num_rows)
print(f"jobs: {want.num_rows} rows in {len(names)} files, read alike")
