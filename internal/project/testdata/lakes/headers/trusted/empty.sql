/* @tarn
description: a
*/
-- nothing
