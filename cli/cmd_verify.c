#include "cli/commands.h"
#include "cli/print.h"
#include "cli/problems.h"
#include "core/verify.h"

void sk_problems_add(void *context, const char *sentence)
{
    struct sk_problems *problems = context;

    problems->count++;
    if (!problems->list) {
        problems->lost |= sk_out_text(sentence, NULL) != SK_OK;
        sk_out("\n");
        return;
    }
    problems->lost |= json_array_append_new(problems->list, json_string(sentence)) != 0;
}

static enum sk_status print_json(const struct sk_problems *problems, struct sk_error *err)
{
    sk_auto_json result =
        json_pack("{s:b, s:O}", "ok", problems->count == 0, "problems", problems->list);

    return sk_out_json_line(result, err);
}

enum sk_status sk_cmd_verify(struct sk_run *run, struct sk_error *err)
{
    sk_auto_json list = run->json ? json_array() : NULL;
    struct sk_problems problems = {.list = list};
    sk_auto_bar bar;

    sk_bar_begin(&bar, "verifying");
    SK_TRY(sk_verify_content(run->store, sk_problems_add, &problems, &bar.progress, err));
    sk_bar_end(&bar);

    bool whole = problems.count == 0;

    SK_TRY(sk_verify_folder(run->store, sk_problems_add, &problems, err));
    if (problems.lost)
        return sk_fail_status(err, SK_NOMEM);
    if (run->json)
        SK_TRY(print_json(&problems, err));
    if (problems.count == 0) {
        if (!run->json)
            sk_out("Everything is as it was signed.\n");
        return SK_OK;
    }
    if (whole) {
        sk_run_advise(run,
                      "What the store has is as it was signed. What to do with %s stands there.",
                      sk_plural(problems.count, "that file", "each of them"));
        return sk_fail(err, SK_DAMAGED, "%llu %s found that the store does not know",
                       (unsigned long long)problems.count,
                       sk_plural(problems.count, "file was", "files were"));
    }
    return sk_fail(err, SK_DAMAGED, "%llu %s found", (unsigned long long)problems.count,
                   sk_plural(problems.count, "problem was", "problems were"));
}
