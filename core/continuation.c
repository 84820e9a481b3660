#include "core/continuation.h"

#include "core/item_internal.h"
#include "core/store_internal.h"
#include "core/text.h"
#include "crypto/bytes.h"

#define CARRIED_MAX 64 /* statements of one log */
#define SIGNED_LEN  (sizeof(SK_CONTINUATION_CONTEXT) + (size_t)2 * SK_HASH_LEN + 8 + SK_MERKLE_LEN)

/* What is signed: context with its NUL | log id | old log id | u64 size | root. */
static void signed_bytes(uint8_t out[static SIGNED_LEN], const struct sk_continuation *c)
{
    uint8_t *at = out;
    memcpy(at, SK_CONTINUATION_CONTEXT, sizeof(SK_CONTINUATION_CONTEXT));
    at += sizeof(SK_CONTINUATION_CONTEXT);
    memcpy(at, c->log_id, SK_HASH_LEN);
    memcpy(at + SK_HASH_LEN, c->old_id, SK_HASH_LEN);
    at += (size_t)2 * SK_HASH_LEN;
    sk_put_u64(at, c->size);
    memcpy(at + 8, c->root, SK_MERKLE_LEN);
}

void sk_continuation_sign(struct sk_continuation *continuation,
                          const uint8_t seed[static SK_SIGN_SEED_LEN])
{
    uint8_t message[SIGNED_LEN];
    signed_bytes(message, continuation);
    sk_sign(continuation->signature, message, sizeof(message), seed);
}

enum sk_status sk_continuation_check(const struct sk_continuation *continuation,
                                     struct sk_error *err)
{
    uint8_t message[SIGNED_LEN];
    uint8_t old_id[SK_HASH_LEN];
    sk_log_id(old_id, continuation->sign_public, continuation->dh_public);
    if (memcmp(old_id, continuation->old_id, sizeof(old_id)) != 0)
        return sk_fail(err, SK_REFUSED, "its keys are not those of the log it says it continues");
    signed_bytes(message, continuation);
    if (sk_sign_verify(continuation->signature, message, sizeof(message),
                       continuation->sign_public) != SK_OK)
        return sk_fail(err, SK_REFUSED, "the log it says it continues has not signed that");
    return SK_OK;
}

/* ---- writing ---- */

enum sk_status sk_continuation_append(struct sk_store *store, const struct sk_continuation *c,
                                      struct sk_error *err)
{
    char log[65], old[65], sign[65], dh[65], root[65], signature[129];
    char now[SK_DATETIME_LEN];
    sk_hex(log, c->log_id, sizeof(c->log_id));
    sk_hex(old, c->old_id, sizeof(c->old_id));
    sk_hex(sign, c->sign_public, sizeof(c->sign_public));
    sk_hex(dh, c->dh_public, sizeof(c->dh_public));
    sk_hex(root, c->root, sizeof(c->root));
    sk_hex(signature, c->signature, sizeof(c->signature));
    sk_datetime_now(now);
    sk_auto_json json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s}", "recorded", now,
                                  "log", log, "continues", old, "sign", sign, "dh", dh, "size",
                                  (json_int_t)c->size, "root", root, "signature", signature);
    if (!json)
        return sk_fail_status(err, SK_NOMEM);
    struct sk_entry entry = {.type = SK_TYPE_CONTINUATION, .revision = 1};
    sk_id_random(&entry.id);
    return sk_record_append_json(store, &entry, json, err);
}

/* ---- taking ---- */

/* Whether the log that is named holds that many entries here, with another root. */
static enum sk_status check_root(struct sk_store *store, const uint8_t *old_id, uint64_t size,
                                 const uint8_t *root, struct sk_error *err)
{
    struct sk_log old;
    bool found = false;
    struct sk_merkle tree;
    uint8_t own[SK_MERKLE_LEN];
    SK_TRY(sk_log_find(store, old_id, &old, &found, err));
    if (!found || old.size < size)
        return SK_OK;
    SK_TRY(sk_log_tree(store, old.id, size, &tree, err));
    sk_merkle_root(&tree, own);
    if (memcmp(own, root, sizeof(own)) != 0)
        return sk_fail(err, SK_REFUSED, "the log it says it continues has another history here");
    return SK_OK;
}

