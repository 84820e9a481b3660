/*
 * How an entry and its payload change what a store shows: the one way, for what was written here
 * and for what came in a bundle.
 */
#include "core/form_log.h"
#include "core/item_internal.h"
#include "core/media.h"
#include "core/revoke.h"
#include "core/store_internal.h"

/* Finds the item of (id, log); makes it if there is none: erased, if a log that continues this one
 * has withdrawn it. */
static enum sk_status item_state(struct sk_store *store, int64_t log, const struct sk_id *id,
                                 unsigned type, struct sk_item_state *out, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    sk_auto_stmt insert = NULL;
    bool found = false;
    bool later = false;
    SK_TRY(sk_db_prepare(store->db, &stmt, "SELECT id FROM item WHERE uid = ?1 AND log = ?2", err));
    sk_bind_bytes(stmt, 1, id->bytes, SK_ID_LEN);
    sk_bind_int(stmt, 2, log);
    SK_TRY(sk_step(stmt, &found, err));
    if (found)
        return sk_item_state_get(store, sk_column_int(stmt, 0), out, err);
    SK_TRY(sk_item_withdrawn_later(store, log, id, &later, err));
    /* Without RETURNING: SQLite would open a savepoint for it, and FTS5 would write out each time
     * what it gathers. */
    SK_TRY(sk_db_prepare(store->db, &insert,
                         "INSERT INTO item(uid, log, type, revision, entry, shown, erased, title) "
                         "VALUES(?1, ?2, ?3, 0, 0, 0, ?4, '')",
                         err));
    sk_bind_bytes(insert, 1, id->bytes, SK_ID_LEN);
    sk_bind_int(insert, 2, log);
    sk_bind_int(insert, 3, type);
    sk_bind_int(insert, 4, later ? SK_ERASED_LATER : SK_ERASED_NOT);
    SK_TRY(sk_run(insert, err));
    *out = (struct sk_item_state){.row = sk_db_last_id(store->db),
                                  .type = type,
                                  .erased = later ? SK_ERASED_LATER : SK_ERASED_NOT};
    return SK_OK;
}

/* Notes that a newer entry exists. Order is the order of positions. */
static enum sk_status advance(struct sk_store *store, const struct sk_item_state *state,
                              int64_t entry_row, uint32_t revision, struct sk_error *err)
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
static enum sk_status show(struct sk_store *store, const struct sk_item_state *state,
                           int64_t entry_row, const struct sk_meaning *meaning,
                           struct sk_error *err)
{
    SK_TRY(sk_item_hide(store, state, err));
    SK_TRY(sk_search_add(store, state->row, meaning, err));
    if (state->type == SK_TYPE_LINK)
        SK_TRY(insert_link(store, state->row, meaning, err));
    if (state->type == SK_TYPE_ATTACHMENT)
        SK_TRY(insert_attachment(store, state->row, &meaning->attachment, err));
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "UPDATE item SET shown = ?2, title = ?3, erased = 0 WHERE id = ?1", err));
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

/* Whether what hangs on something (an attachment, a link) hangs on what a log that continues this
 * one has withdrawn, with all that hung on it. */
static enum sk_status hangs_on_withdrawn(struct sk_store *store, int64_t log, unsigned type,
                                         const struct sk_meaning *meaning, bool *out,
                                         struct sk_error *err)
{
    *out = false;
    if (type == SK_TYPE_ATTACHMENT)
        return sk_item_withdrawn_later(store, log, &meaning->attachment.record, out, err);
    if (type != SK_TYPE_LINK)
        return SK_OK;
    SK_TRY(sk_item_withdrawn_later(store, log, &meaning->source, out, err));
    return *out ? SK_OK : sk_item_withdrawn_later(store, log, &meaning->target, out, err);
}

/* Shows a payload that is well formed if it is the newest. */
static enum sk_status show_newest(struct sk_store *store, struct sk_item_state state,
                                  int64_t entry_row, const struct sk_meaning *meaning,
                                  struct sk_error *err)
{
    bool withdrawn = false;
    if (entry_row <= state.shown)
        return SK_OK;
    SK_TRY(hangs_on_withdrawn(store, sk_entry_row_log(entry_row), state.type, meaning, &withdrawn,
                              err));
    return withdrawn ? sk_item_erase(store, &state, SK_ERASED_LATER, err)
                     : show(store, &state, entry_row, meaning, err);
}

