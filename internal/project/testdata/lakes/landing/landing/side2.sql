CREATE EXTERNAL TABLE side2 (
  `user` string,
  `timestamp` bigint
)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
LOCATION 's3://stedi-lake/a/landing/'
