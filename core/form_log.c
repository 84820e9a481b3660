#include "core/form_log.h"

#include "core/item_internal.h"
#include "core/store_internal.h"

/* ---- looking ---- */

/* The entry that brought a form into a log, the first of several; 0: none. */
static enum sk_status find_entry(struct sk_store *store, int64_t log, const uint8_t *hash,
                                 int64_t *out, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT entry FROM form_entry WHERE hash = ?1 AND entry >= ?2 AND "
                         "entry < ?3 ORDER BY entry LIMIT 1",
                         err));
    sk_bind_bytes(stmt, 1, hash, SK_HASH_LEN);
    sk_bind_int(stmt, 2, sk_entry_row(log, 0));
    sk_bind_int(stmt, 3, sk_entry_row(log + 1, 0));
    SK_TRY(sk_step(stmt, &row, err));
    *out = row ? sk_column_int(stmt, 0) : 0;
    return SK_OK;
}

/* Takes a form to the front of what is kept at hand: from its place there, or a new reference. */
static void keep(struct sk_store *store, size_t at, struct sk_own_form *own)
{
    for (; at > 0; at--)
        store->forms[at] = store->forms[at - 1];
    store->forms[0] = own;
}

/* The form of that hash, if it is kept at hand: borrowed. */
static struct sk_own_form *find_kept(struct sk_store *store, const uint8_t *hash)
{
    for (size_t i = 0; i < SK_FORMS_KEPT && store->forms[i]; i++) {
        struct sk_own_form *own = store->forms[i];
        if (memcmp(sk_own_form_of(own)->hash, hash, SK_HASH_LEN) == 0) {
            keep(store, i, own);
            return own;
        }
    }
    return NULL;
}

/* Reads a form out of its entry, and keeps it at hand for the next records that name it. */
static enum sk_status load(struct sk_store *store, int64_t entry, const uint8_t *hash,
                           struct sk_own_form **out, struct sk_error *err)
{
    sk_auto_payload payload = SK_PAYLOAD_INIT;
    sk_auto_own_form own = NULL;
    struct sk_error why = SK_ERROR_INIT;
    bool found = false;
    SK_TRY(sk_payload_load(store, sk_entry_row_log(entry), sk_entry_row_position(entry), &payload,
                           &found, err));
    if (!found)
        return sk_fail(err, SK_DAMAGED, "the database lacks a form that it says it has");
    enum sk_status status =
        sk_own_form_read(&own, sk_buf_text(&payload.text), payload.text.len, &why);
    if (status == SK_NOMEM)
        return sk_fail_status(err, status);
    if (status != SK_OK || memcmp(sk_own_form_of(own)->hash, hash, SK_HASH_LEN) != 0)
        return sk_fail(err, SK_DAMAGED, "a form in the database is not the one it should be");
    sk_own_form_unref(store->forms[SK_FORMS_KEPT - 1]);
    keep(store, SK_FORMS_KEPT - 1, sk_own_form_ref(own));
    *out = sk_own_form_ref(own);
    return SK_OK;
}

enum sk_status sk_log_form(struct sk_store *store, int64_t log,
                           const uint8_t hash[static SK_HASH_LEN], struct sk_own_form **out,
                           struct sk_error *err)
{
    int64_t entry = 0;
    *out = NULL;
    SK_TRY(find_entry(store, log, hash, &entry, err));
    if (!entry)
        return SK_OK;
    struct sk_own_form *kept = find_kept(store, hash);
    if (!kept)
        return load(store, entry, hash, out, err);
    *out = sk_own_form_ref(kept);
    return SK_OK;
}

static enum sk_status find_in_log(void *context, const uint8_t hash[static SK_HASH_LEN],
                                  struct sk_own_form **out, struct sk_error *err)
{
    const struct sk_log_forms *forms = context;
    return sk_log_form(forms->store, forms->log, hash, out, err);
}

struct sk_form_source sk_log_form_source(struct sk_log_forms *forms)
{
    return (struct sk_form_source){find_in_log, forms};
}

