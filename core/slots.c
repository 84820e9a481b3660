#include "core/slots.h"

#include "core/store_internal.h"

unsigned sk_slots(const struct sk_store *store, struct sk_slot out[static SK_SLOT_COUNT])
{
    unsigned count = 0;
    for (unsigned i = 0; i < SK_SLOT_COUNT; i++) {
        uint32_t kind = sk_keys_slot_kind(&store->keys, i);
        if (kind != SK_SLOT_EMPTY)
            out[count++] = (struct sk_slot){i + 1, kind, i == store->slot};
    }
    return count;
}

const char *sk_slot_kind_name(uint32_t kind)
{
    switch (kind) {
    case SK_SLOT_PASSPHRASE:
        return "passphrase";
    case SK_SLOT_PASSPHRASE_KEY_FILE:
        return "passphrase with key file";
    case SK_SLOT_WORDS:
        return "recovery words";
    default:
        return "unknown";
    }
}

enum sk_status sk_slots_save(struct sk_store *store, const struct sk_keys *keys,
                             struct sk_error *err)
{
    sk_auto_free char *path = NULL;
    SK_TRY(sk_store_check_writable(store, err));
    SK_TRY(sk_path_join(&path, store->dir, SK_KEYS_FILE, err));
    SK_TRY(sk_file_save(path, keys->bytes, SK_KEYS_LEN, true, err));
    store->keys = *keys;
    return SK_OK;
}

/* Fills one slot, counted from 0, and saves. */
static enum sk_status fill(struct sk_store *store, unsigned slot, const struct sk_unlock *unlock,
                           const struct sk_words *words, struct sk_error *err)
{
    struct sk_keys keys = store->keys;
    struct sk_kdf_params params = sk_store_kdf_params(sk_store_insecure(store));
    const uint8_t *key = sk_secret_view(store->store_key);
    enum sk_status status = words ? sk_keys_set_slot_by_words(&keys, slot, words, &params, key)
                                  : sk_keys_set_slot(&keys, slot, unlock, &params, key);
    if (status != SK_OK)
        return sk_fail_status(err, status);
    /* Once more from the start: memory that fails must not shut people out. */
    status = sk_keys_try_slot(&keys, slot, unlock, words, key);
    if (status == SK_WRONG_KEY || status == SK_DAMAGED)
        return sk_fail(err, SK_INTERNAL, "the new slot does not open; nothing was changed");
    if (status != SK_OK)
        return sk_fail_status(err, status);
    return sk_slots_save(store, &keys, err);
}

enum sk_status sk_slot_add(struct sk_store *store, const struct sk_unlock *unlock,
                           const struct sk_words *words, unsigned *number, struct sk_error *err)
{
    unsigned slot = 0;
    while (slot < SK_SLOT_COUNT && sk_keys_slot_kind(&store->keys, slot) != SK_SLOT_EMPTY)
        slot++;
    if (slot == SK_SLOT_COUNT)
        return sk_fail(err, SK_LIMIT, "all %d slots are taken; remove one first", SK_SLOT_COUNT);
    SK_TRY(fill(store, slot, unlock, words, err));
    *number = slot + 1;
    return SK_OK;
}

enum sk_status sk_slot_remove(struct sk_store *store, unsigned number, struct sk_error *err)
{
    struct sk_keys keys = store->keys;
    if (number < 1 || number > SK_SLOT_COUNT ||
        sk_keys_slot_kind(&keys, number - 1) == SK_SLOT_EMPTY)
        return sk_fail(err, SK_MISSING, "there is no slot %u", number);
    if (number - 1 == store->slot)
        return sk_fail(err, SK_REFUSED,
                       "slot %u is the one that opened the store now; open it with another one to "
                       "remove this",
                       number);
    enum sk_status status = sk_keys_clear_slot(&keys, number - 1, sk_secret_view(store->store_key));
    return status == SK_OK ? sk_slots_save(store, &keys, err) : sk_fail_status(err, status);
}

/* The slot that a new passphrase goes to when the recovery words opened the store. */
static enum sk_status forgotten_slot(const struct sk_store *store, unsigned *slot,
                                     struct sk_error *err)
{
    unsigned count = 0, spare = SK_SLOT_COUNT;
    for (unsigned i = 0; i < SK_SLOT_COUNT; i++) {
        uint32_t kind = sk_keys_slot_kind(&store->keys, i);
        if (kind == SK_SLOT_PASSPHRASE || kind == SK_SLOT_PASSPHRASE_KEY_FILE) {
            count++;
            *slot = i;
        } else if (kind == SK_SLOT_EMPTY && spare == SK_SLOT_COUNT) {
            spare = i;
        }
    }
    if (count > 1)
        return sk_fail(
            err, SK_REFUSED,
            "%u passphrases open this store, and it is not known which was meant; remove "
            "that slot and add another",
            count);
    if (count == 0)
        *slot = spare;
    return *slot < SK_SLOT_COUNT ? SK_OK : sk_fail(err, SK_LIMIT, "all slots are taken");
}

enum sk_status sk_store_change_passphrase(struct sk_store *store, const struct sk_unlock *unlock,
                                          struct sk_error *err)
{
    unsigned slot = store->slot;
    if (sk_keys_slot_kind(&store->keys, slot) == SK_SLOT_WORDS)
        SK_TRY(forgotten_slot(store, &slot, err));
    return fill(store, slot, unlock, NULL, err);
}
