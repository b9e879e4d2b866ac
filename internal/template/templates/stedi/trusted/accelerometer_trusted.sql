/* @tarn
description: "Accelerometer Trusted: accelerometer readings of customers who agreed to research, by day."
partitioned_by: [day(timestamp)]
checks:
  - not_null: [user, timestamp]
  - name: before_consent
    description: Readings that are older than their owner's consent. The commented line below leaves them out.
    sql: |
      SELECT a.*
      FROM accelerometer_trusted a
      JOIN customer_trusted c ON c.email = a.user
      WHERE a.timestamp < c.shareWithResearchAsOfDate
    on_fail: warn
*/
SELECT
  trim(a.user) AS user,                       -- e-mail address of the customer
  timestamp_millis(a.timestamp) AS timestamp, -- UTC
  a.x,
  a.y,
  a.z
FROM accelerometer_landing a
WHERE EXISTS (
  SELECT 1
  FROM customer_trusted c
  WHERE c.email = trim(a.user)
  -- AND timestamp_millis(a.timestamp) >= c.shareWithResearchAsOfDate
) -- drop: no_consent
