/*
 * The file `keys`, with its checksum and MAC made right again. The input: u8 what is left as it is
 * (bit 0 the checksum, bit 1 the MAC), then, over and over: u16 a place in the file, u8 what is
 * mixed in there. A slot that opens gives the one store key, whatever else the file says.
 *
 * A slot that asks for more than a MiB and no more than is allowed is left out: it only takes time.
 */
#include "crypto/bytes.h"
#include "crypto/hash.h"
#include "crypto/slot.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define SLOTS_AT    40
#define MAC_AT      1064
#define SUM_AT      1096
#define MEMORY_AT   8 /* in a slot */
#define MEMORY_MANY 1024u

static const uint8_t store_key[32] = {5, 4, 3, 2, 1};
static const uint8_t passphrase[] = "correct horse";
static const struct sk_unlock unlock = {passphrase, sizeof(passphrase) - 1, NULL};
static const struct sk_words words = {passphrase, sizeof(passphrase) - 1};
static struct sk_keys honest;

static void begin(void)
{
    const struct sk_kdf_params params = {SK_KDF_TEST_MEMORY_KIB, SK_KDF_TEST_PASSES, true};
    SK_FUZZ_CHECK(sk_keys_create(&honest, 1, &unlock, &params, store_key) == SK_OK);
    SK_FUZZ_CHECK(sk_keys_set_slot_by_words(&honest, 3, &words, &params, store_key) == SK_OK);
}

static bool takes_long(const struct sk_keys *keys)
{
    for (size_t i = 0; i < SK_SLOT_COUNT; i++) {
        uint32_t memory = sk_get_u32(keys->bytes + SLOTS_AT + i * SK_SLOT_LEN + MEMORY_AT);
        uint32_t passes = sk_get_u32(keys->bytes + SLOTS_AT + i * SK_SLOT_LEN + MEMORY_AT + 4);
        if ((memory > MEMORY_MANY || passes > 4) && memory <= SK_KDF_MEMORY_KIB_MAX &&
            passes <= SK_KDF_PASSES_MAX)
            return true;
    }
    return false;
}

static void check(enum sk_status status, struct sk_secret **key, bool whole)
{
    if (status == SK_OK)
        SK_FUZZ_CHECK(memcmp(sk_secret_view(*key), store_key, sizeof(store_key)) == 0);
    else
        SK_FUZZ_CHECK(status == SK_WRONG_KEY ||
                      (whole && (status == SK_DAMAGED || status == SK_CONFIG)));
    sk_secret_free(*key);
    *key = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct sk_secret *key = NULL;
    unsigned slot = 0;
    bool insecure = false;
    if (!honest.bytes[0])
        begin();
    struct sk_keys keys = honest;
    for (size_t i = 1; i + 3 <= len; i += 3)
        keys.bytes[sk_get_u16(bytes + i) % SK_KEYS_LEN] ^= bytes[i + 2];
    if (len == 0 || takes_long(&keys))
        return 0;
    if (!(bytes[0] & 2))
        sk_hash_of(keys.bytes + MAC_AT, store_key, SK_LABEL_KEYS_MAC, keys.bytes, MAC_AT);
    if (!(bytes[0] & 1))
        sk_hash_of(keys.bytes + SUM_AT, NULL, SK_LABEL_KEYS_SUM, keys.bytes, SUM_AT);
    check(sk_keys_unlock(&keys, &unlock, &key, &slot), &key, true);
    check(sk_keys_unlock_by_words(&keys, &words, &key, &slot), &key, true);
    check(sk_keys_salvage(&keys, &unlock, NULL, &key, &insecure), &key, false);
    SK_FUZZ_CHECK(slot < SK_SLOT_COUNT);
    return 0;
}
