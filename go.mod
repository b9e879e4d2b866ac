module tarn

go 1.26
