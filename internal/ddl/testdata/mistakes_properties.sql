CREATE EXTERNAL TABLE t (`a` string, `at` timestamp, s struct<inner:int>)
PARTITIONED BY (y int)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
WITH SERDEPROPERTIES ('mapping.b'='B', 'mapping.inner'='Inner', 'timestamp.formats'='yyyy/MM/dd', 'mapping.at'='')
STORED AS PARQUET
LOCATION 's3://b/t/'
TBLPROPERTIES ('table_type'='ICEBERG', 'skip.header.line.count'='one', 'storage.location.template'='s3://b/t/${y}/')
