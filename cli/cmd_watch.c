/*
 * `watch DIR`: imports what appears in a folder. Between two rounds of importing the archive is
 * closed, and what stays in memory of its keys is what was typed to open it.
 */
#include "cli/commands.h"
#include "cli/imported.h"
#include "cli/stopped.h"
#include "cli/unlock.h"
#include "core/file_watch.h"
#include "sync/inbox.h"

#include <time.h>

#define RESCAN_MS   5000  /* the folder is looked at that often where no change is told of */
#define CALM_MS     250   /* and not more often than that where many are */
#define HOLD_MS     10000 /* how long others have to wait for the archive, apart from one bundle */
#define LET_GO_MS   200   /* time for others to take it: longer than they sleep between tries */
#define BUSY_WAIT_S 1

struct watch {
    struct sk_run *run;
    const struct sk_worker *worker;
    const struct sk_given *given;
    struct sk_inbox *inbox;
    struct sk_notice *notice;
    bool opened; /* at least once */
    bool busy;   /* it was said that another program uses the archive */
    bool gone;   /* the folder */
    bool overflows;
    enum sk_status closed;  /* what closing gave last */
    enum sk_status trouble; /* why the archive does not open */
    unsigned delay_ms;      /* until it is tried again */
    uint64_t due_ms;
};

