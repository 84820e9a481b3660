#include "core/verify.h"

#include "core/item_internal.h"
#include "core/store_internal.h"

struct check {
    struct sk_store *store;
    sk_problem_fn *each;
    void *context;
    const struct sk_progress *progress;
    uint64_t done, total; /* entries */
};

/* Tells one problem; the words of `err` are used up by it. */
static void report(const struct check *check, const struct sk_log *log, uint64_t position,
                   const char *what)
{
    char sentence[SK_ERROR_TEXT_MAX + 160];
    if (log)
        (void)snprintf(sentence, sizeof(sentence), "entry %llu of the log of \"%s\": %s",
                       (unsigned long long)position, log->alias, what);
    else
        (void)snprintf(sentence, sizeof(sentence), "%s", what);
    check->each(check->context, sentence);
}

/* Whether a status is a finding about the data, after which checking goes on. */
static bool is_finding(enum sk_status status)
{
    return status == SK_DAMAGED || status == SK_REFUSED || status == SK_MISSING;
}

/* The text's block hashes, and the commitment over all of them. */
static bool payload_fits(const struct sk_entry *entry, const struct sk_payload *payload)
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

static enum sk_status check_attachment(const struct check *check, const struct sk_log *log,
                                       uint64_t position, const struct sk_payload *payload,
                                       struct sk_error *err)
{
    sk_auto_meaning meaning = {.json = NULL};
    enum sk_status status =
        sk_meaning_read(&meaning, SK_TYPE_ATTACHMENT, sk_buf_text(&payload->text),
                        payload->text.len, payload->body_len, NULL);
    if (status == SK_REFUSED)
        return SK_OK; /* malformed: listed in quarantine, and not shown */
    SK_TRY(status);
    struct sk_error why = SK_ERROR_INIT;
    struct sk_item item = {.log = log->id, .position = position};
    status = sk_attachment_check(check->store, &item, payload, meaning.attachment.sha256, NULL,
                                 NULL, &why);
    if (!is_finding(status))
        return status == SK_OK ? SK_OK : sk_fail(err, status, "%s", why.text);
    report(check, log, position, why.text);
    return SK_OK;
}

static enum sk_status check_entry(const struct check *check, const struct sk_log *log,
                                  uint64_t position, const uint8_t *bytes, bool item_erased,
                                  struct sk_error *err)
{
    struct sk_entry entry;
    sk_auto_payload payload = SK_PAYLOAD_INIT;
    bool found = false;
    if (sk_entry_decode(&entry, bytes) != SK_OK) {
        report(check, log, position, "these are not the bytes of an entry");
        return SK_OK;
    }
    struct sk_error why = SK_ERROR_INIT;
    enum sk_status status =
        sk_payload_load(check->store, log->id, position, &payload, &found, &why);
    if (is_finding(status)) {
        report(check, log, position, why.text);
        return SK_OK;
    }
    if (status != SK_OK)
        return sk_fail(err, status, "%s", why.text);
    if (!found) {
        /* An archive may hold an entry whose payload was withdrawn before it was sent. */
        if (!item_erased && sk_entry_has_payload(&entry) && log->state == SK_LOG_STATE_OWN)
            report(check, log, position, "what it commits to is gone");
        return SK_OK;
    }
    if (item_erased)
        report(check, log, position, "it was withdrawn and is still here");
    if (!payload_fits(&entry, &payload)) {
        report(check, log, position, "what is stored is not what was signed");
        return SK_OK;
    }
    return payload.media ? check_attachment(check, log, position, &payload, err) : SK_OK;
}

static enum sk_status check_entries(struct check *check, const struct sk_log *log,
                                    struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(check->store->db, &stmt,
                         "SELECT entry.id, entry.bytes, item.erased FROM entry "
                         "JOIN item ON item.id = entry.item "
                         "WHERE entry.id >= ?1 AND entry.id < ?2 ORDER BY entry.id",
                         err));
    sk_bind_int(stmt, 1, sk_entry_row(log->id, 0));
    sk_bind_int(stmt, 2, sk_entry_row(log->id + 1, 0));
    for (;;) {
        bool row = false;
        uint8_t bytes[SK_ENTRY_LEN];
        SK_TRY(sk_step(stmt, &row, err));
        if (!row)
            return SK_OK;
        SK_TRY(sk_column_copy(stmt, 1, bytes, SK_ENTRY_LEN, err));
        SK_TRY(check_entry(check, log, sk_entry_row_position(sk_column_int(stmt, 0)), bytes,
                           sk_column_int(stmt, 2) != 0, err));
        if (++check->done % 64 == 0)
            sk_progress_tell(check->progress, check->done, check->total);
    }
}

static enum sk_status check_log(void *context, const struct sk_log *log, struct sk_error *err)
{
    struct check *check = context;
    struct sk_error why = SK_ERROR_INIT;
    enum sk_status status = sk_log_verify(check->store, log, NULL, &why);
    if (is_finding(status))
        report(check, NULL, 0, why.text);
    else if (status != SK_OK)
        return sk_fail(err, status, "%s", why.text);
    return check_entries(check, log, err);
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

enum sk_status sk_verify(struct sk_store *store, sk_problem_fn *each, void *context,
                         const struct sk_progress *progress, struct sk_error *err)
{
    struct check check = {store, each, context, progress, 0, 0};
    SK_TRY(sk_db_check(store->db, each, context, err));
    SK_TRY(count_entries(&check, err));
    return sk_log_each(store, check_log, &check, err);
}
