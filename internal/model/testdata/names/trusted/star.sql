SELECT * FROM customer_landing c JOIN readings r ON r.user = c.email
