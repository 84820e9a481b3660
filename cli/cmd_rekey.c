#include "cli/commands.h"
#include "cli/print.h"
#include "cli/unlock.h"
#include "core/rekey.h"
#include "core/slots.h"

/* The slots in use but the one that opened the store, "slot 2 (recovery words), slot 3
 * (passphrase)"; *kept is what that one is. */
static enum sk_status name_others(const struct sk_run *run, const char **kept, struct sk_buf *out,
                                  struct sk_error *err)
{
    struct sk_slot slots[SK_SLOT_COUNT];
    unsigned count = sk_slots(run->store, slots);

    for (unsigned i = 0; i < count; i++) {
        const char *kind = sk_slot_kind_name(slots[i].kind);

        if (slots[i].opened)
            *kept = kind;
        else
            SK_TRY(sk_buf_printf(out, err, "%sslot %u (%s)", out->len > 0 ? ", " : "",
                                 slots[i].number, kind));
    }
    return SK_OK;
}

/* Says what will open the store afterwards, and what will not; asks where that is a loss. */
static enum sk_status announce(const struct sk_run *run, struct sk_error *err)
{
    sk_auto_buf dropped = SK_BUF_INIT;
    const char *kept = "";
    bool yes = true;

    SK_TRY(name_others(run, &kept, &dropped, err));
    if (dropped.len == 0)
        return SK_OK;
    sk_say(run->program->name,
           "only what opened the store now will open it after this: the %s. These go, and can be "
           "added again: %s.",
           kept, sk_buf_text(&dropped));
    if (run->terminal)
        SK_TRY(sk_prompt_yes(&yes, "Go on? [y/N] ", false, err));
    return yes ? SK_OK : sk_prompt_cancel(err);
}

static void say_done(const struct sk_run *run, const struct sk_rekey *result)
{
    if (result->resumed)
        sk_say(
            run->program->name,
            "the rekey that was interrupted is complete: %llu further %s given new keys. For keys "
            "made today, run it again.",
            (unsigned long long)result->renewed,
            sk_plural(result->renewed, "file was", "files were"));
    else
        sk_say(
            run->program->name,
            "everything is under new keys. Copies of the folder and backups made before still "
            "open as they did, and show what was in it then: make new ones, and destroy the old.");
}

enum sk_status sk_cmd_rekey(struct sk_run *run, struct sk_error *err)
{
    sk_auto_given given = SK_GIVEN_INIT;
    struct sk_rekey result = {.resumed = false};
    uint64_t left = 0;
    sk_auto_bar bar;

    sk_bar_begin(&bar, "new keys");
    run->changes = true;
    SK_TRY(sk_run_enter(run, &given, err));
    SK_TRY(sk_rekey_left(run->store, &left, err));
    if (left == 0)
        SK_TRY(announce(run, err));

    enum sk_status status =
        sk_rekey(run->store, &given.unlock, sk_given_words(&given), &bar.progress, &result, err);

    sk_bar_end(&bar);
    if (status == SK_FULL)
        sk_run_advise(run,
                      "Nothing is lost, and the same passphrase opens the store. Make room, then "
                      "run 'rekey' again.");
    else if (status != SK_OK && status != SK_DAMAGED)
        sk_run_advise(run, "Nothing is lost, and the same passphrase opens the store. Run 'rekey' "
                           "again: it goes on where it was stopped.");
    SK_TRY(status);
    say_done(run, &result);
    if (result.unreadable == 0)
        return SK_OK;
    sk_run_advise(run, "They stay as they are; 'verify' names them.");
    return sk_fail(err, SK_DAMAGED, "%llu %s damaged and could not be given a new key",
                   (unsigned long long)result.unreadable,
                   sk_plural(result.unreadable, "file is", "files are"));
}
