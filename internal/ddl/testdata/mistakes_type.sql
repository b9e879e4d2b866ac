CREATE EXTERNAL TABLE t (
  `übung` string, b bigin
) LOCATION 's3://b/'
