/*
 * Forms of organisations for tests: of testimonies, with a required title, and a number `days` from
 * version 2 on.
 */
#ifndef SK_TESTS_OWN_FORM_H
#define SK_TESTS_OWN_FORM_H

#include "core/form_own.h"
#include "tests/support/stores.h"

/* The text of a form, in a string that lives until the next but three such call. */
const char *sk_test_form_text(const char *name, unsigned version, const char *label);

/* Reads it; to be given back. */
struct sk_own_form *sk_test_form(const char *name, unsigned version, const char *label);

/* An archive offers it, in a transaction of its own. */
void sk_test_offer(struct sk_store *archive, const char *name, unsigned version, const char *label);

/* A record of that title made with it, in a transaction of its own. */
struct sk_id sk_test_add_under(struct sk_store *device, struct sk_own_form *own, const char *title);

/* Puts it into the own log; erases it there, by an entry that no command writes, each in a
 * transaction of its own. */
void sk_test_log_form(struct sk_store *device, const struct sk_own_form *own);
void sk_test_erase_form(struct sk_store *device, const struct sk_own_form *own);

#endif
