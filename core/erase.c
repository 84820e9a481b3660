/*
 * Erasing: of an item, with payloads, words and media, where its log has withdrawn it; and of the
 * same item in the logs related to that one (sync/FORMAT.md, "Continuation").
 */
#include "core/item_internal.h"
#include "core/media.h"
#include "core/store_internal.h"

static enum sk_status run_for(struct sk_store *store, const char *sql, int64_t id, int64_t value,
                              struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt, sql, err));
    sk_bind_int(stmt, 1, id);
    sk_bind_int(stmt, 2, value);
    return sk_run(stmt, err);
}

enum sk_status sk_item_hide(struct sk_store *store, const struct sk_item_state *state,
                            struct sk_error *err)
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
        return run_for(store, "DELETE FROM link WHERE item = ?1 AND ?2 = 0", state->row, 0, err);
    if (state->type == SK_TYPE_ATTACHMENT)
        return run_for(store, "DELETE FROM attachment WHERE item = ?1 AND ?2 = 0", state->row, 0,
                       err);
    return SK_OK;
}

enum sk_status sk_item_show_none(struct sk_store *store, const struct sk_item_state *state,
                                 struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_item_hide(store, state, err));
    SK_TRY(sk_db_prepare(store->db, &stmt, "UPDATE item SET shown = 0, title = '' WHERE id = ?1",
                         err));
    sk_bind_int(stmt, 1, state->row);
    return sk_run(stmt, err);
}

/* ---- one item ---- */

/* Destroys the media of an item's payloads, up to that entry. */
static enum sk_status erase_media(struct sk_store *store, int64_t item, int64_t last,
                                  struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT media FROM payload WHERE media IS NOT NULL AND "
                         "id IN (SELECT id FROM entry WHERE item = ?1 AND id <= ?2)",
                         err));
    sk_bind_int(stmt, 1, item);
    sk_bind_int(stmt, 2, last);
    for (;;) {
        bool row = false;
        SK_TRY(sk_step(stmt, &row, err));
        if (!row)
            return SK_OK;
        SK_TRY(sk_media_erase(store, sk_column_int(stmt, 0), err));
    }
}

/* What the item's entries commit to, up to that one; what is shown is another's to see to. */
static enum sk_status erase_payloads(struct sk_store *store, int64_t item, int64_t last,
                                     struct sk_error *err)
{
    SK_TRY(erase_media(store, item, last, err));
    SK_TRY(run_for(store,
                   "DELETE FROM payload WHERE id IN (SELECT id FROM entry WHERE item = ?1 AND "
                   "id <= ?2)",
                   item, last, err));
    SK_TRY(sk_forms_forget(store, item, last, err));
    SK_TRY(sk_continuation_forget(store, item, last, err));
    SK_TRY(run_for(store,
                   "DELETE FROM lacking WHERE entry IN (SELECT id FROM entry WHERE item = ?1 AND "
                   "id <= ?2)",
                   item, last, err));
    store->erased = store->words_erased = true;
    return sk_marks_drop(store, item, last, err); /* a reason may quote what was erased */
}

enum sk_status sk_item_erase(struct sk_store *store, const struct sk_item_state *state,
                             enum sk_erased how, struct sk_error *err)
{
    SK_TRY(sk_item_hide(store, state, err));
    SK_TRY(erase_payloads(store, state->row, INT64_MAX, err));
    if (store->kind == SK_STORE_DEVICE) /* what was purged is withdrawn now */
        SK_TRY(run_for(store,
                       "DELETE FROM purged WHERE entry IN (SELECT id FROM entry WHERE item = ?1) "
                       "AND ?2 = 0",
                       state->row, 0, err));
    return run_for(store, "UPDATE item SET erased = ?2, shown = 0, title = '' WHERE id = ?1",
                   state->row, how, err);
}

/* ---- the same item in related logs ---- */

enum sk_status sk_item_state_get(struct sk_store *store, int64_t item, struct sk_item_state *out,
                                 struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool found = false;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT id, type, entry, shown, erased FROM item WHERE id = ?1", err));
    sk_bind_int(stmt, 1, item);
    SK_TRY(sk_step(stmt, &found, err));
    if (!found)
        return sk_fail(err, SK_DAMAGED, "the database lacks what an entry belongs to");
    *out = (struct sk_item_state){sk_column_int(stmt, 0), (unsigned)sk_column_int(stmt, 1),
                                  sk_column_int(stmt, 2), sk_column_int(stmt, 3),
                                  (enum sk_erased)sk_column_int(stmt, 4)};
    return SK_OK;
}