static uint64_t now_ms(void)
{
    struct timespec now = {0, 0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void pause_ms(unsigned ms)
{
    const struct timespec pause = {ms / 1000, (long)(ms % 1000) * 1000000};

    (void)nanosleep(&pause, NULL);
}

static enum sk_status no_entry(void *context, const char *name, struct sk_error *err)
{
    (void)context, (void)name, (void)err;
    return SK_OK;
}

enum sk_status sk_check_watch(struct sk_run *run, struct sk_error *err)
{
    const char *dir = run->args[0];
    sk_auto_free char *inside = NULL;

    SK_TRY(sk_check_sandbox(run, err));
    SK_TRY(sk_dir_each(dir, no_entry, NULL, err));
    SK_TRY(sk_run_dir(run, err));
    SK_TRY(sk_path_join(&inside, dir, "x", err));
    if (!sk_dir_holds(run->dir, inside))
        return SK_OK;
    sk_run_advise(run, "Nothing was changed. Watch a folder where bundles arrive.");
    return sk_fail(err, SK_USAGE, "%s is the archive's own folder", dir);
}

/* ---- one file ---- */

static const char *advice_for(enum sk_inbox_outcome outcome, enum sk_status status)
{
    if (outcome == SK_INBOX_LATER)
        return status == SK_FULL ? "Make room; it is tried again." : "It is tried again.";
    if (status == SK_CONFIG)
        return "Nothing of this file was taken in; keep it until this program is renewed.";
    if (status == SK_LIMIT)
        return SK_BEYOND_LIMIT;
    if (status == SK_REFUSED) /* the reason says what to ask for */
        return "Nothing of this file was taken in; keep it. It is looked at again when it changes.";
    return "Nothing of this file was taken in; keep it, and ask for it again. It is looked at "
           "again when it changes.";
}

/* Whether it was the file: its content does not get better by waiting. */
static enum sk_inbox_outcome outcome_of(enum sk_status status, bool no_sandbox)
{
    switch (status) {
    case SK_OK:
        return SK_INBOX_TAKEN;
    case SK_MISSING:
        return SK_INBOX_GONE;
    case SK_DAMAGED:
    case SK_REFUSED:
    case SK_LIMIT:
        return SK_INBOX_REFUSED;
    case SK_CONFIG:
        return no_sandbox ? SK_INBOX_LATER : SK_INBOX_REFUSED;
    default:
        return SK_INBOX_LATER;
    }
}

static enum sk_status import_opened(const struct watch *w, struct sk_file *file,
                                    struct sk_import_result *result, struct sk_error *err)
{
    sk_auto_bar bar;

    sk_bar_begin(&bar, "importing");
    return sk_import_open(w->run->store, file, w->worker, &bar.progress, result, err);
}

static enum sk_status import_one(struct watch *w, struct sk_inbox_file *entry, struct sk_error *err)
{
    struct sk_import_result result = {.log = 0};
    struct sk_error reason = SK_ERROR_INIT;
    const char *path = sk_inbox_path(entry);
    sk_auto_file file = NULL;
    enum sk_status printed = SK_OK;
    enum sk_status status = sk_inbox_open(entry, &file, &reason);

    if (status == SK_OK)
        status = import_opened(w, file, &result, &reason);

    const char *no_sandbox = w->worker && status == SK_CONFIG ? sk_sandbox_advice() : NULL;
    enum sk_inbox_outcome outcome = outcome_of(status, no_sandbox != NULL);

    if (sk_inbox_settle(entry, outcome, status, now_ms())) {
        if (status != SK_OK)
            sk_imported_say_failure(w->run, path, status, &reason,
                                    no_sandbox ? no_sandbox : advice_for(outcome, status));
        if (w->run->json)
            printed = sk_imported_json(NULL, path, status, &result, err);
        else if (status == SK_OK)
            printed = sk_imported_text(path, &result, err);
    }
    sk_import_result_clear(&result);
    SK_TRY(printed);
    return sk_out_flush(err);
}

/* ---- the archive ---- */

/* Whether it may open later, without anybody's doing or after somebody made room. */
static bool passes(enum sk_status status)
{
    return status == SK_FULL || status == SK_IO || status == SK_NOMEM;
}

/* Said once; tried again after a while that gets longer. */
static void put_off(struct watch *w, enum sk_status status, const struct sk_error *reason)
{
    if (w->trouble != status)
        sk_say(w->run->program->name, "the archive cannot be opened: %s. %sit is tried again.",
               reason->text[0] ? reason->text : sk_status_text(status),
               status == SK_FULL ? "Make room; " : "Nothing is lost; ");
    w->trouble = status;
    w->delay_ms = w->delay_ms == 0 ? SK_INBOX_RETRY_MS : 2 * w->delay_ms;
    if (w->delay_ms > SK_INBOX_RETRY_MAX_MS)
        w->delay_ms = SK_INBOX_RETRY_MAX_MS;
    w->due_ms = now_ms() + w->delay_ms;
}

static enum sk_status try_open(struct watch *w, struct sk_error *err)
{
    if (w->opened)
        return sk_run_open_again(w->run, w->given, err);
    return sk_run_open(w->run, w->given, err);
}

/* Later than the first time: waits for other programs as long as it takes. run->store stays NULL
 * when it is put off. */
static enum sk_status open_archive(struct watch *w, struct sk_error *err)
{
    for (;;) {
        struct sk_error reason = SK_ERROR_INIT;
        enum sk_status status = try_open(w, &reason);

        if (status == SK_OK) {
            w->opened = true;
            w->busy = false;
            w->trouble = SK_OK;
            w->delay_ms = 0;
            return SK_OK;
        }
        if (!w->opened || (status != SK_BUSY && !passes(status)))
            return sk_fail(err, status, "%s", reason.text);
        w->run->advice[0] = '\0';
        if (status != SK_BUSY) {
            put_off(w, status, &reason);
            return SK_OK;
        }
        if (!w->busy)
            sk_say(w->run->program->name, "%s. It is waited for.", reason.text);
        w->busy = true;
    }
}

/* What was saved is safe whatever closing says; a disk that is full is told of once. */
static enum sk_status close_archive(struct watch *w, struct sk_error *err)
{
    struct sk_error closing = SK_ERROR_INIT;
    enum sk_status before = w->closed;

    w->closed = sk_store_close(w->run->store, &closing);
    w->run->store = NULL;
    if (w->closed == SK_OK)
        return SK_OK;
    if (!passes(w->closed))
        return sk_fail(err, w->closed, "%s", closing.text);
    if (w->closed != before)
        sk_say(w->run->program->name, "warning: %s. What was saved is safe.", closing.text);
    return SK_OK;
}

/* Opens, imports what is to be imported now, and closes. */
static enum sk_status take_round(struct watch *w, struct sk_error *err)
{
    struct sk_inbox_file *file = NULL;
    enum sk_status status = SK_OK;

    SK_TRY(open_archive(w, err));
    if (!w->run->store)
        return SK_OK;

    uint64_t until = now_ms() + HOLD_MS;

    while (status == SK_OK && now_ms() < until && (file = sk_inbox_next(w->inbox, now_ms())))
        status = import_one(w, file, err);

    enum sk_status closed = close_archive(w, err);

    pause_ms(LET_GO_MS);
    return status != SK_OK ? status : closed;
}

/* ---- the folder ---- */

static enum sk_status look(struct watch *w, struct sk_error *err)
{
    struct sk_error reason = SK_ERROR_INIT;
    enum sk_status status = sk_inbox_look(w->inbox, now_ms(), &reason);
    const char *dir = w->run->args[0];

    if (status != SK_OK && status != SK_MISSING && status != SK_IO)
        return sk_fail(err, status, "%s", reason.text);
    if (status != SK_OK && !w->gone)
        sk_say(w->run->program->name, "%s. It is waited for; nothing of the archive is lost.",
               reason.text);
    if (status == SK_OK && w->gone)
        sk_say(w->run->program->name, "%s is there again.", dir);
    w->gone = status != SK_OK;
    if (sk_inbox_overflows(w->inbox) && !w->overflows)
        sk_say(w->run->program->name,
               "warning: %s has more than %d files. Those beyond are not looked at: move away what "
               "was imported.",
               dir, SK_INBOX_FILES_MAX);
    w->overflows = sk_inbox_overflows(w->inbox);
    return SK_OK;
}

/* While the archive does not open, files that are due wait with it. */
static unsigned pause_of(const struct watch *w)
{
    uint64_t now = now_ms();
    uint64_t pause = sk_inbox_pause_ms(w->inbox, now, RESCAN_MS);

    if (w->gone)
        return RESCAN_MS;
    if (w->due_ms > now && pause < w->due_ms - now)
        pause = w->due_ms - now;
    if (pause > RESCAN_MS)
        pause = RESCAN_MS;
    return (unsigned)pause;
}

static enum sk_status go_on(struct watch *w, struct sk_error *err)
{
    for (;;) {
        SK_TRY(look(w, err));
        if (!w->gone && now_ms() >= w->due_ms && sk_inbox_next(w->inbox, now_ms())) {
            SK_TRY(take_round(w, err));
            continue;
        }
        pause_ms(CALM_MS);
        sk_notice_wait(w->notice, pause_of(w));
    }
}

enum sk_status sk_cmd_watch(struct sk_run *run, struct sk_error *err)
{
    sk_auto_given given = SK_GIVEN_INIT;
    sk_auto_inbox inbox = NULL;
    sk_auto_notice notice = NULL;
    const char *dir = run->args[0];

    run->changes = true;
    SK_TRY(sk_run_find(run, &given, err));
    SK_TRY(sk_inbox_new(&inbox, dir, err));
    SK_TRY(sk_notice_new(&notice, dir, err));

    struct watch w = {.run = run,
                      .worker = sk_run_worker(run),
                      .given = &given,
                      .inbox = inbox,
                      .notice = notice};

    /* A wrong passphrase is told at once, not when the first bundle comes. */
    SK_TRY(open_archive(&w, err));
    SK_TRY(close_archive(&w, err));
    run->wait_s = BUSY_WAIT_S; /* again and again */
    sk_stopped_watching(run->program->name);
    sk_say(run->program->name, "watching %s. Ctrl-C ends it.", dir);
    return go_on(&w, err);
}
