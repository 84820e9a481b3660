#include "core/verify_internal.h"

#include "core/folder.h"
#include "core/form_log.h"
#include "core/item_internal.h"
#include "core/lacking.h"
#include "core/media.h"
#include "core/store_internal.h"
#include "core/text.h"

struct check {
    struct sk_store *store;
    sk_problem_fn *each;
    void *context;
    const struct sk_progress *progress;
    bool folder;          /* what else is in it is told */
    uint64_t done, total; /* entries */
    struct sk_search_check words;
    bool told;           /* there is a problem */
    enum sk_status lost; /* why a sentence could not be told */
};

/* An entry with its item, as the database has them. The title is valid until the next row. */
struct row {
    const struct sk_log *log;
    uint64_t position;
    uint8_t bytes[SK_ENTRY_LEN];
    int64_t id;
    int64_t item; /* 0: an archive does not know this kind of entry */
    bool item_there;
    unsigned type;
    int64_t newest, shown; /* entries of the item */
    enum sk_erased erased;
    bool purged; /* the entry: what it commits to was removed */
    const char *title;
};

/* Tells one problem. Names of files in it may be anything. */
static void tell(void *context, const char *sentence)
{
    struct check *check = context;
    sk_auto_buf shown = SK_BUF_INIT;
    check->told = true;
    enum sk_status status = sk_text_show(&shown, sentence, strlen(sentence), true, 0, NULL);
    if (status == SK_OK)
        check->each(check->context, sk_buf_text(&shown));
    else
        check->lost = status;
}

static void tell_row(struct check *check, const struct row *row, const char *what)
{
    char sentence[SK_ERROR_TEXT_MAX + 160];
    (void)snprintf(sentence, sizeof(sentence), "entry %llu of the log of \"%s\": %s",
                   (unsigned long long)row->position, row->log->alias, what);
    tell(check, sentence);
}

/* What a step said: a finding about the data is told (row: of an entry, or NULL), and checking goes
 * on; anything else ends it. */
static enum sk_status settle(struct check *check, const struct row *row, enum sk_status status,
                             const struct sk_error *why, struct sk_error *err)
{
    if (status == SK_OK)
        return SK_OK;
    if (status != SK_DAMAGED && status != SK_REFUSED && status != SK_MISSING)
        return sk_fail(err, status, "%s", why->text);
    if (row)
        tell_row(check, row, why->text);
    else
        tell(check, why->text);
    return SK_OK;
}

/* The body's bytes, also of an attachment with a description that is malformed. */
static enum sk_status check_body(struct check *check, const struct row *row,
                                 const struct sk_payload *payload, const struct sk_meaning *meaning,
                                 struct sk_error *err)
{
    struct sk_error why = SK_ERROR_INIT;
    const uint8_t *sha256 = meaning->attachment.name ? meaning->attachment.sha256 : NULL;
    enum sk_status status = sk_attachment_check(check->store, payload, sha256, NULL, NULL, &why);
    return settle(check, row, status, &why, err);
}

/*
 * Whether an attachment's description is known to be wrong about its bytes: its device signed a
 * lie, which was kept, marked and never shown. Such a meaning is dropped.
 */
static enum sk_status drop_lie(struct check *check, const struct row *row,
                               const struct sk_payload *payload, struct sk_meaning *meaning,
                               bool *lie, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(check->store->db, &stmt, "SELECT 1 FROM malformed WHERE entry = ?1", err));
    sk_bind_int(stmt, 1, row->id);
    SK_TRY(sk_step(stmt, lie, err));
    *lie = *lie && sk_attachment_check(check->store, payload, meaning->attachment.sha256, NULL,
                                       NULL, NULL) == SK_DAMAGED;
    if (*lie)
        sk_meaning_clear(meaning);
    return SK_OK;
}