/* In logs that the item's log continues: the same item, where it was withdrawn. */
#define WITHDRAWN_BEFORE                                                                      \
    "item CROSS JOIN kin ON kin.log = item.log AND kin.relation = 2 "                         \
    "CROSS JOIN item AS old ON old.uid = item.uid AND old.log = kin.other AND " SK_WITHDRAWN( \
        "old") " CROSS JOIN entry AS theirs ON theirs.item = old.id "

/* The first log with an entry of the withdrawn item that is this one but for the mark. */
static enum sk_status find_withdrawn_same(struct sk_store *store, int64_t entry, int64_t *log,
                                          struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool found = false;
    *log = 0;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT old.log FROM entry AS mine CROSS JOIN " WITHDRAWN_BEFORE
                         "WHERE mine.id = ?1 AND item.id = mine.item AND " SK_SAME_ENTRY(
                             "theirs", "mine") "ORDER BY old.log LIMIT 1",
                         err));
    sk_bind_int(stmt, 1, entry);
    SK_TRY(sk_step(stmt, &found, err));
    *log = found ? sk_column_int(stmt, 0) : 0;
    return SK_OK;
}

/* The entries of the two are compared as sets, since there may be very many of either. */
enum sk_status sk_item_withdrawn(struct sk_store *store, int64_t item, uint64_t *below,
                                 int64_t *log, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool found = false;
    *below = 0;
    *log = 0;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT id FROM entry WHERE item = ?1 AND " SK_UNMARKED(
                             "entry") " IN "
                                      "(SELECT " SK_UNMARKED(
                                          "theirs") " FROM " WITHDRAWN_BEFORE
                                                    "WHERE item.id = ?1) ORDER BY id DESC LIMIT 1",
                         err));
    sk_bind_int(stmt, 1, item);
    SK_TRY(sk_step(stmt, &found, err));
    if (!found)
        return SK_OK;
    *below = sk_entry_row_position(sk_column_int(stmt, 0)) + 1;
    return find_withdrawn_same(store, sk_column_int(stmt, 0), log, err);
}

enum sk_status sk_item_below(struct sk_store *store, int64_t item, uint64_t *below,
                             struct sk_error *err)
{
    struct sk_below *kept = &store->below[(uint64_t)item % SK_BELOW_KEPT];
    int64_t log = 0;
    if (kept->item != item || kept->now != store->below_now) {
        SK_TRY(sk_item_withdrawn(store, item, &kept->below, &log, err));
        kept->item = item;
        kept->now = store->below_now;
    }
    *below = kept->below;
    return SK_OK;
}

void sk_item_below_changed(struct sk_store *store)
{
    store->below_now++;
}

/* Whether anything is here that an entry of an item commits to. */
static enum sk_status has_payload(struct sk_store *store, int64_t item, bool *out,
                                  struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT 1 FROM entry CROSS JOIN payload ON payload.id = entry.id "
                         "WHERE entry.item = ?1 LIMIT 1",
                         err));
    sk_bind_int(stmt, 1, item);
    return sk_step(stmt, out, err);
}

enum sk_status sk_item_erase_inherited(struct sk_store *store, int64_t item, struct sk_error *err)
{
    struct sk_item_state state;
    uint64_t below = 0;
    int64_t log = 0;
    SK_TRY(sk_item_state_get(store, item, &state, err));
    /* What is not shown may have come since it was erased, and stand before what comes now. */
    bool there = state.erased == SK_ERASED_NOT;
    if (state.erased == SK_ERASED_INHERITED)
        SK_TRY(has_payload(store, item, &there, err));
    if (!there)
        return SK_OK;
    SK_TRY(sk_item_withdrawn(store, item, &below, &log, err));
    if (below == 0)
        return SK_OK;
    int64_t last = sk_entry_row(sk_entry_row_log(state.entry), below - 1);
    bool hidden = state.shown <= last;
    if (hidden)
        SK_TRY(sk_item_hide(store, &state, err));
    SK_TRY(erase_payloads(store, item, last, err));
    if (!hidden)
        return SK_OK;
    return run_for(store, "UPDATE item SET erased = ?2, shown = 0, title = '' WHERE id = ?1", item,
                   SK_ERASED_INHERITED, err);
}

