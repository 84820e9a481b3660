/*
 * Entries that are well signed and not well formed: the table `malformed`. An entry has one mark at
 * most: what was found in its payload stands before what its own bytes say.
 */
#include "core/item_internal.h"
#include "core/store_internal.h"

static enum sk_status run_for(struct sk_store *store, const char *sql, int64_t row,
                              const char *reason, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt, sql, err));
    sk_bind_int(stmt, 1, row);
    sk_bind_text(stmt, 2, reason);
    return sk_run(stmt, err);
}

enum sk_status sk_mark_payload(struct sk_store *store, int64_t entry_row, const char *reason,
                               struct sk_error *err)
{
    return run_for(store, "INSERT OR REPLACE INTO malformed(entry, reason) VALUES(?1, ?2)",
                   entry_row, reason, err);
}

/* ---- revisions that follow each other ---- */

/* Whether `later` names `earlier` as the revision before it; true when the two are no neighbours.
 */
static bool chained(const uint8_t earlier[static SK_ENTRY_LEN],
                    const uint8_t later[static SK_ENTRY_LEN])
{
    struct sk_entry first;
    struct sk_entry second;
    uint8_t leaf[SK_MERKLE_LEN];
    if (sk_entry_decode(&first, earlier) != SK_OK || sk_entry_decode(&second, later) != SK_OK)
        return true;
    if (second.revision != first.revision + 1)
        return true;
    sk_entry_name(leaf, earlier);
    return memcmp(leaf, second.previous, sizeof(leaf)) == 0;
}

/* The entry of the same item that stands next to a row, by what `sql` says; 0: none. */
static enum sk_status neighbour(struct sk_store *store, const char *sql, int64_t row,
                                int64_t *other, uint8_t bytes[static SK_ENTRY_LEN],
                                struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool found = false;
    SK_TRY(sk_db_prepare(store->db, &stmt, sql, err));
    sk_bind_int(stmt, 1, row);
    SK_TRY(sk_step(stmt, &found, err));
    *other = found ? sk_column_int(stmt, 0) : 0;
    return found ? sk_column_copy(stmt, 1, bytes, SK_ENTRY_LEN, err) : SK_OK;
}

#define NEIGHBOUR \
    "SELECT b.id, b.bytes FROM entry a JOIN entry b ON b.item = a.item WHERE a.id = ?1 "
#define BEFORE NEIGHBOUR "AND b.id < ?1 ORDER BY b.id DESC LIMIT 1"
#define BEHIND NEIGHBOUR "AND b.id > ?1 ORDER BY b.id LIMIT 1"

static enum sk_status set_chained(struct sk_store *store, int64_t row, bool good,
                                  struct sk_error *err)
{
    return run_for(store,
                   good ? "DELETE FROM malformed WHERE entry = ?1 AND reason = ?2"
                        : "INSERT OR IGNORE INTO malformed(entry, reason) VALUES(?1, ?2)",
                   row, SK_UNCHAINED, err);
}

enum sk_status sk_mark_revisions(struct sk_store *store, int64_t entry_row,
                                 const uint8_t bytes[static SK_ENTRY_LEN], struct sk_error *err)
{
    uint8_t other[SK_ENTRY_LEN];
    int64_t other_row = 0;
    SK_TRY(neighbour(store, BEFORE, entry_row, &other_row, other, err));
    if (other_row && !chained(other, bytes))
        SK_TRY(set_chained(store, entry_row, false, err));
    SK_TRY(neighbour(store, BEHIND, entry_row, &other_row, other, err));
    return other_row ? set_chained(store, other_row, chained(bytes, other), err) : SK_OK;
}

/* The same for all entries of an item. */
static enum sk_status mark_all_revisions(struct sk_store *store, int64_t item, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    uint8_t before[SK_ENTRY_LEN];
    uint8_t bytes[SK_ENTRY_LEN];
    bool first = true;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT id, bytes FROM entry WHERE item = ?1 ORDER BY id", err));
    sk_bind_int(stmt, 1, item);
    for (;; first = false) {
        bool row = false;
        SK_TRY(sk_step(stmt, &row, err));
        if (!row)
            return SK_OK;
        SK_TRY(sk_column_copy(stmt, 1, bytes, SK_ENTRY_LEN, err));
        if (!first)
            SK_TRY(set_chained(store, sk_column_int(stmt, 0), chained(before, bytes), err));
        memcpy(before, bytes, sizeof(before));
    }
}

/* ---- what was found in payloads ---- */

enum sk_status sk_mark_found(struct sk_store *store, int64_t entry_row, bool *out,
                             struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT 1 FROM malformed WHERE entry = ?1 AND reason <> ?2", err));
    sk_bind_int(stmt, 1, entry_row);
    sk_bind_text(stmt, 2, SK_UNCHAINED);
    return sk_step(stmt, out, err);
}

enum sk_status sk_mark_drop(struct sk_store *store, int64_t entry_row, struct sk_error *err)
{
    uint8_t bytes[SK_ENTRY_LEN];
    bool found = false;
    SK_TRY(run_for(store, "DELETE FROM malformed WHERE entry = ?1 AND reason <> ?2", entry_row,
                   SK_UNCHAINED, err));
    if (sk_db_changes(store->db) == 0)
        return SK_OK;
    /* Such a mark may have stood in the place of one of the other kind. */
    SK_TRY(sk_log_entry(store, sk_entry_row_log(entry_row), sk_entry_row_position(entry_row), bytes,
                        &found, err));
    return found ? sk_mark_revisions(store, entry_row, bytes, err) : SK_OK;
}

enum sk_status sk_marks_drop(struct sk_store *store, int64_t item, int64_t last,
                             struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "DELETE FROM malformed WHERE reason <> ?3 AND "
                         "entry IN (SELECT id FROM entry WHERE item = ?1 AND id <= ?2)",
                         err));
    sk_bind_int(stmt, 1, item);
    sk_bind_int(stmt, 2, last);
    sk_bind_text(stmt, 3, SK_UNCHAINED);
    SK_TRY(sk_run(stmt, err));
    /* Such a mark may have stood in the place of one of the other kind. */
    return sk_db_changes(store->db) > 0 ? mark_all_revisions(store, item, err) : SK_OK;
}
