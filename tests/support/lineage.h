/*
 * Logs that continue one another, in a world (tests/support/exchange.h).
 */
#ifndef SK_TESTS_LINEAGE_H
#define SK_TESTS_LINEAGE_H

#include "tests/support/exchange.h"

/* The store of archive 0. */
struct sk_store *sk_lineage_archive(const struct sk_world *world);

/* Makes device `into` the heir of device `from`, which the archive invites if `invited`. */
void sk_lineage_inherit(struct sk_world *world, unsigned from, unsigned into, bool invited);

/* "title@log " of what is listed and of what a search for "rec" finds, newest first; and the
 * archive verifies. */
void sk_lineage_list(const struct sk_world *world, const char *expected);

/* Imports into archive 0, without a fork. */
void sk_lineage_import(struct sk_world *world, const char *name);

/* A file of that size to a record; a link. */
void sk_lineage_attach(const struct sk_world *world, unsigned device, const struct sk_id *to,
                       const char *name, size_t size);
void sk_lineage_link(struct sk_store *device, const struct sk_id *from, const char *role,
                     const struct sk_id *to);

#endif
