CREATE EXTERNAL TABLE IF NOT EXISTS `formats`.`events_landing` (
  `id` bigint,
  `userName` string,
  `at` timestamp,
  `ok` boolean,
  `price` decimal(10,2),
  `tags` array<string>,
  `place` struct<city:string,zip:int>)
PARTITIONED BY (
  `day` date,
  `kind` string)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
WITH SERDEPROPERTIES ('mapping.at' = 'happenedAt')
LOCATION 's3://formats/events/'
