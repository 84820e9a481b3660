#include "cli/items.h"

#include "core/record.h"
#include "core/revoke.h"
#include "core/text.h"
#include "sync/import.h"

#include <string.h>

#define TYPE_COLUMNS   10
#define DEVICE_COLUMNS 16

enum sk_status sk_device_name(struct sk_store *store, int64_t log, struct sk_device_name *cache,
                              struct sk_error *err)
{
    struct sk_log row;

    if (cache->log == log)
        return SK_OK;
    SK_TRY(sk_log_get(store, log, &row, err));
    cache->log = log;
    (void)snprintf(cache->name, sizeof(cache->name), "%s",
                   row.state == SK_LOG_STATE_OWN ? "own" : row.alias);
    return SK_OK;
}

enum sk_status sk_apart(struct sk_run *run, int64_t log, uint64_t position,
                        struct sk_device_name *heir, bool *apart, struct sk_error *err)
{
    int64_t by = 0;

    SK_TRY(sk_entry_apart(run->store, log, position, &by, err));
    *apart = by != 0;
    return *apart ? sk_device_name(run->store, by, heir, err) : SK_OK;
}

void sk_item_list_begin(struct sk_item_list *list, struct sk_run *run)
{
    *list = (struct sk_item_list){.run = run, .columns = sk_columns(stdout)};
    if (run->json)
        sk_out_array_begin(&list->array);
}

/* What a row is marked with. */
struct marks {
    bool apart;
    bool outdated; /* an older revision, since the newest is lacking */
    bool revoked;  /* core/revoke.h */
    bool unproven; /* core/entry.h */
};

static enum sk_status find_marks(struct sk_item_list *list, const struct sk_item *item,
                                 struct marks *out, struct sk_error *err)
{
    uint8_t bytes[SK_ENTRY_LEN];
    struct sk_entry entry;
    struct sk_device_name heir = {.log = 0};
    uint64_t newer = 0;
    bool found = false;

    SK_TRY(sk_apart(list->run, item->log, item->position, &heir, &out->apart, err));
    if (list->run->program->kind == SK_STORE_ARCHIVE)
        SK_TRY(sk_lacking_newest(list->run->store, item, &newer, &out->outdated, err));
    SK_TRY(sk_log_entry(list->run->store, item->log, item->position, bytes, &found, err));
    out->unproven = found && sk_entry_decode(&entry, bytes) == SK_OK && entry.unproven;
    SK_TRY(sk_entry_revoked(list->run->store, item->log, item->position, &out->revoked, err));
    list->apart += out->apart;
    list->outdated += out->outdated;
    list->revoked += out->revoked;
    list->unproven += out->unproven;
    return SK_OK;
}

static enum sk_status add_json(struct sk_item_list *list, const struct sk_item *item,
                               const char *id, const struct marks *marks, struct sk_error *err)
{
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:s, s:I}", "id", id, "type", sk_type_name(item->type), "title",
                  item->title, "device", list->device.name, "rev", (json_int_t)item->revision);

    if (marks->unproven)
        sk_json_put(&json, "unproven", json_true());
    if (marks->apart)
        sk_json_put(&json, "apart", json_true());
    if (marks->outdated)
        sk_json_put(&json, "outdated", json_true());
    if (marks->revoked)
        sk_json_put(&json, "revoked", json_true());
    if (item->purged)
        sk_json_put(&json, "purged", json_true());
    return sk_out_array_add(&list->array, json, err);
}

/* The rest of a line that is `columns` wide (0: no terminal), behind `before` of them. */
static enum sk_status out_title(const char *title, size_t before, size_t columns,
                                struct sk_error *err)
{
    sk_auto_buf shown = SK_BUF_INIT;
    size_t len = 0;

    SK_TRY(sk_text_show(&shown, title, strlen(title), false, 0, err));
    len = columns > before + 10 ? sk_text_fit(sk_buf_text(&shown), shown.len, columns - before - 1)
                                : shown.len;
    sk_out("%.*s\n", (int)len, sk_buf_text(&shown));
    return SK_OK;
}

