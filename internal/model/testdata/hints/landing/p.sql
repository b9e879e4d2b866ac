CREATE EXTERNAL TABLE p (email string, agreed boolean)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://b/p/'
