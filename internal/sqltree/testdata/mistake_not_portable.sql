SELECT * EXCLUDE (email), now() AS t, email ~ 'x' AS m, [1,2] AS l, email ILIKE 'x' AS i
FROM customer_landing QUALIFY row_number() OVER () = 1 ORDER BY email LIMIT 3