#include "cli/commands.h"
#include "cli/items.h"
#include "cli/prompt.h"
#include "core/text.h"
#include "sync/export.h"
#include "sync/purge.h"

#include <stdlib.h>
#include <string.h>

/* What is to be purged: the items that the arguments name, or everything. */
struct wish {
    struct sk_item *items; /* owned; NULL: everything */
    size_t count;
};

static void wish_clear(struct wish *wish)
{
    for (size_t i = 0; i < wish->count; i++)
        sk_item_clear(&wish->items[i]);
    free(wish->items);
}

enum sk_status sk_check_purge(struct sk_run *run, struct sk_error *err)
{
    bool all = sk_run_option(run, "--all") != NULL;

    if (all == (run->arg_count > 0))
        return sk_fail(err, SK_USAGE, "name what to purge by its ids, or everything by --all");
    return SK_OK;
}

static enum sk_status find_items(struct sk_run *run, struct wish *out, struct sk_error *err)
{
    if (run->arg_count == 0)
        return SK_OK;
    out->items = calloc((size_t)run->arg_count, sizeof(*out->items));
    if (!out->items)
        return sk_fail_status(err, SK_NOMEM);
    for (int i = 0; i < run->arg_count; i++) {
        SK_TRY(sk_find_item(run, run->args[i], &out->items[out->count], err));
        out->count++;
    }
    return SK_OK;
}

static enum sk_status add_name(void *context, const struct sk_archive_status *status,
                               struct sk_error *err)
{
    struct sk_buf *names = context;

    SK_TRY(sk_buf_add_text(names, names->len > 0 ? ", " : "", err));
    return sk_text_show(names, status->name, strlen(status->name), false, 0, err);
}

static enum sk_status confirm(const struct sk_run *run, const struct sk_purge_result *what,
                              struct sk_error *err)
{
    sk_auto_buf names = SK_BUF_INIT;
    sk_auto_buf answer = SK_BUF_INIT;

    SK_TRY(sk_status_each(run->store, add_name, &names, err));
    sk_prompt_say(
        "This removes for ever, here, what %llu %s of %llu %s\n"
        "say, with attached files. Who has it then: %s.\n"
        "An archive that invites this store later cannot get it any more.\n",
        (unsigned long long)what->entries, sk_plural(what->entries, "entry", "entries"),
        (unsigned long long)what->items,
        sk_plural(what->items, "record, attachment or link", "records, attachments and links"),
        sk_buf_text(&names));
    SK_TRY(sk_prompt_line(&answer, "Type purge to go on: ", err));
    return strcmp(sk_buf_text(&answer), "purge") == 0 ? SK_OK : sk_prompt_cancel(err);
}

static enum sk_status purge(struct sk_run *run, const struct wish *wish,
                            struct sk_purge_result *result, struct sk_error *err)
{
    sk_auto_store_txn txn = NULL;
    sk_auto_bar bar;

    sk_bar_begin(&bar, "purging");
    SK_TRY(sk_purge(run->store, wish->items, wish->count, true, NULL, result, err));
    if (result->entries == 0)
        return SK_OK;
    if (run->terminal)
        SK_TRY(confirm(run, result, err));
    SK_TRY(sk_store_begin(&txn, run->store, err));
    SK_TRY(sk_purge(run->store, wish->items, wish->count, false, &bar.progress, result, err));
    SK_TRY(sk_store_commit(&txn, err));
    sk_bar_end(&bar);
    return SK_OK;
}

static void say_result(const struct sk_run *run, const struct sk_purge_result *result)
{
    const char *program = run->program->name;

    if (result->entries > 0)
        sk_say(program,
               "what %llu %s said was removed here. %s in the log, and can be withdrawn; an "
               "archive that invites this store later cannot get what was removed.",
               (unsigned long long)result->entries, sk_plural(result->entries, "entry", "entries"),
               sk_plural(result->entries, "It stays", "They stay"));
    if (result->left > 0)
        sk_say(program,
               "%llu %s not purged: the newest receipt of every archive has to say that it is "
               "stored there. 'status' tells what has arrived.",
               (unsigned long long)result->left,
               sk_plural(result->left, "entry was", "entries were"));
    if (result->entries == 0 && result->left == 0)
        sk_say(program, "there is nothing left to purge.");
}

enum sk_status sk_cmd_purge(struct sk_run *run, struct sk_error *err)
{
    __attribute__((cleanup(wish_clear))) struct wish wish = {.items = NULL};
    struct sk_purge_result result = {.entries = 0};

    SK_TRY(find_items(run, &wish, err));
    enum sk_status status = purge(run, &wish, &result, err);
    if (status == SK_CONFIG)
        sk_run_advise(run, "Nothing was removed. A receipt has to say first that an archive has "
                           "what is here.");
    SK_TRY(status);
    if (run->json) {
        sk_auto_json json =
            json_pack("{s:I, s:I, s:I}", "entries", (json_int_t)result.entries, "items",
                      (json_int_t)result.items, "left", (json_int_t)result.left);

        SK_TRY(sk_out_json_line(json, err));
    }
    say_result(run, &result);
    return SK_OK;
}
