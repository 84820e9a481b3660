#include "core/record.h"

#include "core/form_log.h"
#include "core/item_internal.h"
#include "core/lacking.h"
#include "core/purge.h"
#include "core/store_internal.h"
#include "core/text.h"

void sk_record_clear(struct sk_record *record)
{
    if (record->recorded)
        sk_wipe(record->recorded, strlen(record->recorded));
    free(record->recorded);
    json_decref(record->fields);
    sk_own_form_unref(record->own);
    *record = (struct sk_record){.fields = NULL};
}

/* The leaf hash of an item's newest entry, which must be of that revision: what the next one names
 * as `previous`. */
static enum sk_status newest_leaf(struct sk_store *store, const struct sk_id *id, uint32_t revision,
                                  uint8_t out[static SK_MERKLE_LEN], struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    uint8_t bytes[SK_ENTRY_LEN];
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT entry.bytes FROM item JOIN entry ON entry.id = item.entry "
                         "WHERE item.uid = ?1 AND item.log = ?2",
                         err));
    sk_bind_bytes(stmt, 1, id->bytes, SK_ID_LEN);
    sk_bind_int(stmt, 2, SK_LOG_OWN);
    SK_TRY(sk_step(stmt, &row, err));
    if (!row)
        return sk_fail(err, SK_DAMAGED, "the database lacks the newest entry of a record");
    SK_TRY(sk_column_copy(stmt, 0, bytes, SK_ENTRY_LEN, err));
    struct sk_entry newest;
    if (sk_entry_decode(&newest, bytes) != SK_OK)
        return sk_fail(err, SK_DAMAGED, "an entry in the database is not one");
    if (newest.revision != revision)
        return sk_fail(err, SK_REFUSED, "it was changed meanwhile; look at it again");
    sk_entry_name(out, bytes);
    return SK_OK;
}

static enum sk_status hash_text(struct sk_payload *payload, struct sk_error *err)
{
    uint64_t blocks = sk_block_count(payload->text.len, 0);
    const uint8_t *text = (const uint8_t *)sk_buf_text(&payload->text);
    for (uint64_t j = 0; j < blocks; j++) {
        uint8_t hash[SK_HASH_LEN];
        sk_block_hash(hash, payload->salt, j, text + j * SK_BLOCK_LEN,
                      sk_block_len(payload->text.len, 0, j));
        SK_TRY(sk_buf_add(&payload->hashes, hash, sizeof(hash), err));
    }
    return SK_OK;
}

enum sk_status sk_record_append(struct sk_store *store, struct sk_entry *entry,
                                struct sk_payload *payload, struct sk_error *err)
{
    if (store->kind != SK_STORE_DEVICE)
        return sk_fail(err, SK_CONFIG, "an archive records nothing of its own");
    if (payload) {
        if (payload->text.len > SK_TEXT_MAX)
            return sk_fail(err, SK_LIMIT,
                           "one record holds at most %zu MiB of text; attach the text as a file",
                           SK_TEXT_MAX >> 20);
        sk_commitment(entry->commitment, &entry->id, entry->revision, payload->salt,
                      payload->text.len, payload->body_len, payload->hashes.bytes);
    }
    if (entry->revision > 1)
        SK_TRY(newest_leaf(store, &entry->id, entry->revision - 1, entry->previous, err));
    entry->day = sk_day_now();
    uint64_t position = 0;
    bool malformed = false;
    SK_TRY(sk_log_size(store, SK_LOG_OWN, &position, err));
    SK_TRY(sk_item_put(store, SK_LOG_OWN, position, entry, payload, &malformed, err));
    if (malformed)
        return sk_fail(err, SK_REFUSED, "the record does not fit its form");
    return SK_OK;
}

/* The text is in the payload, which has nothing else yet. */
static enum sk_status append_payload(struct sk_store *store, struct sk_entry *entry,
                                     struct sk_payload *payload, struct sk_error *err)
{
    SK_TRY(sk_json_check(sk_buf_text(&payload->text), payload->text.len, err));
    sk_random(payload->salt, sizeof(payload->salt));
    SK_TRY(hash_text(payload, err));
    return sk_record_append(store, entry, payload, err);
}

enum sk_status sk_record_append_text(struct sk_store *store, struct sk_entry *entry,
                                     const struct sk_buf *text, struct sk_error *err)
{
    sk_auto_payload payload = SK_PAYLOAD_INIT;
    SK_TRY(sk_buf_add(&payload.text, sk_buf_text(text), text->len, err));
    return append_payload(store, entry, &payload, err);
}

enum sk_status sk_record_append_json(struct sk_store *store, struct sk_entry *entry,
                                     const json_t *json, struct sk_error *err)
{
    sk_auto_payload payload = SK_PAYLOAD_INIT;
    SK_TRY(sk_json_write(&payload.text, json, err));
    return append_payload(store, entry, &payload, err);
}

