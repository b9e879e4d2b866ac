CREATE EXTERNAL TABLE types2 (
 t timestamp with local time zone, u interval_day_time,
 v struct<a:int comment 'x', `b c`:string>, w uniontype<int,string>, x map<struct<a:int>,int>,
 y array<>, z varchar, aa decimal(39,1), bb decimal(3,4), cc char(256),
 dd varchar(70000), ee text, ff json b int, gg datetime, hh uuid, ii long,
 ii int, j struct<a int, a:string>, k int COMMENT unquoted, , l
) STORED AS PARQUET LOCATION 's3://b/x/' TBLPROPERTIES ('a' 'b')
