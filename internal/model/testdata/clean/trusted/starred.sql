SELECT * FROM customer_landing c WHERE c.email IS NOT NULL