/* Whether an attachment's description is true of its bytes. */
static enum sk_status check_digest(struct sk_store *store, const struct sk_payload *payload,
                                   const struct sk_attachment *attachment, struct sk_error *why)
{
    struct sk_error words = SK_ERROR_INIT;
    enum sk_status status = SK_OK;
    if (!payload->hashed)
        status = sk_attachment_check(store, payload, attachment->sha256, NULL, NULL, &words);
    else if (memcmp(payload->sha256, attachment->sha256, sizeof(payload->sha256)) != 0)
        status = SK_DAMAGED;
    if (status == SK_DAMAGED)
        return sk_fail(why, SK_REFUSED, "its SHA-256 is not that of its bytes");
    return status == SK_OK ? SK_OK : sk_fail(why, status, "%s", words.text);
}

/* A record's form is looked for in its log. That it is needed is noted first, held or not. */
struct needing {
    struct sk_store *store;
    int64_t entry_row;
};

static enum sk_status find_form(void *context, const uint8_t hash[static SK_HASH_LEN],
                                struct sk_own_form **out, struct sk_error *err)
{
    const struct needing *needing = context;
    SK_TRY(sk_form_use_note(needing->store, needing->entry_row, hash, err));
    return sk_log_form(needing->store, sk_entry_row_log(needing->entry_row), hash, out, err);
}

/* What a payload says. Errors: SK_REFUSED with the reason when it is not well formed. look: at the
 * bytes of an attachment, even if nobody hashed them now. */
static enum sk_status judge(struct sk_store *store, unsigned type, unsigned entry_type,
                            int64_t entry_row, const struct sk_payload *payload, bool look,
                            struct sk_meaning *meaning, struct sk_error *why)
{
    struct needing needing = {store, entry_row};
    const struct sk_form_source forms = {find_form, &needing};
    if (entry_type != type)
        return sk_fail(why, SK_REFUSED, "its type is not that of its earlier revisions");
    SK_TRY(sk_meaning_read(meaning, type, sk_buf_text(&payload->text), payload->text.len,
                           payload->body_len, &forms, why));
    if (type == SK_TYPE_ATTACHMENT && (payload->hashed || look))
        return check_digest(store, payload, &meaning->attachment, why);
    if (type == SK_TYPE_CONTINUATION)
        return sk_continuation_take(store, entry_row, &meaning->continuation, why);
    return SK_OK;
}

/* Marks a payload that is in the store and not well formed; if it is, and the newest, shows it. */
static enum sk_status settle_payload(struct sk_store *store, const struct sk_item_state *state,
                                     unsigned entry_type, int64_t entry_row,
                                     const struct sk_payload *payload, bool look, bool *malformed,
                                     struct sk_error *err)
{
    struct sk_error why = SK_ERROR_INIT;
    sk_auto_meaning meaning = {.json = NULL};
    enum sk_status status =
        judge(store, state->type, entry_type, entry_row, payload, look, &meaning, &why);
    *malformed = status == SK_REFUSED;
    if (status == SK_REFUSED)
        return sk_mark_payload(store, entry_row, why.text, err);
    if (status != SK_OK)
        return sk_fail(err, status, "%s", why.text);
    SK_TRY(show_newest(store, *state, entry_row, &meaning, err));
    return state->type == SK_TYPE_FORM ? sk_form_entry_note(store, entry_row, meaning.own, err)
                                       : SK_OK;
}

static enum sk_status take_payload(struct sk_store *store, const struct sk_item_state *state,
                                   unsigned entry_type, int64_t entry_row,
                                   const struct sk_payload *payload, bool *malformed,
                                   struct sk_error *err)
{
    SK_TRY(insert_payload(store, entry_row, payload, err));
    return settle_payload(store, state, entry_type, entry_row, payload, false, malformed, err);
}

/* ---- an earlier entry that came late and is of another type ---- */

