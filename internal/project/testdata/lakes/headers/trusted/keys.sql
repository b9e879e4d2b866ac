/* @tarn
descripton: Mistyped.
partitioned_by: [days(timestamp), bucket(user), day(a, b), "day(timestamp", bucket(0, user), year(x), year(X)]
max_quarantine: 5
cheks: []
*/
SELECT 1 AS x
