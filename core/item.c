#include "core/item.h"

#include "core/item_internal.h"
#include "core/store_internal.h"

#define PREFIX_MIN 4

void sk_item_clear(struct sk_item *item)
{
    if (item->title)
        sk_wipe(item->title, strlen(item->title));
    free(item->title);
    *item = (struct sk_item){.title = NULL};
}

void sk_payload_clear(struct sk_payload *payload)
{
    sk_buf_clear(&payload->text);
    sk_buf_clear(&payload->hashes);
    sk_wipe(payload->salt, sizeof(payload->salt));
}

enum sk_status sk_item_from_row(struct sk_stmt *stmt, struct sk_item *out, struct sk_error *err)
{
    struct sk_item item = {.row = sk_column_int(stmt, 0)};
    SK_TRY(sk_column_copy(stmt, 1, item.id.bytes, SK_ID_LEN, err));
    item.log = sk_column_int(stmt, 2);
    item.type = (unsigned)sk_column_int(stmt, 3);
    item.revision = (uint32_t)sk_column_int(stmt, 4);
    int64_t shown = sk_column_int(stmt, 6);
    item.position = sk_entry_row_position(shown ? shown : sk_column_int(stmt, 5));
    item.erased = sk_column_int(stmt, 7) != 0;
    item.purged = !item.erased && sk_column_int(stmt, 9) != 0;
    char *title = strdup(sk_column_text(stmt, 8));
    if (!title)
        return sk_fail_status(err, SK_NOMEM);
    *out = item;
    out->title = title;
    return SK_OK;
}

enum sk_status sk_item_rows(struct sk_stmt *stmt, sk_item_each_fn *each, void *context,
                            struct sk_error *err)
{
    for (;;) {
        bool row = false;
        SK_TRY(sk_step(stmt, &row, err));
        if (!row)
            return SK_OK;
        sk_auto_item item = {.title = NULL};
        SK_TRY(sk_item_from_row(stmt, &item, err));
        SK_TRY(each(context, &item, err));
    }
}

enum sk_status sk_item_get(struct sk_store *store, int64_t log, const struct sk_id *id,
                           struct sk_item *out, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT " SK_ITEM_COLUMNS " FROM item WHERE uid = ?1 AND log = ?2", err));
    sk_bind_bytes(stmt, 1, id->bytes, SK_ID_LEN);
    sk_bind_int(stmt, 2, log);
    SK_TRY(sk_step(stmt, &row, err));
    if (!row)
        return sk_fail(err, SK_MISSING, "there is nothing with this id");
    return sk_item_from_row(stmt, out, err);
}

enum sk_status sk_item_related(struct sk_store *store, int64_t log, const struct sk_id *id,
                               struct sk_item *out, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT " SK_ITEM_COLUMNS " FROM item WHERE uid = ?1 AND " SK_ITEM_RELATED
                         " ORDER BY shown = 0, NOT (" SK_ITEM_ONCE
                         "), " SK_SHOWS_REVOKED("item") ", log <> ?2, log LIMIT 1",
                         err));
    sk_bind_bytes(stmt, 1, id->bytes, SK_ID_LEN);
    sk_bind_int(stmt, 2, log);
    SK_TRY(sk_step(stmt, &row, err));
    if (!row)
        return sk_fail(err, SK_MISSING, "there is nothing with this id");
    return sk_item_from_row(stmt, out, err);
}

/* The lowest and highest id that begin with the hex digits of `text`. Errors: SK_USAGE. */
static enum sk_status prefix_range(const char *text, struct sk_id *low, struct sk_id *high)
{
    size_t len = strlen(text);
    if (len < PREFIX_MIN || len > SK_ID_TEXT_LEN - 1)
        return SK_USAGE;
    char padded[SK_ID_TEXT_LEN];
    memcpy(padded, text, len);
    memset(padded + len, '0', SK_ID_TEXT_LEN - 1 - len);
    padded[SK_ID_TEXT_LEN - 1] = '\0';
    if (sk_id_parse(low, padded) != SK_OK)
        return SK_USAGE;
    memset(padded + len, 'f', SK_ID_TEXT_LEN - 1 - len);
    return sk_id_parse(high, padded);
}

