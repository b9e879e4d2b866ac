CREATE EXTERNAL TABLE IF NOT EXISTS `stedi`.`accelerometer_landing` (
  `user` string COMMENT 'e-mail address of the customer',
  `timestamp` bigint COMMENT 'time of the reading: epoch milliseconds, UTC',
  `x` double COMMENT 'acceleration along the phone, to the right',
  `y` double COMMENT 'acceleration along the phone, to the top',
  `z` double COMMENT 'acceleration out of the screen'
)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
LOCATION 's3://stedi-lake/accelerometer/landing/'
