CREATE EXTERNAL TABLE a.`b.c` (a string) LOCATION 's3://b/t/'
