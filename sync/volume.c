#include "sync/volume.h"

#include "crypto/aead.h"
#include "crypto/hash.h"

#include <string.h>

#define SLOT_TAG_LEN   16
#define SLOT_E_AT      16
#define SLOT_CLEAR_LEN 48 /* tag | E', before the sealed part */
#define SLOT_PLAIN_LEN 64
#define SLOT_ZEROS_AT  52
#define SLOT_AD_LEN    (SK_VOLUME_N0_LEN + SLOT_CLEAR_LEN)

_Static_assert(SLOT_CLEAR_LEN + SLOT_PLAIN_LEN + SK_AEAD_TAG_LEN == SK_VOLUME_SLOT_LEN, "slot");
_Static_assert(SK_CHUNK_PLAIN_LEN + SK_AEAD_TAG_LEN == SK_CHUNK_LEN, "chunk");
_Static_assert(SK_VOLUME_MAC_AT + 32 == SK_VOLUME_HEADER_LEN, "header");

struct slot_bytes {
    uint8_t bytes[SLOT_PLAIN_LEN];
};
static void slot_bytes_cleanup(struct slot_bytes *plain)
{
    sk_wipe(plain, sizeof(*plain));
}
#define auto_slot_bytes __attribute__((cleanup(slot_bytes_cleanup))) struct slot_bytes

/* ---- lengths ---- */

static unsigned log2_floor(uint64_t v)
{
    return 63u - (unsigned)__builtin_clzll(v);
}

/* PADME (Nikitin and others, 2019): as many low bits are cleared, rounding up, as leave a mantissa
 * no longer than the exponent's own length; the overhead stays below 12 %. */
static uint64_t padme(uint64_t len)
{
    unsigned exponent = log2_floor(len);
    unsigned mantissa = log2_floor(exponent) + 1;
    uint64_t mask = (1ull << (exponent - mantissa)) - 1;
    return (len + mask) & ~mask;
}

uint64_t sk_volume_padded(uint64_t chunks)
{
    uint64_t len = SK_VOLUME_HEADER_LEN + chunks * SK_CHUNK_LEN;
    if (len < SK_VOLUME_BYTES_MIN)
        return SK_VOLUME_BYTES_MIN;
    len = padme(len);
    len = (len + SK_CHUNK_LEN - 1) / SK_CHUNK_LEN * SK_CHUNK_LEN;
    /* The step below the largest size would end at 4 GiB, which FAT32 cannot hold. */
    return len < SK_VOLUME_BYTES_MAX ? len : SK_VOLUME_BYTES_MAX;
}

bool sk_volume_length_valid(uint64_t len)
{
    if (len < SK_VOLUME_BYTES_MIN || len > SK_VOLUME_BYTES_MAX || len % SK_CHUNK_LEN != 0)
        return false;
    return sk_volume_padded((len - SK_VOLUME_HEADER_LEN) / SK_CHUNK_LEN) == len;
}

/* ---- slots ---- */

void sk_slot_tag(uint8_t out[static 16], const uint8_t tag_key[static 32],
                 const uint8_t n0[static 32])
{
    uint8_t hash[SK_HASH_LEN];
    sk_hash_of(hash, tag_key, SK_LABEL_TAG, n0, SK_VOLUME_N0_LEN);
    memcpy(out, hash, SLOT_TAG_LEN);
}

static void mask_point(uint8_t out[static SK_DH_LEN], const uint8_t in[static SK_DH_LEN],
                       const uint8_t mask_key[static 32], const uint8_t *n0)
{
    uint8_t mask[SK_HASH_LEN];
    sk_hash_of(mask, mask_key, SK_LABEL_MASK, n0, SK_VOLUME_N0_LEN);
    for (size_t i = 0; i < SK_DH_LEN; i++)
        out[i] = in[i] ^ mask[i];
    sk_wipe(mask, sizeof(mask));
}

static void wrap_key(struct sk_key *out, const uint8_t chain_wrap[static 32], const uint8_t *n0,
                     const uint8_t *ephemeral, const uint8_t *recipient, const uint8_t *shared)
{
    struct sk_hash h;
    sk_hash_init(&h, chain_wrap, SK_LABEL_WRAP);
    sk_hash_add(&h, n0, SK_VOLUME_N0_LEN);
    sk_hash_add(&h, ephemeral, SK_DH_LEN);
    sk_hash_add(&h, recipient, SK_DH_LEN);
    sk_hash_add(&h, shared, SK_DH_LEN);
    sk_hash_end(&h, out->bytes);
}

static void slot_ad(uint8_t ad[static SLOT_AD_LEN], const uint8_t *n0, const uint8_t *slot)
{
    memcpy(ad, n0, SK_VOLUME_N0_LEN);
    memcpy(ad + SK_VOLUME_N0_LEN, slot, SLOT_CLEAR_LEN);
}

static void slot_encode(struct slot_bytes *out, const struct sk_slot_plain *plain)
{
    memset(out->bytes, 0, sizeof(out->bytes));
    memcpy(out->bytes, plain->file_key, 32);
    memcpy(out->bytes + 32, plain->set_id, SK_SET_ID_LEN);
    out->bytes[48] = plain->k;
    out->bytes[49] = plain->n;
    out->bytes[50] = plain->volume;
    out->bytes[51] = plain->format;
}

