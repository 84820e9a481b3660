/*
 * What a fuzz target defines: the entry point of libFuzzer, so that one source is built with
 * libFuzzer (preset "fuzz") and with a plain driver that replays the corpus in every run. It must
 * take any bytes without a crash, leak or undefined behaviour, and hold the properties it checks.
 */
#ifndef SK_TESTS_FUZZ_H
#define SK_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* start.c: what libraries want once, for both drivers. */
int LLVMFuzzerInitialize(const int *argc, char ***argv);

/* A target may define its own mutations, of inputs that have a structure. `room` is the most bytes
 * that fit; the value is the new length. Both drivers use it where it is there. */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t len, size_t room, unsigned seed);

/* The driver's own mutation of plain bytes, for a target's mutator. */
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t len, size_t room);

/* Ends the process when a property does not hold. */
#define SK_FUZZ_CHECK(condition) \
    do {                         \
        if (!(condition))        \
            __builtin_trap();    \
    } while (0)

#endif