enum sk_status sk_item_holds_withdrawn(struct sk_store *store, int64_t item, bool *out,
                                       struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    struct sk_item_state state;
    uint64_t below = 0;
    int64_t log = 0;
    SK_TRY(sk_item_state_get(store, item, &state, err));
    SK_TRY(sk_item_withdrawn(store, item, &below, &log, err));
    *out = state.erased == SK_ERASED_NOT && !state.shown && below > 0;
    if (*out || below == 0)
        return SK_OK;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT 1 FROM entry JOIN payload ON payload.id = entry.id "
                         "WHERE entry.item = ?1 AND entry.id < ?2",
                         err));
    sk_bind_int(stmt, 1, item);
    sk_bind_int(stmt, 2, sk_entry_row(sk_entry_row_log(state.entry), below));
    return sk_step(stmt, out, err);
}

static enum sk_status erase_by_later(struct sk_store *store, int64_t item, struct sk_error *err)
{
    struct sk_item_state state;
    SK_TRY(sk_item_state_get(store, item, &state, err));
    return sk_item_erase(store, &state, SK_ERASED_LATER, err);
}

/* The item ?1 of the log ?2, or all: those that their own log has withdrawn. */
#define ONE  "gone.uid = ?1 AND gone.log = ?2 AND " SK_WITHDRAWN("gone")
#define EACH SK_WITHDRAWN("gone") " AND ?1 IS NULL AND ?2 = 0"

/* In logs that `gone`'s log continues: the same item, and what hangs on it. */
#define CONTINUED(which)                                                                    \
    "WITH pair(uid, log) AS (SELECT gone.uid, kin.other FROM item AS gone JOIN kin ON "     \
    "kin.log = gone.log AND kin.relation = 2 WHERE " which ") "                             \
    "SELECT item.id FROM pair CROSS JOIN item ON item.uid = pair.uid AND "                  \
    "item.log = pair.log WHERE item.erased IN (0, 3) "                                      \
    "UNION SELECT item.id FROM pair CROSS JOIN attachment ON attachment.record = pair.uid " \
    "CROSS JOIN item ON item.id = attachment.item AND item.log = pair.log "                 \
    "UNION SELECT item.id FROM pair CROSS JOIN link ON link.source = pair.uid "             \
    "CROSS JOIN item ON item.id = link.item AND item.log = pair.log "                       \
    "UNION SELECT item.id FROM pair CROSS JOIN link ON link.target = pair.uid "             \
    "CROSS JOIN item ON item.id = link.item AND item.log = pair.log"

/* In logs that continue `gone`'s log: the same item. */
#define INHERITED(which)                                                                \
    "SELECT item.id FROM item AS gone CROSS JOIN kin ON kin.log = gone.log AND "        \
    "kin.relation = 1 CROSS JOIN item ON item.uid = gone.uid AND item.log = kin.other " \
    "WHERE item.erased IN (0, 3) AND " which

/* Calls `erase` for each item that a statement names. */
static enum sk_status erase_each(struct sk_store *store, const char *sql, const struct sk_id *uid,
                                 int64_t log, sk_items_of_fn *erase, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt, sql, err));
    if (uid)
        sk_bind_bytes(stmt, 1, uid->bytes, SK_ID_LEN);
    sk_bind_int(stmt, 2, log);
    return sk_items_of(store, stmt, erase, err);
}

enum sk_status sk_item_erase_twins(struct sk_store *store, const struct sk_id *uid, int64_t log,
                                   struct sk_error *err)
{
    SK_TRY(erase_each(store, CONTINUED(ONE), uid, log, erase_by_later, err));
    return erase_each(store, INHERITED(ONE), uid, log, sk_item_erase_inherited, err);
}

/* ---- when all entries of a bundle are here ---- */

/* The item ?2, if a log that its own continues has withdrawn the same; and, if its own log has, the
 * same item in the logs that continue that. */
