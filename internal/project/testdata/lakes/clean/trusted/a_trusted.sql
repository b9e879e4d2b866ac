/* @tarn
description: Readings.
partitioned_by: [day(timestamp), bucket(16, user), "truncate(4,user)", user]
checks:
  - not_null: [user, timestamp]
*/
SELECT a.user FROM a_landing a
