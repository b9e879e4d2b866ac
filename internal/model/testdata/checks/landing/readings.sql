CREATE EXTERNAL TABLE readings (`user` string, `at` bigint, x double) PARTITIONED BY (day string)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://b/readings/'
