/*
 * Memory that runs out: stands before the C library's allocator and before libsodium's guarded and
 * locked pages (sodium_malloc(), sodium_mlock()), for a whole program and every library it uses.
 * Linked as an object, or preloaded as a library (famine_preload.c).
 *
 * The sanitizers' own allocator cannot be replaced: with them only libsodium's calls are counted.
 */
#ifndef SK_TESTS_FAMINE_H
#define SK_TESTS_FAMINE_H

#include "tests/support/effort.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is counted and may fail. */
enum {
    SK_FAMINE_HEAP = SANITIZED ? 0 : 1 << 0, /* malloc(), calloc(), realloc() */
    SK_FAMINE_SECRETS = 1 << 1,              /* sodium_malloc() */
    SK_FAMINE_LOCKS = 1 << 2,                /* sodium_mlock(): memory is had, but not locked */
};

struct sk_famine {
    unsigned kinds;
    uint64_t number; /* the one that fails, from 1; 0: none */
    bool lasting;    /* and all after it */
};

void sk_famine_begin(const struct sk_famine *famine);
void sk_famine_end(void);

/* Such calls since it began. */
uint64_t sk_famine_counted(void);

/* The longest block or secret that was asked for since it began, in bytes. */
size_t sk_famine_longest(void);

/* Blocks and secrets that are not freed. */
int64_t sk_famine_live(void);

/* For the test itself: these never fail and are not counted. */
void *sk_famine_malloc(size_t len);
void *sk_famine_realloc(void *p, size_t len);
void sk_famine_free(void *p);

#endif
