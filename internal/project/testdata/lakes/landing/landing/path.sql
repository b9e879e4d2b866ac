CREATE EXTERNAL TABLE path (
  `user` string,
  `timestamp` bigint
)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
LOCATION 'file:///srv/x/'
