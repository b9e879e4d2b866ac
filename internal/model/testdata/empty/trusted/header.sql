/* @tarn
description: x
*/
