CREATE EXTERNAL TABLE IF NOT EXISTS `formats`.`stock_landing` (
  `Code` string,
  `n` bigint)
STORED AS PARQUET
LOCATION 's3://formats/stock/'
