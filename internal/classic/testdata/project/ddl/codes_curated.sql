CREATE EXTERNAL TABLE IF NOT EXISTS `formats`.`codes_curated` (
  `code` string,
  `n` bigint,
  `m` bigint)
STORED AS PARQUET
LOCATION 's3://BUCKET/curated/codes_curated/'
