/*
 * The chains of one-time keys as they stand in the store. The pure steps are in ratchet.c.
 *
 * A row of chain_index with a wrap key is a skipped index that waits for a late bundle; one without
 * is spent. The skipped keys are those of single indexes: none gives another's.
 */
#include "sync/ratchet.h"

#include "sync/volume.h"

#include <string.h>

struct slot_keys_guard {
    struct sk_slot_keys keys;
};
static void guard_cleanup(struct slot_keys_guard *guard)
{
    sk_wipe(guard, sizeof(*guard));
}
#define auto_slot_keys __attribute__((cleanup(guard_cleanup))) struct slot_keys_guard

enum sk_status sk_chain_create(struct sk_store *store, const uint8_t key[static 32], int64_t *chain,
                               struct sk_error *err)
{
    struct sk_db *db = sk_store_db(store);
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(db, &stmt, "INSERT INTO chain(key, next) VALUES(?1, 0)", err));
    sk_bind_bytes(stmt, 1, key, 32);
    SK_TRY(sk_run(stmt, err));
    *chain = sk_db_last_id(db);
    return SK_OK;
}

/* The chain key of the next index, and that index. */
static enum sk_status load_chain(struct sk_store *store, int64_t chain, struct sk_key *key,
                                 uint64_t *next, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row;
    SK_TRY(
        sk_db_prepare(sk_store_db(store), &stmt, "SELECT key, next FROM chain WHERE id = ?1", err));
    sk_bind_int(stmt, 1, chain);
    SK_TRY(sk_step(stmt, &row, err));
    int64_t value = row ? sk_column_int(stmt, 1) : -1;
    if (value < 0)
        return sk_fail(err, SK_DAMAGED, "the store misses a chain of keys");
    SK_TRY(sk_column_copy(stmt, 0, key->bytes, sizeof(key->bytes), err));
    *next = (uint64_t)value;
    return SK_OK;
}

/* The key that was there gives those of bundles that were read or written. */
static enum sk_status save_chain(struct sk_store *store, int64_t chain, const struct sk_key *key,
                                 uint64_t next, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(sk_store_db(store), &stmt,
                         "UPDATE chain SET key = ?2, next = ?3 WHERE id = ?1", err));
    sk_bind_int(stmt, 1, chain);
    sk_bind_bytes(stmt, 2, key->bytes, sizeof(key->bytes));
    sk_bind_int(stmt, 3, (int64_t)next);
    sk_store_erases(store);
    return sk_run(stmt, err);
}

enum sk_status sk_chain_take(struct sk_store *store, int64_t chain, uint64_t *index,
                             struct sk_slot_keys *out, struct sk_error *err)
{
    auto_slot_keys taken = {{{0}, {0}, {0}}};
    sk_auto_key key = {{0}};
    uint64_t next;

    SK_TRY(load_chain(store, chain, &key, &next, err));
    sk_ratchet_keys(&taken.keys, key.bytes);
    sk_ratchet_next(key.bytes, key.bytes);
    SK_TRY(save_chain(store, chain, &key, next + 1, err));
    *out = taken.keys;
    *index = next;
    return SK_OK;
}

/* ---- finding ---- */

/* The slot that has the tag of a tag key, or SK_VOLUME_SLOTS. */
static unsigned slot_of(const uint8_t *header, const uint8_t tag_key[static 32])
{
    uint8_t tag[16];
    sk_slot_tag(tag, tag_key, header);
    for (unsigned slot = 0; slot < SK_VOLUME_SLOTS; slot++)
        if (sk_equal(tag, header + sk_volume_slot_at(slot), sizeof(tag)))
            return slot;
    return SK_VOLUME_SLOTS;
}

