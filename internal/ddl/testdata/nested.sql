create external table if not exists `db`.`töne` (
  a struct<x:int COMMENT 'it\'s', `y z`:array<map<string,decimal(10,2)>>>,
  b decimal, c decimal(5), d varchar(20), e char(3), f double precision, g integer
) comment "töne" stored as parquet location 's3://b/t/';