enum sk_status sk_item_list_add(void *context, const struct sk_item *item, struct sk_error *err)
{
    struct sk_item_list *list = context;
    bool archive = list->run->program->kind == SK_STORE_ARCHIVE;
    size_t before = SK_ID_TEXT_LEN + 1 + TYPE_COLUMNS + 1 + (archive ? DEVICE_COLUMNS + 1 : 0);
    char id[SK_ID_TEXT_LEN];
    struct marks marks = {.apart = false};

    list->count++;
    SK_TRY(find_marks(list, item, &marks, err));
    sk_id_format(id, &item->id);
    SK_TRY(sk_device_name(list->run->store, item->log, &list->device, err));
    if (list->run->json)
        return add_json(list, item, id, &marks, err);
    sk_out("%s %c%-*s ", id,
           marks.apart || marks.revoked ? '!'
           : marks.outdated             ? '~'
           : marks.unproven             ? '?'
                                        : ' ',
           TYPE_COLUMNS, sk_type_name(item->type));
    if (archive) {
        SK_TRY(sk_out_cell(list->device.name, list->columns > 0 ? DEVICE_COLUMNS : 0, err));
        sk_out(" ");
    }
    if (item->purged) {
        sk_out("(purged: only the archives have it)\n");
        return SK_OK;
    }
    return out_title(item->title, before, list->columns, err);
}

void sk_item_list_end(struct sk_item_list *list)
{
    if (list->run->json)
        sk_out_array_end(&list->array);
    if (list->apart > 0)
        sk_say(list->run->program->name,
               "%llu %s apart (!): made in a log after another one continued it. "
               "'history ID' tells.",
               (unsigned long long)list->apart, sk_plural(list->apart, "row stands", "rows stand"));
    if (list->unproven > 0)
        sk_say(list->run->program->name,
               "%llu %s saved without a proof (?): by 'repair', from damage. 'show ID' tells.",
               (unsigned long long)list->unproven,
               sk_plural(list->unproven, "row was", "rows were"));
    if (list->outdated > 0)
        sk_say(list->run->program->name,
               "%llu %s an older revision (~): what the newest one says was lost in a damaged "
               "bundle. A 'receipt' asks for it.",
               (unsigned long long)list->outdated,
               sk_plural(list->outdated, "row shows", "rows show"));
    if (list->revoked > 0)
        sk_say(list->run->program->name,
               "%llu %s where the log of the device is revoked (!): kept as evidence, not as its "
               "word.",
               (unsigned long long)list->revoked,
               sk_plural(list->revoked, "row stands", "rows stand"));
}

/* ---- what another store withdrew ---- */

static enum sk_status out_elsewhere(void *context, const struct sk_item *item, struct sk_error *err)
{
    const unsigned *columns = context;
    char id[SK_ID_TEXT_LEN];

    sk_id_format(id, &item->id);
    sk_out("    %s  %-*s ", id, TYPE_COLUMNS, sk_type_name(item->type));
    return out_title(item->title, 4 + SK_ID_TEXT_LEN + 1 + TYPE_COLUMNS + 1, *columns, err);
}

enum sk_status sk_out_elsewhere(struct sk_run *run, const struct sk_ranges *withdrawn,
                                struct sk_error *err)
{
    unsigned columns = sk_columns(stdout);

    SK_TRY(sk_item_each_at(run->store, SK_LOG_OWN, withdrawn, out_elsewhere, &columns, err));
    sk_out("  If you did that at the other store, withdraw the same here. If not, somebody\n"
           "  else has that store: tell the archive at once, so that it can say 'revoke'.\n");
    return SK_OK;
}

static enum sk_status add_elsewhere(void *context, const struct sk_item *item, struct sk_error *err)
{
    char id[SK_ID_TEXT_LEN];

    sk_id_format(id, &item->id);
    json_t *json = json_pack("{s:s, s:s, s:s}", "id", id, "type", sk_type_name(item->type), "title",
                             item->title);
    return json_array_append_new(context, json) == 0 ? SK_OK : sk_fail_status(err, SK_NOMEM);
}

