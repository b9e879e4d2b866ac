CREATE EXTERNAL TABLE lake.customer_landing (`email` string COMMENT 'address', `serialNumber` string, `registrationDate` bigint, `born` date, `ok` boolean)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://b/customer/'
