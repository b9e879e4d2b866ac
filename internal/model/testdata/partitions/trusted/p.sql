/* @tarn
partitioned_by: [day(email), Nope, hour(born), bucket(4, email), truncate(2, at), day(at)]
*/
SELECT c.email, c.born, timestamp_millis(c.registrationDate) AS at FROM customer_landing c
