/*
 * The next keys of an archive, as its receipts carry them and a device takes them (sync/FORMAT.md,
 * "Renewed keys"). Private to sync.
 */
#ifndef SK_SYNC_NEXT_H
#define SK_SYNC_NEXT_H

#include "core/buf.h"
#include "core/store.h"

struct sk_next_keys {
    uint8_t dh_public[SK_DH_LEN];
    uint8_t sign_public[SK_SIGN_PUBLIC_LEN];
};

/* Whether both can be keys at all: no points of low order, and an Ed25519 key in its one encoding.
 */
bool sk_next_keys_usable(const struct sk_next_keys *keys);

/* Whether one key of the one pair is, as bytes, one of the other, whatever each is for. */
bool sk_next_keys_touch(const struct sk_next_keys *a, const struct sk_next_keys *b);
bool sk_next_keys_same(const struct sk_next_keys *a, const struct sk_next_keys *b);

/* "next <X25519 hex> <Ed25519 hex>" and a newline, appended. */
SK_MUST_CHECK enum sk_status sk_next_keys_format(struct sk_buf *out,
                                                 const struct sk_next_keys *keys,
                                                 struct sk_error *err);

/* What a device knows of an archive's keys beside those in force. */
struct sk_known_keys {
    bool announced; /* `next` is there: bundles are sealed to it */
    struct sk_next_keys next;
    bool renewed; /* those in force followed `before` */
    struct sk_next_keys before;
};

/* Those of a peer. Errors: SK_DAMAGED. */
SK_MUST_CHECK enum sk_status sk_known_keys_load(struct sk_store *store, int64_t peer,
                                                struct sk_known_keys *out, struct sk_error *err);

/* In the current transaction: keeps what an archive announces; puts what it announced in force. */
SK_MUST_CHECK enum sk_status sk_known_keys_announce(struct sk_store *store, int64_t peer,
                                                    const struct sk_next_keys *keys,
                                                    struct sk_error *err);
SK_MUST_CHECK enum sk_status sk_known_keys_promote(struct sk_store *store, int64_t peer,
                                                   struct sk_error *err);

#endif
