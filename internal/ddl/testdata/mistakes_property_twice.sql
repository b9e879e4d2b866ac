CREATE EXTERNAL TABLE t (a string) LOCATION 's3://b/t/' TBLPROPERTIES ('classification'='csv', 'classification'='json')
