/* @tarn
description: a
*/
/* @tarn
description: b
*/
SELECT 1 AS x
