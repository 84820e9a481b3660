#include "cli/commands.h"
#include "cli/items.h"
#include "cli/prompt.h"
#include "core/revoke.h"
#include "core/text.h"

#include <string.h>

static enum sk_status read_from(const struct sk_run *run, uint64_t *from, struct sk_error *err)
{
    const char *text = sk_run_option(run, "--from");

    *from = SK_NOT_REVOKED;
    if (text && !sk_parse_number(text, SK_POSITION_MAX - 1, from))
        return sk_fail(err, SK_USAGE, "--from takes a position in the log, from 0");
    return SK_OK;
}

enum sk_status sk_check_revoke(struct sk_run *run, struct sk_error *err)
{
    uint64_t from;

    return read_from(run, &from, err);
}

/* Behind everything that is held: what came counts, what comes does not. */
static enum sk_status end_of(struct sk_store *store, int64_t log, uint64_t *end,
                             struct sk_error *err)
{
    sk_auto_ranges held = SK_RANGES_INIT;

    SK_TRY(sk_log_ranges(store, log, &held, err));
    *end = held.count > 0 ? held.items[held.count - 1].to : 0;
    return SK_OK;
}

static enum sk_status confirm(const struct sk_log *log, uint64_t from, uint64_t held,
                              struct sk_error *err)
{
    sk_auto_buf alias = SK_BUF_INIT;
    sk_auto_buf answer = SK_BUF_INIT;

    SK_TRY(sk_text_show(&alias, log->alias, strlen(log->alias), false, 0, err));
    sk_prompt_say("This revokes %s from position %llu on, for ever: nothing of its log there\n"
                  "is taken for its word any more, and the %llu %s held there get a mark.\n",
                  sk_buf_text(&alias), (unsigned long long)from, (unsigned long long)held,
                  sk_plural(held, "entry", "entries"));
    SK_TRY(sk_prompt_line(&answer, "Type revoke to go on: ", err));
    return strcmp(sk_buf_text(&answer), "revoke") == 0 ? SK_OK : sk_prompt_cancel(err);
}

static enum sk_status out_result(const struct sk_run *run, const struct sk_log *log, uint64_t from,
                                 uint64_t held, struct sk_error *err)
{
    if (run->json) {
        sk_auto_json json = json_pack("{s:s, s:I, s:I}", "device", log->alias, "revoked",
                                      (json_int_t)from, "held", (json_int_t)held);

        SK_TRY(sk_out_json_line(json, err));
    }
    sk_say(run->program->name,
           "\"%s\" is revoked from position %llu on. What comes of its log from there on goes to "
           "quarantine. The next 'receipt' tells the device.",
           log->alias, (unsigned long long)from);
    if (held > 0)
        sk_say(run->program->name,
               "%llu %s there came before: kept as evidence, and marked. What a withdrawal there "
               "erased in a log that continues this one, or that this one continues, comes again "
               "from that log's device once it has the next receipt.",
               (unsigned long long)held, sk_plural(held, "entry", "entries"));
    return SK_OK;
}

static enum sk_status check_state(const struct sk_log *log, struct sk_error *err)
{
    if (log->state != SK_LOG_STATE_WAITING)
        return SK_OK;
    return sk_fail(err, SK_REFUSED, "\"%s\" waits for approval, and nothing of it is taken",
                   log->alias);
}

enum sk_status sk_cmd_revoke(struct sk_run *run, struct sk_error *err)
{
    struct sk_log log;
    sk_auto_store_txn txn = NULL;
    uint64_t from;
    uint64_t before = SK_NOT_REVOKED;
    uint64_t held = 0;

    SK_TRY(read_from(run, &from, err));
    SK_TRY(sk_find_device(run, run->args[0], false, &log, err));
    SK_TRY(check_state(&log, err));
    SK_TRY(sk_log_revoked(run->store, log.id, &before, err));
    if (from == SK_NOT_REVOKED && before != SK_NOT_REVOKED)
        from = before;
    if (from == SK_NOT_REVOKED)
        SK_TRY(end_of(run->store, log.id, &from, err));
    SK_TRY(sk_log_held_from(run->store, log.id, from, &held, err));
    if (from == before) {
        sk_say(run->program->name, "it was revoked from there on before.");
        return out_result(run, &log, from, held, err);
    }
    if (run->terminal && from < before)
        SK_TRY(confirm(&log, from, held, err));
    SK_TRY(sk_store_begin(&txn, run->store, err));
    SK_TRY(sk_log_revoke(run->store, log.id, from, err));
    SK_TRY(sk_store_commit(&txn, err));
    return out_result(run, &log, from, held, err);
}
