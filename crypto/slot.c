#include "crypto/slot.h"

#include "crypto/aead.h"
#include "crypto/bytes.h"
#include "crypto/hash.h"

#include <string.h>

#define FORMAT        1u
#define FLAG_INSECURE 1u
#define KEY_LEN       32

/* Offsets in the file; the table stands in the header. */
#define MAGIC_LEN     16
#define AT_FORMAT     16
#define AT_STORE_KIND 20
#define AT_STORE_ID   24
#define AT_SLOTS      40
#define AT_MAC        1064
#define AT_SUM        1096
_Static_assert(AT_SLOTS + SK_SLOT_COUNT * SK_SLOT_LEN == AT_MAC, "the slots do not fit");
_Static_assert(AT_SUM + SK_HASH_LEN == SK_KEYS_LEN, "the file does not add up");

/* Offsets in a slot. */
#define AT_KIND    0
#define AT_FLAGS   4
#define AT_MEMORY  8
#define AT_PASSES  12
#define AT_SALT    16
#define AT_WRAPPED 32
_Static_assert(AT_WRAPPED + KEY_LEN + SK_PAGE_OVERHEAD <= SK_SLOT_LEN, "a slot does not fit");

/* What a slot's wrap is bound to: the file's head, the slot's number, the slot's head. */
#define AD_LEN (AT_SLOTS + 4 + AT_WRAPPED)

static const uint8_t magic[MAGIC_LEN] = "skrynia keys\0\0\0";

static const uint8_t *slot_at(const struct sk_keys *keys, size_t number)
{
    return keys->bytes + AT_SLOTS + number * SK_SLOT_LEN;
}

void sk_key_file_hash(uint8_t out[static 32], const void *bytes, size_t len)
{
    sk_hash_of(out, NULL, SK_LABEL_KEY_FILE, bytes, len);
}

static void compute_mac(const struct sk_keys *keys, const uint8_t *store_key,
                        uint8_t mac[static SK_HASH_LEN])
{
    sk_hash_of(mac, store_key, SK_LABEL_KEYS_MAC, keys->bytes, AT_MAC);
}

static void compute_sum(const struct sk_keys *keys, uint8_t sum[static SK_HASH_LEN])
{
    sk_hash_of(sum, NULL, SK_LABEL_KEYS_SUM, keys->bytes, AT_SUM);
}

static void finish(struct sk_keys *keys, const uint8_t *store_key)
{
    compute_mac(keys, store_key, keys->bytes + AT_MAC);
    compute_sum(keys, keys->bytes + AT_SUM);
}

static enum sk_status check_mac(const struct sk_keys *keys, const uint8_t *store_key)
{
    uint8_t mac[SK_HASH_LEN];
    compute_mac(keys, store_key, mac);
    return sk_equal(mac, keys->bytes + AT_MAC, SK_HASH_LEN) ? SK_OK : SK_DAMAGED;
}

static void put_ad(uint8_t ad[static AD_LEN], const struct sk_keys *keys, unsigned number)
{
    const uint8_t *slot = slot_at(keys, number);
    memcpy(ad, keys->bytes, AT_SLOTS);
    sk_put_u32(ad + AT_SLOTS, number);
    memcpy(ad + AT_SLOTS + 4, slot, AT_WRAPPED);
}

/* The key that wraps the store key: from the passphrase, and the key file where one is given. */
enum sk_status sk_unlock_key(struct sk_secret **out, const struct sk_unlock *unlock,
                             const uint8_t salt[static SK_KDF_SALT_LEN],
                             const struct sk_kdf_params *params)
{
    enum sk_status status =
        sk_kdf_passphrase(out, unlock->passphrase, unlock->passphrase_len, salt, params);
    if (status || !unlock->key_file_hash)
        return status;
    sk_hash_of(sk_secret_bytes(*out), sk_secret_view(*out), SK_LABEL_KEY_MIX, unlock->key_file_hash,
               SK_HASH_LEN);
    return SK_OK;
}

