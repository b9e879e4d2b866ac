CREATE EXTERNAL TABLE t (a uniontype<int,string>) LOCATION 's3://b/t/'
