SELECT DISTINCT c.email, count(*) AS n, avg(c.registrationDate) AS mean, count(DISTINCT c.serialNumber) AS devices, stddev_samp(1.0) AS s
FROM customer_landing c GROUP BY c.email
