#include "cli/commands.h"
#include "cli/imported.h"
#include "cli/items.h"
#include "cli/prompt.h"
#include "cli/unlock.h"

struct approving {
    struct sk_run *run;
    struct sk_out_array array;
    uint64_t count; /* imported: one that makes a fork stays in quarantine, and ends it */
};

static enum sk_status add_result(void *context, const struct sk_import_result *result,
                                 struct sk_error *err)
{
    struct approving *approving = context;

    approving->count += !result->fork;
    if (approving->run->json)
        return sk_imported_json(&approving->array, NULL, SK_OK, result, err);
    return sk_imported_text(NULL, result, err);
}

static enum sk_status confirm(const struct sk_log *log, struct sk_error *err)
{
    char safety[SK_SAFETY_LEN];
    bool yes = false;

    sk_safety(safety, log->log_id);
    sk_prompt_say("Its safety number is\n\n    %s\n\nIts owner reads the same one with "
                  "'skrynia status'. Compare by telephone or in person.\n",
                  safety);
    SK_TRY(sk_prompt_yes(&yes, "Are they equal? [y/N] ", false, err));
    return yes ? SK_OK : sk_prompt_cancel(err);
}

enum sk_status sk_cmd_approve(struct sk_run *run, struct sk_error *err)
{
    struct approving approving = {.run = run};
    struct sk_log log;
    const struct sk_worker *worker = sk_run_worker(run);

    SK_TRY(sk_find_device(run, run->args[0], true, &log, err));
    if (run->terminal)
        SK_TRY(confirm(&log, err));
    if (run->json)
        sk_out_array_begin(&approving.array);
    SK_TRY(sk_approve(run->store, log.id, worker, add_result, &approving, err));
    if (run->json)
        sk_out_array_end(&approving.array);
    sk_say(run->program->name, "approved; %llu %s imported.", (unsigned long long)approving.count,
           sk_plural(approving.count, "waiting bundle was", "waiting bundles were"));
    sk_say(
        run->program->name,
        "warning: two devices now use the keys of one invite, and a bundle of one can be refused "
        "after one of the other. Give each an invite of its own, with a new store.");
    return SK_OK;
}
