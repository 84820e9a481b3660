/*
 * The slots of an open store's `keys`: who may open it. Every change writes the whole file anew and
 * takes effect at once; copies of the file made before still open as they did.
 */
#ifndef SK_CORE_SLOTS_H
#define SK_CORE_SLOTS_H

#include "core/store.h"

struct sk_slot {
    unsigned number; /* as people count: from 1 */
    uint32_t kind;   /* enum sk_slot_kind, or one that a newer program made */
    bool opened;     /* this one opened the store */
};

/* The slots in use, in order; returns how many. */
unsigned sk_slots(const struct sk_store *store, struct sk_slot out[static SK_SLOT_COUNT]);

/* "passphrase", "passphrase with key file", "recovery words", "unknown". */
const char *sk_slot_kind_name(uint32_t kind);

/*
 * Adds a slot in the first free place, *number from 1. Exactly one of `unlock` and `words` is
 * given. Errors: SK_LIMIT (all are taken), SK_NOMEM, SK_CREATE, SK_IO, SK_FULL; after the last
 * three the file is the old one or the new one.
 */
SK_MUST_CHECK
enum sk_status sk_slot_add(struct sk_store *store, const struct sk_unlock *unlock,
                           const struct sk_words *words, unsigned *number, struct sk_error *err);

/*
 * Removes a slot. The one that opened the store is never removed: so there is always one left, and
 * one that was just seen to open. Errors: SK_MISSING (no such slot), SK_REFUSED, SK_IO, ...
 */
SK_MUST_CHECK
enum sk_status sk_slot_remove(struct sk_store *store, unsigned number, struct sk_error *err);

/*
 * A new passphrase (and key file) in the slot that opened the store; every other slot stays. Opened
 * by recovery words, these stay as well: the one passphrase there is gives way, or a slot is added.
 * Errors: SK_REFUSED (opened by words, and there are several passphrases), as sk_slot_add().
 */
SK_MUST_CHECK
enum sk_status sk_store_change_passphrase(struct sk_store *store, const struct sk_unlock *unlock,
                                          struct sk_error *err);

#endif
