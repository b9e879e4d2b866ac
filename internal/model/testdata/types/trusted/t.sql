SELECT
  c.registrationDate - INTERVAL 1 DAY AS a,
  upper(c.born) AS b
FROM customer_landing c
WHERE c.email > c.born
