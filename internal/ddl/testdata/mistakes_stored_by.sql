CREATE EXTERNAL TABLE t (a string) STORED BY 'org.apache.iceberg.mr.hive.HiveIcebergStorageHandler' LOCATION 's3://b/t/'
