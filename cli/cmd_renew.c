#include "cli/commands.h"
#include "cli/print.h"
#include "cli/prompt.h"
#include "cli/unlock.h"
#include "core/text.h"
#include "sync/import.h"
#include "sync/renew.h"

#include <string.h>

enum step {
    RENEW,
    LOOK,
    FORGET,
};

static enum step step_of(const struct sk_run *run)
{
    return sk_run_option(run, "--look") ? LOOK : sk_run_option(run, "--forget") ? FORGET : RENEW;
}

enum sk_status sk_check_renew(struct sk_run *run, struct sk_error *err)
{
    bool look = sk_run_option(run, "--look") != NULL;
    bool forget = sk_run_option(run, "--forget") != NULL;

    run->changes = !look;
    if (look && forget)
        return sk_fail(err, SK_USAGE, "--look changes nothing, and --forget does");
    if (sk_run_option(run, "--leave-devices-behind") && !forget)
        return sk_fail(err, SK_USAGE, "--leave-devices-behind belongs to --forget");
    return SK_OK;
}

/* ---- how far it is ---- */

/* Who has not taken the newest keys, as lines and for --json. */
struct progress {
    struct sk_store *store;
    struct sk_buf waited;  /* for whom forgetting waits */
    struct sk_buf others;  /* and for whom it does not, with the reason */
    struct sk_buf late;    /* who has them, with entries before that have not come */
    json_t *on_their_way;  /* aliases of these */
    json_t *not_taken;     /* aliases of the first */
    json_t *left_behind;   /* of those that only know forgotten keys */
    uint64_t waited_count; /* of the first */
};

static void progress_clear(struct progress *progress)
{
    sk_buf_clear(&progress->waited);
    sk_buf_clear(&progress->others);
    sk_buf_clear(&progress->late);
    json_decref(progress->on_their_way);
    json_decref(progress->not_taken);
    json_decref(progress->left_behind);
}
#define auto_progress __attribute__((cleanup(progress_clear))) struct progress

static enum sk_status add_line(struct sk_buf *out, const struct sk_keys_device *device,
                               const char *why, struct sk_error *err)
{
    SK_TRY(sk_buf_add_text(out, "    ", err));
    SK_TRY(sk_text_show(out, device->alias, strlen(device->alias), false, 0, err));
    if (device->log == 0)
        SK_TRY(sk_buf_add_text(out, ", which was invited and has sent nothing", err));
    return sk_buf_printf(out, err, "%s\n", why);
}

static enum sk_status add_alias(json_t *list, const char *alias, struct sk_error *err)
{
    return json_array_append_new(list, json_string(alias)) == 0 ? SK_OK
                                                                : sk_fail_status(err, SK_NOMEM);
}

/* What a device has sealed to the old keys stands in its log before what it sealed to the next, but
 * for what was asked for again: so most of what is on its way is a gap. */
static enum sk_status add_late(struct progress *progress, const struct sk_keys_device *device,
                               struct sk_error *err)
{
    sk_auto_ranges gaps = SK_RANGES_INIT;
    sk_auto_buf why = SK_BUF_INIT;

    if (device->log != 0)
        SK_TRY(sk_log_gaps(progress->store, device->log, &gaps, err));
    if (gaps.count == 0)
        return SK_OK;
    SK_TRY(add_alias(progress->on_their_way, device->alias, err));
    SK_TRY(sk_buf_printf(&why, err, ": %llu %s not come",
                         (unsigned long long)sk_ranges_total(&gaps),
                         sk_plural(sk_ranges_total(&gaps), "entry has", "entries have")));
    return add_line(&progress->late, device, sk_buf_text(&why), err);
}

static enum sk_status add_device(void *context, const struct sk_keys_device *device,
                                 struct sk_error *err)
{
    struct progress *progress = context;

    if (device->state == SK_KEYS_TAKEN)
        return add_late(progress, device, err);
    if (device->state == SK_KEYS_LOST) {
        SK_TRY(add_alias(progress->left_behind, device->alias, err));
        return add_line(&progress->others, device, " (left behind: its keys are forgotten)", err);
    }
    if (device->revoked)
        return add_line(&progress->others, device, " (revoked: not waited for)", err);
    progress->waited_count++;
    SK_TRY(add_alias(progress->not_taken, device->alias, err));
    return add_line(&progress->waited, device, "", err);
}

static enum sk_status find_progress(struct sk_run *run, struct progress *out, struct sk_error *err)
{
    out->store = run->store;
    out->on_their_way = json_array();
    out->not_taken = json_array();
    out->left_behind = json_array();
    return sk_keys_each(run->store, add_device, out, err);
}

/* ---- what is told ---- */

static void out_lines(const char *head, const struct sk_buf *lines)
{
    if (lines->len > 0)
        sk_out("%s\n%s", head, sk_buf_text(lines));
}

static bool has_next(const struct sk_run *run)
{
    struct sk_archive_keys next;

    return sk_archive_next_keys(run->store, &next);
}

static void newest_safety(const struct sk_run *run, char safety[static SK_SAFETY_LEN])
{
    struct sk_archive_keys newest;
    uint8_t id[SK_HASH_LEN];

    sk_archive_newest_keys(run->store, &newest);
    sk_archive_keys_id(id, newest.sign_public, newest.dh_public);
    sk_safety(safety, id);
}

static enum sk_status out_look(const struct sk_run *run, const struct progress *progress,
                               struct sk_error *err)
{
    char safety[SK_SAFETY_LEN];
    char day[11] = "";
    bool renewed = has_next(run);

