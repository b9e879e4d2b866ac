/* @tarn
checks:
  - not_null: [nope, email]
  - unique: emial
  - expect: foo > 1
    name: foo_above_one
  - name: no_condition
    expect: length(email)
  - name: syntax
    expect: "email LIKE"
  - name: elsewhere
    sql: |
      SELECT *
      FROM nowhere n
      WHERE x < 1
  - name: wrong_column
    sql: |

      SELECT t.emial
      FROM t
  - name: two
    sql: SELECT 1 FROM t; DROP TABLE t
  - name: no_select
    sql: DELETE FROM t
  - references: {column: email, table: customer_trused}
  - name: ref_column
    references: {column: email, table: customer_landing, to: mail}
  - name: ref_type
    references: {column: email, table: customer_landing, to: registrationDate}
  - range: {column: email, min: 3}
  - name: truth
    accepted_values: {column: email, values: [true, 5, a]}
  - name: number_as_text
    range: {column: n, min: "3", max: 2024-01-01}
  - freshness: {column: email, within: 1d}
  - name: later
    references: {column: email, table: later_one}
  - name: fine
    expect: email LIKE '%@%' AND n IS NOT NULL
  - name: fine_sql
    sql: SELECT * FROM t WHERE regexp_matches(email, 'x')
*/
SELECT c.email, c.registrationDate AS n, timestamp_millis(c.registrationDate) AS at FROM customer_landing c