/* Whether the row is the same thing in a log that is related to the item's. */
static enum sk_status is_twin(struct sk_store *store, const struct sk_item *item,
                              struct sk_stmt *row, bool *twin, struct sk_error *err)
{
    sk_auto_item other = {.title = NULL};
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_item_from_row(row, &other, err));
    SK_TRY(sk_db_prepare(store->db, &stmt, "SELECT 1 FROM kin WHERE log = ?1 AND other = ?2", err));
    sk_bind_int(stmt, 1, item->log);
    sk_bind_int(stmt, 2, other.log);
    SK_TRY(sk_step(stmt, twin, err));
    *twin = *twin && memcmp(&item->id, &other.id, sizeof(item->id)) == 0;
    return SK_OK;
}

enum sk_status sk_item_twins(struct sk_store *store, const struct sk_item *item,
                             sk_item_each_fn *each, void *context, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT " SK_ITEM_COLUMNS " FROM kin JOIN item ON item.log = kin.other "
                         "WHERE kin.log = ?1 AND item.uid = ?2 "
                         "ORDER BY kin.relation = 1, kin.other",
                         err));
    sk_bind_int(stmt, 1, item->log);
    sk_bind_bytes(stmt, 2, item->id.bytes, SK_ID_LEN);
    return sk_item_rows(stmt, each, context, err);
}

/* log: in which it is looked for; 0: in every one. */
static enum sk_status find(struct sk_store *store, int64_t log, const char *text,
                           struct sk_item *out, struct sk_error *err)
{
    struct sk_id low, high;
    if (prefix_range(text, &low, &high) != SK_OK)
        return sk_fail(err, SK_USAGE,
                       "an id is 32 hexadecimal digits, or the first ones of them (at least %d)",
                       PREFIX_MIN);
    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(sk_db_prepare(
        store->db, &stmt,
        "SELECT " SK_ITEM_COLUMNS " FROM item WHERE uid BETWEEN ?1 AND ?2 AND (?3 = 0 OR log = ?3) "
        "ORDER BY shown = 0, NOT (" SK_ITEM_ONCE
        "), " SK_SHOWS_REVOKED("item") ", (SELECT count(*) FROM kin JOIN item AS twin "
                                       "ON twin.uid = item.uid AND twin.log = kin.other WHERE "
                                       "kin.log = item.log AND kin.prefer)",
        err));
    sk_bind_bytes(stmt, 1, low.bytes, SK_ID_LEN);
    sk_bind_bytes(stmt, 2, high.bytes, SK_ID_LEN);
    sk_bind_int(stmt, 3, log);
    SK_TRY(sk_step(stmt, &row, err));
    if (!row)
        return sk_fail(err, SK_MISSING, "there is nothing with this id");
    sk_auto_item item = {.title = NULL};
    SK_TRY(sk_item_from_row(stmt, &item, err));
    for (;;) {
        bool twin = false;
        SK_TRY(sk_step(stmt, &row, err));
        if (!row)
            break;
        SK_TRY(is_twin(store, &item, stmt, &twin, err));
        if (!twin && strlen(text) == SK_ID_TEXT_LEN - 1)
            return sk_fail(err, SK_USAGE,
                           "several devices have something with this id: write ID@DEVICE");
        if (!twin)
            return sk_fail(err, SK_USAGE, "several things have an id that begins like this");
    }
    *out = SK_TAKE(item);
    return SK_OK;
}

enum sk_status sk_item_find(struct sk_store *store, const char *text, struct sk_item *out,
                            struct sk_error *err)
{
    return find(store, 0, text, out, err);
}

enum sk_status sk_item_find_in(struct sk_store *store, int64_t log, const char *text,
                               struct sk_item *out, struct sk_error *err)
{
    return find(store, log, text, out, err);
}

