CREATE EXTERNAL TABLE broken (`user` strin) LOCATION 's3://stedi-lake/x/'