enum sk_status sk_log_form_missed(struct sk_store *store, const uint8_t hash[static SK_HASH_LEN],
                                  bool *out, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    int64_t entry = 0;
    *out = false;
    SK_TRY(find_entry(store, SK_LOG_OWN, hash, &entry, err));
    if (entry)
        return SK_OK;
    SK_TRY(sk_db_prepare(store->db, &stmt, "SELECT 1 FROM form_use WHERE hash = ?1 LIMIT 1", err));
    sk_bind_bytes(stmt, 1, hash, SK_HASH_LEN);
    return sk_step(stmt, out, err);
}

enum sk_status sk_log_form_each(struct sk_store *store, sk_log_form_each_fn *each, void *context,
                                struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT hash FROM form_entry AS f WHERE entry >= ?1 AND entry < ?2 AND "
                         "NOT EXISTS (SELECT 1 FROM form_entry AS g WHERE g.name = f.name AND "
                         "g.entry >= ?1 AND g.entry < ?2 AND (g.version > f.version OR "
                         "g.version = f.version AND g.entry < f.entry)) ORDER BY name",
                         err));
    sk_bind_int(stmt, 1, sk_entry_row(SK_LOG_OWN, 0));
    sk_bind_int(stmt, 2, sk_entry_row(SK_LOG_OWN + 1, 0));
    for (;;) {
        sk_auto_own_form own = NULL;
        uint8_t hash[SK_HASH_LEN];
        bool row = false;
        SK_TRY(sk_step(stmt, &row, err));
        if (!row)
            return SK_OK;
        SK_TRY(sk_column_copy(stmt, 0, hash, sizeof(hash), err));
        SK_TRY(sk_log_form(store, SK_LOG_OWN, hash, &own, err));
        if (own)
            SK_TRY(each(context, own, err));
    }
}

/* ---- noting ---- */

enum sk_status sk_form_use_note(struct sk_store *store, int64_t entry,
                                const uint8_t hash[static SK_HASH_LEN], struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "INSERT OR IGNORE INTO form_use(entry, hash) VALUES(?1, ?2)", err));
    sk_bind_int(stmt, 1, entry);
    sk_bind_bytes(stmt, 2, hash, SK_HASH_LEN);
    return sk_run(stmt, err);
}

/* Judges the entries of a log again that name a form; the list is read first, since judging one
 * changes tables. Not whole records: one may have an entry for each of very many forms. */
static enum sk_status settle_users(struct sk_store *store, int64_t log, const uint8_t *hash,
                                   struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    sk_auto_buf users = SK_BUF_INIT;
    bool row = true;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT entry.item, entry.id FROM form_use CROSS JOIN entry ON "
                         "entry.id = form_use.entry WHERE form_use.hash = ?1 AND "
                         "form_use.entry >= ?2 AND form_use.entry < ?3 ORDER BY form_use.entry",
                         err));
    sk_bind_bytes(stmt, 1, hash, SK_HASH_LEN);
    sk_bind_int(stmt, 2, sk_entry_row(log, 0));
    sk_bind_int(stmt, 3, sk_entry_row(log + 1, 0));
    while (row) {
        SK_TRY(sk_step(stmt, &row, err));
        const int64_t user[2] = {row ? sk_column_int(stmt, 0) : 0,
                                 row ? sk_column_int(stmt, 1) : 0};
        if (row)
            SK_TRY(sk_buf_add(&users, user, sizeof(user), err));
    }
    sk_stmt_reset(stmt);
    for (size_t at = 0; at < users.len; at += 2 * sizeof(int64_t)) {
        int64_t user[2];
        memcpy(user, users.bytes + at, sizeof(user));
        SK_TRY(sk_entry_judge_again(store, user[0], user[1], err));
    }
    return SK_OK;
}

enum sk_status sk_form_entry_note(struct sk_store *store, int64_t entry,
                                  const struct sk_own_form *own, struct sk_error *err)
{
    const struct sk_form *form = sk_own_form_of(own);
    int64_t log = sk_entry_row_log(entry);
    int64_t before = 0;
    sk_auto_stmt stmt = NULL;
    SK_TRY(find_entry(store, log, form->hash, &before, err));
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "INSERT OR IGNORE INTO form_entry(entry, hash, name, version) "
                         "VALUES(?1, ?2, ?3, ?4)",
                         err));
    sk_bind_int(stmt, 1, entry);
    sk_bind_bytes(stmt, 2, form->hash, SK_HASH_LEN);
    sk_bind_text(stmt, 3, form->name);
    sk_bind_int(stmt, 4, form->version);
    SK_TRY(sk_run(stmt, err));
    return before ? SK_OK : settle_users(store, log, form->hash, err);
}