/* What opens a slot, and the kind of slot that it opens. */
struct way {
    uint32_t kind;
    struct sk_unlock unlock;
};

static struct way by_passphrase(const struct sk_unlock *unlock)
{
    return (struct way){unlock->key_file_hash ? SK_SLOT_PASSPHRASE_KEY_FILE : SK_SLOT_PASSPHRASE,
                        *unlock};
}

static struct way by_words(const struct sk_words *words)
{
    return (struct way){SK_SLOT_WORDS, {words->text, words->len, NULL}};
}

static enum sk_status fill_slot(struct sk_keys *keys, unsigned number, const struct way *way,
                                const struct sk_kdf_params *params, const uint8_t *store_key)
{
    uint8_t *slot = keys->bytes + AT_SLOTS + (size_t)number * SK_SLOT_LEN;
    uint8_t ad[AD_LEN];

    memset(slot, 0, SK_SLOT_LEN);
    sk_put_u32(slot + AT_KIND, way->kind);
    sk_put_u32(slot + AT_FLAGS, params->insecure ? FLAG_INSECURE : 0);
    sk_put_u32(slot + AT_MEMORY, params->memory_kib);
    sk_put_u32(slot + AT_PASSES, params->passes);
    sk_random(slot + AT_SALT, SK_KDF_SALT_LEN);

    sk_auto_secret key = NULL;
    enum sk_status status = sk_unlock_key(&key, &way->unlock, slot + AT_SALT, params);
    if (status)
        return status;
    put_ad(ad, keys, number);
    sk_page_seal(slot + AT_WRAPPED, store_key, KEY_LEN, ad, sizeof(ad), sk_secret_view(key));
    return SK_OK;
}

static enum sk_status create(struct sk_keys *keys, uint32_t store_kind, const struct way *way,
                             const struct sk_kdf_params *params, const uint8_t *store_key)
{
    struct sk_keys made = {{0}};

    memcpy(made.bytes, magic, MAGIC_LEN);
    sk_put_u32(made.bytes + AT_FORMAT, FORMAT);
    sk_put_u32(made.bytes + AT_STORE_KIND, store_kind);
    sk_random(made.bytes + AT_STORE_ID, SK_STORE_ID_LEN);
    enum sk_status status = fill_slot(&made, 0, way, params, store_key);
    if (status)
        return status;
    finish(&made, store_key);
    *keys = made;
    return SK_OK;
}

enum sk_status sk_keys_create(struct sk_keys *keys, uint32_t store_kind,
                              const struct sk_unlock *unlock, const struct sk_kdf_params *params,
                              const uint8_t store_key[static 32])
{
    const struct way way = by_passphrase(unlock);
    return create(keys, store_kind, &way, params, store_key);
}

enum sk_status sk_keys_create_by_words(struct sk_keys *keys, uint32_t store_kind,
                                       const struct sk_words *words,
                                       const struct sk_kdf_params *params,
                                       const uint8_t store_key[static 32])
{
    const struct way way = by_words(words);
    return create(keys, store_kind, &way, params, store_key);
}

/* A file that was altered must not come out of here with a valid MAC. */
static enum sk_status check_whole(const struct sk_keys *keys, const uint8_t *store_key)
{
    enum sk_status status = sk_keys_check(keys);
    return status ? status : check_mac(keys, store_key);
}

static enum sk_status set_slot(struct sk_keys *keys, unsigned slot, const struct way *way,
                               const struct sk_kdf_params *params, const uint8_t *store_key)
{
    if (slot >= SK_SLOT_COUNT)
        return SK_USAGE;
    enum sk_status status = check_whole(keys, store_key);
    if (status)
        return status;

    struct sk_keys made = *keys;
    status = fill_slot(&made, slot, way, params, store_key);
    if (status)
        return status;
    finish(&made, store_key);
    *keys = made;
    return SK_OK;
}

