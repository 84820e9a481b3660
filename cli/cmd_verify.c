#include "cli/commands.h"
#include "cli/print.h"
#include "cli/problems.h"
#include "core/lacking.h"
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

static enum sk_status print_json(const struct sk_problems *problems, uint64_t unproven,
                                 uint64_t lacking, struct sk_error *err)
{
    sk_auto_json result =
        json_pack("{s:b, s:O}", "ok", problems->count == 0, "problems", problems->list);

    if (unproven > 0)
        sk_json_put(&result, "unproven", json_integer((json_int_t)unproven));
    if (lacking > 0)
        sk_json_put(&result, "lacking", json_integer((json_int_t)lacking));
    return sk_out_json_line(result, err);
}

/* No damage of the store: it never had them. */
static void print_lacking(uint64_t lacking)
{
    if (lacking > 0)
        sk_out("The text or attachment of %llu %s lost in a damaged bundle. A 'receipt' asks for "
               "what is lacking.\n",
               (unsigned long long)lacking, sk_plural(lacking, "entry was", "entries was"));
}

static void print_good(uint64_t unproven)
{
    if (unproven == 0)
        sk_out("Everything is as it was signed.\n");
    else
        sk_out("Everything is as its log signed it, but %llu %s saved from damage by 'repair' or "
               "'restore', and nothing proved that %s signed before: 'show' and 'history' mark %s "
               "as \"saved without a proof\".\n",
               (unsigned long long)unproven, sk_plural(unproven, "entry was", "entries were"),
               sk_plural(unproven, "it had been", "they had been"),
               sk_plural(unproven, "it", "them"));
}

enum sk_status sk_cmd_verify(struct sk_run *run, struct sk_error *err)
{
    sk_auto_json list = run->json ? json_array() : NULL;
    struct sk_problems problems = {.list = list};
    uint64_t unproven = 0;
    uint64_t lacking = 0;
    sk_auto_bar bar;

    if (run->json && !list)
        return sk_fail_status(err, SK_NOMEM);
    sk_bar_begin(&bar, "verifying");
    SK_TRY(sk_verify_content(run->store, sk_problems_add, &problems, &bar.progress, err));
    SK_TRY(sk_verify_unproven(run->store, &unproven, err));
    SK_TRY(sk_lacking_count(run->store, &lacking, err));
    sk_bar_end(&bar);

    bool whole = problems.count == 0;

    SK_TRY(sk_verify_folder(run->store, sk_problems_add, &problems, err));
    if (problems.lost)
        return sk_fail_status(err, SK_NOMEM);
    if (run->json)
        SK_TRY(print_json(&problems, unproven, lacking, err));
    if (!run->json)
        print_lacking(lacking);
    if (problems.count == 0) {
        if (!run->json)
            print_good(unproven);
        return SK_OK;
    }
    if (whole) {
        sk_run_advise(run, "Nothing of the store is damaged. What to do with %s is said above.",
                      sk_plural(problems.count, "that file", "each of them"));
        return sk_fail(err, SK_DAMAGED, "%llu %s found that the store does not know",
                       (unsigned long long)problems.count,
                       sk_plural(problems.count, "file was", "files were"));
    }
    return sk_fail(err, SK_DAMAGED, "%llu %s found", (unsigned long long)problems.count,
                   sk_plural(problems.count, "problem was", "problems were"));
}
