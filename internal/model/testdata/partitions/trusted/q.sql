SELECT c.email, c.born, CAST(0.5 AS DOUBLE) AS half FROM customer_landing c
