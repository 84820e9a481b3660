/*
 * A succession in a test: from a closed store's folder into a new one.
 */
#ifndef SK_TESTS_HEIR_H
#define SK_TESTS_HEIR_H

#include "core/succession.h"
#include "tests/support/stores.h"

struct sk_test_heir {
    struct sk_succession_result result;
    struct sk_remains_facts facts;
    uint64_t unproven; /* told as not proven */
    char losses[4096]; /* "kind from-to title;" each */
};

/* Whether successions want everything to be readable (sk_succession_options). */
extern bool sk_test_readable;

/* Gives the status; the store is made at `to`, with the passphrase of tests. */
enum sk_status sk_test_inherit_status(const char *from, const char *to, struct sk_test_heir *out,
                                      struct sk_error *err);

/* The same, which has to work; `from` is closed for it and opened again. */
void sk_test_inherit(struct sk_test_store *from, const char *to, struct sk_test_heir *out);

#endif
