-- a plain comment
/* @tarn description: "One line." */
SELECT 1 AS one