/* Whether the table of links or attachments has what the meaning says. */
static enum sk_status find_meaning(struct sk_store *store, int64_t item,
                                   const struct sk_meaning *meaning, bool *found,
                                   struct sk_error *err)
{
    const struct sk_attachment *attachment = &meaning->attachment;
    sk_auto_stmt stmt = NULL;
    *found = true;
    if (meaning->role) {
        SK_TRY(sk_db_prepare(store->db, &stmt,
                             "SELECT 1 FROM link WHERE item = ?1 AND source = ?2 AND target = ?3 "
                             "AND role = ?4",
                             err));
        sk_bind_bytes(stmt, 2, meaning->source.bytes, SK_ID_LEN);
        sk_bind_bytes(stmt, 3, meaning->target.bytes, SK_ID_LEN);
        sk_bind_text(stmt, 4, meaning->role);
    } else if (attachment->name) {
        SK_TRY(sk_db_prepare(store->db, &stmt,
                             "SELECT 1 FROM attachment WHERE item = ?1 AND record = ?2 AND "
                             "name = ?3 AND type = ?4 AND size = ?5 AND sha256 = ?6",
                             err));
        sk_bind_bytes(stmt, 2, attachment->record.bytes, SK_ID_LEN);
        sk_bind_text(stmt, 3, attachment->name);
        sk_bind_text(stmt, 4, attachment->type);
        sk_bind_int(stmt, 5, (int64_t)attachment->size);
        sk_bind_bytes(stmt, 6, attachment->sha256, sizeof(attachment->sha256));
    } else {
        return SK_OK;
    }
    sk_bind_int(stmt, 1, item);
    return sk_step(stmt, found, err);
}

/* Whether what lists show is what the entry says. */
static enum sk_status check_shown(struct check *check, const struct row *row,
                                  const struct sk_meaning *meaning, struct sk_error *err)
{
    bool same = true;
    if (row->id > row->shown && row->erased == SK_ERASED_NOT)
        tell_row(check, row, "an older revision is shown in its place");
    if (row->id != row->shown)
        return SK_OK;
    SK_TRY(find_meaning(check->store, row->item, meaning, &same, err));
    if (!same || strcmp(meaning->title, row->title) != 0)
        tell_row(check, row, "it is not shown as it was signed");
    return sk_search_check_add(&check->words, row->item, meaning, err);
}

/* What a log says that it continues is noted as signed, or known for a lie. */
static enum sk_status check_continuation(struct check *check, const struct row *row,
                                         const struct sk_meaning *meaning, struct sk_error *err)
{
    const struct sk_continuation *c = &meaning->continuation;
    sk_auto_stmt stmt = NULL;
    bool found = false;
    SK_TRY(sk_db_prepare(check->store->db, &stmt,
                         "SELECT 1 FROM continuation WHERE entry = ?1 AND log_id = ?2 AND "
                         "old_id = ?3 AND size = ?4 AND root = ?5 UNION ALL "
                         "SELECT 1 FROM malformed WHERE entry = ?1",
                         err));
    sk_bind_int(stmt, 1, row->id);
    sk_bind_bytes(stmt, 2, c->log_id, SK_HASH_LEN);
    sk_bind_bytes(stmt, 3, c->old_id, SK_HASH_LEN);
    sk_bind_int(stmt, 4, (int64_t)c->size);
    sk_bind_bytes(stmt, 5, c->root, SK_MERKLE_LEN);
    SK_TRY(sk_step(stmt, &found, err));
    if (!found)
        tell_row(check, row, "it is not noted which log it continues");
    return SK_OK;
}

/* A record's form, looked for in its log; that the record needs it has to be noted. */
struct needed {
    struct check *check;
    const struct row *row;
};

static enum sk_status find_form(void *context, const uint8_t hash[static SK_HASH_LEN],
                                struct sk_own_form **out, struct sk_error *err)
{
    const struct needed *needed = context;
    struct sk_store *store = needed->check->store;
    sk_auto_stmt stmt = NULL;
    bool noted = false;
    SK_TRY(sk_db_prepare(store->db, &stmt, "SELECT 1 FROM form_use WHERE entry = ?1 AND hash = ?2",
                         err));
    sk_bind_int(stmt, 1, needed->row->id);
    sk_bind_bytes(stmt, 2, hash, SK_HASH_LEN);
    SK_TRY(sk_step(stmt, &noted, err));
    if (!noted)
        tell_row(needed->check, needed->row, "it is not noted which form it needs");
    return sk_log_form(store, needed->row->log->id, hash, out, err);
}

static enum sk_status check_form(struct check *check, const struct row *row,
                                 const struct sk_form *form, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool noted = false;
    SK_TRY(sk_db_prepare(check->store->db, &stmt,
                         "SELECT 1 FROM form_entry WHERE entry = ?1 AND hash = ?2 AND name = ?3 "
                         "AND version = ?4",
                         err));
    sk_bind_int(stmt, 1, row->id);
    sk_bind_bytes(stmt, 2, form->hash, SK_HASH_LEN);
    sk_bind_text(stmt, 3, form->name);
    sk_bind_int(stmt, 4, form->version);
    SK_TRY(sk_step(stmt, &noted, err));
    if (!noted)
        tell_row(check, row, "the form that it is is not noted");
    return SK_OK;
}

