#include "cli/commands.h"
#include "cli/items.h"
#include "core/record.h"

enum sk_status sk_cmd_link(struct sk_run *run, struct sk_error *err)
{
    sk_auto_item source = {.title = NULL};
    sk_auto_item target = {.title = NULL};
    sk_auto_store_txn txn = NULL;
    struct sk_id id;
    char text[SK_ID_TEXT_LEN];

    SK_TRY(sk_find_record(run, run->args[0], &source, err));
    SK_TRY(sk_find_record(run, run->args[2], &target, err));
    if (source.row == target.row)
        return sk_fail(err, SK_REFUSED, "a record is not linked to itself");
    SK_TRY(sk_store_begin(&txn, run->store, err));
    SK_TRY(sk_link_add(run->store, &source, run->args[1], &target, &id, err));
    SK_TRY(sk_store_commit(&txn, err));
    sk_id_format(text, &id);
    sk_out("%s\n", text);
    return SK_OK;
}
