CREATE EXTERNAL TABLE `vpc_flow_logs_parquet`(
  `version` int COMMENT 'it\'s "2"', 
  `account_id` string, 
  `start` bigint, 
  `bytes` decimal(20,0), 
  `flags` array<string>, 
  `tags` map<string,string>, 
  `geo` struct<country:string,region:struct<name:string,codes:array<int>>,`odd name`:double>)
COMMENT 'flow logs'
PARTITIONED BY ( 
  `region` string COMMENT 'aws region', 
  `day` date)
ROW FORMAT SERDE 
  'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe' 
STORED AS INPUTFORMAT 
  'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat' 
OUTPUTFORMAT 
  'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat'
LOCATION
  's3://amzn-s3-demo-bucket/prefix/'
TBLPROPERTIES (
  'EXTERNAL'='true', 
  'parquet.compression'='SNAPPY', 
  'projection.day.format'='yyyy-MM-dd', 
  'projection.day.range'='2021-01-01,NOW', 
  'projection.day.type'='date', 
  'projection.enabled'='true', 
  'projection.region.type'='enum', 
  'projection.region.values'='us-east-1,us-west-2', 
  'storage.location.template'='s3://amzn-s3-demo-bucket/prefix/region=${region}/day=${day}', 
  'transient_lastDdlTime'='1687800123')