/* What the payload says: its item's state and, for an attachment, its bytes. */
static enum sk_status check_meaning(struct check *check, const struct row *row,
                                    const struct sk_entry *entry, const struct sk_payload *payload,
                                    struct sk_error *err)
{
    sk_auto_meaning meaning = {.json = NULL};
    enum sk_status status = SK_REFUSED;
    struct needed needed = {.check = check, .row = row};
    const struct sk_form_source forms = {find_form, &needed};
    if (entry->type == row->type)
        status = sk_meaning_read(&meaning, entry->type, sk_buf_text(&payload->text),
                                 payload->text.len, payload->body_len, &forms, NULL);
    bool lie = false;
    if (status == SK_OK && entry->type == SK_TYPE_ATTACHMENT)
        SK_TRY(drop_lie(check, row, payload, &meaning, &lie, err));
    if (lie)
        status = SK_REFUSED;
    if (status == SK_OK && row->erased == SK_ERASED_INHERITED)
        tell_row(check, row, "it is taken for withdrawn and is still here");
    if (status == SK_OK && entry->type == SK_TYPE_FORM)
        SK_TRY(check_form(check, row, sk_own_form_of(meaning.own), err));
    if (status == SK_OK && entry->type == SK_TYPE_CONTINUATION)
        SK_TRY(check_continuation(check, row, &meaning, err));
    else if (status == SK_OK)
        SK_TRY(check_shown(check, row, &meaning, err));
    else if (status != SK_REFUSED) /* malformed: listed by quarantine, and not shown */
        return sk_fail_status(err, status);
    return payload->media || payload->body_len ? check_body(check, row, payload, &meaning, err)
                                               : SK_OK;
}

static enum sk_status check_payload(struct check *check, const struct row *row,
                                    const struct sk_entry *entry, struct sk_error *err)
{
    sk_auto_payload payload = SK_PAYLOAD_INIT;
    bool found = false;
    struct sk_error why = SK_ERROR_INIT;
    enum sk_status status =
        sk_payload_load(check->store, row->log->id, row->position, &payload, &found, &why);
    if (status != SK_OK)
        return settle(check, row, status, &why, err);
    if (!found && row->purged) {
        if (row->id == row->shown || (row->id == row->newest && row->title[0]))
            tell_row(check, row, "it is shown, and what it says was purged");
        return SK_OK;
    }
    if (!found) {
        /* An archive may hold an entry whose payload was withdrawn before it was sent. */
        if (!row->erased && (row->id == row->shown || row->log->state == SK_LOG_STATE_OWN))
            tell_row(check, row, "what it commits to is gone");
        return SK_OK;
    }
    /* Where an older log has withdrawn it, a later revision that is malformed, or waits for its
     * form, is kept. */
    if (row->erased && row->erased != SK_ERASED_INHERITED)
        tell_row(check, row, "it was withdrawn and is still here");
    if (row->purged)
        tell_row(check, row, "it was purged and is still here");
    if (sk_payload_fits(entry, &payload))
        return check_meaning(check, row, entry, &payload, err);
    tell_row(check, row, "what is stored is not what was signed");
    return SK_OK;
}

static enum sk_status check_entry(struct check *check, const struct row *row, struct sk_error *err)
{
    struct sk_entry entry;
    const char *what = NULL;
    if (row->item == 0)
        return SK_OK;
    if (sk_entry_decode(&entry, row->bytes) != SK_OK)
        what = "these are not the bytes of an entry";
    else if (!row->item_there)
        what = "the database lacks what it belongs to";
    else if (row->id > row->newest)
        what = "the database takes an older revision for the newest";
    else if (sk_entry_has_payload(&entry))
        return check_payload(check, row, &entry, err);
    else if (!row->erased)
        what = "what it withdraws is still here";
    if (what)
        tell_row(check, row, what);
    return SK_OK;
}

static enum sk_status read_row(struct sk_stmt *stmt, struct row *out, struct sk_error *err)
{
    SK_TRY(sk_column_copy(stmt, 1, out->bytes, SK_ENTRY_LEN, err));
    out->id = sk_column_int(stmt, 0);
    out->position = sk_entry_row_position(out->id);
    out->item = sk_column_int(stmt, 2);
    out->item_there = !sk_column_null(stmt, 3);
    out->type = (unsigned)sk_column_int(stmt, 3);
    out->newest = sk_column_int(stmt, 4);
    out->shown = sk_column_int(stmt, 5);
    out->erased = (enum sk_erased)sk_column_int(stmt, 6);
    out->title = sk_column_text(stmt, 7);
    out->purged = !sk_column_null(stmt, 8);
    return SK_OK;
}