/* Looks once more at what an entry commits to. */
static enum sk_status settle_again(struct sk_store *store, int64_t item, int64_t entry_row,
                                   const struct sk_entry *entry, struct sk_error *err)
{
    struct sk_item_state state;
    sk_auto_payload payload = SK_PAYLOAD_INIT;
    bool found = false;
    bool malformed = false;
    SK_TRY(sk_payload_load(store, sk_entry_row_log(entry_row), sk_entry_row_position(entry_row),
                           &payload, &found, err));
    SK_TRY(sk_item_state_get(store, item, &state, err));
    return found ? settle_payload(store, &state, entry->type, entry_row, &payload, true, &malformed,
                                  err)
                 : SK_OK;
}

static enum sk_status settle_one(struct sk_store *store, int64_t item, int64_t entry_row,
                                 struct sk_error *err)
{
    uint8_t bytes[SK_ENTRY_LEN];
    struct sk_entry entry;
    bool found = false;
    SK_TRY(sk_log_entry(store, sk_entry_row_log(entry_row), sk_entry_row_position(entry_row), bytes,
                        &found, err));
    if (!found || sk_entry_decode(&entry, bytes) != SK_OK)
        return sk_fail(err, SK_DAMAGED, "an entry in the database is not one");
    return settle_again(store, item, entry_row, &entry, err);
}

/* All entries of an item; the list is read first, since settling one changes tables. */
static enum sk_status settle_all(struct sk_store *store, int64_t item, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    sk_auto_buf rows = SK_BUF_INIT;
    bool row = true;
    SK_TRY(
        sk_db_prepare(store->db, &stmt, "SELECT id FROM entry WHERE item = ?1 ORDER BY id", err));
    sk_bind_int(stmt, 1, item);
    while (row) {
        SK_TRY(sk_step(stmt, &row, err));
        int64_t id = row ? sk_column_int(stmt, 0) : 0;
        if (row)
            SK_TRY(sk_buf_add(&rows, &id, sizeof(id), err));
    }
    sk_stmt_reset(stmt);
    for (size_t at = 0; at < rows.len; at += sizeof(int64_t)) {
        int64_t id = 0;
        memcpy(&id, rows.bytes + at, sizeof(id));
        SK_TRY(settle_one(store, item, id, err));
    }
    return SK_OK;
}

/* The newest entry of an item before that one which has a payload that is well formed, as far as is
 * known; 0: none. */
static enum sk_status older_well_formed(struct sk_store *store, int64_t item, int64_t before,
                                        int64_t *out, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool found = false;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT entry.id FROM entry CROSS JOIN payload ON payload.id = entry.id "
                         "WHERE entry.item = ?1 AND entry.id < ?2 AND NOT EXISTS (SELECT 1 FROM "
                         "malformed WHERE malformed.entry = entry.id AND reason <> ?3) "
                         "ORDER BY entry.id DESC LIMIT 1",
                         err));
    sk_bind_int(stmt, 1, item);
    sk_bind_int(stmt, 2, before);
    sk_bind_text(stmt, 3, SK_UNCHAINED);
    SK_TRY(sk_step(stmt, &found, err));
    *out = found ? sk_column_int(stmt, 0) : 0;
    return SK_OK;
}

/* What was shown is not well formed any more: the newest one before it that is takes its place.
 * Where there is none, what it stood behind may be withdrawn elsewhere. */
static enum sk_status show_older(struct sk_store *store, int64_t item, int64_t before,
                                 struct sk_error *err)
{
    struct sk_item_state state;
    for (;;) {
        SK_TRY(sk_item_state_get(store, item, &state, err));
        if (state.shown)
            return SK_OK;
        SK_TRY(older_well_formed(store, item, before, &before, err));
        if (!before)
            return sk_item_erase_inherited(store, item, err);
        SK_TRY(settle_one(store, item, before, err));
    }
}

enum sk_status sk_entry_judge_again(struct sk_store *store, int64_t item, int64_t entry_row,
                                    struct sk_error *err)
{
    struct sk_item_state state;
    SK_TRY(sk_item_state_get(store, item, &state, err));
    if (entry_row == state.shown)
        SK_TRY(sk_item_show_none(store, &state, err));
    SK_TRY(sk_mark_drop(store, entry_row, err));
    SK_TRY(settle_one(store, item, entry_row, err));
    return entry_row == state.shown ? show_older(store, item, entry_row, err) : SK_OK;
}

