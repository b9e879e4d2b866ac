CREATE EXTERNAL TABLE r (`user` string, ts bigint, x double, n int, tags array<string>, who struct<name:string>)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://b/r/'