static enum sk_status read_found(struct sk_stmt *stmt, struct sk_chain_found *out,
                                 const uint8_t tag_key[static 32], struct sk_error *err)
{
    out->index = (uint64_t)sk_column_int(stmt, 0);
    memcpy(out->keys.tag, tag_key, sizeof(out->keys.tag));
    if (sk_column_null(stmt, 3)) {
        out->match = SK_CHAIN_SPENT;
        SK_TRY(sk_column_copy(stmt, 4, out->file_hash, sizeof(out->file_hash), err));
        return sk_column_copy(stmt, 5, out->header_hash, sizeof(out->header_hash), err);
    }
    out->match = SK_CHAIN_READY;
    SK_TRY(sk_column_copy(stmt, 2, out->keys.mask, sizeof(out->keys.mask), err));
    return sk_column_copy(stmt, 3, out->keys.wrap, sizeof(out->keys.wrap), err);
}

/* Among the indexes that were skipped or spent. */
static enum sk_status find_kept(struct sk_store *store, int64_t chain, const uint8_t *header,
                                struct sk_chain_found *out, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    sk_auto_key tag_key = {{0}};
    bool row;

    SK_TRY(sk_db_prepare(sk_store_db(store), &stmt,
                         "SELECT idx, tag_key, mask_key, wrap_key, file_hash, header_hash "
                         "FROM chain_index WHERE chain = ?1 ORDER BY idx DESC",
                         err));
    sk_bind_int(stmt, 1, chain);
    SK_TRY(sk_step(stmt, &row, err));
    while (row) {
        SK_TRY(sk_column_copy(stmt, 1, tag_key.bytes, sizeof(tag_key.bytes), err));
        out->slot = slot_of(header, tag_key.bytes);
        if (out->slot < SK_VOLUME_SLOTS)
            return read_found(stmt, out, tag_key.bytes, err);
        SK_TRY(sk_step(stmt, &row, err));
    }
    return SK_OK;
}

/* Among the indexes that were never used, `window` of them. */
static enum sk_status find_ahead(struct sk_store *store, int64_t chain, const uint8_t *header,
                                 unsigned window, struct sk_chain_found *out, struct sk_error *err)
{
    sk_auto_key tag = {{0}};
    sk_auto_key key = {{0}};
    uint64_t next;

    SK_TRY(load_chain(store, chain, &key, &next, err));
    for (unsigned i = 0; i < window; i++) {
        sk_ratchet_tag(tag.bytes, key.bytes);
        out->slot = slot_of(header, tag.bytes);
        if (out->slot < SK_VOLUME_SLOTS) {
            out->match = SK_CHAIN_READY;
            out->index = next + i;
            sk_ratchet_keys(&out->keys, key.bytes);
            return SK_OK;
        }
        sk_ratchet_next(key.bytes, key.bytes);
    }
    return SK_OK;
}

static void found_cleanup(struct sk_chain_found *found)
{
    sk_wipe(found, sizeof(*found));
}

enum sk_status sk_chain_find(struct sk_store *store, int64_t chain, const uint8_t *header,
                             enum sk_chain_reach reach, struct sk_chain_found *out,
                             struct sk_error *err)
{
    static const unsigned windows[] = {[SK_CHAIN_NEAR] = SK_RATCHET_WINDOW,
                                       [SK_CHAIN_FAR] = SK_RATCHET_WINDOW_FAR,
                                       [SK_CHAIN_NEXT] = 1};
    __attribute__((cleanup(found_cleanup))) struct sk_chain_found found = {.match = SK_CHAIN_NONE};
    if (reach != SK_CHAIN_NEXT)
        SK_TRY(find_kept(store, chain, header, &found, err));
    if (found.match == SK_CHAIN_NONE)
        SK_TRY(find_ahead(store, chain, header, windows[reach], &found, err));
    *out = found;
    return SK_OK;
}

/* ---- spending ---- */

