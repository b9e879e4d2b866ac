SELECT t.item, count(*) AS sold
FROM sales_trusted t
GROUP BY t.item
