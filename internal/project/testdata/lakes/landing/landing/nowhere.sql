CREATE EXTERNAL TABLE nowhere (
  `user` string,
  `timestamp` bigint
)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
LOCATION 's3://elsewhere/x/'
