CREATE EXTERNAL TABLE `facial`(
  `id` string,
  `timestamp` timestamp)
PARTITIONED BY (
  `year` int)
ROW FORMAT SERDE
  'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe'
STORED AS INPUTFORMAT
  'org.apache.hadoop.mapred.TextInputFormat'
OUTPUTFORMAT
  'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
LOCATION
  's3://bucket/ratings'
TBLPROPERTIES (
  'has_encrypted_data'='false',
  'transient_lastDdlTime'='1628998097');
