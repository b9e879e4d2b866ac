/* @Tarn
description: x
*/
SELECT r.user FROM r