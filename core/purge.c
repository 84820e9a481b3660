#include "core/purge.h"

#include "core/item_internal.h"
#include "core/media.h"
#include "core/store_internal.h"

/* ---- which of an item's entries ---- */

/* What is to go of one item. */
struct selection {
    struct sk_item_state state;
    struct sk_buf rows; /* int64_t, of the entries to purge */
    uint64_t left;      /* entries of which it stays, and that could go */
    bool shown;         /* what is shown goes too */
};

static void selection_clear(struct selection *s)
{
    sk_buf_clear(&s->rows);
}

static size_t row_count(const struct selection *s)
{
    return s->rows.len / sizeof(int64_t);
}

/* Of a type that has something to purge. */
static bool may_go(const struct sk_item_state *state)
{
    return sk_type_is_record(state->type) || state->type == SK_TYPE_LINK ||
           state->type == SK_TYPE_ATTACHMENT;
}

static enum sk_status select_rows(struct sk_store *store, const struct sk_ranges *covered,
                                  struct selection *out, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool older_stays = false;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT entry.id FROM entry JOIN payload ON payload.id = entry.id "
                         "WHERE entry.item = ?1 ORDER BY entry.id",
                         err));
    sk_bind_int(stmt, 1, out->state.row);
    for (;;) {
        bool row = false;
        SK_TRY(sk_step(stmt, &row, err));
        if (!row)
            return SK_OK;
        int64_t id = sk_column_int(stmt, 0);
        bool goes = may_go(&out->state) && sk_ranges_contain(covered, sk_entry_row_position(id));
        if (id >= out->state.shown) /* it is shown, or may be once its form is here again */
            goes = goes && !older_stays;
        older_stays = older_stays || !goes;
        out->shown = out->shown || (goes && id == out->state.shown);
        if (goes)
            SK_TRY(sk_buf_add(&out->rows, &id, sizeof(id), err));
        else if (may_go(&out->state)) /* what never goes is not told as left */
            out->left++;
    }
}

static enum sk_status select_of(struct sk_store *store, int64_t item,
                                const struct sk_ranges *covered, struct selection *out,
                                struct sk_error *err)
{
    if (store->kind != SK_STORE_DEVICE)
        return sk_fail(err, SK_CONFIG, "an archive purges nothing");
    SK_TRY(sk_item_state_get(store, item, &out->state, err));
    return select_rows(store, covered, out, err);
}

enum sk_status sk_item_purgeable(struct sk_store *store, int64_t item,
                                 const struct sk_ranges *covered, uint64_t *count, uint64_t *left,
                                 struct sk_error *err)
{
    __attribute__((cleanup(selection_clear))) struct selection s = {.rows = SK_BUF_INIT};
    SK_TRY(select_of(store, item, covered, &s, err));
    *count = row_count(&s);
    *left = s.left;
    return SK_OK;
}

/* ---- purging ---- */

/* What an attachment or a link hangs on; empty for a record. */
struct ties {
    struct sk_id source, target;
    bool has_source, has_target;
};

static enum sk_status find_ties(struct sk_store *store, const struct sk_item_state *state,
                                struct ties *out, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    *out = (struct ties){.has_source = false};
    if (sk_type_is_record(state->type))
        return SK_OK;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         state->type == SK_TYPE_LINK
                             ? "SELECT source, target FROM link WHERE item = ?1"
                             : "SELECT record FROM attachment WHERE item = ?1",
                         err));
    sk_bind_int(stmt, 1, state->row);
    SK_TRY(sk_step(stmt, &out->has_source, err));
    if (!out->has_source)
        return SK_OK;
    SK_TRY(sk_column_copy(stmt, 0, out->source.bytes, SK_ID_LEN, err));
    out->has_target = state->type == SK_TYPE_LINK;
    return out->has_target ? sk_column_copy(stmt, 1, out->target.bytes, SK_ID_LEN, err) : SK_OK;
}

static enum sk_status insert_purged(struct sk_store *store, int64_t entry,
                                    const struct sk_id *source, const struct sk_id *target,
                                    struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "INSERT OR IGNORE INTO purged(entry, source, target) VALUES(?1, ?2, ?3)",
                         err));
    sk_bind_int(stmt, 1, entry);
    sk_bind_bytes(stmt, 2, source ? source->bytes : (const uint8_t *)"", source ? SK_ID_LEN : 0);
    sk_bind_bytes(stmt, 3, target ? target->bytes : (const uint8_t *)"", target ? SK_ID_LEN : 0);
    return sk_run(stmt, err);
}

enum sk_status sk_purged_put(struct sk_store *store, uint64_t position, const struct sk_id *source,
                             const struct sk_id *target, struct sk_error *err)
{
    return insert_purged(store, sk_entry_row(SK_LOG_OWN, position), source, target, err);
}

