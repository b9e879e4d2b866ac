CREATE EXTERNAL TABLE IF NOT EXISTS `stedi`.`customer_landing` (
  `customerName` string COMMENT 'full name',
  `email` string COMMENT 'e-mail address, the user of accelerometer_landing',
  `phone` string COMMENT 'phone number',
  `birthDay` string COMMENT 'year, month and day',
  `serialNumber` string COMMENT 'serial number of the step trainer',
  `registrationDate` bigint COMMENT 'epoch milliseconds, UTC',
  `lastUpdateDate` bigint COMMENT 'epoch milliseconds, UTC',
  `shareWithResearchAsOfDate` bigint COMMENT 'consent to research: epoch milliseconds, UTC; absent if not given',
  `shareWithPublicAsOfDate` bigint COMMENT 'consent to the public: epoch milliseconds, UTC; absent if not given',
  `shareWithFriendsAsOfDate` bigint COMMENT 'consent to friends: epoch milliseconds, UTC; absent if not given'
)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
LOCATION 's3://stedi-lake/customer/landing/'
