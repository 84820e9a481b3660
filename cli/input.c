#include "cli/input.h"

#include "cli/prompt.h"
#include "core/file.h"

#include <string.h>

enum sk_status sk_input_refuse_args(const struct sk_run *run, int first, struct sk_error *err)
{
    if (!run->terminal || run->arg_count <= first)
        return SK_OK;
    return sk_fail(err, SK_USAGE,
                   "on a terminal the text of a record is asked for, never taken from arguments, "
                   "which the shell's history and the list of processes keep");
}

static enum sk_status set_one(const struct sk_form *form, json_t *fields, const char *argument,
                              struct sk_error *err)
{
    const char *equals = strchr(argument, '=');
    sk_auto_buf name = SK_BUF_INIT;

    /* The argument itself may be a record's text, so it is not repeated. */
    if (!equals || equals == argument)
        return sk_fail(err, SK_USAGE, "an argument after the first is FIELD=VALUE");
    SK_TRY(sk_buf_add(&name, argument, (size_t)(equals - argument), err));
    return sk_form_set(form, fields, sk_buf_text(&name), equals + 1, err);
}

enum sk_status sk_input_set(const struct sk_run *run, int first, const struct sk_form *form,
                            json_t *fields, struct sk_error *err)
{
    for (int i = first; i < run->arg_count; i++)
        SK_TRY(set_one(form, fields, run->args[i], err));
    return SK_OK;
}

enum sk_status sk_input_load(const char *from, struct sk_buf *out, struct sk_error *err)
{
    return strcmp(from, "-") == 0 ? sk_stdin_load(out, SK_FROM_MAX, err)
                                  : sk_file_load(out, from, SK_FROM_MAX, err);
}
