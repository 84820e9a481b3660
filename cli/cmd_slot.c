#include "cli/print.h"
#include "cli/rows.h"
#include "cli/unlock.h"
#include "cli/words.h"
#include "core/json.h"
#include "core/slots.h"

#include <string.h>

const struct sk_option sk_slot_options[] = {
    {"--recovery", NULL, "add recovery words: drawn at random, shown once"},
    {"--new-passphrase-fd", "M", "read the passphrase to add, one line, from descriptor M"},
    {"--new-key-file", "FILE", "the passphrase to add needs this key file too"},
    {NULL, NULL, NULL},
};

/* What `slot` is asked to do. */
enum verb { LIST, ADD, REMOVE, UNKNOWN };

static enum verb verb_of(const struct sk_run *run)
{
    static const char *const names[] = {"list", "add", "remove"};
    size_t i = 0;

    if (run->arg_count == 0)
        return LIST;
    while (i < UNKNOWN && strcmp(run->args[0], names[i]) != 0)
        i++;
    return (enum verb)i;
}

static bool slot_number(const struct sk_run *run, unsigned *number)
{
    uint64_t value = 0;

    if (!sk_parse_number(run->args[1], SK_SLOT_COUNT, &value) || value == 0)
        return false;
    *number = (unsigned)value;
    return true;
}

enum sk_status sk_check_slot(struct sk_run *run, struct sk_error *err)
{
    enum verb verb = verb_of(run);
    bool words = sk_run_option(run, "--recovery") != NULL;
    bool passphrase =
        sk_run_option(run, "--new-passphrase-fd") || sk_run_option(run, "--new-key-file");
    unsigned number;

    run->changes = verb != LIST;
    if (verb == UNKNOWN)
        return sk_fail(err, SK_USAGE, "slot does list, add or remove");
    if (verb != ADD && (words || passphrase))
        return sk_fail(err, SK_USAGE, "these options belong to 'slot add'");
    if (words && passphrase)
        return sk_fail(err, SK_USAGE, "recovery words take no passphrase and no key file");
    if (verb == REMOVE && run->arg_count < 2)
        return sk_fail(err, SK_USAGE, "which slot? 'slot list' numbers them");
    if (verb == REMOVE && !slot_number(run, &number))
        return sk_fail(err, SK_USAGE, "a slot is a number from 1 to %d", SK_SLOT_COUNT);
    if (verb != REMOVE && run->arg_count > 1)
        return sk_fail(err, SK_USAGE, "'slot %s' takes no further argument", run->args[0]);
    return SK_OK;
}

/* ---- list ---- */

static enum sk_status list_json(const struct sk_slot *slots, unsigned count, struct sk_error *err)
{
    struct sk_out_array array;

    sk_out_array_begin(&array);
    for (unsigned i = 0; i < count; i++)
        SK_TRY(sk_out_array_add(&array,
                                json_pack("{s:i, s:s, s:b}", "slot", (int)slots[i].number, "kind",
                                          sk_slot_kind_name(slots[i].kind), "opened",
                                          (int)slots[i].opened),
                                err));
    sk_out_array_end(&array);
    return SK_OK;
}

static enum sk_status list(const struct sk_run *run, struct sk_error *err)
{
    struct sk_slot slots[SK_SLOT_COUNT];
    unsigned count = sk_slots(run->store, slots);

    if (run->json)
        return list_json(slots, count, err);
    for (unsigned i = 0; i < count; i++)
        sk_out("%u  %s%s\n", slots[i].number, sk_slot_kind_name(slots[i].kind),
               slots[i].opened ? " (opened the store now)" : "");
    return SK_OK;
}

/* ---- add ---- */

static enum sk_status print_added(const struct sk_run *run, unsigned number,
                                  const struct sk_line *words, struct sk_error *err)
{
    if (run->json && words) {
        sk_auto_json result =
            json_pack("{s:i, s:s}", "slot", (int)number, "words", sk_line_text(words));
        return sk_out_json_line(result, err);
    }
    if (run->json) {
        sk_auto_json result = json_pack("{s:i}", "slot", (int)number);
        return sk_out_json_line(result, err);
    }
    if (words)
        sk_out("%s\n", sk_line_text(words));
    return SK_OK;
}

