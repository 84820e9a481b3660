#include "cli/commands.h"
#include "cli/succeed.h"
#include "cli/unlock.h"
#include "sync/backup.h"

static void take_facts(void *context, const struct sk_remains_facts *facts)
{
    struct sk_succeed *succeed = context;

    succeed->facts = *facts;
}

static void advise(struct sk_run *run, enum sk_status status)
{
    if (status == SK_WRONG_KEY)
        sk_run_advise(run, "No store was made. A backup opens with what opened the store when it "
                           "was made, and with nothing else: the passphrase and key file of that "
                           "day, or the recovery words, if they opened the store then.");
    else if (status == SK_DAMAGED)
        sk_run_advise(run, "No store was made. Try another copy of the backup, or an older one.");
    else if (status == SK_IO && sk_is_folder(run->args[0]))
        sk_run_advise(run, "No store was made. Name the file of the backup.");
    else if (status == SK_IO)
        sk_run_advise(run,
                      "No store was made, and the backup is as it was. Try again; if it happens "
                      "again, copy the backup to another disk, or restore to another one.");
    else if (status == SK_FULL)
        sk_run_advise(run, "No store was made. Restoring needs room for the backup twice.");
}

static void say_next(const struct sk_run *run, const struct sk_invited *invited)
{
    sk_say(run->program->name,
           "What was withdrawn after this backup is back here: withdraw it again before you "
           "export. An archive that the withdrawal reached, or reaches later, keeps it erased.");
    if (invited->archive[0])
        sk_say(run->program->name,
               "%s was made. It sends to the archive %s, from the beginning: read the new safety "
               "number to it by telephone or in person.",
               run->dir, invited->archive);
    else
        sk_say(
            run->program->name,
            "%s was made. Ask each archive for a new invite and take it with 'receive FILE': the "
            "old ones are spent. Let nobody use the old store again.",
            run->dir);
}

enum sk_status sk_cmd_restore(struct sk_run *run, struct sk_error *err)
{
    sk_auto_given given = SK_GIVEN_INIT;
    sk_auto_invited invited = SK_INVITED_INIT;
    sk_auto_succeed succeed = {
        .run = run, .lines = SK_BUF_INIT, .saved_lines = SK_BUF_INIT, .invited = &invited};
    struct sk_store_options store = {.kind = SK_STORE_DEVICE, .name = ""};
    struct sk_succession_options options = {.store = &store,
                                            .also = sk_succeed_also,
                                            .also_context = &succeed,
                                            .loss = sk_succeed_loss,
                                            .loss_context = &succeed};

    SK_TRY(sk_run_dir(run, err));
    SK_TRY(sk_run_new_place(run, err));
    SK_TRY(sk_invited_new(run, &invited, err));
    SK_TRY(sk_given_ask(run, &given, err));
    sk_succeed_begin(&succeed);
    store.dir = run->dir;
    store.unlock = &given.unlock;
    store.words = sk_given_words(&given);
    store.insecure_kdf = sk_run_option(run, "--insecure-test-kdf") != NULL;

    sk_auto_bar bar;

    sk_bar_begin(&bar, "restoring");
    options.progress = &bar.progress;

    enum sk_status status = sk_restore(run->args[0], &options, &bar.progress, take_facts, &succeed,
                                       &succeed.result, err);

    advise(run, status);
    SK_TRY(status);
    sk_bar_end(&bar);
    SK_TRY(sk_succeed_report(&succeed, run->dir, err));
    say_next(run, &invited);
    sk_run_advise(run,
                  "%s is there and works. Keep the backup, and look for another one: what is "
                  "lost may still be in it, or at an archive.",
                  run->dir);
    return sk_succeed_end(&succeed, err);
}
