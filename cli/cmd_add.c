#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/input.h"
#include "cli/print.h"
#include "core/form_offer.h"
#include "core/item.h"
#include "core/record.h"

#include <string.h>

/* Records on their way into the store, in one transaction. */
struct adding {
    struct sk_run *run;
    const struct sk_form *form;
    struct sk_own_form *own; /* the same, when it is an organisation's */
    struct sk_buf ids;       /* a line each; shown once they are saved */
};

/* The name of a form of an organisation, with the archive's name behind it or without. */
static bool may_be_own(const char *text)
{
    char name[SK_FORM_NAME_MAX + 1];
    size_t len = strcspn(text, "@");

    if (len >= sizeof(name))
        return false;
    memcpy(name, text, len);
    name[len] = '\0';
    return sk_own_form_name_valid(name);
}

static enum sk_status check_form(const struct sk_run *run, struct sk_error *err)
{
    if (sk_form_of(sk_type_from_name(run->args[0])) || may_be_own(run->args[0]))
        return SK_OK;
    return sk_fail(err, SK_USAGE,
                   "a type is person, case, event, testimony, source or consent, or a form that "
                   "'forms' lists");
}

static enum sk_status find_form(struct adding *adding, struct sk_error *err)
{
    struct sk_run *run = adding->run;

    adding->form = sk_form_of(sk_type_from_name(run->args[0]));
    if (adding->form)
        return SK_OK;

    struct sk_error why = SK_ERROR_INIT;
    enum sk_status status = sk_usable_form_find(run->store, run->args[0], &adding->own, &why);

    if (status == SK_MISSING || status == SK_USAGE) {
        sk_run_advise(run, "Nothing was changed. 'forms' lists what can be recorded.");
        return sk_fail(err, SK_USAGE, "%s",
                       status == SK_USAGE ? why.text : "there is no type or form of this name");
    }
    if (status != SK_OK)
        return sk_fail(err, status, "%s", why.text);
    adding->form = sk_own_form_of(adding->own);
    return SK_OK;
}

enum sk_status sk_check_add(struct sk_run *run, struct sk_error *err)
{
    SK_TRY(check_form(run, err));
    SK_TRY(sk_input_refuse_args(run, 1, err));
    if (run->arg_count == 1 && !sk_run_option(run, "--from") && !run->terminal && !run->no_input)
        return sk_fail(err, SK_USAGE,
                       "without a terminal the fields come as FIELD=VALUE or from --from");
    return SK_OK;
}

static enum sk_status add_one(struct adding *adding, const json_t *fields, struct sk_error *err)
{
    struct sk_id id;
    char text[SK_ID_TEXT_LEN];

    if (adding->own)
        SK_TRY(sk_record_add_under(adding->run->store, adding->own, fields, &id, err));
    else
        SK_TRY(sk_record_add(adding->run->store, adding->form->type, fields, &id, err));
    sk_id_format(text, &id);
    SK_TRY(sk_buf_add_text(&adding->ids, text, err));
    return sk_buf_add_byte(&adding->ids, '\n', err);
}

static enum sk_status add_from(void *context, json_t *object, size_t number, struct sk_error *err)
{
    struct adding *adding = context;
    enum sk_status status = sk_input_set(adding->run, 1, adding->form, object, err);

    if (status == SK_OK)
        status = add_one(adding, object, err);
    if (status != SK_OK)
        sk_run_advise(adding->run, "That was record %zu of the input. None of it was saved.",
                      number);
    return status;
}

/* One record from the arguments, or from the terminal. */
static enum sk_status add_single(struct adding *adding, struct sk_error *err)
{
    struct sk_run *run = adding->run;
    sk_auto_json fields = json_object();
    sk_auto_store_txn txn = NULL;

    if (!fields)
        return sk_fail_status(err, SK_NOMEM);
    SK_TRY(sk_input_set(run, 1, adding->form, fields, err));
    if (run->terminal)
        SK_TRY(sk_ask_fields(adding->form, fields, err));
    SK_TRY(sk_store_begin(&txn, run->store, err));
    SK_TRY(add_one(adding, fields, err));
    return sk_store_commit(&txn, err);
}

static enum sk_status add_many(struct adding *adding, const char *from, struct sk_error *err)
{
    sk_auto_store_txn txn = NULL;

    SK_TRY(sk_store_begin(&txn, adding->run->store, err));
    SK_TRY(sk_search_many(adding->run->store, err));
    SK_TRY(sk_input_each(from, add_from, adding, err));
    return sk_store_commit(&txn, err);
}

enum sk_status sk_cmd_add(struct sk_run *run, struct sk_error *err)
{
    const char *from = sk_run_option(run, "--from");
    struct adding adding = {.run = run, .ids = SK_BUF_INIT};
    enum sk_status status;

    status = find_form(&adding, err);
    if (status == SK_OK)
        status = from ? add_many(&adding, from, err) : add_single(&adding, err);
    if (status == SK_OK)
        sk_out("%s", sk_buf_text(&adding.ids));
    sk_buf_clear(&adding.ids);
    sk_own_form_unref(adding.own);
    return status;
}

/* ---- help ---- */

static enum sk_status help_field(struct sk_buf *out, const struct sk_field *field, unsigned indent,
                                 struct sk_error *err)
{
    SK_TRY(sk_buf_printf(out, err, "%*s%-*s  %-10s  %s%s", (int)indent, "",
                         indent < 20 ? 22 - (int)indent : 2, field->name,
                         sk_field_type_name(field->type), field->label,
                         field->required ? " (required" : ""));
    if (field->required && field->unless)
        SK_TRY(sk_buf_printf(out, err, ", or %s", field->unless));
    SK_TRY(sk_buf_add_text(out, field->required ? ")\n" : "\n", err));
    for (size_t i = 0; i < field->choice_count; i++)
        SK_TRY(sk_buf_printf(out, err, "%*s- %s: %s\n", (int)indent + 4, "", field->choices[i].name,
                             field->choices[i].label));
    for (size_t i = 0; i < field->field_count; i++)
        SK_TRY(help_field(out, &field->fields[i], indent + 4, err));
    return SK_OK;
}

enum sk_status sk_form_fields_help(struct sk_buf *out, const struct sk_form *form,
                                   struct sk_error *err)
{
    SK_TRY(sk_buf_printf(out, err, "Fields of a %s (name, type, label; choices below):\n",
                         form->name));
    for (size_t i = 0; i < form->field_count; i++)
        SK_TRY(help_field(out, &form->fields[i], 2, err));
    return SK_OK;
}

enum sk_status sk_cmd_add_help(const struct sk_run *run, struct sk_buf *out, struct sk_error *err)
{
    const struct sk_form *form =
        run->arg_count > 0 ? sk_form_of(sk_type_from_name(run->args[0])) : NULL;

    if (!form)
        return sk_buf_add_text(
            out,
            "TYPE is person, case, event, testimony, source or consent, and 'add TYPE -h'\n"
            "lists its fields; or the name of a form that came from an archive, of which\n"
            "'forms' lists those there are and 'forms show NAME' the fields.\n",
            err);
    return sk_form_fields_help(out, form, err);
}
