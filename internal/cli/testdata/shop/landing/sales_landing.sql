CREATE EXTERNAL TABLE `sales_landing` (
  `id` bigint,
  `item` string,
  `price` double
)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
LOCATION 's3://shop/sales/'
