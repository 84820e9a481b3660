#include "crypto/kdf.h"

#include <sodium.h>

#define KEY_LEN        32
#define SUBKEY_CONTEXT "skrynia1"
_Static_assert(sizeof(SUBKEY_CONTEXT) - 1 == crypto_kdf_CONTEXTBYTES, "context of a wrong length");
_Static_assert(SK_KDF_SALT_LEN == crypto_pwhash_SALTBYTES, "salt of a wrong length");

/*
 * Parameters are read from files that anyone may have written, and must be judged before a byte is
 * allocated: a high figure is a way to exhaust the machine, a low one to cheapen guessing.
 */
static int params_allowed(const struct sk_kdf_params *params)
{
    uint32_t memory_floor = params->insecure ? SK_KDF_TEST_MEMORY_KIB : SK_KDF_MEMORY_KIB;
    uint32_t passes_floor = params->insecure ? SK_KDF_TEST_PASSES : SK_KDF_PASSES;
    return params->memory_kib >= memory_floor && params->memory_kib <= SK_KDF_MEMORY_KIB_MAX &&
           params->passes >= passes_floor && params->passes <= SK_KDF_PASSES_MAX;
}

enum sk_status sk_kdf_passphrase(struct sk_secret **out, const uint8_t *passphrase,
                                 size_t passphrase_len, const uint8_t salt[static SK_KDF_SALT_LEN],
                                 const struct sk_kdf_params *params)
{
    if (!params_allowed(params))
        return SK_LIMIT;
    if (passphrase_len > crypto_pwhash_argon2id_PASSWD_MAX)
        return SK_USAGE;

    sk_auto_secret key = NULL;
    enum sk_status status = sk_secret_new(&key, KEY_LEN);
    if (status)
        return status;
    const char *text = passphrase_len ? (const char *)passphrase : "";
    size_t memory = (size_t)params->memory_kib * 1024;
    /* Everything that libsodium checks has been checked: what is left to fail is the memory. */
    if (crypto_pwhash(sk_secret_bytes(key), KEY_LEN, text, passphrase_len, salt, params->passes,
                      memory, crypto_pwhash_ALG_ARGON2ID13))
        return SK_NOMEM;
    *out = SK_TAKE(key);
    return SK_OK;
}

void sk_kdf_subkey(uint8_t out[static 32], const uint8_t key[static 32], uint64_t id)
{
    crypto_kdf_derive_from_key(out, KEY_LEN, id, SUBKEY_CONTEXT, key);
}
