#include "cli/commands.h"
#include "cli/items.h"
#include "core/record.h"

enum sk_status sk_cmd_attach(struct sk_run *run, struct sk_error *err)
{
    sk_auto_item item = {.title = NULL};
    sk_auto_bar bar;
    struct sk_id id;
    char text[SK_ID_TEXT_LEN];

    sk_bar_begin(&bar, "attaching");
    SK_TRY(sk_find_record(run, run->args[0], &item, err));
    SK_TRY(sk_attachment_add(run->store, &item, run->args[1], &bar.progress, &id, err));
    sk_bar_end(&bar);
    sk_id_format(text, &id);
    sk_out("%s\n", text);
    sk_say(run->program->name, "an encrypted copy was kept; %s still lies where it was.",
           run->args[1]);
    return SK_OK;
}
