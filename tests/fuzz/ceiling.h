/*
 * How much memory a run of a target takes at most: stands before the C library's allocator for the
 * whole program. Where a sanitizer has its own allocator, nothing is counted (libFuzzer's
 * -malloc_limit_mb does it there).
 */
#ifndef SK_TESTS_FUZZ_CEILING_H
#define SK_TESTS_FUZZ_CEILING_H

#include <stddef.h>

/* From here on the most memory that was in use at one time is noted. */
void sk_ceiling_begin(void);

/* What came on top of that at most, in bytes; 0 where nothing is counted. */
size_t sk_ceiling_taken(void);

#endif
