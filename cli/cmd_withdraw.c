#include "cli/commands.h"
#include "cli/items.h"
#include "cli/prompt.h"
#include "core/record.h"
#include "core/text.h"

#include <string.h>

static enum sk_status confirm(const struct sk_item *item, struct sk_error *err)
{
    sk_auto_buf shown = SK_BUF_INIT;
    sk_auto_buf answer = SK_BUF_INIT;
    const char *title = item->title ? item->title : "";

    if (item->purged)
        title = "(purged here)";
    SK_TRY(sk_text_show(&shown, title, strlen(title), false, 0, err));
    sk_prompt_say("This erases for ever, here and in every archive that learns of it: %s %s\n"
                  "With a record go its attachments and links. The log keeps that something\n"
                  "was there.\n",
                  sk_type_name(item->type), sk_buf_text(&shown));
    SK_TRY(sk_prompt_line(&answer, "Type withdraw to go on: ", err));
    return strcmp(sk_buf_text(&answer), "withdraw") == 0 ? SK_OK : sk_prompt_cancel(err);
}

enum sk_status sk_cmd_withdraw(struct sk_run *run, struct sk_error *err)
{
    sk_auto_item item = {.title = NULL};
    sk_auto_store_txn txn = NULL;
    unsigned count = 0;

    SK_TRY(sk_find_item(run, run->args[0], &item, err));
    if (run->terminal && !item.erased)
        SK_TRY(confirm(&item, err));
    SK_TRY(sk_store_begin(&txn, run->store, err));
    SK_TRY(sk_record_withdraw(run->store, &item, &count, err));
    SK_TRY(sk_store_commit(&txn, err));
    sk_say(run->program->name,
           "%u %s withdrawn and erased here. Export, so that the archives erase too.", count,
           sk_plural(count, "thing was", "things were"));
    return SK_OK;
}
