#include "sync/ratchet.h"

#include "crypto/kdf.h"

/* Numbers of the subkeys of a chain key (sync/FORMAT.md, "Ratchet"). */
enum subkey {
    SUBKEY_NEXT = 1,
    SUBKEY_TAG = 2,
    SUBKEY_MASK = 3,
    SUBKEY_WRAP = 4,
    SUBKEY_RECEIPTS = 5,
};

void sk_ratchet_keys(struct sk_slot_keys *out, const uint8_t chain_key[static 32])
{
    sk_ratchet_tag(out->tag, chain_key);
    sk_kdf_subkey(out->mask, chain_key, SUBKEY_MASK);
    sk_kdf_subkey(out->wrap, chain_key, SUBKEY_WRAP);
}

void sk_ratchet_tag(uint8_t out[static 32], const uint8_t chain_key[static 32])
{
    sk_kdf_subkey(out, chain_key, SUBKEY_TAG);
}

void sk_ratchet_next(uint8_t out[static 32], const uint8_t chain_key[static 32])
{
    sk_kdf_subkey(out, chain_key, SUBKEY_NEXT);
}

void sk_ratchet_receipts(uint8_t out[static 32], const uint8_t psk[static 32])
{
    sk_kdf_subkey(out, psk, SUBKEY_RECEIPTS);
}
