/*
 * The Merkle tree of RFC 6962, section 2.1 (SHA-256), kept as its peaks.
 *
 * The peaks of a tree of n leaves are the roots of the full subtrees that the binary digits of n
 * name, largest first; there are popcount(n) of them. From the peaks alone a tree can grow and its
 * root be told. Proofs read whole subtrees through a callback, so that a store may keep as many of
 * their roots as it likes.
 */
#ifndef SK_CRYPTO_MERKLE_H
#define SK_CRYPTO_MERKLE_H

#include "crypto/status.h"

#include <stddef.h>
#include <stdint.h>

#define SK_MERKLE_LEN       32
#define SK_MERKLE_PEAKS_MAX 64
#define SK_MERKLE_PROOF_MAX 65

struct sk_merkle {
    uint64_t size;                                     /* leaves */
    uint8_t peaks[SK_MERKLE_PEAKS_MAX][SK_MERKLE_LEN]; /* popcount(size) of them, largest first */
};

/* SHA-256(0x00 | bytes) and SHA-256(0x01 | left | right). out may be left or right. */
void sk_merkle_leaf(uint8_t out[static SK_MERKLE_LEN], const void *bytes, size_t len);
void sk_merkle_node(uint8_t out[static SK_MERKLE_LEN], const uint8_t left[static SK_MERKLE_LEN],
                    const uint8_t right[static SK_MERKLE_LEN]);

/* The empty tree. */
void sk_merkle_init(struct sk_merkle *tree);

/* How many peaks a tree of `size` leaves has. */
size_t sk_merkle_peak_count(uint64_t size);

/* A tree from its size and its peaks (sk_merkle_peak_count(size) times 32 bytes). */
void sk_merkle_from_peaks(struct sk_merkle *tree, uint64_t size, const uint8_t *peaks);

/* Adds the hash of one leaf. */
void sk_merkle_append(struct sk_merkle *tree, const uint8_t leaf[static SK_MERKLE_LEN]);

/* The root; of the empty tree, SHA-256 of nothing. */
void sk_merkle_root(const struct sk_merkle *tree, uint8_t out[static SK_MERKLE_LEN]);

/*
 * Gives the root of the full subtree of 2^level leaves that starts at leaf index << level.
 * Returns SK_OK or any other status, which ends the caller with the same.
 */
typedef enum sk_status sk_merkle_read_fn(void *context, unsigned level, uint64_t index,
                                         uint8_t out[static SK_MERKLE_LEN]);

/* The peaks of the first `size` leaves. Errors: the callback's. */
SK_MUST_CHECK enum sk_status sk_merkle_peaks_at(struct sk_merkle *tree, uint64_t size,
                                                sk_merkle_read_fn *read, void *context);

/*
 * The consistency proof between the first `old_size` leaves and the first `new_size` (RFC 6962,
 * 2.1.2), 0 < old_size <= new_size; count hashes are written to proof.
 * Errors: SK_USAGE for sizes out of that order; the callback's.
 */
SK_MUST_CHECK enum sk_status sk_merkle_prove_consistency(
    uint8_t proof[static SK_MERKLE_PROOF_MAX][SK_MERKLE_LEN], size_t *count, uint64_t old_size,
    uint64_t new_size, sk_merkle_read_fn *read, void *context);

/* Checks such a proof (RFC 9162, 2.1.4.2). Errors: SK_DAMAGED. */
SK_MUST_CHECK enum sk_status sk_merkle_check_consistency(
    const uint8_t (*proof)[SK_MERKLE_LEN], size_t count, uint64_t old_size,
    const uint8_t old_root[static SK_MERKLE_LEN], uint64_t new_size,
    const uint8_t new_root[static SK_MERKLE_LEN]);

#endif
