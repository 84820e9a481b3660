#include "crypto/aead.h"

#include "crypto/bytes.h"

#include <pthread.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>

_Static_assert(SK_AEAD_KEY_LEN == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "key length");
_Static_assert(SK_AEAD_NONCE_LEN == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce length");
_Static_assert(SK_AEAD_TAG_LEN == crypto_aead_xchacha20poly1305_ietf_ABYTES, "tag length");
_Static_assert(SK_AEAD_KEY_LEN == crypto_aead_chacha20poly1305_ietf_KEYBYTES, "key length");
_Static_assert(SK_AEAD_TAG_LEN == crypto_aead_chacha20poly1305_ietf_ABYTES, "tag length");

/* Block 0 of the key stream gives the one-time key of Poly1305; the message begins at block 1. */
#define FIRST_BLOCK 1

/*
 * libsodium's own open function zeroes the output of a message that fails. Ours must not touch it
 * (it may be the only copy of a torn page), so the tag is checked first, and only then the stream
 * applied: the same work in the same order as inside libsodium. XChaCha20 is ChaCha20 under a key
 * made by HChaCha20 from the nonce's first 16 bytes, with zeros[4] and the other 8 as its nonce.
 */
static enum sk_status xchacha_open(uint8_t *plain, const uint8_t *sealed, size_t len,
                                   const uint8_t *tag, const void *ad, size_t ad_len,
                                   const uint8_t *nonce, const uint8_t *key)
{
    uint8_t subkey[crypto_core_hchacha20_OUTPUTBYTES];
    uint8_t rest[crypto_aead_chacha20poly1305_ietf_NPUBBYTES] = {0};

    crypto_core_hchacha20(subkey, nonce, key, NULL);
    memcpy(rest + sizeof(rest) - 8, nonce + crypto_core_hchacha20_INPUTBYTES, 8);
    int rc = crypto_aead_chacha20poly1305_ietf_decrypt_detached(NULL, NULL, sealed, len, tag, ad,
                                                                ad_len, rest, subkey);
    if (rc == 0 && len > 0)
        crypto_stream_chacha20_ietf_xor_ic(plain, sealed, len, rest, FIRST_BLOCK, subkey);
    sodium_memzero(subkey, sizeof(subkey));
    return rc == 0 ? SK_OK : SK_DAMAGED;
}

/*
 * Random bytes for the next nonces, since asking the kernel for each costs more than a tenth of
 * sealing a page. After a fork parent and child must not use the same ones: the child throws them
 * away. The pool is small, for a machine that is copied while it runs gets no such notice.
 */
#define POOL_NONCES 32

static _Thread_local struct {
    uint8_t bytes[POOL_NONCES][SK_AEAD_NONCE_LEN];
    unsigned left;
} pool;

static pthread_once_t watched = PTHREAD_ONCE_INIT;
static bool forks_are_seen;

static void forget_pool(void)
{
    pool.left = 0;
}

static void watch_forks(void)
{
    forks_are_seen = pthread_atfork(NULL, NULL, forget_pool) == 0;
}

static void next_nonce(uint8_t nonce[static SK_AEAD_NONCE_LEN])
{
    if (pool.left == 0) {
        (void)pthread_once(&watched, watch_forks);
        if (!forks_are_seen) {
            randombytes_buf(nonce, SK_AEAD_NONCE_LEN);
            return;
        }
        randombytes_buf(pool.bytes, sizeof(pool.bytes));
        pool.left = POOL_NONCES;
    }
    memcpy(nonce, pool.bytes[--pool.left], SK_AEAD_NONCE_LEN);
}

void sk_page_seal(uint8_t *sealed, const uint8_t *plain, size_t len, const void *ad, size_t ad_len,
                  const uint8_t key[static SK_AEAD_KEY_LEN])
{
    uint8_t *nonce = sealed + len;
    uint8_t *tag = nonce + SK_AEAD_NONCE_LEN;

    next_nonce(nonce);
    crypto_aead_xchacha20poly1305_ietf_encrypt_detached(sealed, tag, NULL, plain, len, ad, ad_len,
                                                        NULL, nonce, key);
}

enum sk_status sk_page_open(uint8_t *plain, const uint8_t *sealed, size_t len, const void *ad,
                            size_t ad_len, const uint8_t key[static SK_AEAD_KEY_LEN])
{
    const uint8_t *nonce = sealed + len;
    const uint8_t *tag = nonce + SK_AEAD_NONCE_LEN;
    return xchacha_open(plain, sealed, len, tag, ad, ad_len, nonce, key);
}

/* The key serves one stream alone, so the position may be the nonce. */
static void chunk_nonce(uint8_t nonce[static SK_AEAD_NONCE_LEN], uint64_t index, int last)
{
    memset(nonce, 0, SK_AEAD_NONCE_LEN);
    sk_put_u64(nonce, index);
    nonce[8] = last != 0;
}

void sk_chunk_seal(uint8_t *sealed, const uint8_t *plain, size_t len, uint64_t index, int last,
                   const uint8_t key[static SK_AEAD_KEY_LEN])
{
    uint8_t nonce[SK_AEAD_NONCE_LEN];
    chunk_nonce(nonce, index, last);
    crypto_aead_xchacha20poly1305_ietf_encrypt_detached(sealed, sealed + len, NULL, plain, len,
                                                        NULL, 0, NULL, nonce, key);
}

enum sk_status sk_chunk_open(uint8_t *plain, const uint8_t *sealed, size_t len, uint64_t index,
                             int last, const uint8_t key[static SK_AEAD_KEY_LEN])
{
    uint8_t nonce[SK_AEAD_NONCE_LEN];
    chunk_nonce(nonce, index, last);
    return xchacha_open(plain, sealed, len, sealed + len, NULL, 0, nonce, key);
}

enum sk_status sk_chunk_check(const uint8_t *sealed, size_t len, uint64_t index, int last,
                              const uint8_t key[static SK_AEAD_KEY_LEN])
{
    uint8_t nonce[SK_AEAD_NONCE_LEN];
    chunk_nonce(nonce, index, last);
    int rc = crypto_aead_xchacha20poly1305_ietf_decrypt_detached(NULL, NULL, sealed, len,
                                                                 sealed + len, NULL, 0, nonce, key);
    return rc == 0 ? SK_OK : SK_DAMAGED;
}

/* The key is used once, so any fixed nonce will do. */
static const uint8_t wrap_nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES] = {0};

void sk_wrap_seal(uint8_t *sealed, const uint8_t *plain, size_t len, const void *ad, size_t ad_len,
                  const uint8_t key[static SK_AEAD_KEY_LEN])
{
    crypto_aead_chacha20poly1305_ietf_encrypt_detached(sealed, sealed + len, NULL, plain, len, ad,
                                                       ad_len, NULL, wrap_nonce, key);
}

enum sk_status sk_wrap_open(uint8_t *plain, const uint8_t *sealed, size_t len, const void *ad,
                            size_t ad_len, const uint8_t key[static SK_AEAD_KEY_LEN])
{
    if (crypto_aead_chacha20poly1305_ietf_decrypt_detached(NULL, NULL, sealed, len, sealed + len,
                                                           ad, ad_len, wrap_nonce, key))
        return SK_DAMAGED;
    if (len > 0)
        crypto_stream_chacha20_ietf_xor_ic(plain, sealed, len, wrap_nonce, FIRST_BLOCK, key);
    return SK_OK;
}