enum sk_status sk_keys_set_slot(struct sk_keys *keys, unsigned slot, const struct sk_unlock *unlock,
                                const struct sk_kdf_params *params,
                                const uint8_t store_key[static 32])
{
    const struct way way = by_passphrase(unlock);
    return set_slot(keys, slot, &way, params, store_key);
}

enum sk_status sk_keys_set_slot_by_words(struct sk_keys *keys, unsigned slot,
                                         const struct sk_words *words,
                                         const struct sk_kdf_params *params,
                                         const uint8_t store_key[static 32])
{
    const struct way way = by_words(words);
    return set_slot(keys, slot, &way, params, store_key);
}

uint32_t sk_keys_slot_kind(const struct sk_keys *keys, unsigned slot)
{
    return sk_get_u32(slot_at(keys, slot) + AT_KIND);
}

enum sk_status sk_keys_clear_slot(struct sk_keys *keys, unsigned slot,
                                  const uint8_t store_key[static 32])
{
    unsigned others = 0;
    for (unsigned i = 0; i < SK_SLOT_COUNT; i++)
        others += i != slot && sk_keys_slot_kind(keys, i) != SK_SLOT_EMPTY;
    if (slot >= SK_SLOT_COUNT || others == 0 || sk_keys_slot_kind(keys, slot) == SK_SLOT_EMPTY)
        return SK_USAGE;
    enum sk_status status = check_whole(keys, store_key);
    if (status)
        return status;
    memset(keys->bytes + AT_SLOTS + (size_t)slot * SK_SLOT_LEN, 0, SK_SLOT_LEN);
    finish(keys, store_key);
    return SK_OK;
}

/* The checksum comes before the format: a flipped bit there is damage, not a newer program. */
enum sk_status sk_keys_check(const struct sk_keys *keys)
{
    uint8_t sum[SK_HASH_LEN];

    if (memcmp(keys->bytes, magic, MAGIC_LEN) != 0)
        return SK_DAMAGED;
    compute_sum(keys, sum);
    if (memcmp(sum, keys->bytes + AT_SUM, SK_HASH_LEN) != 0)
        return SK_DAMAGED;
    uint32_t format = sk_get_u32(keys->bytes + AT_FORMAT);
    if (format > FORMAT)
        return SK_CONFIG;
    return format == FORMAT ? SK_OK : SK_DAMAGED;
}

/* SK_WRONG_KEY when the slot does not open. */
static enum sk_status open_slot(const struct sk_keys *keys, unsigned number, const struct way *way,
                                uint8_t *store_key)
{
    const uint8_t *slot = slot_at(keys, number);
    uint32_t flags = sk_get_u32(slot + AT_FLAGS);
    const struct sk_kdf_params params = {
        .memory_kib = sk_get_u32(slot + AT_MEMORY),
        .passes = sk_get_u32(slot + AT_PASSES),
        .insecure = (flags & FLAG_INSECURE) != 0,
    };
    uint8_t ad[AD_LEN];

    if (flags & ~FLAG_INSECURE)
        return SK_DAMAGED;
    sk_auto_secret key = NULL;
    enum sk_status status = sk_unlock_key(&key, &way->unlock, slot + AT_SALT, &params);
    if (status)
        return status == SK_LIMIT ? SK_DAMAGED : status;
    put_ad(ad, keys, number);
    return sk_page_open(store_key, slot + AT_WRAPPED, KEY_LEN, ad, sizeof(ad), sk_secret_view(key))
               ? SK_WRONG_KEY
               : SK_OK;
}

static enum sk_status open_any_slot(const struct sk_keys *keys, const struct way *way,
                                    uint8_t *store_key, unsigned *slot)
{
    for (unsigned i = 0; i < SK_SLOT_COUNT; i++) {
        if (sk_keys_slot_kind(keys, i) != way->kind)
            continue;
        enum sk_status status = open_slot(keys, i, way, store_key);
        if (status == SK_WRONG_KEY)
            continue;
        if (!status)
            *slot = i;
        return status;
    }
    return SK_WRONG_KEY;
}

