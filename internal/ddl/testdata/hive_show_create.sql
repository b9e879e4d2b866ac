CREATE EXTERNAL TABLE `default.events`(
  `id` tinyint, 
  `at` timestamp, 
  `payload` binary, 
  `rate` double precision, 
  `n` numeric(5), 
  `ok` boolean)
PARTITIONED BY ( 
  `dt` string)
CLUSTERED BY ( 
  id) 
SORTED BY ( 
  at DESC) 
INTO 16 BUCKETS
SKEWED BY (id) ON ((1), (2)) STORED AS DIRECTORIES
ROW FORMAT DELIMITED 
  FIELDS TERMINATED BY '\u0001' 
  ESCAPED BY '\\' 
  LINES TERMINATED BY '\n' 
  NULL DEFINED AS ''
STORED AS TEXTFILE
LOCATION
  'hdfs://nn:8020/warehouse/events'
TBLPROPERTIES (
  'bucketing_version'='2', 
  'owner'='data team', 
  'skip.header.line.cout'='1')
