/*
 * An archive's own keys, and the next ones when it renews them (sync/FORMAT.md, "Renewed keys"). It
 * holds the pair in force and, until a person has the old one forgotten, the next. Its archive id
 * stays that of its first pair.
 */
#ifndef SK_CORE_RENEW_H
#define SK_CORE_RENEW_H

#include "core/store.h"
#include "crypto/hash.h"

/* The public halves of a pair, and the how manieth it is: 0 is the first. */
struct sk_archive_keys {
    uint64_t number;
    uint8_t dh_public[SK_DH_LEN];
    uint8_t sign_public[SK_SIGN_PUBLIC_LEN];
};

/* The pair in force; the next one, false when there is none; the newest of both. */
void sk_archive_keys(const struct sk_store *store, struct sk_archive_keys *out);
bool sk_archive_next_keys(const struct sk_store *store, struct sk_archive_keys *out);
void sk_archive_newest_keys(const struct sk_store *store, struct sk_archive_keys *out);

/* The day on which the next pair was made, 0 when there is none. */
uint32_t sk_archive_renewed(const struct sk_store *store);

/* What a safety number of a pair is made of: H(no key, "archive id", Ed25519 key | X25519 key). */
void sk_archive_keys_id(uint8_t out[static SK_HASH_LEN],
                        const uint8_t sign_public[static SK_SIGN_PUBLIC_LEN],
                        const uint8_t dh_public[static SK_DH_LEN]);

/* The Ed25519 seed of a pair, owned by the store; NULL when it was forgotten. */
const uint8_t *sk_archive_seed(const struct sk_store *store, uint64_t number);

/* Agrees with the X25519 key of a pair. Errors: SK_DAMAGED (low order), SK_MISSING (forgotten). */
SK_MUST_CHECK
enum sk_status sk_archive_dh(const struct sk_store *store, uint64_t number,
                             uint8_t shared[static SK_DH_LEN],
                             const uint8_t public_key[static SK_DH_LEN]);

/* Makes the next pair. Errors: SK_REFUSED (there is one already), SK_CONFIG (a documenter's
 * store), SK_NOMEM, SK_IO, SK_FULL. */
SK_MUST_CHECK enum sk_status sk_archive_renew(struct sk_store *store, struct sk_error *err);

/* Erases the secrets of the pair in force, from the write-ahead log too; the next takes its place.
 * Errors: SK_REFUSED (there is no next pair), SK_IO, SK_FULL. */
SK_MUST_CHECK enum sk_status sk_archive_forget(struct sk_store *store, struct sk_error *err);

#endif
