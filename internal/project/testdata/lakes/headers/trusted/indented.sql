
-- ÄÖ plain
  /* @tarn
     description: fine
     owner: "me"
  */
SELECT 1 AS x
