CREATE EXTERNAL TABLE t (`a` string, a_b int)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
WITH SERDEPROPERTIES ('case.insensitive'='false', 'ignore.malformed.json'='true', 'dots.in.keys'='true', 'mapping.a'='A', 'maping.a'='A', 'use.null.for.invalid.data'='true')
LOCATION 's3://b/t/'
