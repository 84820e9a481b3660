/*
 * Ed25519 signatures (RFC 8032) and X25519 agreement (RFC 7748). Secret keys are 32-byte seeds and
 * scalars; the two kinds are never converted into each other.
 */
#ifndef SK_CRYPTO_SIGN_H
#define SK_CRYPTO_SIGN_H

#include "crypto/status.h"

#include <stddef.h>
#include <stdint.h>

#define SK_SIGN_SEED_LEN   32
#define SK_SIGN_PUBLIC_LEN 32
#define SK_SIGNATURE_LEN   64
#define SK_DH_LEN          32

/* The public key of a seed. */
void sk_sign_public(uint8_t public_key[static SK_SIGN_PUBLIC_LEN],
                    const uint8_t seed[static SK_SIGN_SEED_LEN]);

/* Signs `len` bytes; the expanded key lives on the stack and is wiped. */
void sk_sign(uint8_t signature[static SK_SIGNATURE_LEN], const void *message, size_t len,
             const uint8_t seed[static SK_SIGN_SEED_LEN]);

/* Errors: SK_DAMAGED when the signature is not that key's over these bytes. */
SK_MUST_CHECK enum sk_status sk_sign_verify(const uint8_t signature[static SK_SIGNATURE_LEN],
                                            const void *message, size_t len,
                                            const uint8_t public_key[static SK_SIGN_PUBLIC_LEN]);

/* The X25519 public key of a scalar. */
void sk_dh_public(uint8_t public_key[static SK_DH_LEN], const uint8_t scalar[static SK_DH_LEN]);

/* Errors: SK_DAMAGED when the shared value is all zero (a point of low order). */
SK_MUST_CHECK enum sk_status sk_dh(uint8_t shared[static SK_DH_LEN],
                                   const uint8_t scalar[static SK_DH_LEN],
                                   const uint8_t public_key[static SK_DH_LEN]);

/* Whether a key can be one: an X25519 key that is no point of low order; an Ed25519 key in its one
 * encoding, of the group of prime order. */
int sk_dh_public_usable(const uint8_t public_key[static SK_DH_LEN]);
int sk_sign_public_usable(const uint8_t public_key[static SK_SIGN_PUBLIC_LEN]);

#endif
