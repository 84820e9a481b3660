#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/input.h"
#include "cli/items.h"
#include "core/record.h"

enum sk_status sk_check_edit(struct sk_run *run, struct sk_error *err)
{
    SK_TRY(sk_input_refuse_args(run, 1, err));
    if (run->arg_count == 1 && !sk_run_option(run, "--from") && !run->terminal)
        return sk_fail(err, SK_USAGE,
                       "without a terminal the changes come as FIELD=VALUE or from --from");
    return SK_OK;
}

/* The record that is edited. */
struct editing {
    const struct sk_form *form;
    json_t *fields;
};

/* Takes over each field of the object; null takes a field out. */
static enum sk_status merge(void *context, json_t *object, size_t number, struct sk_error *err)
{
    struct editing *editing = context;
    const char *name;
    json_t *value;

    if (number > 1)
        return sk_fail(err, SK_REFUSED, "an edit takes one JSON object");
    json_object_foreach(object, name, value)
    {
        if (json_is_null(value))
            (void)json_object_del(editing->fields, name);
        else if (json_object_set(editing->fields, name, value) != 0)
            return sk_fail_status(err, SK_NOMEM);
    }
    return SK_OK;
}

static enum sk_status read_changes(const struct sk_run *run, struct editing *editing,
                                   struct sk_error *err)
{
    const char *from = sk_run_option(run, "--from");

    if (from) {
        SK_TRY(sk_input_each(from, merge, editing, err));
    } else if (run->terminal) {
        return sk_ask_fields(editing->form, editing->fields, err);
    }
    return sk_input_set(run, 1, editing->form, editing->fields, err);
}

enum sk_status sk_cmd_edit(struct sk_run *run, struct sk_error *err)
{
    sk_auto_item item = {.title = NULL};
    sk_auto_record record = {.fields = NULL};
    sk_auto_store_txn txn = NULL;

    SK_TRY(sk_find_record(run, run->args[0], &item, err));
    SK_TRY(sk_record_load(run->store, &item, item.position, &record, err));
    if (record.purged) {
        sk_run_advise(run, "Nothing was changed. Record anew what is to be added, and link it to "
                           "this record; or withdraw this one.");
        return sk_fail(err, SK_REFUSED, "what this record says was purged here");
    }
    if (item.erased || !record.fields)
        return sk_fail(err, SK_REFUSED, "this record was withdrawn");
    if (!record.form) {
        sk_run_advise(run, "Nothing was changed. The form comes back with a receipt of the archive "
                           "that offers it.");
        return sk_fail(err, SK_REFUSED, "the form of this record is not here");
    }

    sk_auto_json fields = NULL;
    SK_TRY(sk_json_copy(&fields, record.fields, err));
    struct editing editing = {record.form, fields};
    SK_TRY(read_changes(run, &editing, err));
    if (json_equal(fields, record.fields)) {
        sk_say(run->program->name, "nothing was changed, so no revision was added.");
        return SK_OK;
    }
    SK_TRY(sk_store_begin(&txn, run->store, err));
    SK_TRY(sk_record_edit(run->store, &item, fields, err));
    SK_TRY(sk_store_commit(&txn, err));
    sk_say(run->program->name, "revision %u was saved; the ones before it are kept.",
           item.revision + 1);
    return SK_OK;
}
