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

/* Of two values one would be dropped in silence. */
static bool same_field(const char *one, const char *other)
{
    size_t len = strcspn(one, "=");

    return len == strcspn(other, "=") && strncmp(one, other, len) == 0;
}

enum sk_status sk_input_set(const struct sk_run *run, int first, const struct sk_form *form,
                            json_t *fields, struct sk_error *err)
{
    for (int i = first; i < run->arg_count; i++) {
        SK_TRY(set_one(form, fields, run->args[i], err));
        for (int j = first; j < i; j++)
            if (same_field(run->args[j], run->args[i]))
                return sk_fail(err, SK_USAGE, "%.*s: this field is given twice",
                               (int)strcspn(run->args[i], "="), run->args[i]);
    }
    return SK_OK;
}

static enum sk_status read_file(void *from, void *out, size_t len, size_t *got,
                                struct sk_error *err)
{
    return sk_file_read((struct sk_file *)from, out, len, got, err);
}

static enum sk_status read_stdin(void *from, void *out, size_t len, size_t *got,
                                 struct sk_error *err)
{
    (void)from;
    return sk_stdin_read(out, len, got, err);
}

enum sk_status sk_input_each(const char *from, sk_json_each_fn *each, void *context,
                             struct sk_error *err)
{
    sk_auto_file file = NULL;

    if (strcmp(from, "-") == 0)
        return sk_json_each(read_stdin, NULL, each, context, err);
    SK_TRY(sk_file_open(&file, from, err));
    return sk_json_each(read_file, file, each, context, err);
}
