package crawl

import "tarn/internal/words"

func plural(n int64, one string) string { return words.Count(n, one) }
func grouped(n int64) string            { return words.Grouped(n) }