/* What a payload of another type had done is undone. */
static enum sk_status set_type(struct sk_store *store, const struct sk_item_state *state,
                               unsigned type, struct sk_error *err)
{
    static const char *const sql[] = {
        "UPDATE item SET type = ?2, shown = 0, title = '' WHERE id = ?1",
        /* It may have hung on what was withdrawn, as a link or an attachment. */
        ("UPDATE item SET erased = 0 WHERE id = ?1 AND ?2 IS NOT NULL AND erased = 2 AND "
         "NOT EXISTS (SELECT 1 FROM kin CROSS JOIN item AS twin ON twin.uid = item.uid AND "
         "twin.log = kin.other WHERE kin.log = item.log AND kin.relation = 1 AND " SK_WITHDRAWN(
             "twin") ")"),
    };
    sk_item_below_changed(store);
    store->kin_changed = true;
    SK_TRY(sk_item_hide(store, state, err));
    SK_TRY(sk_marks_drop(store, state->row, INT64_MAX, err));
    SK_TRY(sk_forms_forget(store, state->row, INT64_MAX, err));
    SK_TRY(sk_continuation_forget(store, state->row, INT64_MAX, err));
    for (size_t i = 0; i < sizeof(sql) / sizeof(sql[0]); i++) {
        sk_auto_stmt stmt = NULL;
        SK_TRY(sk_db_prepare(store->db, &stmt, sql[i], err));
        sk_bind_int(stmt, 1, state->row);
        sk_bind_int(stmt, 2, type);
        SK_TRY(sk_run(stmt, err));
    }
    return SK_OK;
}

/*
 * The type of an item is that of the entry that stands first in the log, whenever that comes.
 * Whatever was judged by another one is judged again.
 */
static enum sk_status retype(struct sk_store *store, struct sk_item_state *state, int64_t entry_row,
                             unsigned type, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool found = false;
    if (type == state->type || entry_row > state->entry)
        return SK_OK;
    SK_TRY(sk_db_prepare(store->db, &stmt, "SELECT min(id) FROM entry WHERE item = ?1", err));
    sk_bind_int(stmt, 1, state->row);
    SK_TRY(sk_step(stmt, &found, err));
    if (sk_column_int(stmt, 0) != entry_row)
        return SK_OK;
    SK_TRY(set_type(store, state, type, err));
    SK_TRY(settle_all(store, state->row, err));
    return sk_item_state_get(store, state->row, state, err);
}

/* Whether a payload of that entry, which is not here, is to be kept. */
static enum sk_status wants(struct sk_store *store, const struct sk_item_state *state,
                            int64_t entry_row, bool *out, struct sk_error *err)
{
    uint64_t below = 0;
    *out = state->erased == SK_ERASED_NOT || state->erased == SK_ERASED_INHERITED;
    if (!*out)
        return SK_OK;
    SK_TRY(sk_item_below(store, state->row, &below, err));
    *out = sk_entry_row_position(entry_row) >= below;
    return SK_OK;
}

/* A payload came for what was withdrawn, or came again. */
static enum sk_status drop_payload(struct sk_store *store, const struct sk_payload *payload,
                                   struct sk_error *err)
{
    return payload->media ? sk_media_erase(store, payload->media, err) : SK_OK;
}

/*
 * What an entry does whatever it commits to: it withdraws the item, here and in related logs; or it
 * stands in two of them, and was withdrawn in one. An item that is withdrawn again has nothing left
 * to erase; only where its log is revoked may it count from now on.
 */
static enum sk_status settle_twins(struct sk_store *store, struct sk_item_state *state,
                                   const struct sk_entry *entry, int64_t entry_row,
                                   struct sk_error *err)
{
    int64_t log = sk_entry_row_log(entry_row);
    bool erasure = entry->type == SK_TYPE_ERASURE;
    bool again = state->erased == SK_ERASED_OWN;
    uint64_t revoked = SK_NOT_REVOKED;
    if (erasure && !again)
        SK_TRY(sk_item_erase(store, state, SK_ERASED_OWN, err));
    if (store->kind == SK_STORE_DEVICE)
        return SK_OK;
    sk_item_below_changed(store);
    if (erasure && again)
        SK_TRY(sk_log_revoked(store, log, &revoked, err));
    if (erasure && (!again || revoked != SK_NOT_REVOKED))
        return sk_item_erase_twins(store, &entry->id, log, err);
    return sk_item_touched(store, state->row, err);
}

