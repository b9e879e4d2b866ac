SELECT email AS who FROM customer_landing
UNION ALL
(SELECT "user" FROM accelerometer_landing EXCEPT SELECT 'a@x')
