#include "cli/commands.h"
#include "cli/input.h"
#include "cli/items.h"
#include "cli/prompt.h"
#include "core/purge.h"

#include <string.h>
#include <unistd.h>

enum sk_status sk_check_search(struct sk_run *run, struct sk_error *err)
{
    return sk_input_refuse_args(run, 0, err);
}

/* What to search for, from the arguments, the terminal or a line of standard input. */
static enum sk_status read_text(const struct sk_run *run, struct sk_buf *out, struct sk_error *err)
{
    sk_auto_line line = SK_LINE_INIT;

    if (run->terminal)
        return sk_prompt_line(out, "Search for: ", err);
    for (int i = 0; i < run->arg_count; i++) {
        SK_TRY(sk_buf_add_text(out, i > 0 ? " " : "", err));
        SK_TRY(sk_buf_add_text(out, run->args[i], err));
    }
    if (run->arg_count > 0)
        return SK_OK;
    SK_TRY(sk_line_from_fd(&line, STDIN_FILENO, err));
    return sk_buf_add_text(out, sk_line_text(&line), err);
}

static enum sk_status count_item(void *context, const struct sk_item *item, struct sk_error *err)
{
    uint64_t *count = context;

    (void)item, (void)err;
    ++*count;
    return SK_OK;
}

/* What was purged has no words any more, and is not what was not found. */
static enum sk_status say_purged(const struct sk_run *run, struct sk_error *err)
{
    uint64_t count = 0;

    SK_TRY(sk_purged_each(run->store, 0, count_item, &count, err));
    if (count > 0)
        sk_say(run->program->name, "%llu %s purged here and cannot be searched.",
               (unsigned long long)count, sk_plural(count, "record was", "records were"));
    return SK_OK;
}

enum sk_status sk_cmd_search(struct sk_run *run, struct sk_error *err)
{
    sk_auto_buf text = SK_BUF_INIT;
    struct sk_item_list list;

    SK_TRY(read_text(run, &text, err));
    sk_item_list_begin(&list, run);
    SK_TRY(sk_item_search(run->store, sk_buf_text(&text), sk_item_list_add, &list, err));
    sk_item_list_end(&list);
    SK_TRY(sk_say_unlisted(run, err));
    if (list.count == 0)
        sk_say(run->program->name, "nothing found.");
    return say_purged(run, err);
}
