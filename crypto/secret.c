#include "crypto/secret.h"

#include <malloc.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>

#define SECRET_LEN_MAX ((size_t)1024 * 1024)

/*
 * The bytes stand in an allocation of their own, which libsodium ends at a guard page: an overrun
 * faults at its first byte. Nothing in this struct is secret.
 */
struct sk_secret {
    uint8_t *bytes;
    size_t len;
    int locked;
};

static atomic_size_t live_count;
static atomic_size_t unlocked_count;

enum sk_status sk_crypto_init(void)
{
    return sodium_init() < 0 ? SK_INTERNAL : SK_OK;
}

enum sk_status sk_secret_new(struct sk_secret **out, size_t len)
{
    if (len == 0 || len > SECRET_LEN_MAX)
        return SK_NOMEM;

    struct sk_secret *secret = calloc(1, sizeof(*secret));
    if (!secret)
        return SK_NOMEM;
    secret->bytes = sodium_malloc(len);
    if (!secret->bytes) {
        free(secret);
        return SK_NOMEM;
    }
    sodium_memzero(secret->bytes, len);
    secret->len = len;

    /* sodium_malloc() locks too but drops the answer; locking twice counts once to the kernel. */
    secret->locked = sodium_mlock(secret->bytes, len) == 0;
    atomic_fetch_add(&live_count, 1);
    if (!secret->locked)
        atomic_fetch_add(&unlocked_count, 1);
    *out = secret;
    return SK_OK;
}

void sk_secret_free(struct sk_secret *secret)
{
    if (!secret)
        return;
    sodium_free(secret->bytes);
    atomic_fetch_sub(&live_count, 1);
    if (!secret->locked)
        atomic_fetch_sub(&unlocked_count, 1);
    free(secret);
}

uint8_t *sk_secret_bytes(struct sk_secret *secret)
{
    return secret->bytes;
}

const uint8_t *sk_secret_view(const struct sk_secret *secret)
{
    return secret->bytes;
}

size_t sk_secret_len(const struct sk_secret *secret)
{
    return secret->len;
}

size_t sk_secret_live_count(void)
{
    return atomic_load(&live_count);
}

size_t sk_secret_unlocked_count(void)
{
    return atomic_load(&unlocked_count);
}

void sk_wipe(void *bytes, size_t len)
{
    sodium_memzero(bytes, len);
}

void sk_wipe_free(void *memory)
{
    if (!memory)
        return;
    sk_wipe(memory, malloc_usable_size(memory));
    free(memory);
}

int sk_equal(const void *a, const void *b, size_t len)
{
    return sodium_memcmp(a, b, len) == 0;
}

void sk_random(void *out, size_t len)
{
    randombytes_buf(out, len);
}

uint32_t sk_random_below(uint32_t bound)
{
    return randombytes_uniform(bound);
}