static enum sk_status check_entries(struct check *check, const struct sk_log *log,
                                    struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(check->store->db, &stmt,
                         "SELECT entry.id, entry.bytes, entry.item, item.type, item.entry, "
                         "item.shown, item.erased, item.title, purged.entry FROM entry "
                         "LEFT JOIN item ON item.id = entry.item "
                         "LEFT JOIN purged ON purged.entry = entry.id "
                         "WHERE entry.id >= ?1 AND entry.id < ?2 ORDER BY entry.id",
                         err));
    sk_bind_int(stmt, 1, sk_entry_row(log->id, 0));
    sk_bind_int(stmt, 2, sk_entry_row(log->id + 1, 0));
    for (;;) {
        bool more = false;
        struct row row = {.log = log};
        SK_TRY(sk_step(stmt, &more, err));
        if (!more)
            return SK_OK;
        SK_TRY(read_row(stmt, &row, err));
        SK_TRY(check_entry(check, &row, err));
        if (++check->done % 64 == 0)
            sk_progress_tell(check->progress, check->done, check->total);
    }
}

static enum sk_status check_log(void *context, const struct sk_log *log, struct sk_error *err)
{
    struct check *check = context;
    struct sk_error why = SK_ERROR_INIT;
    enum sk_status status = sk_log_verify(check->store, log, NULL, &why);
    SK_TRY(settle(check, NULL, status, &why, err));
    sk_error_clear(&why);
    if (log->state != SK_LOG_STATE_OWN) {
        status = sk_segment_check(check->store, log, tell, check, &why);
        SK_TRY(settle(check, NULL, status, &why, err));
        sk_error_clear(&why);
    }
    status = check_entries(check, log, &why);
    return settle(check, NULL, status, &why, err);
}

static enum sk_status count_entries(struct check *check, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(sk_db_prepare(check->store->db, &stmt, "SELECT count(*) FROM entry", err));
    SK_TRY(sk_step(stmt, &row, err));
    check->total = (uint64_t)sk_column_int(stmt, 0);
    return SK_OK;
}

/* Reads a media file to its end. */
static enum sk_status read_media(struct sk_store *store, int64_t row, struct sk_error *err)
{
    uint8_t piece[4096];
    size_t got = sizeof(piece);
    sk_auto_media_reader reader = NULL;
    SK_TRY(sk_media_open(store, row, &reader, err));
    while (got == sizeof(piece))
        SK_TRY(sk_media_read(reader, piece, sizeof(piece), &got, err));
    sk_wipe(piece, sizeof(piece));
    return SK_OK;
}

/* Media files that are no attachments: bundles in quarantine, and what nothing names. */
static enum sk_status check_other_media(struct check *check, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(check->store->db, &stmt,
                         "SELECT media.id, quarantine.media FROM media "
                         "LEFT JOIN quarantine ON quarantine.media = media.id WHERE media.id "
                         "NOT IN (SELECT media FROM payload WHERE media IS NOT NULL)",
                         err));
    for (;;) {
        bool row = false;
        struct sk_error why = SK_ERROR_INIT;
        SK_TRY(sk_step(stmt, &row, err));
        if (!row)
            return SK_OK;
        if (sk_column_null(stmt, 1))
            tell(check, "a media file is kept that belongs to nothing");
        enum sk_status status = read_media(check->store, sk_column_int(stmt, 0), &why);
        SK_TRY(settle(check, NULL, status, &why, err));
    }
}

static enum sk_status tell_stray(void *context, const char *name, bool unknown,
                                 struct sk_error *err)
{
    sk_auto_buf sentence = SK_BUF_INIT;
    SK_TRY(sk_text_show(&sentence, name, strlen(name), false, 0, err));
    SK_TRY(sk_buf_add_text(&sentence,
                           unknown ? ": 'data' does not know this file, which may be an attachment "
                                     "that came later: if 'data' was put back from an older copy, "
                                     "put the newest copy of the whole folder back; if there is "
                                     "none, keep this file, or move it out of the store"
                                   : ": this file does not belong to the store: move it out, "
                                     "or delete it if it is of no use",
                           err));
    tell(context, sk_buf_text(&sentence));
    return SK_OK;
}

/* Where something else was found, words of it are missing too: no second sentence. */
static enum sk_status check_words(struct check *check, struct sk_error *err)
{
    struct sk_error why = SK_ERROR_INIT;
    bool same = true;
    enum sk_status status = sk_search_check_end(&check->words, &same, &why);
    SK_TRY(settle(check, NULL, status, &why, err));
    if (!same && !check->told)
        tell(check, "data: the search index is an older one, and searching may miss records");
    return SK_OK;
}