enum sk_status sk_item_put(struct sk_store *store, int64_t log, uint64_t position,
                           const struct sk_entry *entry, const struct sk_payload *payload,
                           bool *malformed, struct sk_error *err)
{
    bool bad = false;
    bool wanted = false;
    bool erasure = entry->type == SK_TYPE_ERASURE;
    uint8_t bytes[SK_ENTRY_LEN];
    int64_t entry_row = sk_entry_row(log, position);
    unsigned type = erasure ? entry->flags : entry->type;
    struct sk_item_state state;
    sk_entry_encode(bytes, entry);
    SK_TRY(item_state(store, log, &entry->id, type, &state, err));
    SK_TRY(sk_log_put(store, log, position, bytes, state.row, err));
    SK_TRY(advance(store, &state, entry_row, entry->revision, err));
    SK_TRY(retype(store, &state, entry_row, type, err));
    SK_TRY(settle_twins(store, &state, entry, entry_row, err));
    if (payload && !erasure)
        SK_TRY(wants(store, &state, entry_row, &wanted, err));
    if (wanted)
        SK_TRY(take_payload(store, &state, entry->type, entry_row, payload, &bad, err));
    else if (payload)
        SK_TRY(drop_payload(store, payload, err));
    if (malformed)
        *malformed = bad;
    return SK_OK;
}

/* An entry that is here, with its item. */
static enum sk_status find_entry(struct sk_store *store, int64_t entry_row,
                                 uint8_t bytes[static SK_ENTRY_LEN], struct sk_item_state *out,
                                 bool *there, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool found = false;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT entry.bytes, entry.item, payload.id FROM entry "
                         "LEFT JOIN payload ON payload.id = entry.id WHERE entry.id = ?1",
                         err));
    sk_bind_int(stmt, 1, entry_row);
    SK_TRY(sk_step(stmt, &found, err));
    if (!found)
        return sk_fail(err, SK_MISSING, "there is no entry for this payload");
    SK_TRY(sk_column_copy(stmt, 0, bytes, SK_ENTRY_LEN, err));
    *there = !sk_column_null(stmt, 2);
    *out = (struct sk_item_state){.row = sk_column_int(stmt, 1), .erased = SK_ERASED_OWN};
    return out->row ? sk_item_state_get(store, out->row, out, err) : SK_OK;
}

enum sk_status sk_item_wants(struct sk_store *store, int64_t log, uint64_t position,
                             uint8_t bytes[static SK_ENTRY_LEN], bool *wanted, struct sk_error *err)
{
    struct sk_item_state state;
    int64_t entry_row = sk_entry_row(log, position);
    bool there = false;
    SK_TRY(find_entry(store, entry_row, bytes, &state, &there, err));
    SK_TRY(wants(store, &state, entry_row, wanted, err));
    *wanted = *wanted && !there;
    return SK_OK;
}

enum sk_status sk_item_fill(struct sk_store *store, int64_t log, uint64_t position,
                            const struct sk_payload *payload, bool *kept, bool *malformed,
                            struct sk_error *err)
{
    uint8_t bytes[SK_ENTRY_LEN];
    struct sk_entry entry;
    struct sk_item_state state;
    bool there = false;
    bool keep = false;
    bool bad = false;
    int64_t entry_row = sk_entry_row(log, position);
    enum sk_status status = find_entry(store, entry_row, bytes, &state, &there, err);
    if (status != SK_OK && status != SK_MISSING)
        return status;
    if (status == SK_MISSING || sk_entry_decode(&entry, bytes) != SK_OK ||
        !sk_entry_has_payload(&entry))
        return sk_fail(err, SK_REFUSED, "there is no entry for this payload");
    SK_TRY(wants(store, &state, entry_row, &keep, err));
    keep = keep && !there;
    if (keep)
        SK_TRY(take_payload(store, &state, entry.type, entry_row, payload, &bad, err));
    else
        SK_TRY(drop_payload(store, payload, err));
    *kept = keep;
    if (malformed)
        *malformed = bad;
    return SK_OK;
}
