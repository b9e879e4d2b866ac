/* @tarn
description: "Customer Curated: customers who agreed to research and have accelerometer readings, without anything that names them."
checks:
  - not_null: [serialNumber, shareWithResearchAsOfDate]
*/
SELECT
  c.serialNumber,              -- of the step trainer
  c.registrationDate,          -- UTC
  c.lastUpdateDate,            -- UTC
  c.shareWithResearchAsOfDate, -- UTC
  c.shareWithPublicAsOfDate,   -- UTC; null if not given
  c.shareWithFriendsAsOfDate   -- UTC; null if not given
FROM customer_trusted c
WHERE EXISTS (
  SELECT 1
  FROM accelerometer_landing a
  WHERE trim(a.user) = c.email
  -- AND timestamp_millis(a.timestamp) >= c.shareWithResearchAsOfDate
) -- drop: no_readings
