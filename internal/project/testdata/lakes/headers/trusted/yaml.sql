/* @tarn
description: a: b
*/
SELECT 1 AS x
