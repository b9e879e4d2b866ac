CREATE EXTERNAL TABLE prices_landing (code string, price decimal(10,2), n int, x double, day date, at timestamp, ok boolean)
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'
LOCATION 's3://formats/prices/'
TBLPROPERTIES ('skip.header.line.count' = '1')
