CREATE EXTERNAL TABLE "AwsDataCatalog"."x"."catalogquoted" (
  inspection_id string
)
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'
LOCATION 's3://{prefix}-raw-zone/erp/quality_inspections/'
