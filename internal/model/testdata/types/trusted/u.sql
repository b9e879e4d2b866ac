SELECT sum(c.registrationDate) AS total, c.born - c.born AS d, NULL AS n, c.email || c.registrationDate AS k FROM customer_landing c GROUP BY c.born, c.email, c.registrationDate
