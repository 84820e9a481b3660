/*
 * What a documenter's store may purge: what the newest receipt of every enrolled archive covers
 * (sync/FORMAT.md, "Receipt").
 */
#ifndef SK_SYNC_PURGE_H
#define SK_SYNC_PURGE_H

#include "core/purge.h"

/*
 * Positions that each archive stores by its newest receipt, where its root is this log's own, and
 * that it neither wants again nor has set aside as malformed, nor has only the entries of. out:
 * empty, filled. Errors: SK_CONFIG (no archive has invited this store), SK_DAMAGED (a receipt that
 * is kept here is not one).
 */
SK_MUST_CHECK
enum sk_status sk_purge_covered(struct sk_store *store, struct sk_ranges *out,
                                struct sk_error *err);

struct sk_purge_result {
    uint64_t entries; /* of which what they commit to goes */
    uint64_t items;   /* records, attachments and links that these belong to */
    uint64_t left;    /* entries that keep it, since not every archive is known to have it */
};

/*
 * Purges, in the current transaction, what is covered of these items, with what hangs on them;
 * count 0: of everything. With `look` nothing is changed. progress: items of everything, may be
 * NULL. Errors: those of sk_purge_covered(), SK_REFUSED (one of them was withdrawn), SK_FULL,
 * SK_IO.
 */
SK_MUST_CHECK
enum sk_status sk_purge(struct sk_store *store, const struct sk_item *items, size_t count,
                        bool look, const struct sk_progress *progress, struct sk_purge_result *out,
                        struct sk_error *err);

#endif