    newest_safety(run, safety);
    if (renewed)
        sk_day_format(day, sk_archive_renewed(run->store));
    if (run->json) {
        sk_auto_json json =
            json_pack("{s:s, s:s?, s:O, s:O, s:O}", "safety_number", safety, "renewed",
                      renewed ? day : NULL, "not_taken", progress->not_taken, "left_behind",
                      progress->left_behind, "on_their_way", progress->on_their_way);

        return sk_out_json_line(json, err);
    }
    sk_out("safety number: %s\n", safety);
    if (renewed)
        sk_out("renewed: %s\n", day);
    out_lines("not taken by:", &progress->waited);
    if (renewed)
        out_lines("on their way, maybe under the old keys:", &progress->late);
    out_lines(progress->waited.len > 0 ? "nor by:" : "not taken by:", &progress->others);
    return SK_OK;
}

/* After a change: nothing that could fail for want of memory, but for the JSON. */
static enum sk_status out_number(const struct sk_run *run, struct sk_error *err)
{
    char safety[SK_SAFETY_LEN];

    newest_safety(run, safety);
    if (run->json) {
        sk_auto_json json = json_pack("{s:s}", "safety_number", safety);

        return sk_out_json_line(json, err);
    }
    sk_out("safety number: %s\n", safety);
    return SK_OK;
}

static enum sk_status confirm(const char *word, struct sk_error *err)
{
    sk_auto_buf answer = SK_BUF_INIT;
    sk_auto_buf question = SK_BUF_INIT;

    SK_TRY(sk_buf_printf(&question, err, "Type %s to go on: ", word));
    SK_TRY(sk_prompt_line(&answer, sk_buf_text(&question), err));
    return strcmp(sk_buf_text(&answer), word) == 0 ? SK_OK : sk_prompt_cancel(err);
}

/* ---- the steps ---- */

static enum sk_status renew(struct sk_run *run, struct sk_error *err)
{
    if (has_next(run)) {
        sk_run_advise(run, "Nothing was changed. 'renew --look' tells how far it is, 'renew "
                           "--forget' ends it; then the keys can be renewed again.");
        return sk_fail(err, SK_REFUSED, "the keys were renewed, and the old ones are still here");
    }
    if (run->terminal) {
        sk_prompt_say(
            "This makes the archive's next keys. Receipts carry them to the devices, which\n"
            "seal what they send to them from then on. A copy of this archive from before\n"
            "cannot open that.\n");
        SK_TRY(confirm("renew", err));
    }
    SK_TRY(sk_archive_renew(run->store, err));
    sk_say(run->program->name,
           "the archive has next keys. First make a new copy of its folder: older ones cannot open "
           "what is sealed to these. Then write a 'receipt' to each device, and compare the safety "
           "number with its owner by voice: 'status' shows it there. When all have taken them, "
           "'renew --forget' erases the old ones.");
    return SK_OK;
}

static enum sk_status refuse_forget(struct sk_run *run, const struct progress *progress,
                                    struct sk_error *err)
{
    sk_say(run->program->name, "these have not taken the next keys:\n%s",
           sk_buf_text(&progress->waited));
    sk_run_advise(run, "Nothing was changed. A device has taken them when a bundle came that is "
                       "sealed to them. With --leave-devices-behind the others need a new store "
                       "and a new invite, and what they have sent and is not here is lost unless "
                       "they still hold it.");
    return sk_fail(err, SK_REFUSED, "%llu %s not taken the next keys",
                   (unsigned long long)progress->waited_count,
                   sk_plural(progress->waited_count, "device has", "devices have"));
}

static enum sk_status confirm_forget(const struct progress *progress, struct sk_error *err)
{
    sk_prompt_say("This erases the archive's old keys, for ever. Bundles that were sealed to them "
                  "and are not here\nyet can then be opened by nobody.\n");
    if (progress->late.len > 0)
        sk_prompt_say("Such may be on their way, of\n%s", sk_buf_text(&progress->late));
    if (progress->waited.len > 0)
        sk_prompt_say("Left behind, and in need of a new store with a new invite:\n%s",
                      sk_buf_text(&progress->waited));
    return confirm("forget", err);
}

static enum sk_status forget(struct sk_run *run, const struct progress *progress,
                             struct sk_error *err)
{
    bool leave = sk_run_option(run, "--leave-devices-behind") != NULL;

    if (!has_next(run)) {
        sk_run_advise(run, "Nothing was changed. 'renew' makes next keys first.");
        return sk_fail(err, SK_REFUSED, "there are no old keys to forget");
    }
    if (progress->waited_count > 0 && !leave)
        return refuse_forget(run, progress, err);
    if (run->terminal)
        SK_TRY(confirm_forget(progress, err));
    if (!run->terminal && progress->late.len > 0)
        sk_say(run->program->name,
               "these may be on their way under the old keys, and then have to be sent again:\n%s",
               sk_buf_text(&progress->late));
    SK_TRY(sk_keys_forget(run->store, leave, err));
    sk_say(run->program->name,
           "the old keys are erased. Copies of this archive made before still have them: make a "
           "new one, and destroy those. A bundle that was sealed to the old keys is refused; what "
           "is in it is asked for again by a receipt once a later bundle of its device shows the "
           "gap.");
    return SK_OK;
}

enum sk_status sk_cmd_renew(struct sk_run *run, struct sk_error *err)
{
    auto_progress progress = {.not_taken = NULL};
    enum step step = step_of(run);

    SK_TRY(find_progress(run, &progress, err));
    if (step == LOOK)
        return out_look(run, &progress, err);
    if (step == RENEW)
        SK_TRY(renew(run, err));
    else
        SK_TRY(forget(run, &progress, err));
    return out_number(run, err);
}