/* The first entry speaks of its own log; a later one only carries on what an older log said. */
static enum sk_status check_place(struct sk_store *store, int64_t entry_row,
                                  const struct sk_continuation *c, struct sk_error *err)
{
    struct sk_log log;
    SK_TRY(sk_log_get(store, sk_entry_row_log(entry_row), &log, err));
    bool own = memcmp(log.log_id, c->log_id, SK_HASH_LEN) == 0;
    if (own != (sk_entry_row_position(entry_row) == 0) ||
        memcmp(c->old_id, c->log_id, SK_HASH_LEN) == 0)
        return sk_fail(err, SK_REFUSED, "a log says what it continues in its first entry alone");
    return SK_OK;
}

/* A chain of restores is short; a list without end would make every import slow. */
static enum sk_status check_count(struct sk_store *store, int64_t entry_row, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT count(*) FROM continuation WHERE entry >> 40 = ?1", err));
    sk_bind_int(stmt, 1, sk_entry_row_log(entry_row));
    SK_TRY(sk_step(stmt, &row, err));
    if (sk_column_int(stmt, 0) >= CARRIED_MAX)
        return sk_fail(err, SK_REFUSED, "its log says too often what continues what");
    return SK_OK;
}

enum sk_status sk_continuation_take(struct sk_store *store, int64_t entry_row,
                                    const struct sk_continuation *c, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(check_place(store, entry_row, c, err));
    SK_TRY(check_count(store, entry_row, err));
    SK_TRY(check_root(store, c->old_id, c->size, c->root, err));
    store->kin_changed = true;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "INSERT INTO continuation(entry, log_id, old_id, size, root) "
                         "VALUES(?1, ?2, ?3, ?4, ?5)",
                         err));
    sk_bind_int(stmt, 1, entry_row);
    sk_bind_bytes(stmt, 2, c->log_id, SK_HASH_LEN);
    sk_bind_bytes(stmt, 3, c->old_id, SK_HASH_LEN);
    sk_bind_int(stmt, 4, (int64_t)c->size);
    sk_bind_bytes(stmt, 5, c->root, SK_MERKLE_LEN);
    return sk_run(stmt, err);
}

/* ---- settling ---- */

/* What is not said any more relates no logs, and what was erased by way of it may come again. */
static enum sk_status relations_end(struct sk_store *store, struct sk_error *err)
{
    sk_item_below_changed(store);
    store->kin_changed = store->kin_dropped = true;
    return sk_db_exec(store->db, "DELETE FROM kin", err);
}

enum sk_status sk_continuation_forget(struct sk_store *store, int64_t item, int64_t last,
                                      struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "DELETE FROM continuation WHERE entry IN (SELECT id FROM entry WHERE "
                         "item = ?1 AND id <= ?2)",
                         err));
    sk_bind_int(stmt, 1, item);
    sk_bind_int(stmt, 2, last);
    SK_TRY(sk_run(stmt, err));
    return sk_db_changes(store->db) > 0 ? relations_end(store, err) : SK_OK;
}

/* It was believed while the log it names was not here: that log says otherwise. */
static enum sk_status drop(struct sk_store *store, int64_t entry_row, const char *reason,
                           struct sk_error *err)
{
    static const char *const sql[] = {
        "INSERT OR REPLACE INTO malformed(entry, reason) VALUES(?1, ?2)",
        "UPDATE item SET shown = 0 WHERE shown = ?1 AND ?2 IS NOT NULL",
        "DELETE FROM continuation WHERE entry = ?1 AND ?2 IS NOT NULL",
    };
    for (size_t i = 0; i < sizeof(sql) / sizeof(sql[0]); i++) {
        sk_auto_stmt stmt = NULL;
        SK_TRY(sk_db_prepare(store->db, &stmt, sql[i], err));
        sk_bind_int(stmt, 1, entry_row);
        sk_bind_text(stmt, 2, reason);
        SK_TRY(sk_run(stmt, err));
    }
    return relations_end(store, err);
}