enum sk_status sk_item_each(struct sk_store *store, unsigned type, sk_item_each_fn *each,
                            void *context, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT " SK_ITEM_COLUMNS " FROM item WHERE NOT erased AND shown <> 0 AND "
                         "CASE ?1 WHEN 0 THEN type <= ?2 ELSE type = ?1 END AND " SK_ITEM_ONCE
                         " ORDER BY id DESC",
                         err));
    sk_bind_int(stmt, 1, type);
    sk_bind_int(stmt, 2, SK_TYPE_RECORD_LAST);
    return sk_item_rows(stmt, each, context, err);
}

enum sk_status sk_item_history(struct sk_store *store, const struct sk_item *item,
                               sk_revision_each_fn *each, void *context, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT id, bytes FROM entry WHERE item = ?1 ORDER BY id", err));
    sk_bind_int(stmt, 1, item->row);
    for (;;) {
        bool row = false;
        uint8_t bytes[SK_ENTRY_LEN];
        struct sk_entry entry;
        SK_TRY(sk_step(stmt, &row, err));
        if (!row)
            return SK_OK;
        SK_TRY(sk_column_copy(stmt, 1, bytes, SK_ENTRY_LEN, err));
        if (sk_entry_decode(&entry, bytes) != SK_OK)
            return sk_fail(err, SK_DAMAGED, "an entry in the database is not one");
        SK_TRY(each(context, sk_entry_row_position(sk_column_int(stmt, 0)), &entry, err));
    }
}

enum sk_status sk_payload_load(struct sk_store *store, int64_t log, uint64_t position,
                               struct sk_payload *out, bool *found, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT salt, hashes, body_len, ifnull(media, 0), text FROM payload "
                         "WHERE id = ?1",
                         err));
    sk_bind_int(stmt, 1, sk_entry_row(log, position));
    SK_TRY(sk_step(stmt, &row, err));
    *found = row;
    if (!row)
        return SK_OK;
    SK_TRY(sk_column_copy(stmt, 0, out->salt, SK_SALT_LEN, err));
    size_t len = 0;
    const uint8_t *bytes = sk_column_bytes(stmt, 1, &len);
    sk_buf_reset(&out->hashes);
    SK_TRY(sk_buf_add(&out->hashes, bytes, len, err));
    out->body_len = (uint64_t)sk_column_int(stmt, 2);
    out->media = sk_column_int(stmt, 3);
    bytes = sk_column_bytes(stmt, 4, &len);
    sk_buf_reset(&out->text);
    SK_TRY(sk_buf_add(&out->text, bytes, len, err));
    if (out->hashes.len != sk_block_count(len, out->body_len) * SK_HASH_LEN)
        return sk_fail(err, SK_DAMAGED, "a payload and its block hashes do not agree");
    return SK_OK;
}

enum sk_status sk_payload_ranges(struct sk_store *store, int64_t log,
                                 const struct sk_ranges *within, struct sk_ranges *out,
                                 struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT id FROM payload WHERE id >= ?1 AND id < ?2 ORDER BY id", err));
    for (size_t i = 0; i < within->count; i++) {
        sk_stmt_reset(stmt);
        sk_bind_int(stmt, 1, sk_entry_row(log, within->items[i].from));
        sk_bind_int(stmt, 2, sk_entry_row(log, within->items[i].to));
        SK_TRY(sk_entry_ranges(stmt, out, err));
    }
    return SK_OK;
}

