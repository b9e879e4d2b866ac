-- Athena would refuse this
CREATE EXTERNAL TABLE t (a int, A string, _file string)
PARTITIONED BY (a date)
CLUSTERED BY (a) INTO 4 BUCKETS