/* What was said of a log while fewer of its entries were here is held against those that came. */
static enum sk_status check_noted(struct sk_store *store, const uint8_t *old_id,
                                  struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(
        store->db, &stmt,
        "SELECT entry, size, root FROM continuation WHERE old_id = ?1 ORDER BY entry", err));
    sk_bind_bytes(stmt, 1, old_id, SK_HASH_LEN);
    for (;;) {
        bool row = false;
        uint8_t root[SK_MERKLE_LEN];
        struct sk_error why = SK_ERROR_INIT;
        SK_TRY(sk_step(stmt, &row, err));
        if (!row)
            return SK_OK;
        SK_TRY(sk_column_copy(stmt, 2, root, sizeof(root), err));
        enum sk_status status =
            check_root(store, old_id, (uint64_t)sk_column_int(stmt, 1), root, &why);
        if (status == SK_REFUSED)
            status = drop(store, sk_column_int(stmt, 0), why.text, &why);
        if (status != SK_OK)
            return sk_fail(err, status, "%s", why.text);
    }
}

/*
 * What is believed. A log's first entry is signed by the log it names. What stands behind it was
 * carried over from there, so it may only speak of logs that this one has been led to, step by
 * step: else a device could say of any other whose heir that is. An entry's row is log * 2^40 +
 * position.
 */
#define ANCESTORS                                                                           \
    "WITH RECURSIVE believed(holder, new_id, old_id, size) AS ("                            \
    "SELECT entry >> 40, log_id, old_id, size FROM continuation "                           \
    "WHERE entry & 1099511627775 = 0 "                                                      \
    "UNION SELECT holder, c.log_id, c.old_id, c.size FROM believed JOIN continuation AS c " \
    "ON c.log_id = believed.old_id AND c.entry >> 40 = holder), "                           \
    "below(new_id, old_id, size) AS (SELECT new_id, old_id, size FROM believed "            \
    "UNION SELECT below.new_id, believed.old_id, believed.size FROM below JOIN believed "   \
    "ON believed.new_id = below.old_id), "

/*
 * What `kin` holds. Two logs that say they continue each other are of one hand, and neither hides
 * the other. Of several statements about one log the one that knows least of it counts. What is
 * preferred is of one order over all of them: by how many logs it continues, then by when it came.
 * Else each of three could give way to the next one.
 */
#define KIN                                                                                      \
    ANCESTORS                                                                                    \
    "heir(old, new, size) AS (SELECT o.id, n.id, min(below.size) FROM below "                    \
    "JOIN log AS n ON n.log_id = new_id JOIN log AS o ON o.log_id = old_id WHERE n.id <> o.id "  \
    "AND NOT EXISTS (SELECT 1 FROM below AS b WHERE b.new_id = below.old_id AND "                \
    "b.old_id = below.new_id) GROUP BY o.id, n.id), "                                            \
    "depth(log, of) AS MATERIALIZED (SELECT log.id, count(DISTINCT old_id) FROM below JOIN log " \
    "ON log.log_id = new_id "                                                                    \
    "WHERE old_id <> new_id GROUP BY log.id), "                                                  \
    "made(log, other, relation, prefer, size) AS (SELECT old, new, 1, 1, size FROM heir "        \
    "UNION ALL SELECT new, old, 2, 0, size FROM heir "                                           \
    "UNION ALL SELECT DISTINCT x.id, y.id, 3, (dy.of, y.id) > (dx.of, x.id), 0 FROM below AS a " \
    "JOIN below AS b ON b.old_id = a.old_id AND b.new_id <> a.new_id "                           \
    "JOIN log AS x ON x.log_id = a.new_id JOIN log AS y ON y.log_id = b.new_id "                 \
    "CROSS JOIN depth AS dx ON dx.log = x.id CROSS JOIN depth AS dy ON dy.log = y.id "           \
    "WHERE a.new_id <> a.old_id AND b.new_id <> b.old_id AND NOT EXISTS "                        \
    "(SELECT 1 FROM below AS c WHERE c.new_id = a.new_id AND c.old_id = b.new_id "               \
    "OR c.new_id = b.new_id AND c.old_id = a.new_id)) "

static enum sk_status count_rows(struct sk_store *store, const char *sql, int64_t *count,
                                 struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(sk_db_prepare(store->db, &stmt, sql, err));
    SK_TRY(sk_step(stmt, &row, err));
    *count = sk_column_int(stmt, 0);
    return SK_OK;
}

/* How `kin` differs from what it should hold, in rows. */
static enum sk_status kin_difference(struct sk_store *store, int64_t *count, struct sk_error *err)
{
    return count_rows(store,
                      KIN "SELECT (SELECT count(*) FROM (SELECT * FROM made EXCEPT "
                          "SELECT log, other, relation, prefer, size FROM kin)) + "
                          "(SELECT count(*) FROM (SELECT log, other, relation, prefer, size "
                          "FROM kin EXCEPT SELECT * FROM made))",
                      count, err);
}

