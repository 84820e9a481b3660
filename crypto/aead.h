/*
 * The three ways in which bytes are sealed.
 *
 * - page: a fixed-size block under a long-lived key that is rewritten in place; a random 24-byte
 *   nonce and the tag stand in its last 40 bytes (XChaCha20-Poly1305).
 * - chunk: the n-th piece of a stream under a key used for that stream alone; the nonce is
 *   u64 index | u8 last | zeros (XChaCha20-Poly1305). Index, end and order are thus bound.
 * - wrap: one short message under a key used once, nonce 0 (ChaCha20-Poly1305-IETF, RFC 8439).
 *
 * None of them commits to its key: where several keys are tried, the key is committed to
 * separately.
 */
#ifndef SK_CRYPTO_AEAD_H
#define SK_CRYPTO_AEAD_H

#include "crypto/status.h"

#include <stddef.h>
#include <stdint.h>

#define SK_AEAD_KEY_LEN   32
#define SK_AEAD_NONCE_LEN 24
#define SK_AEAD_TAG_LEN   16
#define SK_PAGE_OVERHEAD  (SK_AEAD_NONCE_LEN + SK_AEAD_TAG_LEN)

/*
 * Seals plain (len bytes) into sealed (len + SK_PAGE_OVERHEAD bytes: ciphertext | nonce | tag) with
 * a fresh random nonce. The buffers may start at the same address.
 */
void sk_page_seal(uint8_t *sealed, const uint8_t *plain, size_t len, const void *ad, size_t ad_len,
                  const uint8_t key[static SK_AEAD_KEY_LEN]);

/*
 * Opens sealed (len + SK_PAGE_OVERHEAD bytes) into plain (len bytes), which may be the same memory.
 * Errors: SK_DAMAGED, with plain untouched.
 */
SK_MUST_CHECK enum sk_status sk_page_open(uint8_t *plain, const uint8_t *sealed, size_t len,
                                          const void *ad, size_t ad_len,
                                          const uint8_t key[static SK_AEAD_KEY_LEN]);

/* Seals plain (len bytes) into sealed (len + SK_AEAD_TAG_LEN: ciphertext | tag); may overlap fully.
 */
void sk_chunk_seal(uint8_t *sealed, const uint8_t *plain, size_t len, uint64_t index, int last,
                   const uint8_t key[static SK_AEAD_KEY_LEN]);

/* Opens what sk_chunk_seal() made. Errors: SK_DAMAGED, with plain untouched. */
SK_MUST_CHECK enum sk_status sk_chunk_open(uint8_t *plain, const uint8_t *sealed, size_t len,
                                           uint64_t index, int last,
                                           const uint8_t key[static SK_AEAD_KEY_LEN]);

/* Whether sk_chunk_open() would open it, at a third of the work. Errors: SK_DAMAGED. */
SK_MUST_CHECK enum sk_status sk_chunk_check(const uint8_t *sealed, size_t len, uint64_t index,
                                            int last, const uint8_t key[static SK_AEAD_KEY_LEN]);

/* Seals plain (len bytes) into sealed (len + SK_AEAD_TAG_LEN). The key must never be used again. */
void sk_wrap_seal(uint8_t *sealed, const uint8_t *plain, size_t len, const void *ad, size_t ad_len,
                  const uint8_t key[static SK_AEAD_KEY_LEN]);

/* Opens what sk_wrap_seal() made. Errors: SK_DAMAGED, with plain untouched. */
SK_MUST_CHECK enum sk_status sk_wrap_open(uint8_t *plain, const uint8_t *sealed, size_t len,
                                          const void *ad, size_t ad_len,
                                          const uint8_t key[static SK_AEAD_KEY_LEN]);

#endif
