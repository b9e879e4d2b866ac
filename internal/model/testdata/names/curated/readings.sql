SELECT c.email FROM customer_landing c
