/*
 * What the device signs about one bundle (sync/FORMAT.md, "Manifest"): pure encoding.
 */
#ifndef SK_SYNC_MANIFEST_H
#define SK_SYNC_MANIFEST_H

#include "core/buf.h"
#include "core/log.h"
#include "sync/envelope.h"

#define SK_MANIFEST_MAX       65536u
#define SK_MANIFEST_CONTEXT   "skrynia bundle 1" /* signed with its NUL, before the manifest */
#define SK_ARCHIVES_MAX       8
#define SK_VOLUMES_MAX        16
#define SK_BUNDLE_ENTRIES_MAX (1u << 20)
#define SK_BUNDLE_PLAIN_MAX   (64ull << 30)

struct sk_manifest {
    uint8_t sign_public[SK_SIGN_PUBLIC_LEN];
    uint8_t dh_public[SK_DH_LEN];
    uint8_t set_id[SK_SET_ID_LEN];
    uint64_t number; /* of the bundle, from 1, per device */
    uint8_t k, n;
    uint8_t header_hashes[SK_VOLUMES_MAX][32]; /* n of them */
    uint8_t recipient_count;
    uint8_t recipients[SK_ARCHIVES_MAX][32]; /* archive ids, sorted, distinct */
    uint64_t n0, n1;                         /* entries [n0, n1) */
    uint8_t root[32];                        /* at n1 */
    uint8_t peaks[SK_MERKLE_PEAKS_MAX][32];  /* at n0 */
    char note[SK_CHECKPOINT_NOTE_MAX];       /* signed checkpoint at n1 */
    uint64_t payload_count;
    uint64_t plain_bytes;     /* texts and bodies of all payloads */
    uint8_t indices_hash[32]; /* H(no key, "indices", u32 index - n0 of each payload) */
    uint32_t day;
};

/* Appends the encoding. Errors: SK_LIMIT, SK_NOMEM. */
SK_MUST_CHECK enum sk_status sk_manifest_encode(struct sk_buf *out,
                                                const struct sk_manifest *manifest,
                                                struct sk_error *err);

/* Decodes and checks every limit, order and the whole length. Errors: SK_DAMAGED, SK_LIMIT,
 * SK_CONFIG (a newer version). Strict: each manifest has one encoding. */
SK_MUST_CHECK enum sk_status sk_manifest_decode(struct sk_manifest *out, const uint8_t *bytes,
                                                size_t len, struct sk_error *err);

/* Signs, checks the signature: over context, NUL, encoding. Errors: SK_DAMAGED. */
void sk_manifest_sign(const struct sk_store *store, uint8_t signature[static SK_SIGNATURE_LEN],
                      const uint8_t *encoded, size_t len);
SK_MUST_CHECK enum sk_status sk_manifest_verify(
    const uint8_t signature[static SK_SIGNATURE_LEN], const uint8_t *encoded, size_t len,
    const uint8_t sign_public[static SK_SIGN_PUBLIC_LEN], struct sk_error *err);

#endif
