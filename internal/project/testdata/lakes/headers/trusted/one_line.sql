/* @tarn checks: [{not_nul: x}] */ SELECT 1 AS x
