#include "crypto/sign.h"

#include "crypto/secret.h"

#include <sodium.h>
#include <string.h>

/* libsodium's form of the secret key: seed | public key. */
struct expanded {
    uint8_t bytes[crypto_sign_SECRETKEYBYTES];
};

static void expanded_cleanup(struct expanded *key)
{
    sk_wipe(key, sizeof(*key));
}
#define auto_expanded __attribute__((cleanup(expanded_cleanup))) struct expanded

void sk_sign_public(uint8_t public_key[static SK_SIGN_PUBLIC_LEN],
                    const uint8_t seed[static SK_SIGN_SEED_LEN])
{
    auto_expanded key = {{0}};
    crypto_sign_seed_keypair(public_key, key.bytes, seed);
}

void sk_sign(uint8_t signature[static SK_SIGNATURE_LEN], const void *message, size_t len,
             const uint8_t seed[static SK_SIGN_SEED_LEN])
{
    auto_expanded key = {{0}};
    uint8_t public_key[SK_SIGN_PUBLIC_LEN];

    crypto_sign_seed_keypair(public_key, key.bytes, seed);
    crypto_sign_detached(signature, NULL, message, len, key.bytes);
}

enum sk_status sk_sign_verify(const uint8_t signature[static SK_SIGNATURE_LEN], const void *message,
                              size_t len, const uint8_t public_key[static SK_SIGN_PUBLIC_LEN])
{
    return crypto_sign_verify_detached(signature, message, len, public_key) ? SK_DAMAGED : SK_OK;
}

void sk_dh_public(uint8_t public_key[static SK_DH_LEN], const uint8_t scalar[static SK_DH_LEN])
{
    crypto_scalarmult_base(public_key, scalar);
}

enum sk_status sk_dh(uint8_t shared[static SK_DH_LEN], const uint8_t scalar[static SK_DH_LEN],
                     const uint8_t public_key[static SK_DH_LEN])
{
    sk_auto_key value = {{0}};
    if (crypto_scalarmult(value.bytes, scalar, public_key))
        return SK_DAMAGED;
    memcpy(shared, value.bytes, SK_DH_LEN);
    return SK_OK;
}

int sk_dh_public_usable(const uint8_t public_key[static SK_DH_LEN])
{
    static const uint8_t any[SK_DH_LEN] = {1}; /* X25519 makes a multiple of eight of it */
    uint8_t shared[SK_DH_LEN];
    return crypto_scalarmult(shared, any, public_key) == 0;
}

int sk_sign_public_usable(const uint8_t public_key[static SK_SIGN_PUBLIC_LEN])
{
    return crypto_core_ed25519_is_valid_point(public_key);
}
