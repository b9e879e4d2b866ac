#include <stddef.h>
#include <stdint.h>

struct tarn_tally {
	int64_t quotes, braces, lines;
	int64_t literal;
};

void tarn_tally(const uint8_t *p, size_t n, struct tarn_tally *out);
