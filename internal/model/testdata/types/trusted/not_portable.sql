SELECT DISTINCT ON (c.email) c.email, c.email ILIKE 'a' AS x, list(c.email) AS l, current_date AS today
FROM customer_landing c
QUALIFY row_number() OVER (PARTITION BY c.email) = 1
ORDER BY 1 LIMIT 5