static enum sk_status keep_skipped(struct sk_store *store, int64_t chain, uint64_t index,
                                   const uint8_t chain_key[static 32], struct sk_error *err)
{
    auto_slot_keys kept = {{{0}, {0}, {0}}};
    sk_auto_stmt stmt = NULL;

    sk_ratchet_keys(&kept.keys, chain_key);
    SK_TRY(sk_db_prepare(sk_store_db(store), &stmt,
                         "INSERT INTO chain_index(chain, idx, tag_key, mask_key, wrap_key) "
                         "VALUES(?1, ?2, ?3, ?4, ?5)",
                         err));
    sk_bind_int(stmt, 1, chain);
    sk_bind_int(stmt, 2, (int64_t)index);
    sk_bind_bytes(stmt, 3, kept.keys.tag, sizeof(kept.keys.tag));
    sk_bind_bytes(stmt, 4, kept.keys.mask, sizeof(kept.keys.mask));
    sk_bind_bytes(stmt, 5, kept.keys.wrap, sizeof(kept.keys.wrap));
    return sk_run(stmt, err);
}

/* What an index never had in the store need not be erased from it: the row is written without. */
static enum sk_status insert_spent(struct sk_store *store, int64_t chain, uint64_t index,
                                   const uint8_t chain_key[static 32],
                                   const uint8_t file_hash[static 32],
                                   const uint8_t header_hash[static 32], struct sk_error *err)
{
    auto_slot_keys spent = {{{0}, {0}, {0}}};
    sk_auto_stmt stmt = NULL;

    sk_ratchet_keys(&spent.keys, chain_key);
    SK_TRY(sk_db_prepare(sk_store_db(store), &stmt,
                         "INSERT INTO chain_index(chain, idx, tag_key, file_hash, header_hash) "
                         "VALUES(?1, ?2, ?3, ?4, ?5)",
                         err));
    sk_bind_int(stmt, 1, chain);
    sk_bind_int(stmt, 2, (int64_t)index);
    sk_bind_bytes(stmt, 3, spent.keys.tag, sizeof(spent.keys.tag));
    sk_bind_bytes(stmt, 4, file_hash, 32);
    sk_bind_bytes(stmt, 5, header_hash, 32);
    return sk_run(stmt, err);
}

/* An index that was skipped before: its keys are erased. */
static enum sk_status update_spent(struct sk_store *store, int64_t chain, uint64_t index,
                                   const uint8_t file_hash[static 32],
                                   const uint8_t header_hash[static 32], struct sk_error *err)
{
    struct sk_db *db = sk_store_db(store);
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(db, &stmt,
                         "UPDATE chain_index SET mask_key = NULL, wrap_key = NULL, file_hash = ?3, "
                         "header_hash = ?4 WHERE chain = ?1 AND idx = ?2 AND wrap_key IS NOT NULL",
                         err));
    sk_bind_int(stmt, 1, chain);
    sk_bind_int(stmt, 2, (int64_t)index);
    sk_bind_bytes(stmt, 3, file_hash, 32);
    sk_bind_bytes(stmt, 4, header_hash, 32);
    sk_store_erases(store);
    SK_TRY(sk_run(stmt, err));
    return sk_db_changes(db) == 1 ? SK_OK
                                  : sk_fail(err, SK_REFUSED, "this index has been spent before");
}

enum sk_status sk_chain_spend(struct sk_store *store, int64_t chain, uint64_t index,
                              const uint8_t file_hash[static 32],
                              const uint8_t header_hash[static 32], struct sk_error *err)
{
    sk_auto_key key = {{0}};
    uint64_t next;

    SK_TRY(load_chain(store, chain, &key, &next, err));
    if (index < next)
        return update_spent(store, chain, index, file_hash, header_hash, err);
    if (index - next >= SK_RATCHET_WINDOW_FAR)
        return sk_fail(err, SK_INTERNAL, "an index far beyond those that are searched");
    for (; next < index; next++) {
        SK_TRY(keep_skipped(store, chain, next, key.bytes, err));
        sk_ratchet_next(key.bytes, key.bytes);
    }
    SK_TRY(insert_spent(store, chain, index, key.bytes, file_hash, header_hash, err));
    sk_ratchet_next(key.bytes, key.bytes);
    return save_chain(store, chain, &key, index + 1, err);
}
