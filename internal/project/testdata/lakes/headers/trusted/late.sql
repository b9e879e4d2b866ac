SELECT '/* @tarn no */' AS x -- /* @tarn no */
/* @tarn
description: late
*/
