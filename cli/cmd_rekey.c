#include "cli/commands.h"
#include "cli/print.h"
#include "cli/unlock.h"
#include "core/rekey.h"
#include "core/slots.h"

#define DAMAGED_WORDS "%llu %s damaged or missing and could not be given a new key"
#define DAMAGED(result) \
    (unsigned long long)(result)->damaged, sk_plural((result)->damaged, "file is", "files are")

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

/* What is said of a run that came to its end. */
static void say_done(const struct sk_run *run, const struct sk_rekey *result)
{
    const char *what = result->damaged + result->unread > 0 ? "everything else" : "everything";

    if (result->resumed && result->unread == 0)
        sk_say(
            run->program->name,
            "the rekey that was interrupted is complete: %llu further %s given new keys. For keys "
            "made today, run it again.",
            (unsigned long long)result->renewed,
            sk_plural(result->renewed, "file was", "files were"));
    else if (!result->resumed)
        sk_say(run->program->name,
               "%s is under new keys. Copies of the folder%s made before still "
               "open as they did, and show what was in it then: make new ones, and destroy the "
               "old.",
               what, sk_run_has_command(run, "backup") ? " and backups" : "");
    if (result->damaged > 0 && result->unread > 0)
        sk_say(run->program->name, DAMAGED_WORDS, DAMAGED(result));
}

static void advise(struct sk_run *run, enum sk_status status, const struct sk_rekey *result)
{
    if (sk_store_left_copies(run->store)) /* it is complete: what is said of other commands holds */
        return;
    if (result->unread > 0)
        sk_run_advise(
            run,
            "Nothing is lost. Run 'rekey' again: it tries them again. Where the disk itself gives "
            "this error, copy the whole folder to another disk and run it there%s.",
            sk_run_has_command(run, "withdraw") ? ", or 'withdraw' the attachment" : "");
    else if (status == SK_FULL)
        sk_run_advise(run,
                      "Nothing is lost, and the same passphrase opens the store. Make room, then "
                      "run 'rekey' again.");
    else if (status != SK_OK && status != SK_DAMAGED)
        sk_run_advise(run, "Nothing is lost, and the same passphrase opens the store. Run 'rekey' "
                           "again: it goes on where it was stopped.");
}

enum sk_status sk_cmd_rekey(struct sk_run *run, struct sk_error *err)
{
    sk_auto_given given = SK_GIVEN_INIT;
    struct sk_rekey result = {.resumed = false};
    struct sk_error why = SK_ERROR_INIT;
    uint64_t left = 0;
    sk_auto_bar bar;

    sk_bar_begin(&bar, "new keys");
    run->changes = true;
    SK_TRY(sk_run_enter(run, &given, err));
    SK_TRY(sk_rekey_left(run->store, &left, err));
    if (left == 0)
        SK_TRY(announce(run, err));

    enum sk_status status =
        sk_rekey(run->store, &given.unlock, sk_given_words(&given), &bar.progress, &result, &why);

    sk_bar_end(&bar);
    advise(run, status, &result);
    if (status == SK_OK || result.unread > 0)
        say_done(run, &result);
    if (result.unread > 0)
        return sk_fail(err, status, "%llu %s not be read and %s still under the old key: %s",
                       (unsigned long long)result.unread,
                       sk_plural(result.unread, "file could", "files could"),
                       sk_plural(result.unread, "is", "are"), why.text);
    if (status != SK_OK)
        return sk_fail(err, status, "%s", why.text);
    if (result.damaged == 0)
        return SK_OK;
    sk_run_advise(run, "What is damaged stays as it is; 'verify' names it.");
    return sk_fail(err, SK_DAMAGED, DAMAGED_WORDS, DAMAGED(&result));
}
