/*
 * How an entry and its payload change what a store shows: the one way, for what was written here
 * and for what came in a bundle.
 */
#include "core/item_internal.h"
#include "core/media.h"
#include "core/store_internal.h"

/* The item as it stands before an entry is applied. */
struct state {
    int64_t row;
    unsigned type;
    int64_t entry;
    int64_t shown;
    bool erased;
};

/* Finds the item of (id, log); makes it if there is none: erased, if a log that continues this one
 * has withdrawn it. */
static enum sk_status item_state(struct sk_store *store, int64_t log, const struct sk_id *id,
                                 unsigned type, struct state *out, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool found = false;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT id, type, entry, shown, erased FROM item "
                         "WHERE uid = ?1 AND log = ?2",
                         err));
    sk_bind_bytes(stmt, 1, id->bytes, SK_ID_LEN);
    sk_bind_int(stmt, 2, log);
    SK_TRY(sk_step(stmt, &found, err));
    if (found) {
        *out = (struct state){sk_column_int(stmt, 0), (unsigned)sk_column_int(stmt, 1),
                              sk_column_int(stmt, 2), sk_column_int(stmt, 3),
                              sk_column_int(stmt, 4) != 0};
        return SK_OK;
    }
    sk_auto_stmt insert = NULL;
    SK_TRY(sk_db_prepare(store->db, &insert,
                         "INSERT INTO item(uid, log, type, revision, entry, shown, erased, title) "
                         "VALUES(?1, ?2, ?3, 0, 0, 0, "
                         "EXISTS (SELECT 1 FROM kin JOIN item AS twin ON twin.uid = ?1 AND "
                         "twin.log = kin.other WHERE kin.log = ?2 AND kin.relation = 1 AND "
                         "twin.erased), '') RETURNING id, erased",
                         err));
    sk_bind_bytes(insert, 1, id->bytes, SK_ID_LEN);
    sk_bind_int(insert, 2, log);
    sk_bind_int(insert, 3, type);
    SK_TRY(sk_step(insert, &found, err));
    *out = (struct state){
        .row = sk_column_int(insert, 0), .type = type, .erased = sk_column_int(insert, 1) != 0};
    return SK_OK;
}

/* Notes that a newer entry exists. Order is the order of positions. */
static enum sk_status advance(struct sk_store *store, const struct state *state, int64_t entry_row,
                              uint32_t revision, struct sk_error *err)
{
    if (entry_row <= state->entry)
        return SK_OK;
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "UPDATE item SET entry = ?2, revision = ?3 WHERE id = ?1", err));
    sk_bind_int(stmt, 1, state->row);
    sk_bind_int(stmt, 2, entry_row);
    sk_bind_int(stmt, 3, revision);
    return sk_run(stmt, err);
}

static enum sk_status run_for(struct sk_store *store, const char *sql, int64_t id,
                              struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt, sql, err));
    sk_bind_int(stmt, 1, id);
    return sk_run(stmt, err);
}

/* Takes out what the shown revision put into the tables: words, link, attachment. */
static enum sk_status hide(struct sk_store *store, const struct state *state, struct sk_error *err)
{
    if (!state->shown)
        return SK_OK;
    sk_auto_payload payload = SK_PAYLOAD_INIT;
    bool found = false;
    SK_TRY(sk_payload_load(store, sk_entry_row_log(state->shown),
                           sk_entry_row_position(state->shown), &payload, &found, err));
    if (found) {
        sk_auto_meaning meaning = {.json = NULL};
        SK_TRY(sk_meaning_words(&meaning, state->type, sk_buf_text(&payload.text), payload.text.len,
                                err));
        SK_TRY(sk_search_remove(store, state->row, &meaning, err));
    }
    if (state->type == SK_TYPE_LINK)
        return run_for(store, "DELETE FROM link WHERE item = ?1", state->row, err);
    if (state->type == SK_TYPE_ATTACHMENT)
        return run_for(store, "DELETE FROM attachment WHERE item = ?1", state->row, err);
    return SK_OK;
}

static enum sk_status insert_link(struct sk_store *store, int64_t item,
                                  const struct sk_meaning *meaning, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "INSERT INTO link(item, source, role, target) VALUES(?1, ?2, ?3, ?4)",
                         err));
    sk_bind_int(stmt, 1, item);
    sk_bind_bytes(stmt, 2, meaning->source.bytes, SK_ID_LEN);
    sk_bind_text(stmt, 3, meaning->role);
    sk_bind_bytes(stmt, 4, meaning->target.bytes, SK_ID_LEN);
    return sk_run(stmt, err);
}

