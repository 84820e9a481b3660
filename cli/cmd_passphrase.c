#include "cli/print.h"
#include "cli/rows.h"
#include "cli/unlock.h"
#include "core/slots.h"

const struct sk_option sk_passphrase_options[] = {
    {"--new-passphrase-fd", "M", "read the new passphrase, one line, from descriptor M"},
    {"--new-key-file", "FILE", "from now on this key file is needed too"},
    {"--no-key-file", NULL, "from now on no key file is needed"},
    {NULL, NULL, NULL},
};

/* Whether no passphrase is there to be changed: recovery words alone open the store. */
static bool none_yet(const struct sk_run *run)
{
    struct sk_slot slots[SK_SLOT_COUNT];
    unsigned count = sk_slots(run->store, slots);

    for (unsigned i = 0; i < count; i++) {
        if (slots[i].kind != SK_SLOT_WORDS)
            return false;
    }
    return true;
}

/* Whether recovery words opened the store: they are not what is changed then. */
static bool opened_by_words(const struct sk_run *run)
{
    struct sk_slot slots[SK_SLOT_COUNT];
    unsigned count = sk_slots(run->store, slots);

    for (unsigned i = 0; i < count; i++) {
        if (slots[i].opened)
            return slots[i].kind == SK_SLOT_WORDS;
    }
    return false;
}

enum sk_status sk_cmd_passphrase(struct sk_run *run, struct sk_error *err)
{
    const char *key_file = sk_run_option(run, "--new-key-file");
    sk_auto_given given = SK_GIVEN_INIT;
    bool added;
    int fd;

    if (key_file && sk_run_option(run, "--no-key-file"))
        return sk_fail(err, SK_USAGE, "--new-key-file and --no-key-file exclude each other");
    SK_TRY(sk_run_option_fd(run, "--new-passphrase-fd", &fd, err));
    if (!key_file && !sk_run_option(run, "--no-key-file"))
        key_file = run->key_file;
    SK_TRY(sk_given_ask_new(run, fd, key_file, &given, err));
    added = none_yet(run);
    SK_TRY(sk_store_change_passphrase(run->store, &given.unlock, err));
    if (added)
        sk_say(run->program->name, "a passphrase was added.");
    else
        sk_say(run->program->name,
               "the passphrase was changed. Copies of the folder%s made before still "
               "open with the old one: make new ones, and destroy the old.",
               sk_run_has_command(run, "backup") ? " and backups" : "");
    if (opened_by_words(run))
        sk_say(run->program->name, "the recovery words stay as they are.");
    return SK_OK;
}
