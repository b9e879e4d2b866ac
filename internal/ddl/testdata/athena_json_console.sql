CREATE EXTERNAL TABLE IF NOT EXISTS `finaldatabase`.`customer_landing` (
  `serialnumber` string,
  `sharewithpublicasofdate` bigint,
  `birthday` string,
  `timeStamp` bigint,
  `user` string
)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
WITH SERDEPROPERTIES (
  'ignore.malformed.json' = 'FALSE',
  'dots.in.keys' = 'FALSE',
  'case.insensitive' = 'TRUE',
  'mapping' = 'TRUE',
  'mapping.serialnumber' = 'serialNumber',
  'paths' = 'serialNumber,user'
)
STORED AS INPUTFORMAT 'org.apache.hadoop.mapred.TextInputFormat' OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
LOCATION 's3://seans-stedi-lakehouse/customer/landing/'
TBLPROPERTIES ('classification' = 'json');
