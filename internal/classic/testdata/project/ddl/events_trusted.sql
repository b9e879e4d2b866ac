CREATE EXTERNAL TABLE IF NOT EXISTS `formats`.`events_trusted` (
  `id` bigint COMMENT '"quoted", it\'s \\ back',
  `userName` string,
  `at` timestamp,
  `ok` boolean,
  `price` decimal(10,2),
  `tags` array<string>,
  `place` struct<city:string,zip:int>,
  `day` date,
  `kind` string,
  `city` string,
  `awkward` string)
COMMENT 'What\'s """Happened""" $HOME | \\: events with all their \\ parts, """and more"""'
STORED AS PARQUET
LOCATION 's3://BUCKET/trusted/events_trusted/'
