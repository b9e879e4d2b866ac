/* @tarn
description: "Step Trainer Trusted: step trainer readings of the devices of customers_curated, by day."
partitioned_by: [day(sensorReadingTime)]
checks:
  - not_null: [sensorReadingTime, serialNumber]
*/
SELECT
  timestamp_millis(s.sensorReadingTime) AS sensorReadingTime, -- UTC
  trim(s.serialNumber) AS serialNumber,
  s.distanceFromObject
FROM step_trainer_landing s
WHERE EXISTS (
  SELECT 1
  FROM customers_curated c
  WHERE c.serialNumber = trim(s.serialNumber)
) -- drop: unknown_device
