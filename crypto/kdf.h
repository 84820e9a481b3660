/*
 * Keys from passphrases (Argon2id 1.3, one lane: RFC 9106) and keys from keys.
 */
#ifndef SK_CRYPTO_KDF_H
#define SK_CRYPTO_KDF_H

#include "crypto/secret.h"

#define SK_KDF_SALT_LEN 16

/* What interactive unlock uses, and what a stored set of parameters may ask for. */
#define SK_KDF_MEMORY_KIB     (256u * 1024)
#define SK_KDF_PASSES         3u
#define SK_KDF_MEMORY_KIB_MAX (4u * 1024 * 1024)
#define SK_KDF_PASSES_MAX     64u
/* `--insecure-test-kdf`: the least libsodium allows. For tests alone. */
#define SK_KDF_TEST_MEMORY_KIB 8u
#define SK_KDF_TEST_PASSES     1u

struct sk_kdf_params {
    uint32_t memory_kib;
    uint32_t passes;
    int insecure; /* below the floor, allowed only for a store made with --insecure-test-kdf */
};

/*
 * A 32-byte key from a passphrase, owned by the caller.
 * Errors: SK_LIMIT when the parameters stand below the floor (and are not marked insecure) or above
 * the ceiling; SK_USAGE for a passphrase of 4 GiB or more; SK_NOMEM when the memory is not to be
 * had. Nothing is allocated before the parameters were judged.
 */
SK_MUST_CHECK enum sk_status sk_kdf_passphrase(struct sk_secret **out, const uint8_t *passphrase,
                                               size_t passphrase_len,
                                               const uint8_t salt[static SK_KDF_SALT_LEN],
                                               const struct sk_kdf_params *params);

/*
 * Subkey `id` of a 32-byte key (crypto_kdf of libsodium, BLAKE2b, context "skrynia1").
 * out may be the same memory as key.
 */
void sk_kdf_subkey(uint8_t out[static 32], const uint8_t key[static 32], uint64_t id);

#endif
