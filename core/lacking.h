/*
 * Entries whose payload is not here. It is lacking where a damaged bundle brought them without, and
 * is asked for (sync/FORMAT.md, "Salvage"). All other entries that came without one, and of which
 * it would still be taken, are bare: their device had purged it, or it was erased here by something
 * that counts no more. It would not be taken where a related log has withdrawn the item, which the
 * device may not know. Functions that change something want a transaction.
 */
#ifndef SK_CORE_LACKING_H
#define SK_CORE_LACKING_H

#include "core/item.h"

/* Notes an entry that was put, unless no payload of it is wanted (it was withdrawn, or has none).
 */
SK_MUST_CHECK
enum sk_status sk_lacking_add(struct sk_store *store, int64_t log, uint64_t position,
                              struct sk_error *err);

/* Within [n0, n1): forgets those whose payload is here now. all: every one, since what their device
 * still has of them was verified to be here. */
SK_MUST_CHECK
enum sk_status sk_lacking_settle(struct sk_store *store, int64_t log, uint64_t n0, uint64_t n1,
                                 bool all, struct sk_error *err);

/* The positions of a log. out: empty, filled. */
SK_MUST_CHECK
enum sk_status sk_lacking_ranges(struct sk_store *store, int64_t log, struct sk_ranges *out,
                                 struct sk_error *err);

SK_MUST_CHECK
enum sk_status sk_lacking_is(struct sk_store *store, int64_t log, uint64_t position, bool *out,
                             struct sk_error *err);

/* Of an item: the newest of its entries that is lacking and newer than what is shown; *found is
 * false where there is none. */
SK_MUST_CHECK
enum sk_status sk_lacking_newest(struct sk_store *store, const struct sk_item *item,
                                 uint64_t *position, bool *found, struct sk_error *err);

/* How many entries in all; how many records of which nothing is shown, since they lack. */
SK_MUST_CHECK
enum sk_status sk_lacking_count(struct sk_store *store, uint64_t *out, struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_lacking_records(struct sk_store *store, uint64_t *out, struct sk_error *err);

/* The positions of a log whose entries are bare, and of those withdrawn by a related log and not by
 * their own. Reads the whole log. Both: empty, filled. */
SK_MUST_CHECK
enum sk_status sk_bare_ranges(struct sk_store *store, int64_t log, struct sk_ranges *bare,
                              struct sk_ranges *withdrawn, struct sk_error *err);

/* How many rows name no entry, or one that is not lacking at all. */
SK_MUST_CHECK
enum sk_status sk_lacking_wrong(struct sk_store *store, uint64_t *out, struct sk_error *err);

#endif