static enum sk_status purge_entry(struct sk_store *store, int64_t entry, const struct ties *ties,
                                  struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    sk_auto_stmt gone = NULL;
    bool found = false;
    SK_TRY(
        sk_db_prepare(store->db, &stmt, "SELECT ifnull(media, 0) FROM payload WHERE id = ?1", err));
    sk_bind_int(stmt, 1, entry);
    SK_TRY(sk_step(stmt, &found, err));
    int64_t media = found ? sk_column_int(stmt, 0) : 0;
    sk_stmt_reset(stmt);
    if (media)
        SK_TRY(sk_media_erase(store, media, err));
    SK_TRY(sk_db_prepare(store->db, &gone, "DELETE FROM payload WHERE id = ?1", err));
    sk_bind_int(gone, 1, entry);
    SK_TRY(sk_run(gone, err));
    SK_TRY(sk_form_use_forget(store, entry, err));
    return insert_purged(store, entry, ties->has_source ? &ties->source : NULL,
                         ties->has_target ? &ties->target : NULL, err);
}

enum sk_status sk_item_purge(struct sk_store *store, int64_t item, const struct sk_ranges *covered,
                             uint64_t *count, struct sk_error *err)
{
    __attribute__((cleanup(selection_clear))) struct selection s = {.rows = SK_BUF_INIT};
    struct ties ties;
    SK_TRY(select_of(store, item, covered, &s, err));
    *count = row_count(&s);
    if (*count == 0)
        return SK_OK;
    SK_TRY(find_ties(store, &s.state, &ties, err));
    if (s.shown)
        SK_TRY(sk_item_show_none(store, &s.state, err));
    for (size_t i = 0; i < *count; i++) {
        int64_t entry = 0;
        memcpy(&entry, s.rows.bytes + i * sizeof(entry), sizeof(entry));
        SK_TRY(purge_entry(store, entry, &ties, err));
    }
    store->erased = store->words_erased = true;
    return SK_OK;
}

/* ---- what was purged ---- */

enum sk_status sk_entry_purged(struct sk_store *store, int64_t log, uint64_t position, bool *out,
                               struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt, "SELECT 1 FROM purged WHERE entry = ?1", err));
    sk_bind_int(stmt, 1, sk_entry_row(log, position));
    return sk_step(stmt, out, err);
}

enum sk_status sk_purged_ranges(struct sk_store *store, struct sk_ranges *out, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt, "SELECT entry FROM purged ORDER BY entry", err));
    return sk_entry_ranges(stmt, out, err);
}

enum sk_status sk_purged_each(struct sk_store *store, unsigned type, sk_item_each_fn *each,
                              void *context, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT " SK_ITEM_COLUMNS " FROM purged CROSS JOIN entry ON "
                         "entry.id = purged.entry CROSS JOIN item ON item.id = entry.item AND "
                         "item.entry = entry.id WHERE NOT item.erased AND item.shown = 0 AND "
                         "CASE ?1 WHEN 0 THEN item.type <= ?2 ELSE item.type = ?1 END "
                         "ORDER BY item.id DESC",
                         err));
    sk_bind_int(stmt, 1, type);
    sk_bind_int(stmt, 2, SK_TYPE_RECORD_LAST);
    return sk_item_rows(stmt, each, context, err);
}

enum sk_status sk_purged_hanging(struct sk_store *store, const struct sk_id *record, uint64_t *out,
                                 struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT count(*) FROM item WHERE NOT erased AND id IN (" SK_PURGED_ON ")",
                         err));
    sk_bind_bytes(stmt, 1, record->bytes, SK_ID_LEN);
    SK_TRY(sk_step(stmt, &row, err));
    *out = row ? (uint64_t)sk_column_int(stmt, 0) : 0;
    return SK_OK;
}

/* ---- whole records ---- */

static enum sk_status each_row(struct sk_stmt *stmt, sk_item_row_fn *each, void *context,
                               struct sk_error *err)
{
    sk_auto_buf rows = SK_BUF_INIT;
    for (;;) {
        bool row = false;
        SK_TRY(sk_step(stmt, &row, err));
        if (!row)
            break;
        int64_t id = sk_column_int(stmt, 0);
        SK_TRY(sk_buf_add(&rows, &id, sizeof(id), err));
    }
    for (size_t at = 0; at < rows.len; at += sizeof(int64_t)) {
        int64_t id = 0;
        memcpy(&id, rows.bytes + at, sizeof(id));
        SK_TRY(each(context, id, err));
    }
    return SK_OK;
}

enum sk_status sk_item_with_dependents(struct sk_store *store, const struct sk_item *item,
                                       sk_item_row_fn *each, void *context, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT ?3 UNION SELECT item.id FROM item WHERE NOT erased AND log = ?2 "
                         "AND id IN (" SK_HANGS_ON_ANY ")",
                         err));
    sk_bind_bytes(stmt, 1, item->id.bytes, SK_ID_LEN);
    sk_bind_int(stmt, 2, item->log);
    sk_bind_int(stmt, 3, item->row);
    return each_row(stmt, each, context, err);
}

enum sk_status sk_item_each_row(struct sk_store *store, sk_item_row_fn *each, void *context,
                                struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT id FROM item WHERE log = ?1 AND NOT erased ORDER BY id", err));
    sk_bind_int(stmt, 1, SK_LOG_OWN);
    return each_row(stmt, each, context, err);
}