enum sk_status sk_elsewhere_json(struct sk_run *run, const struct sk_ranges *withdrawn,
                                 json_t **out, struct sk_error *err)
{
    sk_auto_json array = json_array();

    SK_TRY(sk_item_each_at(run->store, SK_LOG_OWN, withdrawn, add_elsewhere, array, err));
    *out = SK_TAKE(array);
    return SK_OK;
}

enum sk_status sk_say_unlisted(const struct sk_run *run, struct sk_error *err)
{
    uint64_t count = 0;

    SK_TRY(sk_lacking_records(run->store, &count, err));
    if (count > 0)
        sk_say(run->program->name,
               "%llu %s missing here: what %s was lost in a damaged bundle. A 'receipt' asks for "
               "it.",
               (unsigned long long)count, sk_plural(count, "record is", "records are"),
               sk_plural(count, "it says", "they say"));
    return SK_OK;
}

const char *sk_recorded(const struct sk_record *record, char day[static 11])
{
    if (record->recorded)
        return record->recorded;
    sk_day_format(day, record->day);
    return day;
}

/* "ID@DEVICE": what that device has under the id. */
static enum sk_status find_of_device(struct sk_run *run, const char *text, size_t id_len,
                                     struct sk_item *out, struct sk_error *err)
{
    char id[SK_ID_TEXT_LEN];
    struct sk_log log;

    if (id_len >= sizeof(id))
        return sk_fail(err, SK_USAGE, "what stands before the @ is no id");
    memcpy(id, text, id_len);
    id[id_len] = '\0';
    SK_TRY(sk_find_device(run, text + id_len + 1, false, &log, err));
    return sk_item_find_in(run->store, log.id, id, out, err);
}

enum sk_status sk_find_item(struct sk_run *run, const char *text, struct sk_item *out,
                            struct sk_error *err)
{
    bool archive = run->program->kind == SK_STORE_ARCHIVE;
    size_t id_len = strcspn(text, "@");
    enum sk_status status = archive && text[id_len] == '@'
                                ? find_of_device(run, text, id_len, out, err)
                                : sk_item_find(run->store, text, out, err);

    if (status == SK_MISSING)
        sk_run_advise(run, "Nothing was changed. 'list' shows the records, 'show ID' what belongs "
                           "to one.");
    if (status == SK_USAGE && archive)
        sk_run_advise(run, "Nothing was changed. 'list' shows which device a record is of: "
                           "ID@DEVICE is what that one has under an id.");
    return status;
}

enum sk_status sk_find_record(struct sk_run *run, const char *text, struct sk_item *out,
                              struct sk_error *err)
{
    sk_auto_item item = {.title = NULL};

    SK_TRY(sk_find_item(run, text, &item, err));
    if (!sk_type_is_record(item.type)) {
        sk_run_advise(run, "Nothing was changed. %s",
                      item.type == SK_TYPE_ATTACHMENT
                          ? "'extract' writes an attachment to a file, 'show' of its record "
                            "describes it."
                          : "'show' of a record lists its links.");
        return sk_fail(err, SK_REFUSED, "this is the id of %s, not of a record",
                       item.type == SK_TYPE_ATTACHMENT ? "an attachment" : "a link");
    }
    *out = SK_TAKE(item);
    return SK_OK;
}

const char *sk_no_fields(const struct sk_item *item, const struct sk_record *record)
{
    if (item->erased)
        return "(withdrawn: what it said was erased, its line in the log stays)";
    if (record->purged)
        return "(purged: removed here, since every archive has it)";
    if (record->formless)
        return "(its form is not here: kept, and shown when that comes)";
    if (record->malformed)
        return "(malformed: kept, but not shown)";
    if (record->lacking)
        return "(lacking: lost in a damaged bundle; the next receipt asks its device for it)";
    return "(what it says has not arrived)";
}

enum sk_status sk_find_device(struct sk_run *run, const char *text, bool waiting,
                              struct sk_log *out, struct sk_error *err)
{
    enum sk_status status = sk_device_find(run->store, text, waiting, out, err);

    if (status == SK_MISSING)
        sk_run_advise(run, "Nothing was changed. 'devices' lists them.");
    return status;
}