/* The format comes first: what a newer one puts into the other fields is not for us to judge. */
static enum sk_status slot_decode(struct sk_slot_plain *out, const struct slot_bytes *in)
{
    const uint8_t *at = in->bytes;
    if (at[51] != SK_VOLUME_FORMAT || at[48] != 1 || at[49] != 1 || at[50] != 0)
        return SK_CONFIG;
    for (size_t i = SLOT_ZEROS_AT; i < SLOT_PLAIN_LEN; i++)
        if (at[i] != 0)
            return SK_DAMAGED;
    memcpy(out->file_key, at, 32);
    memcpy(out->set_id, at + 32, SK_SET_ID_LEN);
    out->k = at[48];
    out->n = at[49];
    out->volume = at[50];
    out->format = at[51];
    return SK_OK;
}

/* One ephemeral key a slot, so that two slots share nothing. */
static enum sk_status agree(uint8_t ephemeral[static SK_DH_LEN], struct sk_key *shared,
                            const uint8_t recipient[static SK_DH_LEN])
{
    sk_auto_key scalar = {{0}};
    sk_random(scalar.bytes, sizeof(scalar.bytes));
    sk_dh_public(ephemeral, scalar.bytes);
    return sk_dh(shared->bytes, scalar.bytes, recipient);
}

enum sk_status sk_volume_seal_slot(uint8_t *header, unsigned slot,
                                   const struct sk_recipient *recipient,
                                   const struct sk_slot_plain *plain)
{
    uint8_t *at = header + sk_volume_slot_at(slot);
    uint8_t ephemeral[SK_DH_LEN], ad[SLOT_AD_LEN];
    sk_auto_key shared = {{0}}, key = {{0}};
    auto_slot_bytes bytes = {{0}};

    enum sk_status status = agree(ephemeral, &shared, recipient->dh_public);
    if (status)
        return status;
    sk_slot_tag(at, recipient->keys.tag, header);
    mask_point(at + SLOT_E_AT, ephemeral, recipient->keys.mask, header);
    wrap_key(&key, recipient->keys.wrap, header, ephemeral, recipient->dh_public, shared.bytes);
    slot_ad(ad, header, at);
    slot_encode(&bytes, plain);
    sk_wrap_seal(at + SLOT_CLEAR_LEN, bytes.bytes, SLOT_PLAIN_LEN, ad, sizeof(ad), key.bytes);
    return SK_OK;
}

static enum sk_status unseal_slot(struct slot_bytes *out, const uint8_t *header, unsigned slot,
                                  const struct sk_slot_keys *keys, sk_envelope_dh_fn *dh,
                                  void *dh_context, const uint8_t dh_public[static SK_DH_LEN])
{
    const uint8_t *at = header + sk_volume_slot_at(slot);
    uint8_t ephemeral[SK_DH_LEN], ad[SLOT_AD_LEN];
    sk_auto_key shared = {{0}}, key = {{0}};

    mask_point(ephemeral, at + SLOT_E_AT, keys->mask, header);
    enum sk_status status = dh(dh_context, shared.bytes, ephemeral);
    if (status)
        return status;
    wrap_key(&key, keys->wrap, header, ephemeral, dh_public, shared.bytes);
    slot_ad(ad, header, at);
    return sk_wrap_open(out->bytes, at + SLOT_CLEAR_LEN, SLOT_PLAIN_LEN, ad, sizeof(ad), key.bytes);
}

enum sk_status sk_volume_open_slot(struct sk_slot_plain *out, const uint8_t *header, unsigned slot,
                                   const struct sk_slot_keys *keys, sk_envelope_dh_fn *dh,
                                   void *dh_context, const uint8_t dh_public[static SK_DH_LEN])
{
    auto_slot_bytes bytes = {{0}};
    enum sk_status status = unseal_slot(&bytes, header, slot, keys, dh, dh_context, dh_public);
    return status ? status : slot_decode(out, &bytes);
}

enum sk_status sk_volume_try_slot(const uint8_t *header, unsigned slot,
                                  const struct sk_slot_keys *keys, sk_envelope_dh_fn *dh,
                                  void *dh_context, const uint8_t dh_public[static SK_DH_LEN])
{
    auto_slot_bytes bytes = {{0}};
    return unseal_slot(&bytes, header, slot, keys, dh, dh_context, dh_public);
}

/* ---- header and chunks ---- */

void sk_header_hash(uint8_t out[static 32], const uint8_t *header)
{
    sk_hash_of(out, NULL, SK_LABEL_HEADER_HASH, header, SK_VOLUME_HEADER_LEN);
}

void sk_volume_header_mac(uint8_t out[static 32], const uint8_t *header,
                          const uint8_t file_key[static 32])
{
    sk_auto_key key = {{0}};
    sk_hash_of(key.bytes, file_key, SK_LABEL_HEADER_KEY, header, SK_VOLUME_N0_LEN);
    sk_hash_of(out, key.bytes, SK_LABEL_HEADER, header, SK_VOLUME_MAC_AT);
}

void sk_volume_key(uint8_t out[static 32], const uint8_t file_key[static 32], uint8_t volume,
                   const uint8_t header_hash[static 32])
{
    struct sk_hash h;
    sk_hash_init(&h, file_key, SK_LABEL_VOLUME);
    sk_hash_add(&h, &volume, 1);
    sk_hash_add(&h, header_hash, SK_HASH_LEN);
    sk_hash_end(&h, out);
}
