#include "cli/commands.h"
#include "cli/print.h"
#include "cli/unlock.h"
#include "core/file.h"
#include "sync/invite.h"

#include <string.h>

/* What init was given, checked before anything is made. */
struct plan {
    struct sk_given given;
    struct sk_buf invite; /* the file; empty without one */
    struct sk_line code;
    bool insecure;
};

static void plan_clear(struct plan *plan)
{
    sk_given_clear(&plan->given);
    sk_buf_clear(&plan->invite);
    sk_line_clear(&plan->code);
}
#define auto_plan __attribute__((cleanup(plan_clear))) struct plan

/* The invite is opened before the store is made, so that wrong words leave nothing behind. */
static enum sk_status read_invite(struct sk_run *run, struct plan *plan, struct sk_error *err)
{
    const char *path = sk_run_option(run, "--invite");
    sk_auto_invite invite = {0};

    if (!path && sk_run_option(run, "--code-fd"))
        return sk_fail(err, SK_USAGE, "--code-fd belongs to --invite");
    if (!path)
        return SK_OK;
    SK_TRY(sk_invite_load(run, &plan->invite, path, err));
    SK_TRY(sk_code_ask(run, &plan->code, err));

    enum sk_status status = sk_invite_open(&invite, plan->invite.bytes, plan->invite.len,
                                           sk_line_text(&plan->code), err);

    if (status == SK_WRONG_KEY)
        sk_run_advise(run, "No store was made. Check the eight words; if they are right, the file "
                           "is damaged and has to be sent again.");
    else if (status != SK_OK)
        sk_run_advise(run, "No store was made. Check that this is the invite's file.");
    return status;
}

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
    char archive[SK_ALIAS_MAX + 1];

    SK_TRY(sk_store_create(&options, err));

    enum sk_status status = sk_run_open(run, &plan->given, err);

    if (status == SK_OK && plan->invite.len > 0) {
        status = sk_invite_accept(run->store, plan->invite.bytes, plan->invite.len,
                                  sk_line_text(&plan->code), archive, err);
        if (status == SK_OK)
            sk_say(run->program->name, "this store sends to the archive %s.", archive);
    }
    if (status != SK_OK) {
        (void)sk_store_close(run->store, NULL);
        run->store = NULL;
        sk_dir_discard(run->dir);
        sk_run_advise(run, "No store was made.");
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
    auto_plan plan = {.given = SK_GIVEN_INIT, .invite = SK_BUF_INIT, .code = SK_LINE_INIT};
    char safety[SK_SAFETY_LEN];

    if (run->program->kind == SK_STORE_ARCHIVE)
        SK_TRY(check_name(sk_run_option(run, "--name"), err));
    plan.insecure = sk_run_option(run, "--insecure-test-kdf") != NULL;
    SK_TRY(sk_run_dir(run, err));
    SK_TRY(sk_run_new_place(run, err));
    SK_TRY(read_invite(run, &plan, err));
    SK_TRY(sk_given_ask_new(run, run->passphrase_fd, run->key_file, &plan.given, err));
    SK_TRY(make_store(run, &plan, err));
    sk_safety(safety, sk_store_id(run->store));
    sk_out("safety number: %s\n", safety);
    say_made(run);
    return SK_OK;
}
