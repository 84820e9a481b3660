#include "cli/commands.h"
#include "cli/items.h"
#include "sync/envelope.h"
#include "sync/import.h"
#include "sync/receipt.h"

enum sk_status sk_cmd_receipt(struct sk_run *run, struct sk_error *err)
{
    struct sk_log log;
    char code[SK_CODE_LEN];

    SK_TRY(sk_find_device(run, run->args[0], false, &log, err));
    SK_TRY(sk_receipt_write(run->store, log.id, run->args[1], code, err));
    sk_out("%s\n", code);
    sk_say(run->program->name,
           "%s goes back to %s, who takes it with 'skrynia receive'. Send the code another way.",
           run->args[1], log.alias);
    return SK_OK;
}
