#include "cli/commands.h"
#include "cli/print.h"
#include "core/text.h"
#include "sync/export.h"

#include <string.h>

static enum sk_status read_since(const struct sk_run *run, uint64_t *since, struct sk_error *err)
{
    const char *text = sk_run_option(run, "--since");
    bool all = sk_run_option(run, "--all") != NULL;

    *since = all ? 0 : SK_EXPORT_NEW;
    if (text && all)
        return sk_fail(err, SK_USAGE, "--all and --since exclude each other");
    if (text && !sk_parse_number(text, SK_POSITION_MAX, since))
        return sk_fail(err, SK_USAGE, "--since takes a position in the log, from 0");
    return SK_OK;
}

enum sk_status sk_check_export(struct sk_run *run, struct sk_error *err)
{
    uint64_t since;

    return read_since(run, &since, err);
}

static enum sk_status add_name(void *context, const struct sk_archive_status *status,
                               struct sk_error *err)
{
    struct sk_buf *names = context;

    if (status->revoked != SK_NOT_REVOKED)
        return SK_OK;
    SK_TRY(sk_buf_add_text(names, names->len > 0 ? ", " : "", err));
    return sk_buf_add_text(names, status->name, err);
}

/* An archive that is left out is named each time. */
static enum sk_status say_revoked(void *context, const struct sk_archive_status *status,
                                  struct sk_error *err)
{
    const struct sk_run *run = context;

    (void)err;
    if (status->revoked != SK_NOT_REVOKED)
        sk_say(run->program->name,
               "warning: \"%s\" has revoked this store from position %llu on: nothing goes to it.",
               status->name, (unsigned long long)status->revoked);
    return SK_OK;
}

static enum sk_status say_result(struct sk_run *run, const struct sk_export_result *result,
                                 struct sk_error *err)
{
    sk_auto_buf names = SK_BUF_INIT;
    char size[SK_SIZE_TEXT_LEN];
    uint64_t count = result->n1 - result->n0;

    SK_TRY(sk_status_each(run->store, add_name, &names, err));
    sk_size_text(size, result->bytes);
    sk_say(run->program->name, "bundle %llu (%s) carries %llu %s, positions %llu to %llu, for %s.",
           (unsigned long long)result->number, size, (unsigned long long)count,
           sk_plural(count, "entry", "entries"), (unsigned long long)result->n0,
           (unsigned long long)(result->n1 - 1), sk_buf_text(&names));
    if (result->purged > 0)
        sk_say(run->program->name,
               "%llu of them %s without what %s: it was purged here, and only an archive that had "
               "it before has it.",
               (unsigned long long)result->purged, sk_plural(result->purged, "goes", "go"),
               sk_plural(result->purged, "it says", "they say"));
    if (result->left > 0)
        sk_say(run->program->name, "%llu %s left; export again into another file.",
               (unsigned long long)result->left,
               sk_plural(result->left, "entry is", "entries are"));
    if (!result->from_medium)
        sk_say(run->program->name, "%s", SK_NOT_FROM_MEDIUM);
    sk_say(run->program->name, "send the courier's code another way than the file.");
    return SK_OK;
}

enum sk_status sk_cmd_export(struct sk_run *run, struct sk_error *err)
{
    struct sk_export_result result = {.nothing = false};
    sk_auto_bar bar;
    uint64_t since;

    SK_TRY(read_since(run, &since, err));
    sk_bar_begin(&bar, "exporting");

    enum sk_status status = (sk_run_option(run, "--small") ? sk_export_small : sk_export)(
        run->store, run->args[0], since, &bar.progress, &result, err);

    if (status == SK_CREATE && !sk_file_exists(run->args[0]))
        sk_run_advise(run, "Nothing counts as sent. Is the stick there, and can it be written? "
                           "Choose another name, or a folder that takes files.");
    else if (status != SK_OK && status != SK_CREATE && sk_file_exists(run->args[0]))
        sk_run_advise(run, "%sxport again, under another name: an archive knows what comes twice.",
                      status == SK_FULL ? "Make room, then e" : "E");
    else if (status == SK_REFUSED)
        sk_run_advise(run,
                      "No file was written, and nothing here was changed. Ask the archive why; "
                      "a new store with a new invite can send to it again.");
    SK_TRY(status);
    sk_bar_end(&bar);
    SK_TRY(sk_status_each(run->store, say_revoked, run, err));
    if (result.nothing) {
        if (result.n1 == 0)
            sk_say(run->program->name, "nothing is recorded yet, so no file was written.");
        else
            sk_say(run->program->name,
                   "nothing new, so no file was written. --all sends everything again.");
        return SK_OK;
    }
    sk_out("%s\n", result.code);
    return say_result(run, &result, err);
}
