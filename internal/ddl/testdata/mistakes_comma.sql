CREATE EXTERNAL TABLE t (
  a int
  b string) LOCATION 's3://b/'
