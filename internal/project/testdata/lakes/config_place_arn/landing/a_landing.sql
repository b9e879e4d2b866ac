CREATE EXTERNAL TABLE a_landing (id bigint)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
LOCATION 's3://raw/a/'
