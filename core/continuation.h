/*
 * The first entry of a log that continues another (sync/FORMAT.md, "Continuation"): a store that
 * was restored or repaired has new keys and a new log, and the old key signs that this is so.
 *
 * Records that stand in both logs are shown once: the table `kin` says which logs are related.
 */
#ifndef SK_CORE_CONTINUATION_H
#define SK_CORE_CONTINUATION_H

#include "core/log.h"

#define SK_CONTINUATION_CONTEXT "skrynia continuation 1" /* signed with its NUL */

struct sk_continuation {
    uint8_t log_id[SK_HASH_LEN];             /* the log that continues */
    uint8_t old_id[SK_HASH_LEN];             /* the one that is continued, hash of the two keys */
    uint8_t sign_public[SK_SIGN_PUBLIC_LEN]; /* its keys */
    uint8_t dh_public[SK_DH_LEN];
    uint64_t size; /* how much of it is known, and its root there */
    uint8_t root[SK_MERKLE_LEN];
    uint8_t signature[SK_SIGNATURE_LEN]; /* by the old key */
};

/* Fills in the signature, with the old log's seed. */
void sk_continuation_sign(struct sk_continuation *continuation,
                          const uint8_t seed[static SK_SIGN_SEED_LEN]);

/* Whether the keys are those of the old id and the signature is right. Errors: SK_REFUSED. */
SK_MUST_CHECK
enum sk_status sk_continuation_check(const struct sk_continuation *continuation,
                                     struct sk_error *err);

/* Appends it to the own log as its next entry, in the running transaction. */
SK_MUST_CHECK
enum sk_status sk_continuation_append(struct sk_store *store,
                                      const struct sk_continuation *continuation,
                                      struct sk_error *err);

/*
 * Notes what an entry says that sk_continuation_check() has passed. Errors: SK_REFUSED with the
 * reason (it stands where it has no business, or the log it names has another history), SK_IO.
 */
SK_MUST_CHECK
enum sk_status sk_continuation_take(struct sk_store *store, int64_t entry_row,
                                    const struct sk_continuation *continuation,
                                    struct sk_error *err);

/*
 * What an item's entries up to `last` said is not said any more: it was erased, or is of another
 * type. The end of the transaction settles what follows.
 */
SK_MUST_CHECK
enum sk_status sk_continuation_forget(struct sk_store *store, int64_t item, int64_t last,
                                      struct sk_error *err);

/*
 * After entries came, in the running transaction: what is noted of the log that got them (log_id,
 * 32 bytes; NULL: none did) is held against it, `kin` is made anew where that may have changed, and
 * what was withdrawn in a log is erased in those that it continues, and in those that continue it
 * as far as they hold the same (core/erase.c).
 */
SK_MUST_CHECK
enum sk_status sk_continuation_settle(struct sk_store *store, const uint8_t *log_id,
                                      struct sk_error *err);

/* Whether `continuation` has a basis in entries, and `kin` is what follows from it: *problem is a
 * sentence, or NULL. */
SK_MUST_CHECK
enum sk_status sk_continuation_verify(struct sk_store *store, const char **problem,
                                      struct sk_error *err);

/* What a log says in its first entry (keys and signature are left zero); *found tells. */
SK_MUST_CHECK
enum sk_status sk_continuation_of(struct sk_store *store, const struct sk_log *log,
                                  struct sk_continuation *out, bool *found, struct sk_error *err);

#endif
