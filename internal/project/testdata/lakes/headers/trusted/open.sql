/* @tarn
description: a
SELECT 1 AS x
