CREATE EXTERNAL TABLE codes_landing (code string, n bigint)
ROW FORMAT DELIMITED FIELDS TERMINATED BY '|'
LOCATION 's3://formats/codes/'
