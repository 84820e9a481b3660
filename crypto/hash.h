/*
 * H(key, label, ...): keyed BLAKE2b-256 over a 16-byte label and the fields after it. Fields have
 * a fixed length, or come last, so that no two inputs read the same.
 */
#ifndef SK_CRYPTO_HASH_H
#define SK_CRYPTO_HASH_H

#include "crypto/labels.h"

#include <sodium.h>
#include <stddef.h>
#include <stdint.h>

#define SK_HASH_LEN 32

struct sk_hash {
    crypto_generichash_state state;
};

/* Starts a hash. key: 32 bytes, or NULL for an unkeyed one. */
void sk_hash_init(struct sk_hash *h, const uint8_t *key, enum sk_label label);
void sk_hash_add(struct sk_hash *h, const void *bytes, size_t len);
void sk_hash_add_u32(struct sk_hash *h, uint32_t v);
void sk_hash_add_u64(struct sk_hash *h, uint64_t v);

/* Writes the digest and wipes the state. */
void sk_hash_end(struct sk_hash *h, uint8_t out[static SK_HASH_LEN]);

/* All at once, for a single field. */
void sk_hash_of(uint8_t out[static SK_HASH_LEN], const uint8_t *key, enum sk_label label,
                const void *bytes, size_t len);

/*
 * `groups` groups of five digits made from a hash: 12 groups for a safety number (label SAFETY),
 * 6 for a courier's code (label CODE). out: groups * 6 bytes, groups divided by spaces, ending in
 * NUL. groups <= 12. Each group is five bytes of BLAKE2b-512(label | id), big-endian, mod 100000.
 */
void sk_digits(char *out, size_t groups, enum sk_label label, const uint8_t id[static SK_HASH_LEN]);

#endif