/* How many relations are there no more. */
static enum sk_status count_ended(struct sk_store *store, int64_t *count, struct sk_error *err)
{
    return count_rows(store,
                      KIN "SELECT count(*) FROM (SELECT log, other, relation FROM kin EXCEPT "
                          "SELECT log, other, relation FROM made)",
                      count, err);
}

static enum sk_status relate(struct sk_store *store, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    sk_item_below_changed(store);
    SK_TRY(sk_db_exec(store->db, "DELETE FROM kin", err));
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         KIN "INSERT INTO kin(log, other, relation, prefer, size) "
                             "SELECT * FROM made",
                         err));
    return sk_run(stmt, err);
}

/* One round: what is related now, and what that erases. */
static enum sk_status settle(struct sk_store *store, struct sk_error *err)
{
    bool dropped = store->kin_dropped;
    int64_t different = 0;
    int64_t ended = 0;
    store->kin_changed = store->kin_dropped = false;
    SK_TRY(kin_difference(store, &different, err));
    if (different == 0 && !dropped)
        return SK_OK;
    SK_TRY(count_ended(store, &ended, err));
    dropped = dropped || ended > 0;
    SK_TRY(relate(store, err));
    if (dropped)
        SK_TRY(sk_item_allow_unrelated(store, err));
    return sk_item_erase_related(store, err);
}

/* `kin` is looked at only where something changed that it follows from: to make it takes time, and
 * would take it from everybody's imports if one device says much of what continues what. A
 * statement can be among what is erased; then there is one less, so that this comes to an end. */
enum sk_status sk_continuation_settle(struct sk_store *store, const uint8_t *log_id,
                                      struct sk_error *err)
{
    if (log_id)
        SK_TRY(check_noted(store, log_id, err));
    SK_TRY(sk_item_settle_touched(store, err));
    while (store->kin_changed)
        SK_TRY(settle(store, err));
    return SK_OK;
}

enum sk_status sk_continuation_verify(struct sk_store *store, const char **problem,
                                      struct sk_error *err)
{
    int64_t different = 0;
    int64_t baseless = 0;
    *problem = NULL;
    SK_TRY(
        count_rows(store,
                   "SELECT count(*) FROM continuation AS c WHERE NOT EXISTS (SELECT 1 FROM entry "
                   "JOIN item ON item.id = entry.item JOIN payload ON payload.id = entry.id "
                   "WHERE entry.id = c.entry AND item.type = 11)",
                   &baseless, err));
    SK_TRY(kin_difference(store, &different, err));
    if (baseless > 0)
        *problem = "data: it is noted that a log continues another, and no entry says so";
    else if (different > 0)
        *problem = "data: which logs are related is not what their entries say";
    return SK_OK;
}

/* ---- telling ---- */

enum sk_status sk_continuation_of(struct sk_store *store, const struct sk_log *log,
                                  struct sk_continuation *out, bool *found, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    struct sk_continuation c = {.size = 0};
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT old_id, size, root FROM continuation WHERE entry = ?1", err));
    sk_bind_int(stmt, 1, sk_entry_row(log->id, 0));
    SK_TRY(sk_step(stmt, found, err));
    if (!*found)
        return SK_OK;
    memcpy(c.log_id, log->log_id, SK_HASH_LEN);
    SK_TRY(sk_column_copy(stmt, 0, c.old_id, SK_HASH_LEN, err));
    c.size = (uint64_t)sk_column_int(stmt, 1);
    SK_TRY(sk_column_copy(stmt, 2, c.root, SK_MERKLE_LEN, err));
    *out = c;
    return SK_OK;
}

/* Where the log parts from the one that knows least of it, which is *heir; 0: none continues it. */
static enum sk_status find_parting(struct sk_store *store, int64_t log, int64_t *heir,
                                   uint64_t *size, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool found = false;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT other, size FROM kin WHERE log = ?1 AND relation = 1 "
                         "ORDER BY size, other LIMIT 1",
                         err));
    sk_bind_int(stmt, 1, log);
    SK_TRY(sk_step(stmt, &found, err));
    *heir = found ? sk_column_int(stmt, 0) : 0;
    *size = found ? (uint64_t)sk_column_int(stmt, 1) : 0;
    return SK_OK;
}

