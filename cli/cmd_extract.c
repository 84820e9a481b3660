#include "cli/commands.h"
#include "cli/items.h"
#include "core/record.h"

#include <string.h>

enum sk_status sk_cmd_extract(struct sk_run *run, struct sk_error *err)
{
    sk_auto_item item = {.title = NULL};
    sk_auto_bar bar;
    bool one = true;

    sk_bar_begin(&bar, "extracting");
    SK_TRY(sk_find_item(run, run->args[0], &item, err));
    if (!strchr(run->args[0], '@'))
        SK_TRY(sk_attachment_is_one(run->store, &item, &one, err));
    if (!one) {
        sk_run_advise(run, "Nothing was written. Write ID@DEVICE: 'devices' names them, and 'show' "
                           "says in whose log an attachment stands apart.");
        return sk_fail(err, SK_USAGE, "devices have different attachments under this id");
    }

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