static enum sk_status insert_attachment(struct sk_store *store, int64_t item,
                                        const struct sk_attachment *attachment,
                                        struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "INSERT INTO attachment(item, record, name, type, size, sha256) "
                         "VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
                         err));
    sk_bind_int(stmt, 1, item);
    sk_bind_bytes(stmt, 2, attachment->record.bytes, SK_ID_LEN);
    sk_bind_text(stmt, 3, attachment->name);
    sk_bind_text(stmt, 4, attachment->type);
    sk_bind_int(stmt, 5, (int64_t)attachment->size);
    sk_bind_bytes(stmt, 6, attachment->sha256, sizeof(attachment->sha256));
    return sk_run(stmt, err);
}

/* Lets a revision be the one that is shown. */
static enum sk_status show(struct sk_store *store, const struct state *state, int64_t entry_row,
                           const struct sk_meaning *meaning, struct sk_error *err)
{
    SK_TRY(hide(store, state, err));
    SK_TRY(sk_search_add(store, state->row, meaning, err));
    if (state->type == SK_TYPE_LINK)
        SK_TRY(insert_link(store, state->row, meaning, err));
    if (state->type == SK_TYPE_ATTACHMENT)
        SK_TRY(insert_attachment(store, state->row, &meaning->attachment, err));
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt, "UPDATE item SET shown = ?2, title = ?3 WHERE id = ?1",
                         err));
    sk_bind_int(stmt, 1, state->row);
    sk_bind_int(stmt, 2, entry_row);
    sk_bind_text(stmt, 3, meaning->title);
    return sk_run(stmt, err);
}

static enum sk_status insert_payload(struct sk_store *store, int64_t entry_row,
                                     const struct sk_payload *payload, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "INSERT INTO payload(id, salt, hashes, body_len, media, text) "
                         "VALUES(?1, ?2, ?3, ?4, nullif(?5, 0), ?6)",
                         err));
    sk_bind_int(stmt, 1, entry_row);
    sk_bind_bytes(stmt, 2, payload->salt, SK_SALT_LEN);
    sk_bind_bytes(stmt, 3, payload->hashes.bytes, payload->hashes.len);
    sk_bind_int(stmt, 4, (int64_t)payload->body_len);
    sk_bind_int(stmt, 5, payload->media);
    sk_bind_bytes(stmt, 6, sk_buf_text(&payload->text), payload->text.len);
    return sk_run(stmt, err);
}

static enum sk_status mark_malformed(struct sk_store *store, int64_t entry_row, const char *reason,
                                     struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "INSERT OR REPLACE INTO malformed(entry, reason) VALUES(?1, ?2)", err));
    sk_bind_int(stmt, 1, entry_row);
    sk_bind_text(stmt, 2, reason);
    return sk_run(stmt, err);
}

/* Stores a payload and, if it is the newest well-formed one, shows it. */
static enum sk_status take_payload(struct sk_store *store, const struct state *state,
                                   unsigned entry_type, int64_t entry_row,
                                   const struct sk_payload *payload, bool *malformed,
                                   struct sk_error *err)
{
    SK_TRY(insert_payload(store, entry_row, payload, err));
    struct sk_error why = SK_ERROR_INIT;
    sk_auto_meaning meaning = {.json = NULL};
    enum sk_status status =
        entry_type == state->type
            ? sk_meaning_read(&meaning, state->type, sk_buf_text(&payload->text), payload->text.len,
                              payload->body_len, &why)
            : sk_fail(&why, SK_REFUSED, "its type is not that of its earlier revisions");
    if (status == SK_OK && entry_type == SK_TYPE_ATTACHMENT && payload->hashed &&
        memcmp(payload->sha256, meaning.attachment.sha256, sizeof(payload->sha256)) != 0)
        status = sk_fail(&why, SK_REFUSED, "its SHA-256 is not that of its bytes");
    if (status == SK_OK && entry_type == SK_TYPE_CONTINUATION)
        status = sk_continuation_take(store, entry_row, &meaning.continuation, &why);
    *malformed = status == SK_REFUSED;
    if (status == SK_REFUSED)
        return mark_malformed(store, entry_row, why.text, err);
    if (status != SK_OK)
        return sk_fail(err, status, "%s", why.text);
    return entry_row > state->shown ? show(store, state, entry_row, &meaning, err) : SK_OK;
}

/* Erasing */

/* Destroys the media of an item's payloads. */
static enum sk_status erase_media(struct sk_store *store, int64_t item, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT media FROM payload WHERE media IS NOT NULL AND "
                         "id IN (SELECT id FROM entry WHERE item = ?1)",
                         err));
    sk_bind_int(stmt, 1, item);
    for (;;) {
        bool row = false;
        SK_TRY(sk_step(stmt, &row, err));
        if (!row)
            return SK_OK;
        SK_TRY(sk_media_erase(store, sk_column_int(stmt, 0), err));
    }
}

