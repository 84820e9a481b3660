/*
 * The chain of one-time keys between a device and an archive (sync/FORMAT.md, "Ratchet").
 *
 * psk_0 comes with the invite. Index i has TK = subkey 2, MK = subkey 3, WK = subkey 4 of psk_i,
 * and psk_(i+1) is subkey 1. The chain of receipts starts from subkey 5 of psk_0. The sending side
 * forgets an index before it writes the first byte; the reading side keeps what it has skipped.
 */
#ifndef SK_SYNC_RATCHET_H
#define SK_SYNC_RATCHET_H

#include "core/store.h"
#include "crypto/secret.h"

#define SK_RATCHET_WINDOW     64   /* indexes searched first beyond the newest seen */
#define SK_RATCHET_WINDOW_FAR 4096 /* and then */

struct sk_slot_keys {
    uint8_t tag[32];
    uint8_t mask[32];
    uint8_t wrap[32];
};

/* The keys of a chain key's index, and the first of them alone; the next chain key (may overwrite);
 * the receipts' first one. */
void sk_ratchet_keys(struct sk_slot_keys *out, const uint8_t chain_key[static 32]);
void sk_ratchet_tag(uint8_t out[static 32], const uint8_t chain_key[static 32]);
void sk_ratchet_next(uint8_t out[static 32], const uint8_t chain_key[static 32]);
void sk_ratchet_receipts(uint8_t out[static 32], const uint8_t psk[static 32]);

/* A new chain in the store; wants a transaction. Errors: SK_IO, SK_FULL. */
SK_MUST_CHECK enum sk_status sk_chain_create(struct sk_store *store, const uint8_t key[static 32],
                                             int64_t *chain, struct sk_error *err);

/* Sending: takes the next index and moves on; what is taken is gone once the transaction commits,
 * from the write-ahead log too. */
SK_MUST_CHECK enum sk_status sk_chain_take(struct sk_store *store, int64_t chain, uint64_t *index,
                                           struct sk_slot_keys *out, struct sk_error *err);

/* What a reading side knows about a volume. */
enum sk_chain_match {
    SK_CHAIN_NONE,  /* no slot is from this chain */
    SK_CHAIN_READY, /* a slot is; keys are filled in */
    SK_CHAIN_SPENT, /* a slot is, and its index is spent; the hashes are filled in */
};
struct sk_chain_found {
    enum sk_chain_match match;
    uint64_t index;
    unsigned slot;
    struct sk_slot_keys keys;
    uint8_t file_hash[32];
    uint8_t header_hash[32];
};

/* Which indexes are looked at. */
enum sk_chain_reach {
    SK_CHAIN_NEAR, /* kept and spent ones, and SK_RATCHET_WINDOW ahead */
    SK_CHAIN_FAR,  /* kept and spent ones, and SK_RATCHET_WINDOW_FAR ahead */
    SK_CHAIN_NEXT, /* the next one alone: that of a bundle that comes in order */
};

/*
 * Looks for a slot of `header` (the first 65,536 bytes of a volume) whose tag is of this chain.
 * Changes nothing. The caller wipes out->keys.
 */
SK_MUST_CHECK enum sk_status sk_chain_find(struct sk_store *store, int64_t chain,
                                           const uint8_t *header, enum sk_chain_reach reach,
                                           struct sk_chain_found *out, struct sk_error *err);

/* Reading: spends an index in the current transaction: keys before it are kept one by one, its own
 * are erased but for the tag key (from the write-ahead log too), and the hashes are noted. */
SK_MUST_CHECK enum sk_status sk_chain_spend(struct sk_store *store, int64_t chain, uint64_t index,
                                            const uint8_t file_hash[static 32],
                                            const uint8_t header_hash[static 32],
                                            struct sk_error *err);

#endif
