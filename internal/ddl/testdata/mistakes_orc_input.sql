CREATE EXTERNAL TABLE t (a string) STORED AS INPUTFORMAT 'org.apache.hadoop.hive.ql.io.orc.OrcInputFormat' OUTPUTFORMAT 'x' LOCATION 's3://b/t/'