enum sk_status sk_entry_apart(struct sk_store *store, int64_t log, uint64_t position, int64_t *heir,
                              struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    int64_t found = 0;
    uint64_t size = 0;
    bool apart = false;
    *heir = 0;
    SK_TRY(find_parting(store, log, &found, &size, err));
    if (!found || position < size)
        return SK_OK;
    SK_TRY(sk_db_prepare(
        store->db, &stmt,
        "SELECT 1 FROM entry WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM item AS mine "
        "CROSS JOIN kin ON kin.log = mine.log AND kin.relation = 1 CROSS JOIN item AS twin ON "
        "twin.uid = mine.uid AND twin.log = kin.other CROSS JOIN entry AS theirs ON "
        "theirs.item = twin.id AND " SK_SAME_ENTRY("theirs", "entry") "WHERE mine.id = entry.item)",
        err));
    sk_bind_int(stmt, 1, sk_entry_row(log, position));
    SK_TRY(sk_step(stmt, &apart, err));
    *heir = apart ? found : 0;
    return SK_OK;
}

/* Of the item ?1: its entries within rows [?2, ?3) that stand apart. They are compared as sets,
 * since there may be very many. */
#define APART_OF_ITEM                                                                           \
    "FROM entry WHERE item = ?1 AND id >= ?2 AND id < ?3 AND " SK_UNMARKED(                     \
        "entry") " NOT IN "                                                                     \
                 "(SELECT " SK_UNMARKED(                                                        \
                     "theirs") " FROM item AS mine CROSS JOIN kin ON kin.log = mine.log "       \
                               "AND kin.relation = 1 CROSS JOIN item AS twin ON twin.uid = "    \
                               "mine.uid AND twin.log = "                                       \
                               "kin.other CROSS JOIN entry AS theirs ON theirs.item = twin.id " \
                               "WHERE mine.id = ?1)"

enum sk_status sk_item_apart(struct sk_store *store, const struct sk_item *item,
                             struct sk_ranges *out, int64_t *heir, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    sk_auto_ranges apart = SK_RANGES_INIT;
    int64_t found = 0;
    uint64_t size = 0;
    SK_TRY(find_parting(store, item->log, &found, &size, err));
    if (found) {
        SK_TRY(sk_db_prepare(store->db, &stmt, "SELECT id " APART_OF_ITEM " ORDER BY id", err));
        sk_bind_int(stmt, 1, item->row);
        sk_bind_int(stmt, 2, sk_entry_row(item->log, size));
        sk_bind_int(stmt, 3, sk_entry_row(item->log + 1, 0));
        SK_TRY(sk_entry_ranges(stmt, &apart, err));
    }
    *heir = apart.count > 0 ? found : 0;
    *out = SK_TAKE(apart);
    return SK_OK;
}

/* Adds how many entries of an item stand apart. */
static enum sk_status count_apart(struct sk_store *store, int64_t item, int64_t from, int64_t to,
                                  uint64_t *count, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool found = false;
    SK_TRY(sk_db_prepare(store->db, &stmt, "SELECT count(*) " APART_OF_ITEM, err));
    sk_bind_int(stmt, 1, item);
    sk_bind_int(stmt, 2, from);
    sk_bind_int(stmt, 3, to);
    SK_TRY(sk_step(stmt, &found, err));
    *count += (uint64_t)sk_column_int(stmt, 0);
    return SK_OK;
}

enum sk_status sk_log_apart(struct sk_store *store, int64_t log, uint64_t *count, int64_t *heir,
                            struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    uint64_t size = 0;
    uint64_t found = 0;
    bool row = true;
    *count = 0;
    SK_TRY(find_parting(store, log, heir, &size, err));
    if (*heir == 0)
        return SK_OK;
    const int64_t from = sk_entry_row(log, size);
    const int64_t to = sk_entry_row(log + 1, 0);
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT DISTINCT item FROM entry WHERE id >= ?1 AND id < ?2", err));
    sk_bind_int(stmt, 1, from);
    sk_bind_int(stmt, 2, to);
    while (row) {
        SK_TRY(sk_step(stmt, &row, err));
        if (row)
            SK_TRY(count_apart(store, sk_column_int(stmt, 0), from, to, &found, err));
    }
    *count = found;
    *heir = found > 0 ? *heir : 0;
    return SK_OK;
}
