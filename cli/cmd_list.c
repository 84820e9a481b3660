#include "cli/commands.h"
#include "cli/items.h"
#include "core/log.h"
#include "core/purge.h"

/* 0 for all types. */
static enum sk_status read_type(const struct sk_run *run, unsigned *type, struct sk_error *err)
{
    *type = run->arg_count > 0 ? sk_type_from_name(run->args[0]) : 0;
    if (run->arg_count > 0 && !sk_type_is_record(*type))
        return sk_fail(err, SK_USAGE,
                       "a type is person, case, event, testimony, source or consent");
    return SK_OK;
}

enum sk_status sk_check_list(struct sk_run *run, struct sk_error *err)
{
    unsigned type;

    return read_type(run, &type, err);
}

static enum sk_status see_log(void *context, const struct sk_log *log, struct sk_error *err)
{
    bool *empty = context;

    (void)err;
    *empty = *empty && log->size == 0;
    return SK_OK;
}

/* Where nothing is listed, all may have been withdrawn. */
static enum sk_status say_none(const struct sk_run *run, unsigned type, struct sk_error *err)
{
    const char *of = type != 0 ? " of this type" : "";
    bool empty = true;

    SK_TRY(sk_log_each(run->store, see_log, &empty, err));
    if (empty)
        sk_say(run->program->name, "nothing is recorded%s yet.", of);
    else
        sk_say(run->program->name, "nothing%s is here to list; withdrawn records are not listed.",
               of);
    return SK_OK;
}

enum sk_status sk_cmd_list(struct sk_run *run, struct sk_error *err)
{
    struct sk_item_list list;
    unsigned type;

    SK_TRY(read_type(run, &type, err));
    sk_item_list_begin(&list, run);
    SK_TRY(sk_item_each(run->store, type, sk_item_list_add, &list, err));
    SK_TRY(sk_purged_each(run->store, type, sk_item_list_add, &list, err));
    sk_item_list_end(&list);
    SK_TRY(sk_say_unlisted(run, err));
    return list.count == 0 ? say_none(run, type, err) : SK_OK;
}