static int compare_rows(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* The items' rows, rising, as int64_t, each as often as it has entries there. */
static enum sk_status find_rows_at(struct sk_store *store, int64_t log, const struct sk_ranges *at,
                                   struct sk_buf *out, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(
        sk_db_prepare(store->db, &stmt, "SELECT item FROM entry WHERE id >= ?1 AND id < ?2", err));
    for (size_t i = 0; i < at->count; i++) {
        sk_stmt_reset(stmt);
        sk_bind_int(stmt, 1, sk_entry_row(log, at->items[i].from));
        sk_bind_int(stmt, 2, sk_entry_row(log, at->items[i].to));
        for (;;) {
            bool row = false;
            SK_TRY(sk_step(stmt, &row, err));
            if (!row)
                break;
            int64_t item = sk_column_int(stmt, 0);
            SK_TRY(sk_buf_add(out, &item, sizeof(item), err));
        }
    }
    if (out->len > 0)
        qsort(out->bytes, out->len / sizeof(int64_t), sizeof(int64_t), compare_rows);
    return SK_OK;
}

enum sk_status sk_item_each_at(struct sk_store *store, int64_t log, const struct sk_ranges *at,
                               sk_item_each_fn *each, void *context, struct sk_error *err)
{
    sk_auto_buf rows = SK_BUF_INIT;
    sk_auto_stmt stmt = NULL;
    int64_t before = 0;
    SK_TRY(find_rows_at(store, log, at, &rows, err));
    SK_TRY(
        sk_db_prepare(store->db, &stmt, "SELECT " SK_ITEM_COLUMNS " FROM item WHERE id = ?1", err));
    for (size_t i = 0; i < rows.len; i += sizeof(int64_t)) {
        int64_t row = 0;
        memcpy(&row, rows.bytes + i, sizeof(row));
        if (row == before)
            continue;
        before = row;
        sk_stmt_reset(stmt);
        sk_bind_int(stmt, 1, row);
        SK_TRY(sk_item_rows(stmt, each, context, err));
    }
    return SK_OK;
}

bool sk_payload_fits(const struct sk_entry *entry, const struct sk_payload *payload)
{
    const uint8_t *text = (const uint8_t *)sk_buf_text(&payload->text);
    uint64_t text_len = payload->text.len;
    for (uint64_t j = 0; j < sk_block_count(text_len, 0); j++) {
        uint8_t hash[SK_HASH_LEN];
        sk_block_hash(hash, payload->salt, j, text + j * SK_BLOCK_LEN,
                      sk_block_len(text_len, 0, j));
        if (memcmp(hash, payload->hashes.bytes + j * SK_HASH_LEN, SK_HASH_LEN) != 0)
            return false;
    }
    uint8_t commitment[SK_HASH_LEN];
    sk_commitment(commitment, &entry->id, entry->revision, payload->salt, text_len,
                  payload->body_len, payload->hashes.bytes);
    return memcmp(commitment, entry->commitment, SK_HASH_LEN) == 0;
}

enum sk_status sk_items_of(struct sk_store *store, struct sk_stmt *stmt, sk_items_of_fn *each,
                           struct sk_error *err)
{
    sk_auto_buf items = SK_BUF_INIT;
    bool row = true;
    while (row) {
        SK_TRY(sk_step(stmt, &row, err));
        int64_t item = row ? sk_column_int(stmt, 0) : 0;
        if (row)
            SK_TRY(sk_buf_add(&items, &item, sizeof(item), err));
    }
    sk_stmt_reset(stmt);
    for (size_t at = 0; at < items.len; at += sizeof(int64_t)) {
        int64_t item = 0;
        memcpy(&item, items.bytes + at, sizeof(item));
        SK_TRY(each(store, item, err));
    }
    return SK_OK;
}

enum sk_status sk_malformed_each(struct sk_store *store, int64_t log, sk_malformed_each_fn *each,
                                 void *context, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT entry, reason FROM malformed "
                         "WHERE entry >= ?1 AND entry < ?2 ORDER BY entry",
                         err));
    sk_bind_int(stmt, 1, sk_entry_row(log, 0));
    sk_bind_int(stmt, 2, sk_entry_row(log + 1, 0));
    for (;;) {
        bool row = false;
        SK_TRY(sk_step(stmt, &row, err));
        if (!row)
            return SK_OK;
        SK_TRY(each(context, log, sk_entry_row_position(sk_column_int(stmt, 0)),
                    sk_column_text(stmt, 1), err));
    }
}
