#include "cli/commands.h"
#include "cli/succeed.h"

/* The key, whatever else `keys` has suffered. */
static enum sk_status unlock(struct sk_run *run, const struct sk_given *given,
                             struct sk_secret **key, uint8_t id[static SK_STORE_ID_LEN],
                             bool *insecure, bool *by_words, struct sk_error *err)
{
    const struct sk_store_options options = {.dir = run->dir,
                                             .kind = run->program->kind,
                                             .unlock = &given->unlock,
                                             .words = sk_given_words(given)};
    enum sk_status status = sk_store_key(&options, key, id, insecure, by_words, err);

    if (status == SK_MISSING || status == SK_DAMAGED)
        sk_run_advise(run, "%s Else 'restore' a backup.", SK_ADVICE_KEYS);
    return status;
}

static enum sk_status take_over(struct sk_run *run, const struct sk_given *given,
                                struct sk_succeed *succeed, struct sk_error *err)
{
    sk_auto_secret key = NULL;
    sk_auto_remains remains = NULL;
    uint8_t id[SK_STORE_ID_LEN];
    bool insecure = false;
    bool by_words = false;

    SK_TRY(unlock(run, given, &key, id, &insecure, &by_words, err));
    const struct sk_store_options store = {.dir = run->args[0],
                                           .kind = SK_STORE_DEVICE,
                                           .unlock = by_words ? NULL : &given->unlock,
                                           .words = sk_given_words(given),
                                           .name = "",
                                           .insecure_kdf = insecure};

    sk_auto_bar bar;

    sk_bar_begin(&bar, "repairing");
    const struct sk_succession_options options = {.store = &store,
                                                  .also = sk_succeed_also,
                                                  .also_context = succeed,
                                                  .loss = sk_succeed_loss,
                                                  .loss_context = succeed,
                                                  .progress = &bar.progress};
    enum sk_status status =
        sk_remains_open(&remains, run->dir, sk_secret_view(key), id, &bar.progress, err);

    if (status == SK_OK) {
        succeed->facts = *sk_remains_facts(remains);
        status = sk_succession(remains, &options, &succeed->result, err);
    }
    if (status == SK_DAMAGED || status == SK_MISSING)
        sk_run_advise(run,
                      "Nothing was changed, and no store was made: nothing could be saved. Keep "
                      "the folder as it is, and 'restore' a backup. 'list', 'show' and 'extract' "
                      "may still give parts.");
    SK_TRY(status);
    sk_bar_end(&bar);
    return SK_OK;
}

enum sk_status sk_cmd_repair(struct sk_run *run, struct sk_error *err)
{
    sk_auto_given given = SK_GIVEN_INIT;
    sk_auto_succeed succeed = {.run = run, .lines = SK_BUF_INIT, .saved_lines = SK_BUF_INIT};
    struct sk_dir_lock *lock = NULL;

    SK_TRY(sk_run_dir(run, err));
    if (!sk_file_exists(run->dir))
        return sk_fail(err, SK_MISSING, "%s: there is no store here", run->dir);
    /* The new store and what is needed while it is made must not be written into the damaged one.
     */
    if (sk_dir_holds(run->dir, run->args[0]))
        return sk_fail(err, SK_USAGE, "the new store must not stand in the damaged one");
    SK_TRY(sk_store_free_place(run->args[0], err));
    /* Nothing is written there, but somebody else might be writing. */
    if (sk_dir_lock(&lock, run->dir, run->wait_s, NULL) == SK_BUSY)
        return sk_fail(err, SK_BUSY, "%s is in use by another program", run->dir);

    enum sk_status status = sk_given_ask(run, &given, err);

    sk_succeed_begin(&succeed);
    if (status == SK_OK)
        status = take_over(run, &given, &succeed, err);
    sk_dir_unlock(lock);
    SK_TRY(status);
    SK_TRY(sk_succeed_report(&succeed, run->args[0], err));
    sk_say(run->program->name,
           "%s was made; %s was left as it is: keep it. Ask each archive for a new invite and take "
           "it in the new store with 'receive FILE'; let nobody use the old store again.",
           run->args[0], run->dir);
    sk_run_advise(run,
                  "%s is there and works. Keep %s and its backups: what is lost may still be "
                  "in them, or at an archive.",
                  run->args[0], run->dir);
    return sk_succeed_end(&succeed, err);
}
