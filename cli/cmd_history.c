#include "cli/commands.h"
#include "cli/items.h"
#include "core/record.h"
#include "core/revoke.h"

/* The entries of one record on their way out. */
struct history {
    struct sk_run *run;
    const struct sk_item *item;
    struct sk_device_name device;
    struct sk_ranges apart;     /* the item's entries that stand apart */
    struct sk_device_name heir; /* whose log continues the item's without them */
    uint64_t revoked;           /* where its log is revoked */
    struct sk_device_name old;  /* in whose log entries below `below` were withdrawn */
    uint64_t below;
    struct sk_out_array array;
};

/* Whether what an entry said was erased because of a log which this one continues. */
static bool withdrawn_in_old(const struct history *history, const struct sk_record *record)
{
    return !record->fields && record->position < history->below;
}

static enum sk_status add_json(struct history *history, const struct sk_record *record,
                               bool erasure, bool apart, struct sk_error *err)
{
    char day[11];
    json_t *element =
        json_pack("{s:I, s:I, s:s, s:s, s:O?}", "rev", (json_int_t)record->revision, "position",
                  (json_int_t)record->position, "recorded", sk_recorded(record, day), "device",
                  history->device.name, "fields", record->fields);

    /* Tells the revision that withdrew from the ones whose text it erased. */
    if (erasure)
        sk_json_put(&element, "withdrawn", json_true());
    if (apart)
        sk_json_put(&element, "apart", json_true());
    if (withdrawn_in_old(history, record))
        sk_json_put(&element, "withdrawn_in", json_string(history->old.name));
    if (record->lacking)
        sk_json_put(&element, "lacking", json_true());
    if (record->malformed)
        sk_json_put(&element, "malformed", json_true());
    if (record->position >= history->revoked)
        sk_json_put(&element, "revoked", json_true());
    if (record->purged)
        sk_json_put(&element, "purged", json_true());
    if (record->unproven)
        sk_json_put(&element, "unproven", json_true());
    return sk_out_array_add(&history->array, element, err);
}

/* A sentence about another device, in a line of its own. */
static enum sk_status add_line(const char *before, const struct sk_device_name *device,
                               const char *behind, struct sk_error *err)
{
    sk_out("    (%s", before);
    SK_TRY(sk_out_text(device->name, err));
    sk_out("%s)\n", behind);
    return SK_OK;
}

static enum sk_status add_text(struct history *history, const struct sk_record *record,
                               bool erasure, bool apart, struct sk_error *err)
{
    const struct sk_form *form = record->form;
    sk_auto_buf shown = SK_BUF_INIT;
    char day[11];

    sk_out("Revision %u, position %llu, recorded ", record->revision,
           (unsigned long long)record->position);
    SK_TRY(sk_out_text(sk_recorded(record, day), err));
    sk_out(", device ");
    SK_TRY(sk_out_text(history->device.name, err));
    sk_out("\n%s%s", record->unproven ? SK_UNPROVEN : "",
           record->position >= history->revoked ? SK_REVOKED : "");
    if (apart)
        SK_TRY(
            add_line("apart: made after the log of ", &history->heir, " continued this one", err));
    if (erasure)
        sk_out("    (withdrawn with this entry)\n");
    else if (withdrawn_in_old(history, record))
        return add_line("withdrawn in the log of ", &history->old, ", which this one continues",
                        err);
    else if (!record->fields)
        sk_out("    %s\n", sk_no_fields(history->item, record));
    else if (form)
        SK_TRY(sk_fields_show(&shown, form->fields, form->field_count, record->fields, 4, err));
    sk_out("%s", sk_buf_text(&shown));
    return SK_OK;
}

static enum sk_status add_entry(void *context, uint64_t position, const struct sk_entry *entry,
                                struct sk_error *err)
{
    struct history *history = context;
    bool erasure = entry->type == SK_TYPE_ERASURE;
    bool apart = sk_ranges_contain(&history->apart, position);
    sk_auto_record record = {.fields = NULL};

    SK_TRY(sk_record_load(history->run->store, history->item, position, &record, err));
    return history->run->json ? add_json(history, &record, erasure, apart, err)
                              : add_text(history, &record, erasure, apart, err);
}

static enum sk_status find_apart(struct history *history, const struct sk_item *item,
                                 struct sk_error *err)
{
    int64_t heir = 0;

    sk_ranges_clear(&history->apart);
    SK_TRY(sk_item_apart(history->run->store, item, &history->apart, &heir, err));
    return heir != 0 ? sk_device_name(history->run->store, heir, &history->heir, err) : SK_OK;
}

static enum sk_status add_item(struct history *history, const struct sk_item *item,
                               struct sk_error *err)
{
    int64_t old = 0;

    SK_TRY(find_apart(history, item, err));
    history->item = item;
    SK_TRY(sk_log_revoked(history->run->store, item->log, &history->revoked, err));
    SK_TRY(sk_item_withdrawn(history->run->store, item->row, &history->below, &old, err));
    if (history->below > 0)
        SK_TRY(sk_device_name(history->run->store, old, &history->old, err));
    SK_TRY(sk_device_name(history->run->store, item->log, &history->device, err));
    return sk_item_history(history->run->store, item, add_entry, history, err);
}

/* The same record in a log that this one continues, or that continues it. */
static enum sk_status add_twin(void *context, const struct sk_item *item, struct sk_error *err)
{
    return add_item(context, item, err);
}

static void history_clear(struct history *history)
{
    sk_ranges_clear(&history->apart);
}

enum sk_status sk_cmd_history(struct sk_run *run, struct sk_error *err)
{
    sk_auto_item item = {.title = NULL};
    __attribute__((cleanup(history_clear))) struct history history = {.run = run, .item = &item};

    SK_TRY(sk_find_record(run, run->args[0], &item, err));
    if (run->json)
        sk_out_array_begin(&history.array);
    SK_TRY(sk_item_twins(run->store, &item, add_twin, &history, err));
    SK_TRY(add_item(&history, &item, err));
    if (run->json)
        sk_out_array_end(&history.array);
    return SK_OK;
}
