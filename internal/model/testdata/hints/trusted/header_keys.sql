/* @tarn
descripton: hi
partitioned_by: [dya(ts), nosuch, hour(x), bucket(0, user)]
checks:
  - not_nul: [a]
  - not_null: [usr]
  - unique: [user, nope]
  - {name: e, expect: x <== 1}
  - {name: f, expect: y > 1}
  - {range: x, min: 5, max: 1}
  - {accepted_values: user}
  - {references: pp.email, column: user}
  - {not_null: user, on_fail: explode}
  - {sql: SELECT * FROM nosuch}
*/
SELECT r.user, timestamp_millis(r.ts) AS ts, r.x FROM r