/* What is noted of forms, which logs are related, and what was withdrawn in an older one of them.
 */
static enum sk_status check_related(struct check *check, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    const char *problem = NULL;
    SK_TRY(sk_continuation_verify(check->store, &problem, err));
    if (problem)
        tell(check, problem);
    SK_TRY(sk_log_form_verify(check->store, &problem, err));
    if (problem)
        tell(check, problem);
    SK_TRY(sk_db_prepare(check->store->db, &stmt,
                         "SELECT DISTINCT item.id FROM item AS gone CROSS JOIN kin ON "
                         "kin.log = gone.log AND kin.relation = 1 CROSS JOIN item ON "
                         "item.uid = gone.uid AND item.log = kin.other "
                         "WHERE " SK_WITHDRAWN("gone") " AND item.erased IN (0, 3)",
                         err));
    for (;;) {
        bool row = false;
        bool held = false;
        SK_TRY(sk_step(stmt, &row, err));
        if (!row)
            return SK_OK;
        SK_TRY(sk_item_holds_withdrawn(check->store, sk_column_int(stmt, 0), &held, err));
        if (held)
            tell(check, "data: what was withdrawn in a log that another continues is not erased "
                        "there");
    }
}

static enum sk_status check_lacking(struct check *check, struct sk_error *err)
{
    uint64_t wrong = 0;
    SK_TRY(sk_lacking_wrong(check->store, &wrong, err));
    if (wrong > 0)
        tell(check, "data: the list of what is lacking names what is here, or was withdrawn");
    return SK_OK;
}

/* What is noted as purged is noted of entries. */
static enum sk_status check_purged(struct check *check, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(sk_db_prepare(check->store->db, &stmt,
                         "SELECT 1 FROM purged WHERE entry NOT IN (SELECT id FROM entry)", err));
    SK_TRY(sk_step(stmt, &row, err));
    if (row)
        tell(check, "data: it is noted that an entry was purged, and there is no such entry");
    return SK_OK;
}

static enum sk_status check_all(struct check *check, struct sk_error *err)
{
    SK_TRY(sk_db_check(check->store->db, tell, check, err));
    SK_TRY(count_entries(check, err));
    SK_TRY(sk_search_check_begin(&check->words, check->store, err));
    SK_TRY(sk_log_each(check->store, check_log, check, err));
    SK_TRY(check_words(check, err));
    SK_TRY(check_related(check, err));
    SK_TRY(check_lacking(check, err));
    SK_TRY(check_purged(check, err));
    SK_TRY(check_other_media(check, err));
    return check->folder ? sk_folder_strays(check->store, tell_stray, check, err) : SK_OK;
}

static enum sk_status verify(struct sk_store *store, bool folder, sk_problem_fn *each,
                             void *context, const struct sk_progress *progress,
                             struct sk_error *err)
{
    struct check check = {.store = store,
                          .each = each,
                          .context = context,
                          .progress = progress,
                          .folder = folder,
                          .lost = SK_OK};
    struct sk_error why = SK_ERROR_INIT;
    enum sk_status status = check_all(&check, &why);
    sk_search_check_clear(&check.words);
    SK_TRY(settle(&check, NULL, status, &why, err));
    return check.lost == SK_OK ? SK_OK : sk_fail_status(err, check.lost);
}

enum sk_status sk_verify(struct sk_store *store, sk_problem_fn *each, void *context,
                         const struct sk_progress *progress, struct sk_error *err)
{
    return verify(store, true, each, context, progress, err);
}

enum sk_status sk_verify_folder(struct sk_store *store, sk_problem_fn *each, void *context,
                                struct sk_error *err)
{
    struct check check = {.store = store, .each = each, .context = context, .lost = SK_OK};
    SK_TRY(sk_folder_strays(store, tell_stray, &check, err));
    return check.lost == SK_OK ? SK_OK : sk_fail_status(err, check.lost);
}

enum sk_status sk_verify_content(struct sk_store *store, sk_problem_fn *each, void *context,
                                 const struct sk_progress *progress, struct sk_error *err)
{
    return verify(store, false, each, context, progress, err);
}

enum sk_status sk_verify_unproven(struct sk_store *store, uint64_t *out, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT count(*) FROM entry WHERE substr(bytes, 8, 1) >= x'80'", err));
    SK_TRY(sk_step(stmt, &row, err));
    *out = row ? (uint64_t)sk_column_int(stmt, 0) : 0;
    return SK_OK;
}
