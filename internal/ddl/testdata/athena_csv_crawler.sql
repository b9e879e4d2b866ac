CREATE EXTERNAL TABLE `sales_csv`(
  `id` bigint COMMENT 'from deserializer', 
  `price` decimal(10,2) COMMENT 'from deserializer', 
  `code` char(3) COMMENT 'from deserializer', 
  `name` varchar(40) COMMENT 'from deserializer')
ROW FORMAT SERDE 
  'org.apache.hadoop.hive.serde2.OpenCSVSerde' 
WITH SERDEPROPERTIES ( 
  'escapeChar'='\\', 
  'quoteChar'='\"', 
  'separatorChar'=',') 
STORED AS INPUTFORMAT 
  'org.apache.hadoop.mapred.TextInputFormat' 
OUTPUTFORMAT 
  'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
LOCATION
  's3://b/sales'
TBLPROPERTIES (
  'CrawlerSchemaDeserializerVersion'='1.0', 
  'CrawlerSchemaSerializerVersion'='1.0', 
  'UPDATED_BY_CRAWLER'='sales', 
  'areColumnsQuoted'='false', 
  'averageRecordSize'='42', 
  'classification'='csv', 
  'columnsOrdered'='true', 
  'compressionType'='none', 
  'delimiter'=',', 
  'objectCount'='1', 
  'recordCount'='24', 
  'sizeKey'='1012', 
  'skip.header.line.count'='1', 
  'typeOfData'='file')
