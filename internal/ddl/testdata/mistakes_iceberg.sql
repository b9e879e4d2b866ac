CREATE TABLE ice (id bigint, data string)
PARTITIONED BY (category, bucket(16,id))
LOCATION 's3://b/iceberg-folder' 
TBLPROPERTIES ( 'table_type' = 'ICEBERG' )
