#include "cli/commands.h"
#include "cli/print.h"
#include "cli/unlock.h"
#include "core/slots.h"
#include "sync/backup.h"

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

enum sk_status sk_cmd_backup(struct sk_run *run, struct sk_error *err)
{
    uint64_t bytes = 0;
    char size[SK_SIZE_TEXT_LEN];
    bool by_words = false;
    const struct sk_unlock unlock = opened_by(run, &by_words);
    sk_auto_bar bar;

    sk_bar_begin(&bar, "backing up");

    enum sk_status status =
        sk_backup(run->store, &unlock, run->args[0], &bar.progress, &bytes, err);

    if (status == SK_LIMIT)
        sk_run_advise(run, "Nothing was written. Take a medium with exFAT or ext4, or a folder on "
                           "another disk.");
    else if (status == SK_MISSING || status == SK_IO)
        sk_run_advise(run, "No backup was made, and the store was left as it is. If a part of the "
                           "store cannot be read, 'repair NEWDIR' saves the rest.");
    SK_TRY(status);
    sk_bar_end(&bar);
    sk_size_text(size, bytes);
    if (run->json) {
        sk_auto_json json =
            json_pack("{s:s, s:I}", "file", run->args[0], "bytes", (json_int_t)bytes);

        return sk_out_json_line(json, err);
    }
    sk_out("%s was written and read back.\n", size);
    sk_say(run->program->name,
           "the file opens with what opened the store now, %s, also after you change that, and "
           "with nothing else. It holds the store as it is: run 'verify' before you throw an older "
           "backup away. Keep it apart from this machine; 'restore FILE' makes a new store from "
           "it.",
           by_words               ? "the recovery words"
           : unlock.key_file_hash ? "the passphrase and the key file"
                                  : "the passphrase");
    return SK_OK;
}