/* The text of a revision: what the form asks for, and when it was recorded. */
static enum sk_status append_fields(struct sk_store *store, struct sk_entry *entry,
                                    const struct sk_form *form, const json_t *fields,
                                    struct sk_error *err)
{
    char now[SK_DATETIME_LEN];
    char hash[2 * SK_HASH_LEN + 1];
    SK_TRY(sk_form_check(form, fields, err));
    if (form->hash)
        sk_hex(hash, form->hash, SK_HASH_LEN);
    sk_datetime_now(now);
    sk_auto_json json =
        json_pack("{s:s, s:i, s:s, s:O}", "form", form->hash ? hash : form->name, "version",
                  (int)form->version, "recorded", now, "fields", sk_json_plain(fields));
    return json ? sk_record_append_json(store, entry, json, err) : sk_fail_status(err, SK_NOMEM);
}

enum sk_status sk_record_add(struct sk_store *store, unsigned type, const json_t *fields,
                             struct sk_id *out, struct sk_error *err)
{
    const struct sk_form *form = sk_form_of(type);
    struct sk_entry entry = {.type = (uint16_t)type, .revision = 1};
    if (!form)
        return sk_fail(err, SK_USAGE, "this is no type of record");
    sk_id_random(&entry.id);
    SK_TRY(append_fields(store, &entry, form, fields, err));
    *out = entry.id;
    return SK_OK;
}

enum sk_status sk_record_add_under(struct sk_store *store, const struct sk_own_form *own,
                                   const json_t *fields, struct sk_id *out, struct sk_error *err)
{
    const struct sk_form *form = sk_own_form_of(own);
    struct sk_entry entry = {.type = (uint16_t)form->type, .revision = 1};
    SK_TRY(sk_form_check(form, fields, err));
    SK_TRY(sk_log_form_append(store, own, err));
    sk_id_random(&entry.id);
    SK_TRY(append_fields(store, &entry, form, fields, err));
    *out = entry.id;
    return SK_OK;
}

enum sk_status sk_record_edit(struct sk_store *store, const struct sk_item *item,
                              const json_t *fields, struct sk_error *err)
{
    if (item->erased)
        return sk_fail(err, SK_REFUSED, "this record was withdrawn");
    if (item->purged)
        return sk_fail(err, SK_REFUSED, "what this record says was purged here");
    if (!sk_type_is_record(item->type))
        return sk_fail(err, SK_REFUSED, "only a record can be edited");
    sk_auto_record record = {.fields = NULL};
    SK_TRY(sk_record_load(store, item, item->position, &record, err));
    if (!record.form)
        return sk_fail(err, SK_REFUSED, "the form of this record is not here");
    struct sk_entry entry = {
        .type = (uint16_t)item->type, .revision = item->revision + 1, .id = item->id};
    return append_fields(store, &entry, record.form, fields, err);
}

/* Withdrawing */

static enum sk_status erase_one(struct sk_store *store, const struct sk_item *item, unsigned *count,
                                struct sk_error *err)
{
    struct sk_entry entry = {.type = SK_TYPE_ERASURE,
                             .flags = item->type,
                             .revision = item->revision + 1,
                             .id = item->id};
    SK_TRY(sk_record_append(store, &entry, NULL, err));
    (*count)++;
    return SK_OK;
}

/* The next attachment or link that hangs on a record, in the own log: what another holds is not
 * this store's to withdraw. Erasing it takes it out of this list. */
static enum sk_status next_dependent(struct sk_store *store, const struct sk_item *record,
                                     struct sk_item *out, bool *found, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT " SK_ITEM_COLUMNS
                         " FROM item WHERE NOT erased AND log = ?2 AND id IN (" SK_HANGS_ON_ANY
                         ") LIMIT 1",
                         err));
    sk_bind_bytes(stmt, 1, record->id.bytes, SK_ID_LEN);
    sk_bind_int(stmt, 2, record->log);
    SK_TRY(sk_step(stmt, found, err));
    return *found ? sk_item_from_row(stmt, out, err) : SK_OK;
}

enum sk_status sk_record_withdraw(struct sk_store *store, const struct sk_item *item,
                                  unsigned *count, struct sk_error *err)
{
    unsigned erased = 0;
    if (item->erased)
        return sk_fail(err, SK_REFUSED, "this was withdrawn already");
    if (item->type > SK_TYPE_ATTACHMENT)
        return sk_fail(err, SK_REFUSED, "only a record, an attachment or a link can be withdrawn");
    while (sk_type_is_record(item->type)) {
        sk_auto_item dependent = {.title = NULL};
        bool found = false;
        SK_TRY(next_dependent(store, item, &dependent, &found, err));
        if (!found)
            break;
        SK_TRY(erase_one(store, &dependent, &erased, err));
    }
    SK_TRY(erase_one(store, item, &erased, err));
    *count = erased;
    return SK_OK;
}

/* Links */

