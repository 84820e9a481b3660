/*
 * Secret memory: keys and passphrases live in guarded, locked pages and are wiped when freed.
 *
 * One secret costs three pages and one locked page: make one per unlock, not one per record.
 * sodium_malloc() hands out unlocked memory past RLIMIT_MEMLOCK without saying so; every secret is
 * therefore locked a second time with the answer checked, and sk_secret_unlocked_count() tells
 * whether the user has to be warned.
 */
#ifndef SK_CRYPTO_SECRET_H
#define SK_CRYPTO_SECRET_H

#include "crypto/status.h"

#include <stddef.h>
#include <stdint.h>

struct sk_secret;

/* Initialises libsodium. Called once at the start of each program. Errors: SK_INTERNAL. */
SK_MUST_CHECK enum sk_status sk_crypto_init(void);

/* A zeroed secret of `len` bytes (1 to 1 MiB), owned by the caller. Errors: SK_NOMEM. */
SK_MUST_CHECK enum sk_status sk_secret_new(struct sk_secret **out, size_t len);

/* Wipes and frees; NULL is allowed. */
void sk_secret_free(struct sk_secret *secret);

/* The bytes, owned by the secret. */
uint8_t *sk_secret_bytes(struct sk_secret *secret);
const uint8_t *sk_secret_view(const struct sk_secret *secret);
size_t sk_secret_len(const struct sk_secret *secret);

/* Secrets alive now (0 at the end of each program), and how many of those could not be locked. */
size_t sk_secret_live_count(void);
size_t sk_secret_unlocked_count(void);

/* Overwrites `len` bytes with zeros in a way the compiler keeps. NULL with 0 is allowed. */
void sk_wipe(void *bytes, size_t len);

/* Wipes a block from malloc() as far as it reaches, and frees it. NULL is allowed. */
void sk_wipe_free(void *memory);

/* True when both hold the same bytes; takes the same time wherever they differ. */
SK_MUST_CHECK int sk_equal(const void *a, const void *b, size_t len);

/* Fills with bytes from the system's random generator. */
void sk_random(void *out, size_t len);

/* A uniform number in [0, bound), bound >= 1. */
uint32_t sk_random_below(uint32_t bound);

static inline void sk_secret_cleanup(struct sk_secret **secret)
{
    sk_secret_free(*secret);
}
#define sk_auto_secret __attribute__((cleanup(sk_secret_cleanup))) struct sk_secret *

/* A 32-byte key on the stack, wiped when it goes out of scope: `sk_auto_key k = {{0}};` */
struct sk_key {
    uint8_t bytes[32];
};
static inline void sk_key_cleanup(struct sk_key *key)
{
    sk_wipe(key, sizeof(*key));
}
#define sk_auto_key __attribute__((cleanup(sk_key_cleanup))) struct sk_key

#endif
