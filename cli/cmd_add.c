#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/input.h"
#include "cli/print.h"
#include "core/record.h"

#include <string.h>

/* Records on their way into the store, in one transaction. */
struct adding {
    struct sk_run *run;
    const struct sk_form *form;
    struct sk_buf ids; /* a line each; shown once they are saved */
};

static enum sk_status find_form(const struct sk_run *run, const struct sk_form **out,
                                struct sk_error *err)
{
    *out = sk_form_of(sk_type_from_name(run->args[0]));
    return *out ? SK_OK
                : sk_fail(err, SK_USAGE,
                          "a type is person, case, event, testimony, source or consent");
}

enum sk_status sk_check_add(struct sk_run *run, struct sk_error *err)
{
    const struct sk_form *form;

    SK_TRY(find_form(run, &form, err));
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
    SK_TRY(sk_input_each(from, add_from, adding, err));
    return sk_store_commit(&txn, err);
}

enum sk_status sk_cmd_add(struct sk_run *run, struct sk_error *err)
{
    const char *from = sk_run_option(run, "--from");
    struct adding adding = {.run = run, .ids = SK_BUF_INIT};
    enum sk_status status;

    SK_TRY(find_form(run, &adding.form, err));
    if (from)
        status = add_many(&adding, from, err);
    else
        status = add_single(&adding, err);
    if (status == SK_OK)
        sk_out("%s", sk_buf_text(&adding.ids));
    sk_buf_clear(&adding.ids);
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

enum sk_status sk_cmd_add_help(const struct sk_run *run, struct sk_buf *out, struct sk_error *err)
{
    const struct sk_form *form =
        run->arg_count > 0 ? sk_form_of(sk_type_from_name(run->args[0])) : NULL;

    if (!form)
        return sk_buf_add_text(
            out,
            "TYPE is person, case, event, testimony, source or consent; 'add TYPE -h' lists "
            "its fields.\n",
            err);
    SK_TRY(sk_buf_printf(out, err, "Fields of a %s (name, type, label; choices below):\n",
                         sk_type_name(form->type)));
    for (size_t i = 0; i < form->field_count; i++)
        SK_TRY(help_field(out, &form->fields[i], 2, err));
    return SK_OK;
}
