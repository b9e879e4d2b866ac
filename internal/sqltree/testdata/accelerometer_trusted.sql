/* a header
   of two lines */
SELECT a.user, timestamp_millis(a.timestamp) AS timestamp, -- UTC
       a.x, a.y, a.z                                       -- g, phone frame
FROM accelerometer_landing a
WHERE EXISTS (
  SELECT 1 FROM customer_landing c
  WHERE c.email = a.user
) -- drop: no_consent
  AND a.x > 0.5
  AND a.timestamp IS NOT NULL -- drop: no_time
