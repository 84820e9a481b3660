#include "core/lacking.h"

#include "core/item_internal.h"
#include "core/store_internal.h"

/* Whether an entry commits to anything, and whether a payload of it would be kept if it came. */
static enum sk_status would_take(struct sk_store *store, int64_t log, uint64_t position,
                                 bool *commits, bool *out, struct sk_error *err)
{
    uint8_t bytes[SK_ENTRY_LEN];
    struct sk_entry entry;
    SK_TRY(sk_item_wants(store, log, position, bytes, out, err));
    *commits = sk_entry_decode(&entry, bytes) == SK_OK && sk_entry_has_payload(&entry);
    *out = *out && *commits;
    return SK_OK;
}

enum sk_status sk_lacking_add(struct sk_store *store, int64_t log, uint64_t position,
                              struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool commits = false;
    bool wanted = false;
    SK_TRY(would_take(store, log, position, &commits, &wanted, err));
    if (!wanted)
        return SK_OK;
    SK_TRY(sk_db_prepare(store->db, &stmt, "INSERT OR IGNORE INTO lacking(entry) VALUES(?1)", err));
    sk_bind_int(stmt, 1, sk_entry_row(log, position));
    return sk_run(stmt, err);
}

enum sk_status sk_lacking_settle(struct sk_store *store, int64_t log, uint64_t n0, uint64_t n1,
                                 bool all, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "DELETE FROM lacking WHERE entry >= ?1 AND entry < ?2 AND "
                         "(?3 OR entry IN (SELECT id FROM payload))",
                         err));
    sk_bind_int(stmt, 1, sk_entry_row(log, n0));
    sk_bind_int(stmt, 2, sk_entry_row(log, n1));
    sk_bind_int(stmt, 3, all);
    return sk_run(stmt, err);
}

enum sk_status sk_lacking_ranges(struct sk_store *store, int64_t log, struct sk_ranges *out,
                                 struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT entry FROM lacking WHERE entry >= ?1 AND entry < ?2 "
                         "ORDER BY entry",
                         err));
    sk_bind_int(stmt, 1, sk_entry_row(log, 0));
    sk_bind_int(stmt, 2, sk_entry_row(log + 1, 0));
    return sk_entry_ranges(stmt, out, err);
}

enum sk_status sk_bare_ranges(struct sk_store *store, int64_t log, struct sk_ranges *bare,
                              struct sk_ranges *withdrawn, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    sk_item_below_changed(store); /* by another program, perhaps */
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT entry.id FROM entry CROSS JOIN item ON item.id = entry.item "
                         "WHERE entry.id >= ?1 AND entry.id < ?2 AND "
                         "NOT EXISTS (SELECT 1 FROM payload WHERE payload.id = entry.id) AND "
                         "NOT EXISTS (SELECT 1 FROM lacking WHERE lacking.entry = entry.id) AND "
                         "item.erased <> ?3 ORDER BY entry.id",
                         err));
    sk_bind_int(stmt, 1, sk_entry_row(log, 0));
    sk_bind_int(stmt, 2, sk_entry_row(log + 1, 0));
    sk_bind_int(stmt, 3, SK_ERASED_OWN);
    for (;;) {
        bool row = false;
        bool commits = false;
        bool wanted = false;
        SK_TRY(sk_step(stmt, &row, err));
        if (!row)
            return SK_OK;
        uint64_t position = sk_entry_row_position(sk_column_int(stmt, 0));
        SK_TRY(would_take(store, log, position, &commits, &wanted, err));
        if (commits)
            SK_TRY(sk_ranges_add(wanted ? bare : withdrawn, position, position + 1, err));
    }
}

enum sk_status sk_lacking_is(struct sk_store *store, int64_t log, uint64_t position, bool *out,
                             struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt, "SELECT 1 FROM lacking WHERE entry = ?1", err));
    sk_bind_int(stmt, 1, sk_entry_row(log, position));
    return sk_step(stmt, out, err);
}

enum sk_status sk_lacking_newest(struct sk_store *store, const struct sk_item *item,
                                 uint64_t *position, bool *found, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT max(lacking.entry) FROM item CROSS JOIN entry ON "
                         "entry.item = item.id AND entry.id > item.shown CROSS JOIN lacking ON "
                         "lacking.entry = entry.id WHERE item.id = ?1",
                         err));
    sk_bind_int(stmt, 1, item->row);
    SK_TRY(sk_step(stmt, found, err));
    *found = *found && !sk_column_null(stmt, 0);
    if (*found)
        *position = sk_entry_row_position(sk_column_int(stmt, 0));
    return SK_OK;
}

static enum sk_status count(struct sk_store *store, const char *sql, uint64_t *out,
                            struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(sk_db_prepare(store->db, &stmt, sql, err));
    SK_TRY(sk_step(stmt, &row, err));
    *out = row ? (uint64_t)sk_column_int(stmt, 0) : 0;
    return SK_OK;
}

enum sk_status sk_lacking_count(struct sk_store *store, uint64_t *out, struct sk_error *err)
{
    return count(store, "SELECT count(*) FROM lacking", out, err);
}

enum sk_status sk_lacking_records(struct sk_store *store, uint64_t *out, struct sk_error *err)
{
    return count(store,
                 "SELECT count(DISTINCT item.id) FROM lacking JOIN entry ON "
                 "entry.id = lacking.entry JOIN item ON item.id = entry.item "
                 "WHERE item.shown = 0 AND item.erased IN (0, 3) AND item.type <= 6",
                 out, err);
}

enum sk_status sk_lacking_wrong(struct sk_store *store, uint64_t *out, struct sk_error *err)
{
    return count(store,
                 "SELECT count(*) FROM lacking LEFT JOIN entry ON entry.id = lacking.entry "
                 "LEFT JOIN item ON item.id = entry.item LEFT JOIN payload ON "
                 "payload.id = lacking.entry WHERE item.id IS NULL OR payload.id IS NOT NULL OR "
                 "item.erased IN (1, 2)",
                 out, err);
}
