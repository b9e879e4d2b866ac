SELECT s."at", c.customerName AS "der Name", a.x * 2 AS x2, -a.y AS y
FROM stedi.steps s
JOIN customer_landing c ON c.serialNumber = s.serialNumber -- drop: no_owner
LEFT JOIN accelerometer_landing a ON a.user = c.email AND unix_millis(s."at") = a.timestamp
WHERE s.d BETWEEN 1 AND 6; -- drop: odd_distance
