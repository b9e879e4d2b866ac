SELECT c.email,
  c.emial AS äöü_x
FROM customer_landing c