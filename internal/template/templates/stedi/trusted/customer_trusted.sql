/* @tarn
description: "Customer Trusted: customers who agreed to share their data with research, dates as UTC timestamps."
checks:
  - not_null: [email, serialNumber, shareWithResearchAsOfDate]
  - unique: email
    on_fail: warn
  - unique: serialNumber
    on_fail: warn
*/
SELECT
  trim(c.customerName) AS customerName,
  trim(c.email) AS email,
  trim(c.phone) AS phone,
  trim(c.birthDay) AS birthDay,
  trim(c.serialNumber) AS serialNumber,                                       -- of the step trainer
  timestamp_millis(c.registrationDate) AS registrationDate,                   -- UTC
  timestamp_millis(c.lastUpdateDate) AS lastUpdateDate,                       -- UTC
  timestamp_millis(c.shareWithResearchAsOfDate) AS shareWithResearchAsOfDate, -- UTC
  timestamp_millis(c.shareWithPublicAsOfDate) AS shareWithPublicAsOfDate,     -- UTC; null if not given
  timestamp_millis(c.shareWithFriendsAsOfDate) AS shareWithFriendsAsOfDate    -- UTC; null if not given
FROM customer_landing c
WHERE c.shareWithResearchAsOfDate IS NOT NULL -- drop: no_consent
