/*
 * A log entry and what it commits to: pure encoding, no database. The layout is in sync/FORMAT.md.
 *
 * A payload is a text (JSON) and a body (the bytes of an attachment, else empty). Its blocks are
 * the text in pieces of 1 MiB, then the body in pieces of 1 MiB, numbered through; the last piece
 * of each may be shorter. Block hash: h_j = H(salt, "block", u64 j | piece). Commitment: H(salt,
 * "commit", id[16] | u32 revision | u64 text length | u64 body length | h_0 | h_1 ...).
 */
#ifndef SK_CORE_ENTRY_H
#define SK_CORE_ENTRY_H

#include "core/types.h"
#include "crypto/hash.h"
#include "crypto/merkle.h"

#define SK_ENTRY_LEN     96
#define SK_ENTRY_VERSION 1
#define SK_SALT_LEN      32
#define SK_BLOCK_LEN     ((size_t)1024 * 1024)
#define SK_TEXT_MAX      ((size_t)8 * 1024 * 1024) /* of a payload's text */
#define SK_BODY_MAX      (4000ull * 1024 * 1024) /* of an attachment: with a text, it fits a bundle */

/*
 * | 0 | u16 version | 2 | u16 type | 4 | u32 flags | 8 | u32 day | 12 | id[16] | 28 | u32 revision
 * | 32 | commitment[32] | 64 | previous[32] |
 *
 * flags: for an erasure, the type of what is erased; otherwise 0; with bit 31, the entry was saved
 * from damage and nothing proved that it had been signed. revision counts from 1 for each id.
 * previous: sk_entry_name() of the entry of the revision before, zeros for revision 1.
 * The commitment of an erasure, which has no payload, is zeros.
 */
struct sk_entry {
    uint16_t type;
    uint32_t flags; /* without bit 31 */
    bool unproven;  /* bit 31 */
    uint32_t day;
    struct sk_id id;
    uint32_t revision;
    uint8_t commitment[SK_HASH_LEN];
    uint8_t previous[SK_MERKLE_LEN];
};

void sk_entry_encode(uint8_t out[static SK_ENTRY_LEN], const struct sk_entry *entry);

/* Errors: SK_REFUSED for a version, type, flags, revision or zero field that cannot be. */
SK_MUST_CHECK
enum sk_status sk_entry_decode(struct sk_entry *out, const uint8_t bytes[static SK_ENTRY_LEN]);

/* What the next revision names: the RFC 6962 leaf hash of the entry without bit 31 of the flags,
 * which a later log may have set. */
void sk_entry_name(uint8_t out[static SK_MERKLE_LEN], const uint8_t bytes[static SK_ENTRY_LEN]);

/* Whether entries of that type have a payload. */
bool sk_entry_has_payload(const struct sk_entry *entry);

/* How many blocks a text and a body make. A text has at least one, even if it is empty. */
uint64_t sk_block_count(uint64_t text_len, uint64_t body_len);

/* The length of block j. */
size_t sk_block_len(uint64_t text_len, uint64_t body_len, uint64_t j);

void sk_block_hash(uint8_t out[static SK_HASH_LEN], const uint8_t salt[static SK_SALT_LEN],
                   uint64_t j, const void *bytes, size_t len);

/* hashes: sk_block_count() * 32 bytes. */
void sk_commitment(uint8_t out[static SK_HASH_LEN], const struct sk_id *id, uint32_t revision,
                   const uint8_t salt[static SK_SALT_LEN], uint64_t text_len, uint64_t body_len,
                   const uint8_t *hashes);

#endif
