/* @tarn
description: "ML Aggregation: step trainer readings with the accelerometer readings of the same time and the same owner."
partitioned_by: [day(timestamp)]
checks:
  - not_null: [timestamp, serialNumber]
  - name: one_owner
    description: A reading has one owner, so there cannot be more rows than accelerometer readings.
    sql: |
      SELECT m.n AS rows_here, a.n AS accelerometer_readings
      FROM (SELECT count(*) AS n FROM machine_learning_curated) m
      CROSS JOIN (SELECT count(*) AS n FROM accelerometer_trusted) a
      WHERE m.n > a.n
    on_fail: warn
*/
SELECT
  s.sensorReadingTime AS timestamp, -- UTC
  s.serialNumber,
  s.distanceFromObject,
  a.x,
  a.y,
  a.z
FROM step_trainer_trusted s
JOIN customer_trusted c ON c.serialNumber = s.serialNumber -- drop: no_owner
JOIN accelerometer_trusted a ON
  a.user = c.email AND -- the same owner; without this line, rows pair different people
  a.timestamp = s.sensorReadingTime -- drop: no_motion