enum sk_status sk_link_add(struct sk_store *store, const struct sk_item *source, const char *role,
                           const struct sk_item *target, struct sk_id *out, struct sk_error *err)
{
    if (!sk_role_valid(role))
        return sk_fail(err, SK_USAGE,
                       "a role is at most 40 small letters, digits and hyphens, like victim-of");
    if (source->erased || target->erased || !sk_type_is_record(source->type) ||
        !sk_type_is_record(target->type))
        return sk_fail(err, SK_REFUSED, "a link goes between two records that are not withdrawn");
    char from[SK_ID_TEXT_LEN];
    char to[SK_ID_TEXT_LEN];
    char now[SK_DATETIME_LEN];
    sk_id_format(from, &source->id);
    sk_id_format(to, &target->id);
    sk_datetime_now(now);
    sk_auto_json json = json_pack("{s:s, s:s, s:s, s:s}", "recorded", now, "source", from, "role",
                                  role, "target", to);
    if (!json)
        return sk_fail_status(err, SK_NOMEM);
    struct sk_entry entry = {.type = SK_TYPE_LINK, .revision = 1};
    sk_id_random(&entry.id);
    SK_TRY(sk_record_append_json(store, &entry, json, err));
    *out = entry.id;
    return SK_OK;
}

enum sk_status sk_link_each(struct sk_store *store, const struct sk_item *item, bool incoming,
                            sk_link_each_fn *each, void *context, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(
        store->db, &stmt,
        incoming ? "SELECT item.uid, role, source FROM link JOIN item ON item.id = link.item "
                   "WHERE target = ?1 AND " SK_ITEM_HANGS_ON
                 : "SELECT item.uid, role, target FROM link JOIN item ON item.id = link.item "
                   "WHERE source = ?1 AND " SK_ITEM_HANGS_ON,
        err));
    sk_bind_bytes(stmt, 1, item->id.bytes, SK_ID_LEN);
    sk_bind_int(stmt, 2, item->log);
    for (;;) {
        bool row = false;
        struct sk_id link, other;
        SK_TRY(sk_step(stmt, &row, err));
        if (!row)
            return SK_OK;
        SK_TRY(sk_column_copy(stmt, 0, link.bytes, SK_ID_LEN, err));
        SK_TRY(sk_column_copy(stmt, 2, other.bytes, SK_ID_LEN, err));
        SK_TRY(each(context, &link, sk_column_text(stmt, 1), &other, err));
    }
}

/* Reading */

/* The form that a record names: that of its type, unless it is an organisation's. */
static enum sk_status find_form(struct sk_store *store, const struct sk_item *item,
                                const json_t *json, struct sk_record *record, struct sk_error *err)
{
    const char *name = json_string_value(json_object_get(json, "form"));
    uint8_t hash[SK_HASH_LEN];
    record->form = sk_form_of(item->type);
    if (!name || !sk_hex_parse(hash, sizeof(hash), name))
        return SK_OK;
    SK_TRY(sk_log_form(store, item->log, hash, &record->own, err));
    record->form = record->own ? sk_own_form_of(record->own) : NULL;
    record->formless = !record->own;
    return SK_OK;
}

/* What another device wrote may be no record at all: it is said so, and is no reason to stop. */
static enum sk_status read_text(struct sk_store *store, const struct sk_item *item,
                                struct sk_record *record, const struct sk_payload *payload,
                                struct sk_error *err)
{
    sk_auto_json json = NULL;
    struct sk_error why = SK_ERROR_INIT;
    enum sk_status status =
        sk_json_parse(&json, sk_buf_text(&payload->text), payload->text.len, &why);
    if (status != SK_OK && status != SK_REFUSED)
        return sk_fail(err, status, "%s", why.text);
    const char *recorded = json_string_value(json_object_get(json, "recorded"));
    json_t *fields = json_object_get(json, "fields");
    SK_TRY(
        sk_mark_found(store, sk_entry_row(item->log, record->position), &record->malformed, err));
    record->malformed = record->malformed || !recorded || !json_is_object(fields);
    if (json_is_object(fields))
        SK_TRY(find_form(store, item, json, record, err));
    if (record->malformed)
        return SK_OK;
    record->fields = json_incref(fields);
    record->recorded = strdup(recorded);
    return record->recorded ? SK_OK : sk_fail_status(err, SK_NOMEM);
}

enum sk_status sk_record_load(struct sk_store *store, const struct sk_item *item, uint64_t position,
                              struct sk_record *out, struct sk_error *err)
{
    uint8_t bytes[SK_ENTRY_LEN];
    struct sk_entry entry;
    bool found = false;
    SK_TRY(sk_log_entry(store, item->log, position, bytes, &found, err));
    if (!found || sk_entry_decode(&entry, bytes) != SK_OK ||
        memcmp(&entry.id, &item->id, sizeof(entry.id)) != 0)
        return sk_fail(err, SK_DAMAGED, "the database lacks an entry of a record");

    sk_auto_record record = {.revision = entry.revision,
                             .position = position,
                             .day = entry.day,
                             .unproven = entry.unproven};
    sk_auto_payload payload = SK_PAYLOAD_INIT;
    SK_TRY(sk_payload_load(store, item->log, position, &payload, &found, err));
    if (found) {
        SK_TRY(read_text(store, item, &record, &payload, err));
    } else {
        SK_TRY(sk_lacking_is(store, item->log, position, &record.lacking, err));
        SK_TRY(sk_entry_purged(store, item->log, position, &record.purged, err));
    }
    *out = SK_TAKE(record);
    return SK_OK;
}
