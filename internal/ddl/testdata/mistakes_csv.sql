CREATE EXTERNAL TABLE t (`a` string, n array<int>)
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe'
WITH SERDEPROPERTIES ('field.delim'='||', 'line.delim'='|', 'serialization.encoding'='ISO-8859-1', 'quoteCharr'='x')
LOCATION 's3://b/t/'
TBLPROPERTIES ('skip.footer.line.count'='1')