enum sk_status sk_keys_try_slot(const struct sk_keys *keys, unsigned slot,
                                const struct sk_unlock *unlock, const struct sk_words *words,
                                const uint8_t store_key[static 32])
{
    const struct way way = words ? by_words(words) : by_passphrase(unlock);
    sk_auto_secret key = NULL;
    if (slot >= SK_SLOT_COUNT || sk_keys_slot_kind(keys, slot) != way.kind)
        return SK_WRONG_KEY;
    enum sk_status status = sk_secret_new(&key, KEY_LEN);
    if (!status)
        status = open_slot(keys, slot, &way, sk_secret_bytes(key));
    if (status)
        return status;
    return sk_equal(sk_secret_view(key), store_key, KEY_LEN) ? SK_OK : SK_WRONG_KEY;
}

static enum sk_status unlock_by(const struct sk_keys *keys, const struct way *way,
                                struct sk_secret **store_key, unsigned *slot)
{
    enum sk_status status = sk_keys_check(keys);
    if (status)
        return status;

    sk_auto_secret key = NULL;
    unsigned opened = 0;
    status = sk_secret_new(&key, KEY_LEN);
    if (!status)
        status = open_any_slot(keys, way, sk_secret_bytes(key), &opened);
    /* The MAC also commits to the store key, which the wrap's AEAD does not. */
    if (!status)
        status = check_mac(keys, sk_secret_view(key));
    if (status)
        return status;
    *store_key = SK_TAKE(key);
    *slot = opened;
    return SK_OK;
}

enum sk_status sk_keys_unlock(const struct sk_keys *keys, const struct sk_unlock *unlock,
                              struct sk_secret **store_key, unsigned *slot)
{
    const struct way way = by_passphrase(unlock);
    return unlock_by(keys, &way, store_key, slot);
}

enum sk_status sk_keys_unlock_by_words(const struct sk_keys *keys, const struct sk_words *words,
                                       struct sk_secret **store_key, unsigned *slot)
{
    const struct way way = by_words(words);
    return unlock_by(keys, &way, store_key, slot);
}

enum sk_status sk_keys_salvage(const struct sk_keys *keys, const struct sk_unlock *unlock,
                               const struct sk_words *words, struct sk_secret **store_key,
                               bool *insecure)
{
    const struct way way = words ? by_words(words) : by_passphrase(unlock);
    sk_auto_secret key = NULL;
    enum sk_status status = sk_secret_new(&key, KEY_LEN);
    enum sk_status hindered = SK_WRONG_KEY;
    for (unsigned i = 0; i < SK_SLOT_COUNT && !status; i++) {
        if (sk_keys_slot_kind(keys, i) != way.kind)
            continue;
        status = open_slot(keys, i, &way, sk_secret_bytes(key));
        if (!status) {
            *insecure = (sk_get_u32(slot_at(keys, i) + AT_FLAGS) & FLAG_INSECURE) != 0;
            *store_key = SK_TAKE(key);
            return SK_OK;
        }
        /* A slot that is damaged, of another passphrase, or asks (by damage, too) for more memory
         * than there is, is no reason not to try the next. */
        if (status == SK_NOMEM)
            hindered = status;
        if (status == SK_WRONG_KEY || status == SK_DAMAGED || status == SK_NOMEM)
            status = SK_OK;
    }
    return status ? status : hindered;
}

uint32_t sk_keys_store_kind(const struct sk_keys *keys)
{
    return sk_get_u32(keys->bytes + AT_STORE_KIND);
}

const uint8_t *sk_keys_store_id(const struct sk_keys *keys)
{
    return keys->bytes + AT_STORE_ID;
}

int sk_keys_insecure(const struct sk_keys *keys)
{
    for (unsigned i = 0; i < SK_SLOT_COUNT; i++) {
        if (sk_keys_slot_kind(keys, i) != SK_SLOT_EMPTY &&
            (sk_get_u32(slot_at(keys, i) + AT_FLAGS) & FLAG_INSECURE))
            return 1;
    }
    return 0;
}
