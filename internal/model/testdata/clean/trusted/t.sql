/* @tarn
description: "T"
partitioned_by: [day(at), ok]
checks: [{not_null: email}, {freshness: {column: at, within: 7d}}, {references: {column: email, table: customer_landing}}, {range: {column: born, min: 1900-01-01}}]
*/
SELECT c.email, -- the address
  timestamp_millis(c.registrationDate) AS at, c.born, -- the birthday
  -- a comment of its own line
  c.ok /* not this one */
FROM customer_landing c -- nor this
WHERE c.email IS NOT NULL -- drop: no_email