/* On a terminal they are typed back first; elsewhere they are the result. */
static enum sk_status add_words(const struct sk_run *run, struct sk_error *err)
{
    sk_auto_line words = SK_LINE_INIT;
    unsigned number = 0;

    SK_TRY(sk_words_draw(&words, SK_WORDS_RECOVERY, err));
    if (run->terminal)
        SK_TRY(sk_words_hand_over(&words, err));

    const struct sk_words by = {sk_secret_view(words.secret), words.len};

    SK_TRY(sk_slot_add(run->store, NULL, &by, &number, err));
    SK_TRY(print_added(run, number, run->terminal ? NULL : &words, err));
    sk_say(
        run->program->name,
        "slot %u was added. Its twelve words open the store where the passphrase is asked for%s.",
        number,
        sk_run_has_command(run, "backup")
            ? "; they open a backup only if it was made while they opened the store"
            : "");
    return SK_OK;
}

static enum sk_status add_passphrase(struct sk_run *run, struct sk_error *err)
{
    sk_auto_given given = SK_GIVEN_INIT;
    unsigned number = 0;
    int fd;

    SK_TRY(sk_run_option_fd(run, "--new-passphrase-fd", &fd, err));
    SK_TRY(sk_given_ask_new(run, fd, sk_run_option(run, "--new-key-file"), &given, err));
    SK_TRY(sk_slot_add(run->store, &given.unlock, NULL, &number, err));
    SK_TRY(print_added(run, number, NULL, err));
    sk_say(run->program->name, "slot %u was added. What opened the store before still does.",
           number);
    return SK_OK;
}

/* ---- remove ---- */

/* The name of a slot's kind; NULL when there is no such slot, or it opened the store. */
static const char *removable(const struct sk_run *run, unsigned number)
{
    struct sk_slot slots[SK_SLOT_COUNT];
    unsigned count = sk_slots(run->store, slots);

    for (unsigned i = 0; i < count; i++) {
        if (slots[i].number == number && !slots[i].opened)
            return sk_slot_kind_name(slots[i].kind);
    }
    return NULL;
}

static enum sk_status confirm(unsigned number, const char *kind, struct sk_error *err)
{
    bool yes = false;

    sk_prompt_say("Slot %u (%s) will not open the store any more.\n", number, kind);
    SK_TRY(sk_prompt_yes(&yes, "Remove it? [y/N] ", false, err));
    return yes ? SK_OK : sk_prompt_cancel(err);
}

static enum sk_status remove_slot(struct sk_run *run, struct sk_error *err)
{
    unsigned number = 0;

    if (!slot_number(run, &number))
        return sk_fail_status(err, SK_USAGE);

    const char *kind = removable(run, number);
    bool backups = sk_run_has_command(run, "backup");

    if (run->terminal && kind)
        SK_TRY(confirm(number, kind, err));

    enum sk_status status = sk_slot_remove(run->store, number, err);

    if (status == SK_MISSING)
        sk_run_advise(run, "Nothing was changed. 'slot list' numbers those there are.");
    if (status == SK_REFUSED)
        sk_run_advise(run, "Nothing was changed.");
    SK_TRY(status);
    sk_say(run->program->name,
           "slot %u was removed. Copies of the folder%s that were made with it still open with it: "
           "'rekey' makes new keys; then make new %s, and destroy the old.",
           number, backups ? " and backups" : "", backups ? "backups" : "copies");
    return SK_OK;
}

enum sk_status sk_cmd_slot(struct sk_run *run, struct sk_error *err)
{
    switch (verb_of(run)) {
    case ADD:
        return sk_run_option(run, "--recovery") ? add_words(run, err) : add_passphrase(run, err);
    case REMOVE:
        return remove_slot(run, err);
    case LIST:
    case UNKNOWN:
    default:
        return list(run, err);
    }
}
