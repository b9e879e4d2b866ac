/* @tarn
description: a
*/
CREATE EXTERNAL TABLE header (
  `user` string,
  `timestamp` bigint
)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
LOCATION 's3://stedi-lake/a/landing/'
