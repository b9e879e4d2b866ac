WITH x AS (SELECT DISTINCT email, shareWithResearchAsOfDate AS share FROM customer_landing),
     customer_landing AS (SELECT email, count(*) AS n FROM x GROUP BY email HAVING count(*) >= 1)
SELECT x.email,
  CASE WHEN x.share IS NULL THEN 'none' WHEN x.share > 1700000000000 THEN 'it''s late' ELSE 'given' END AS consent,
  CAST(c.n AS DECIMAL(10,2)) + 1.25 AS n, c.n::INTEGER AS whole, TRY_CAST(x.email AS DOUBLE) AS nothing,
  row_number() OVER (PARTITION BY x.email ORDER BY x.share DESC NULLS LAST) AS rn,
  sum(CASE WHEN c.n > 0 THEN c.n END) OVER (ORDER BY x.email ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)::BIGINT AS running,
  lag(c.n, 1, 0) OVER (ORDER BY x.email) AS before,
  TRUE AS yes, NOT FALSE AS no, NULL::VARCHAR AS nix, 1e3 AS big, 12345678901 AS long,
  DATE '2024-01-01' + INTERVAL 1 DAY AS d, EXTRACT(year FROM timestamp_millis(x.share)) AS y,
  x.email IN ('a@x', 'b@x') AS listed,
  x.email LIKE 'a%' AS likes, x.email NOT LIKE '_@x' AS dislikes, x.share IS DISTINCT FROM c.n AS differs,
  x.email || '!' AS loud, (SELECT max(a.x) FROM accelerometer_landing a) AS top, coalesce(x.share, 0) % 7 AS m,
  greatest(c.n, 2) AS g, substring(x.email, 1, 1) AS first_letter, concat(x.email, 'a') AS c
FROM x JOIN customer_landing c ON c.email = x.email
WHERE x.email NOT IN (SELECT "user" FROM accelerometer_landing WHERE "user" = 'c@x') AND x.email IS NOT NULL AND (c.n = 1 OR c.n <> 2) AND NOT EXISTS (SELECT 1 FROM stedi.steps s WHERE s.serialNumber = x.email)
