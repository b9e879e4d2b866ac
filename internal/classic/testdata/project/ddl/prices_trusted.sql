CREATE EXTERNAL TABLE IF NOT EXISTS `formats`.`prices_trusted` (
  `code` string,
  `price` decimal(10,2),
  `n` int,
  `x` double,
  `day` date,
  `at` timestamp,
  `ok` boolean)
STORED AS PARQUET
LOCATION 's3://BUCKET/trusted/prices_trusted/'
