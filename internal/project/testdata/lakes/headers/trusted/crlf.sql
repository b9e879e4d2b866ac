/* @tarn
description: a
checks:
  - uniqe: x
*/
SELECT 1 AS x
