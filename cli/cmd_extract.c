#include "cli/commands.h"
#include "cli/items.h"
#include "core/record.h"

enum sk_status sk_cmd_extract(struct sk_run *run, struct sk_error *err)
{
    sk_auto_item item = {.title = NULL};
    sk_auto_bar bar;

    sk_bar_begin(&bar, "extracting");
    SK_TRY(sk_find_item(run, run->args[0], &item, err));
    enum sk_status status =
        sk_attachment_extract(run->store, &item, run->args[1], &bar.progress, err);
    if (status == SK_MISSING)
        sk_run_advise(run,
                      "A part of the store is missing: put its folder back as a whole. Nothing "
                      "was written, and the rest can be read.");
    SK_TRY(status);
    sk_bar_end(&bar);
    sk_say(run->program->name,
           "%s was written, and is as it was signed. It lies there unprotected.", run->args[1]);
    return SK_OK;
}
