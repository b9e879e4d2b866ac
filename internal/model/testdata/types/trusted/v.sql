SELECT sum(c.registrationDate) AS total, NULL AS n, timestamp_millis(c.registrationDate) - timestamp_millis(0) AS i, count(*) FROM customer_landing c GROUP BY c.registrationDate
