// What Count in tally.go promises, 32 bytes at a time. Vectors are the compiler's own (GCC and Clang, "Vector Extensions"), so
// that there is one text for all machines.
#include <string.h>

#include "tally.h"

typedef uint8_t bytes __attribute__((vector_size(32)));
typedef uint64_t words __attribute__((vector_size(32)));

// The longest word that is looked for needs this many bytes behind its first.
enum { AHEAD = 4 };

static inline int is_literal(const uint8_t *p, size_t left) {
	return (left >= 4 && !memcmp(p, "true", 4)) || (left >= 5 && !memcmp(p, "false", 5));
}

static inline __attribute__((always_inline)) void tally(const uint8_t *p, size_t n, struct tarn_tally *out) {
	const size_t whole = sizeof(bytes) + AHEAD;
	size_t i = 0;
	while (n - i >= whole) {
		bytes quotes = {0}, braces = {0}, lines = {0}, literal = {0};
		// One lane counts to 255.
		for (int round = 0; round < 255 && n - i >= whole; round++, i += sizeof(bytes)) {
			bytes a, b, c, d, e;
			memcpy(&a, p + i, sizeof a);
			memcpy(&b, p + i + 1, sizeof b);
			memcpy(&c, p + i + 2, sizeof c);
			memcpy(&d, p + i + 3, sizeof d);
			memcpy(&e, p + i + 4, sizeof e);
			// A comparison that holds is -1.
			quotes -= (bytes)(a == '"');
			braces -= (bytes)(a == '{');
			lines -= (bytes)(a == '\n');
			literal |= (bytes)(((a == 't') & (b == 'r') & (c == 'u') & (d == 'e')) |
			                   ((a == 'f') & (b == 'a') & (c == 'l') & (d == 's') & (e == 'e')));
		}
		for (size_t k = 0; k < sizeof(bytes); k++) {
			out->quotes += quotes[k];
			out->braces += braces[k];
			out->lines += lines[k];
		}
		words found = (words)literal;
		out->literal |= (found[0] | found[1] | found[2] | found[3]) != 0;
	}
	for (; i < n; i++) {
		out->quotes += p[i] == '"';
		out->braces += p[i] == '{';
		out->lines += p[i] == '\n';
		out->literal |= is_literal(p + i, n - i);
	}
}

#if defined(__x86_64__)
// Every machine of the last ten years can do this, but no compiler may take it for granted.
__attribute__((target("avx2"))) static void tally_avx2(const uint8_t *p, size_t n, struct tarn_tally *out) { tally(p, n, out); }

void tarn_tally(const uint8_t *p, size_t n, struct tarn_tally *out) {
	if (__builtin_cpu_supports("avx2"))
		tally_avx2(p, n, out);
	else
		tally(p, n, out);
}
#else
void tarn_tally(const uint8_t *p, size_t n, struct tarn_tally *out) { tally(p, n, out); }
#endif