/* ---- forgetting ---- */

/* Of an item's entries up to ?2. */
#define OF_ITEM "entry IN (SELECT id FROM entry WHERE item = ?1 AND id <= ?2)"

static enum sk_status run_for(struct sk_store *store, const char *sql, int64_t item, int64_t last,
                              struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt, sql, err));
    sk_bind_int(stmt, 1, item);
    sk_bind_int(stmt, 2, last);
    return sk_run(stmt, err);
}

static enum sk_status collect_hashes(struct sk_store *store, int64_t item, int64_t last,
                                     struct sk_buf *hashes, int64_t *log, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(
        sk_db_prepare(store->db, &stmt, "SELECT hash, entry FROM form_entry WHERE " OF_ITEM, err));
    sk_bind_int(stmt, 1, item);
    sk_bind_int(stmt, 2, last);
    for (;;) {
        uint8_t hash[SK_HASH_LEN];
        bool row = false;
        SK_TRY(sk_step(stmt, &row, err));
        if (!row)
            return SK_OK;
        SK_TRY(sk_column_copy(stmt, 0, hash, sizeof(hash), err));
        *log = sk_entry_row_log(sk_column_int(stmt, 1));
        SK_TRY(sk_buf_add(hashes, hash, sizeof(hash), err));
    }
}

enum sk_status sk_forms_forget(struct sk_store *store, int64_t item, int64_t last,
                               struct sk_error *err)
{
    sk_auto_buf hashes = SK_BUF_INIT;
    int64_t log = 0;
    SK_TRY(collect_hashes(store, item, last, &hashes, &log, err));
    SK_TRY(run_for(store, "DELETE FROM form_entry WHERE " OF_ITEM, item, last, err));
    SK_TRY(run_for(store, "DELETE FROM form_use WHERE " OF_ITEM, item, last, err));
    for (size_t at = 0; at < hashes.len; at += SK_HASH_LEN) {
        int64_t other = 0;
        SK_TRY(find_entry(store, log, hashes.bytes + at, &other, err));
        if (!other)
            SK_TRY(settle_users(store, log, hashes.bytes + at, err));
    }
    return SK_OK;
}

enum sk_status sk_form_use_forget(struct sk_store *store, int64_t entry, struct sk_error *err)
{
    return run_for(store, "DELETE FROM form_use WHERE entry = ?1 AND ?2 = 0", entry, 0, err);
}

/* ---- in the own log ---- */

enum sk_status sk_log_form_append(struct sk_store *store, const struct sk_own_form *own,
                                  struct sk_error *err)
{
    struct sk_entry entry = {.type = SK_TYPE_FORM, .revision = 1};
    int64_t before = 0;
    SK_TRY(find_entry(store, SK_LOG_OWN, sk_own_form_of(own)->hash, &before, err));
    if (before)
        return SK_OK;
    sk_id_random(&entry.id);
    return sk_record_append_text(store, &entry, sk_own_form_text(own), err);
}

/* ---- verifying ---- */

enum sk_status sk_log_form_verify(struct sk_store *store, const char **problem,
                                  struct sk_error *err)
{
    static const char *const sql[] = {
        "SELECT 1 FROM form_entry AS noted WHERE NOT EXISTS (SELECT 1 FROM entry JOIN item ON "
        "item.id = entry.item JOIN payload ON payload.id = entry.id WHERE entry.id = noted.entry "
        "AND item.type = 10) LIMIT 1",
        "SELECT 1 FROM form_use AS noted WHERE NOT EXISTS (SELECT 1 FROM entry JOIN item ON "
        "item.id = entry.item JOIN payload ON payload.id = entry.id WHERE entry.id = noted.entry "
        "AND item.type <= 6) LIMIT 1",
    };
    *problem = NULL;
    for (size_t i = 0; i < sizeof(sql) / sizeof(sql[0]); i++) {
        sk_auto_stmt stmt = NULL;
        bool row = false;
        SK_TRY(sk_db_prepare(store->db, &stmt, sql[i], err));
        SK_TRY(sk_step(stmt, &row, err));
        if (row)
            *problem = "data: it is noted that a form is here, or is needed, and no entry says so";
    }
    return SK_OK;
}
