#include "cli/commands.h"
#include "cli/print.h"
#include "cli/problems.h"
#include "cli/unlock.h"
#include "core/slots.h"
#include "sync/backup.h"

#include <stdio.h>

#define ADVICE_NONE                                                                               \
    "No backup was made, and the store was left as it is: keep every older backup. If a part of " \
    "the store cannot be read, 'repair NEWDIR' saves the rest."

/* What opened the store: recovery words in the one way in which they are written, or the
 * passphrase. */
static struct sk_unlock opened_by(const struct sk_run *run, bool *by_words)
{
    struct sk_slot slots[SK_SLOT_COUNT];
    const struct sk_words *words = sk_given_words(run->given);
    unsigned count = sk_slots(run->store, slots);

    for (unsigned i = 0; i < count; i++) {
        *by_words = words && slots[i].opened && slots[i].kind == SK_SLOT_WORDS;
        if (*by_words)
            return (struct sk_unlock){words->text, words->len, NULL};
    }
    return run->given->unlock;
}

/* What is wrong with the store is printed. It is read once more than it has to be: whoever makes a
 * backup is about to throw an older one away. */
static enum sk_status check_store(struct sk_run *run, struct sk_problems *problems,
                                  struct sk_error *err)
{
    sk_auto_bar bar;

    sk_bar_begin(&bar, "verifying");
    SK_TRY(sk_verify_content(run->store, sk_problems_add, problems, &bar.progress, err));
    sk_bar_end(&bar);
    return problems->lost ? sk_fail_status(err, SK_NOMEM) : SK_OK;
}

static enum sk_status write_file(struct sk_run *run, const char *path,
                                 const struct sk_unlock *unlock, bool damaged, uint64_t *bytes,
                                 struct sk_error *err)
{
    sk_auto_bar bar;

    sk_bar_begin(&bar, "backing up");

    enum sk_status status = sk_backup(run->store, unlock, path, &bar.progress, bytes, err);

    if (status == SK_LIMIT)
        sk_run_advise(run, "Nothing was written. Take a medium with exFAT or ext4, or a folder on "
                           "another disk.");
    else if (damaged || status == SK_MISSING || status == SK_IO || status == SK_DAMAGED)
        sk_run_advise(run, "%s", ADVICE_NONE);
    SK_TRY(status);
    sk_bar_end(&bar);
    return SK_OK;
}

static enum sk_status report(const struct sk_run *run, const char *path, uint64_t bytes,
                             const struct sk_problems *problems, struct sk_error *err)
{
    char size[SK_SIZE_TEXT_LEN];

    sk_size_text(size, bytes);
    if (run->json) {
        sk_auto_json json =
            json_pack("{s:s, s:I, s:b, s:O}", "file", path, "bytes", (json_int_t)bytes, "ok",
                      problems->count == 0, "problems", problems->list);

        return sk_out_json_line(json, err);
    }
    sk_out("%s was written and read back.\n", size);
    return SK_OK;
}

/* The name does not pass for that of a good one, in a folder of many or to a script. */
static enum sk_status keep_damaged(struct sk_run *run, const struct sk_unlock *unlock,
                                   const struct sk_problems *problems, struct sk_error *err)
{
    sk_auto_free char *path = NULL;
    uint64_t bytes = 0;

    if (asprintf(&path, "%s.damaged", run->args[0]) < 0) {
        path = NULL;
        return sk_fail_status(err, SK_NOMEM);
    }
    if (sk_file_exists(path)) {
        sk_run_advise(run, "%s", ADVICE_NONE);
        return sk_fail(err, SK_DAMAGED, "the store is damaged, and %s is there already", path);
    }
    SK_TRY(write_file(run, path, unlock, true, &bytes, err));
    SK_TRY(report(run, path, bytes, problems, err));
    sk_run_advise(run,
                  "Keep every older backup: it may hold what is damaged here. '%s repair "
                  "NEWDIR' saves what is whole into a new store and lists what is lost; "
                  "'restore' does the same from that file.",
                  run->program->name);
    return sk_fail(err, SK_DAMAGED,
                   "%llu %s found in the store: this is no good backup. What is left was written "
                   "to %s, and there is no %s",
                   (unsigned long long)problems->count,
                   sk_plural(problems->count, "problem was", "problems were"), path, run->args[0]);
}

enum sk_status sk_cmd_backup(struct sk_run *run, struct sk_error *err)
{
    uint64_t bytes = 0;
    bool by_words = false;
    const struct sk_unlock unlock = opened_by(run, &by_words);
    sk_auto_json list = run->json ? json_array() : NULL;
    struct sk_problems problems = {.list = list};

    if (run->json && !list)
        return sk_fail_status(err, SK_NOMEM);
    if (sk_file_exists(run->args[0]))
        return sk_fail(err, SK_CREATE, "%s: a file of this name is there already", run->args[0]);

    enum sk_status checked = check_store(run, &problems, err);

    if (checked == SK_IO)
        sk_run_advise(run, "%s", ADVICE_NONE);
    SK_TRY(checked);
    if (problems.count > 0)
        return keep_damaged(run, &unlock, &problems, err);
    SK_TRY(write_file(run, run->args[0], &unlock, false, &bytes, err));
    SK_TRY(report(run, run->args[0], bytes, &problems, err));
    if (run->json)
        return SK_OK;
    sk_say(run->program->name,
           "the store was verified, and the file opens with what opened the store now, %s, also "
           "after you change that, and with nothing else. Keep it apart from this machine; "
           "'restore FILE' makes a new store from it.",
           by_words               ? "the recovery words"
           : unlock.key_file_hash ? "the passphrase and the key file"
                                  : "the passphrase");
    return SK_OK;
}