#define TOUCHED                                                                                    \
    "SELECT item.id FROM item CROSS JOIN kin ON kin.log = item.log AND kin.relation = 2 "          \
    "CROSS JOIN item AS old ON old.uid = item.uid AND old.log = kin.other "                        \
    "WHERE ?1 IS NULL AND item.id = ?2 AND item.erased IN (0, 3) AND " SK_WITHDRAWN(               \
        "old") " UNION SELECT item.id FROM item AS gone CROSS JOIN kin ON kin.log = gone.log AND " \
               "kin.relation = 1 CROSS JOIN item ON item.uid = gone.uid AND item.log = kin.other " \
               "WHERE gone.id = ?2 AND item.erased IN (0, 3) AND " SK_WITHDRAWN("gone")

static enum sk_status note(struct sk_store *store, int64_t item, struct sk_error *err)
{
    struct sk_buf *noted = &store->touched;
    if (noted->len > 0 &&
        memcmp(noted->bytes + noted->len - sizeof(item), &item, sizeof(item)) == 0)
        return SK_OK;
    return sk_buf_add(noted, &item, sizeof(item), err);
}

enum sk_status sk_item_touched(struct sk_store *store, int64_t item, struct sk_error *err)
{
    return erase_each(store, TOUCHED, NULL, item, note, err);
}

static int by_item(const void *a, const void *b)
{
    int64_t x = 0;
    int64_t y = 0;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return (x > y) - (x < y);
}

enum sk_status sk_item_settle_touched(struct sk_store *store, struct sk_error *err)
{
    sk_auto_buf noted = SK_TAKE(store->touched);
    int64_t last = 0;
    if (noted.len > 0)
        qsort(noted.bytes, noted.len / sizeof(last), sizeof(last), by_item);
    for (size_t at = 0; at < noted.len; at += sizeof(last)) {
        int64_t item = 0;
        memcpy(&item, noted.bytes + at, sizeof(item));
        if (item != last)
            SK_TRY(sk_item_erase_inherited(store, item, err));
        last = item;
    }
    return SK_OK;
}

enum sk_status sk_item_erase_related(struct sk_store *store, struct sk_error *err)
{
    SK_TRY(erase_each(store, CONTINUED(EACH), NULL, 0, erase_by_later, err));
    return erase_each(store, INHERITED(EACH), NULL, 0, sk_item_erase_inherited, err);
}

enum sk_status sk_item_withdrawn_later(struct sk_store *store, int64_t log, const struct sk_id *uid,
                                       bool *out, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(
        store->db, &stmt,
        "SELECT 1 FROM kin JOIN item AS twin ON twin.uid = ?1 AND "
        "twin.log = kin.other WHERE kin.log = ?2 AND kin.relation = 1 AND " SK_WITHDRAWN("twin"),
        err));
    sk_bind_bytes(stmt, 1, uid->bytes, SK_ID_LEN);
    sk_bind_int(stmt, 2, log);
    return sk_step(stmt, out, err);
}

/* ---- what may come again ---- */

enum sk_status sk_item_allow_again(struct sk_store *store, int64_t item, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    struct sk_id uid;
    bool row = false;
    bool later = false;
    uint64_t below = 0;
    int64_t old = 0;
    SK_TRY(sk_db_prepare(store->db, &stmt, "SELECT uid, log FROM item WHERE id = ?1", err));
    sk_bind_int(stmt, 1, item);
    SK_TRY(sk_step(stmt, &row, err));
    SK_TRY(sk_column_copy(stmt, 0, uid.bytes, SK_ID_LEN, err));
    SK_TRY(sk_item_withdrawn_later(store, sk_column_int(stmt, 1), &uid, &later, err));
    SK_TRY(sk_item_withdrawn(store, item, &below, &old, err));
    return run_for(store, "UPDATE item SET erased = ?2 WHERE id = ?1", item,
                   later       ? SK_ERASED_LATER
                   : below > 0 ? SK_ERASED_INHERITED
                               : SK_ERASED_NOT,
                   err);
}

enum sk_status sk_item_allow_unrelated(struct sk_store *store, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt, "SELECT id FROM item WHERE erased IN (2, 3)", err));
    return sk_items_of(store, stmt, sk_item_allow_again, err);
}
