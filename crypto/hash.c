#include "crypto/hash.h"

#include "crypto/bytes.h"

#define DIGITS_GROUPS_MAX  12
#define DIGITS_GROUP_BYTES 5

void sk_hash_init(struct sk_hash *h, const uint8_t *key, enum sk_label label)
{
    crypto_generichash_init(&h->state, key, key ? SK_HASH_LEN : 0, SK_HASH_LEN);
    crypto_generichash_update(&h->state, sk_label_bytes(label), SK_LABEL_LEN);
}

void sk_hash_add(struct sk_hash *h, const void *bytes, size_t len)
{
    crypto_generichash_update(&h->state, bytes, len);
}

void sk_hash_add_u32(struct sk_hash *h, uint32_t v)
{
    uint8_t bytes[4];
    sk_put_u32(bytes, v);
    sk_hash_add(h, bytes, sizeof(bytes));
}

void sk_hash_add_u64(struct sk_hash *h, uint64_t v)
{
    uint8_t bytes[8];
    sk_put_u64(bytes, v);
    sk_hash_add(h, bytes, sizeof(bytes));
}

void sk_hash_end(struct sk_hash *h, uint8_t out[static SK_HASH_LEN])
{
    crypto_generichash_final(&h->state, out, SK_HASH_LEN);
    sodium_memzero(h, sizeof(*h));
}

void sk_hash_of(uint8_t out[static SK_HASH_LEN], const uint8_t *key, enum sk_label label,
                const void *bytes, size_t len)
{
    struct sk_hash h;
    sk_hash_init(&h, key, label);
    sk_hash_add(&h, bytes, len);
    sk_hash_end(&h, out);
}

/* Five digits; the bias of 2^40 mod 10^5 is below one in ten million. */
static void put_group(char *out, const uint8_t bytes[static DIGITS_GROUP_BYTES])
{
    uint64_t v = 0;
    for (size_t i = 0; i < DIGITS_GROUP_BYTES; i++)
        v = v << 8 | bytes[i];
    for (size_t i = 5; i-- > 0; v /= 10)
        out[i] = (char)('0' + v % 10);
}

void sk_digits(char *out, size_t groups, enum sk_label label, const uint8_t id[static SK_HASH_LEN])
{
    uint8_t digest[64];
    _Static_assert((size_t)DIGITS_GROUPS_MAX * DIGITS_GROUP_BYTES <= sizeof(digest),
                   "digits run out");
    crypto_generichash_state state;

    if (groups > DIGITS_GROUPS_MAX)
        groups = DIGITS_GROUPS_MAX;
    crypto_generichash_init(&state, NULL, 0, sizeof(digest));
    crypto_generichash_update(&state, sk_label_bytes(label), SK_LABEL_LEN);
    crypto_generichash_update(&state, id, SK_HASH_LEN);
    crypto_generichash_final(&state, digest, sizeof(digest));

    for (size_t i = 0; i < groups; i++) {
        put_group(out + 6 * i, digest + DIGITS_GROUP_BYTES * i);
        out[6 * i + 5] = i + 1 < groups ? ' ' : '\0';
    }
}
