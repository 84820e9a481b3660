/*
 * What a fuzz target defines: the entry point that libFuzzer calls too, so that a target can be
 * built with either driver. It must take any bytes without a crash, leak or undefined behaviour.
 */
#ifndef SK_TESTS_FUZZ_H
#define SK_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* Ends the process when a property does not hold. */
#define SK_FUZZ_CHECK(condition) \
    do {                         \
        if (!(condition))        \
            __builtin_trap();    \
    } while (0)

#endif
