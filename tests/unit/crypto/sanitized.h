/*
 * SANITIZED: whether AddressSanitizer is in. It makes mlock() do nothing, and needs more address
 * space than a limit leaves; tests of either are skipped then.
 */
#ifndef SK_TESTS_SANITIZED_H
#define SK_TESTS_SANITIZED_H

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

#endif
