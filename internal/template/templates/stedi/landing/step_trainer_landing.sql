CREATE EXTERNAL TABLE IF NOT EXISTS `stedi`.`step_trainer_landing` (
  `sensorReadingTime` bigint COMMENT 'time of the reading: epoch milliseconds, UTC',
  `serialNumber` string COMMENT 'serial number of the step trainer',
  `distanceFromObject` int COMMENT 'distance to the nearest object'
)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
LOCATION 's3://stedi-lake/step_trainer/landing/'
