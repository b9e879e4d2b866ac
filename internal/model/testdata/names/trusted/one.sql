SELECT
  c.emial,
  c.email AS "Email",
  c.serialNumber AS EMAIL,
  k.email AS again,
  upper(nothing) AS n
FROM customer_landing c
WHERE c.regDate > 3