static enum sk_status erase(struct sk_store *store, const struct state *state, struct sk_error *err)
{
    SK_TRY(hide(store, state, err));
    SK_TRY(erase_media(store, state->row, err));
    SK_TRY(run_for(store, "DELETE FROM payload WHERE id IN (SELECT id FROM entry WHERE item = ?1)",
                   state->row, err));
    SK_TRY(run_for(store, "UPDATE item SET erased = 1, shown = 0, title = '' WHERE id = ?1",
                   state->row, err));
    store->erased = store->words_erased = true;
    return SK_OK;
}

/* One item that a log has withdrawn, or those of all logs (uid NULL), in a log that it continues.
 */
static enum sk_status next_continued(struct sk_store *store, const struct sk_id *uid, int64_t log,
                                     struct state *out, bool *found, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(
        store->db, &stmt,
        uid ? "SELECT item.id, item.type, item.entry, item.shown FROM kin JOIN item "
              "ON item.uid = ?1 AND item.log = kin.other "
              "WHERE kin.log = ?2 AND kin.relation = 2 AND NOT item.erased LIMIT 1"
            : "SELECT old.id, old.type, old.entry, old.shown FROM kin JOIN item AS twin "
              "ON twin.log = kin.log AND twin.erased JOIN item AS old "
              "ON old.uid = twin.uid AND old.log = kin.other "
              "WHERE kin.relation = 2 AND NOT old.erased LIMIT 1",
        err));
    if (uid) {
        sk_bind_bytes(stmt, 1, uid->bytes, SK_ID_LEN);
        sk_bind_int(stmt, 2, log);
    }
    SK_TRY(sk_step(stmt, found, err));
    if (*found)
        *out = (struct state){sk_column_int(stmt, 0), (unsigned)sk_column_int(stmt, 1),
                              sk_column_int(stmt, 2), sk_column_int(stmt, 3), false};
    return SK_OK;
}

static enum sk_status erase_continued(struct sk_store *store, const struct sk_id *uid, int64_t log,
                                      struct sk_error *err)
{
    for (;;) {
        struct state old;
        bool found = false;
        SK_TRY(next_continued(store, uid, log, &old, &found, err));
        if (!found)
            return SK_OK;
        SK_TRY(erase(store, &old, err));
    }
}

enum sk_status sk_item_erase_continued(struct sk_store *store, struct sk_error *err)
{
    return erase_continued(store, NULL, 0, err);
}

/* A payload came for what was withdrawn, or came again. */
static enum sk_status drop_payload(struct sk_store *store, const struct sk_payload *payload,
                                   struct sk_error *err)
{
    return payload->media ? sk_media_erase(store, payload->media, err) : SK_OK;
}

enum sk_status sk_item_put(struct sk_store *store, int64_t log, uint64_t position,
                           const struct sk_entry *entry, const struct sk_payload *payload,
                           bool *malformed, struct sk_error *err)
{
    bool bad = false;
    bool erasure = entry->type == SK_TYPE_ERASURE;
    uint8_t bytes[SK_ENTRY_LEN];
    int64_t entry_row = sk_entry_row(log, position);
    struct state state;
    sk_entry_encode(bytes, entry);
    SK_TRY(item_state(store, log, &entry->id, erasure ? entry->flags : entry->type, &state, err));
    SK_TRY(sk_log_put(store, log, position, bytes, state.row, err));
    SK_TRY(advance(store, &state, entry_row, entry->revision, err));
    if (erasure) {
        SK_TRY(erase(store, &state, err));
        SK_TRY(erase_continued(store, &entry->id, log, err));
    } else if (payload && !state.erased) {
        SK_TRY(take_payload(store, &state, entry->type, entry_row, payload, &bad, err));
    } else if (payload) {
        SK_TRY(drop_payload(store, payload, err));
    }
    if (malformed)
        *malformed = bad;
    return SK_OK;
}

enum sk_status sk_item_fill(struct sk_store *store, int64_t log, uint64_t position,
                            const struct sk_payload *payload, bool *kept, bool *malformed,
                            struct sk_error *err)
{
    uint8_t bytes[SK_ENTRY_LEN];
    struct sk_entry entry;
    struct state state;
    bool found = false;
    bool bad = false;
    int64_t entry_row = sk_entry_row(log, position);
    SK_TRY(sk_log_entry(store, log, position, bytes, &found, err));
    if (!found || sk_entry_decode(&entry, bytes) != SK_OK || !sk_entry_has_payload(&entry))
        return sk_fail(err, SK_REFUSED, "there is no entry for this payload");
    SK_TRY(item_state(store, log, &entry.id, entry.type, &state, err));

    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt, "SELECT 1 FROM payload WHERE id = ?1", err));
    sk_bind_int(stmt, 1, entry_row);
    SK_TRY(sk_step(stmt, &found, err));
    bool keep = !found && !state.erased;
    if (keep)
        SK_TRY(take_payload(store, &state, entry.type, entry_row, payload, &bad, err));
    else
        SK_TRY(drop_payload(store, payload, err));
    *kept = keep;
    if (malformed)
        *malformed = bad;
    return SK_OK;
}
