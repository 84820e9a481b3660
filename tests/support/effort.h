/*
 * How much of a soak is run.
 *
 * SANITIZED: whether AddressSanitizer is in. It makes mlock() do nothing, and needs more address
 * space than a limit leaves; tests of either are skipped then.
 */
#ifndef SK_TESTS_EFFORT_H
#define SK_TESTS_EFFORT_H

#include <stdlib.h>

#ifdef __SANITIZE_ADDRESS__
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* One of three sizes: the usual one; all of it with SK_LONG set; and always one less where
 * sanitizers are in, since what they look for shows in a sample. */
static inline unsigned sk_test_effort(unsigned sample, unsigned usual, unsigned all)
{
    if (getenv("SK_LONG") != NULL)
        return SANITIZED ? usual : all;
    return SANITIZED ? sample : usual;
}

#endif
