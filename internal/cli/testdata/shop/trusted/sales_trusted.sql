/* @tarn
description: Sales with a price.
checks:
  - unique: id
  - name: cheap
    expect: price < 1000
*/
SELECT s.id, s.item, s.price
FROM sales_landing s
WHERE s.price IS NOT NULL -- drop: no_price
