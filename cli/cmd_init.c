#include "cli/commands.h"
#include "cli/invited.h"
#include "cli/print.h"
#include "cli/unlock.h"
#include "core/file.h"
#include "sync/invite.h"

/* What init was given, checked before anything is made. */
struct plan {
    struct sk_given given;
    struct sk_invited invited;
    bool insecure;
};

static void plan_clear(struct plan *plan)
{
    sk_given_clear(&plan->given);
    sk_invited_clear(&plan->invited);
}
#define auto_plan __attribute__((cleanup(plan_clear))) struct plan

/* An archive could never invite a device under a name that no invite can carry. */
static enum sk_status check_name(const char *name, struct sk_error *err)
{
    return name ? sk_invite_check_name(name, SK_USAGE, "the archive's name", err)
                : sk_fail(err, SK_USAGE, "an archive needs a --name");
}

static enum sk_status make_store(struct sk_run *run, struct plan *plan, struct sk_error *err)
{
    const char *name = sk_run_option(run, "--name");
    const struct sk_store_options options = {
        .dir = run->dir,
        .kind = run->program->kind,
        .unlock = &plan->given.unlock,
        .name = name ? name : "",
        .insecure_kdf = plan->insecure,
    };

    SK_TRY(sk_store_create(&options, err));

    enum sk_status status = sk_run_open(run, &plan->given, err);

    if (status == SK_OK)
        status = sk_invited_accept(run->store, &plan->invited, err);
    if (status != SK_OK) {
        (void)sk_store_close(run->store, NULL);
        run->store = NULL;
        sk_dir_discard(run->dir);
        sk_run_advise(run, "No store was made.");
    } else if (*plan->invited.archive) {
        sk_say(run->program->name, "this store sends to the archive %s.", plan->invited.archive);
    }
    return status;
}

static void say_made(const struct sk_run *run)
{
    const char *next = run->program->kind == SK_STORE_ARCHIVE
                           ? "'invite ALIAS FILE' lets a device send to it."
                       : sk_run_option(run, "--invite")
                           ? "Read the safety number to your archive by telephone or in person; "
                             "'add TYPE' records."
                           : "'receive FILE' takes an archive's invite, 'add TYPE' records.";

    sk_say(run->program->name, "%s was made. %s", run->dir, next);
    if (run->terminal)
        sk_say(run->program->name,
               "'slot add --recovery' makes twelve words for a paper, in case the "
               "passphrase is forgotten.");
}

enum sk_status sk_cmd_init(struct sk_run *run, struct sk_error *err)
{
    auto_plan plan = {.given = SK_GIVEN_INIT, .invited = SK_INVITED_INIT};
    char safety[SK_SAFETY_LEN];

    if (run->program->kind == SK_STORE_ARCHIVE)
        SK_TRY(check_name(sk_run_option(run, "--name"), err));
    plan.insecure = sk_run_option(run, "--insecure-test-kdf") != NULL;
    SK_TRY(sk_run_dir(run, err));
    SK_TRY(sk_run_new_place(run, err));
    SK_TRY(sk_invited_new(run, &plan.invited, err));
    SK_TRY(sk_given_ask_new(run, run->passphrase_fd, run->key_file, &plan.given, err));
    SK_TRY(make_store(run, &plan, err));
    sk_safety(safety, sk_store_id(run->store));
    sk_out("safety number: %s\n", safety);
    say_made(run);
    return SK_OK;
}
