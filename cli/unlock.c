#include "cli/unlock.h"

#include "cli/print.h"
#include "cli/strength.h"
#include "cli/words.h"
#include "core/file.h"
#include "core/rekey.h"
#include "crypto/hash.h"

#include <string.h>
#include <unistd.h>

#define KEY_FILE_MAX ((size_t)1024 * 1024)
#define SWAPS_MAX    65536u

void sk_given_clear(struct sk_given *given)
{
    sk_line_clear(&given->passphrase);
    sk_line_clear(&given->words);
    sk_wipe(given->key_file_hash, sizeof(given->key_file_hash));
}

void sk_safety(char out[static SK_SAFETY_LEN], const uint8_t id[static 32])
{
    sk_digits(out, 12, SK_LABEL_SAFETY, id);
}

const struct sk_words *sk_given_words(const struct sk_given *given)
{
    return given->by_words.text ? &given->by_words : NULL;
}

/* weakness: NULL, or where to say what is wrong with it. */
static enum sk_status take_key_file(struct sk_given *given, const char *path, const char **weakness,
                                    struct sk_error *err)
{
    sk_auto_buf bytes = SK_BUF_INIT;

    if (!path)
        return SK_OK;
    SK_TRY(sk_file_load(&bytes, path, KEY_FILE_MAX, err));
    if (bytes.len == 0)
        return sk_fail(err, SK_REFUSED, "%s: a key file must not be empty", path);
    if (weakness)
        *weakness = sk_key_file_weakness(bytes.bytes, bytes.len);
    sk_key_file_hash(given->key_file_hash, bytes.bytes, bytes.len);
    given->unlock.key_file_hash = given->key_file_hash;
    return SK_OK;
}

/* Lets `unlock` point at what was given. */
static void take_passphrase(struct sk_given *given)
{
    given->unlock.passphrase = sk_secret_view(given->passphrase.secret);
    given->unlock.passphrase_len = given->passphrase.len;
}

/* The same line may be recovery words. */
static enum sk_status take_words(struct sk_given *given, struct sk_error *err)
{
    const struct sk_line *line = &given->passphrase;
    enum sk_words_shape shape;

    SK_TRY(
        sk_words_read(&given->words, sk_line_text(line), line->len, &shape, &given->strange, err));
    given->nearly_words = shape == SK_WORDS_NEARLY;
    if (shape == SK_WORDS_ALL)
        given->by_words = (struct sk_words){sk_secret_view(given->words.secret), given->words.len};
    return SK_OK;
}

static enum sk_status no_way_to_ask(const struct sk_run *run, const char *fd_option,
                                    struct sk_error *err)
{
    return sk_fail(err, SK_USAGE, "a passphrase is needed, and %s; use %s N or --askpass PROGRAM",
                   run->no_input ? "--no-input forbids to ask" : "there is no terminal to ask on",
                   fd_option);
}

enum sk_status sk_given_ask(struct sk_run *run, struct sk_given *out, struct sk_error *err)
{
    SK_TRY(take_key_file(out, run->key_file, NULL, err));
    if (run->passphrase_fd >= 0)
        SK_TRY(sk_line_from_fd(&out->passphrase, run->passphrase_fd, err));
    else if (run->askpass)
        SK_TRY(sk_line_from_program(&out->passphrase, run->askpass, "Passphrase: ", err));
    else if (run->no_input || !sk_prompt_possible())
        return no_way_to_ask(run, "--passphrase-fd", err);
    else
        SK_TRY(sk_prompt_secret(&out->passphrase, "Passphrase: ", err));
    take_passphrase(out);
    return take_words(out, err);
}

static bool same_lines(const struct sk_line *a, const struct sk_line *b)
{
    return a->len == b->len &&
           sk_equal(sk_secret_view(a->secret), sk_secret_view(b->secret), a->len);
}

static void keep_line(struct sk_line *out, struct sk_line *line)
{
    sk_line_clear(out);
    *out = *line;
    *line = (struct sk_line)SK_LINE_INIT;
}

/* Proposes six words until a passphrase, proposed or own, was typed the same way twice. */
static enum sk_status ask_new_on_terminal(struct sk_line *out, struct sk_error *err)
{
    sk_auto_line words = SK_LINE_INIT;

    SK_TRY(sk_words_draw(&words, SK_WORDS_PASSPHRASE, err));
    sk_prompt_say("This passphrase was drawn at random:\n\n    %s\n\nPress Enter to take it, or "
                  "type one of your own. Without it nothing can be\nread again, and nobody can "
                  "bring it back.\n",
                  sk_line_text(&words));
    for (;;) {
        sk_auto_line first = SK_LINE_INIT;
        sk_auto_line second = SK_LINE_INIT;

        SK_TRY(sk_prompt_secret(&first, "New passphrase: ", err));
        SK_TRY(sk_prompt_secret(
            &second,
            first.len == 0 ? "Type the proposed passphrase once: " : "Type it again: ", err));
        if (same_lines(first.len == 0 ? &words : &first, &second)) {
            if (first.len == 0)
                sk_prompt_say(
                    "The passphrase still stands in this window: close it when you know it "
                    "by heart.\n");
            keep_line(out, &second);
            return SK_OK;
        }
        sk_prompt_say("They differ; begin again. Enter takes the proposed one:\n\n    %s\n\n",
                      sk_line_text(&words));
    }
}

static enum sk_status ask_new_by_program(struct sk_line *out, const char *program,
                                         struct sk_error *err)
{
    sk_auto_line first = SK_LINE_INIT;
    sk_auto_line second = SK_LINE_INIT;

    SK_TRY(sk_line_from_program(&first, program, "New passphrase: ", err));
    SK_TRY(sk_line_from_program(&second, program, "New passphrase again: ", err));
    if (!same_lines(&first, &second))
        return sk_fail(err, SK_USAGE, "the two passphrases differ");
    keep_line(out, &first);
    return SK_OK;
}

/* A file made on Windows ends its line with two characters, of which one is kept. */
static bool ends_in_return(const struct sk_line *line)
{
    return line->len > 0 && sk_line_text(line)[line->len - 1] == '\r';
}

/* What is easily guessed is taken nevertheless: whose life it is decides. */
static void warn_about_new(const struct sk_run *run, const struct sk_line *passphrase,
                           const char *key_file_weakness)
{
    const char *weakness = sk_passphrase_weakness(sk_line_text(passphrase), passphrase->len);

    if (weakness)
        sk_say(run->program->name,
               "warning: this passphrase %s, and can be guessed. 'passphrase' changes it.",
               weakness);
    if (key_file_weakness)
        sk_say(run->program->name,
               "warning: this key file %s, and protects little. 32 random bytes are right.",
               key_file_weakness);
    if (ends_in_return(passphrase))
        sk_say(run->program->name, "warning: the line ends with a carriage return, as files made "
                                   "on Windows do. It is part "
                                   "of the passphrase now; on a terminal it is hard to type.");
}

enum sk_status sk_given_ask_new(struct sk_run *run, int fd, const char *key_file,
                                struct sk_given *out, struct sk_error *err)
{
    const char *key_file_weakness = NULL;

    SK_TRY(take_key_file(out, key_file, &key_file_weakness, err));
    if (fd >= 0)
        SK_TRY(sk_line_from_fd(&out->passphrase, fd, err));
    else if (run->askpass)
        SK_TRY(ask_new_by_program(&out->passphrase, run->askpass, err));
    else if (run->no_input || !sk_prompt_possible())
        return no_way_to_ask(run,
                             strcmp(run->command->name, "init") == 0 ? "--passphrase-fd"
                                                                     : "--new-passphrase-fd",
                             err);
    else
        SK_TRY(ask_new_on_terminal(&out->passphrase, err));
    if (out->passphrase.len == 0)
        return sk_fail(err, SK_USAGE, "an empty passphrase protects nothing");
    warn_about_new(run, &out->passphrase, key_file_weakness);
    take_passphrase(out);
    return SK_OK;
}

bool sk_is_folder(const char *path)
{
    bool there = false;

    return sk_file_check(path, true, &there, NULL) == SK_OK && there;
}

/* ---- warnings ---- */

/* Whether a block device is one of dm-crypt's, as its uuid in sysfs tells. */
static bool is_dm_crypt(const char *name, size_t len)
{
    sk_auto_buf uuid = SK_BUF_INIT;
    char path[128];

    (void)snprintf(path, sizeof(path), "/sys/block/%.*s/dm/uuid", (int)len, name);
    return sk_file_load(&uuid, path, 4096, NULL) == SK_OK &&
           strncmp(sk_buf_text(&uuid), "CRYPT-", 6) == 0;
}

/* Whether a line of /proc/swaps is swap in memory (zram) or encrypted. */
static bool swap_is_safe(const char *line)
{
    size_t len = strcspn(line, " \t");
    const char *dev = "/dev/";

    if (strncmp(line, dev, strlen(dev)) != 0)
        return false;
    line += strlen(dev);
    len -= strlen(dev);
    return strncmp(line, "zram", 4) == 0 ||
           (strncmp(line, "dm-", 3) == 0 && is_dm_crypt(line, len));
}

static bool swap_is_open(void)
{
    sk_auto_buf swaps = SK_BUF_INIT;
    const char *line;

    if (sk_file_load(&swaps, "/proc/swaps", SWAPS_MAX, NULL) != SK_OK)
        return false;
    /* The first line is the heading. */
    for (line = strchr(sk_buf_text(&swaps), '\n'); line && line[1]; line = strchr(line + 1, '\n')) {
        if (!swap_is_safe(line + 1))
            return true;
    }
    return false;
}

static void warn(struct sk_run *run)
{
    uint64_t left = 0;

    if (sk_store_insecure(run->store))
        sk_say(run->program->name, "warning: this store unlocks fast and is for tests alone.");
    if (sk_store_read_only(run->store))
        sk_say(run->program->name,
               "%s can only be read: nothing in it is changed, and nothing can be recorded.",
               run->dir);
    if (sk_secret_unlocked_count() > 0)
        sk_say(run->program->name,
               "warning: keys could not be kept out of swap; raise the limit of locked memory.");
    if (isatty(STDERR_FILENO) && swap_is_open())
        sk_say(run->program->name, "warning: swap without encryption is in use; what is open now "
                                   "may be written to it. 'swapoff -a' turns it off.");
    if (sk_rekey_left(run->store, &left, NULL) == SK_OK && left > 0 &&
        strcmp(run->command->name, "rekey") != 0)
        sk_say(run->program->name,
               "warning: 'rekey' was interrupted, and %llu %s still under old keys. Run it again.",
               (unsigned long long)left, sk_plural(left, "file is", "files are"));
}

/* What to look at when nothing opened: the words that were typed, where they nearly are some. */
static void advise_on_wrong_key(struct sk_run *run, const struct sk_given *given)
{
    if (given->nearly_words && given->strange > 0)
        sk_run_advise(
            run,
            "Nothing was changed. If these were recovery words: word %u is not one of the "
            "list.",
            given->strange);
    else if (sk_given_words(given))
        sk_run_advise(run, "Nothing was changed. These are twelve words of the list, but they do "
                           "not open this store: they may be another store's, or from before a "
                           "'rekey', or in another order.");
    else if (given->nearly_words)
        sk_run_advise(run, "Nothing was changed. If these were recovery words: there are twelve.");
    else if (ends_in_return(&given->passphrase))
        sk_run_advise(run,
                      "Nothing was changed. The line ends with a carriage return, as files made "
                      "on Windows do, and it counts as part of the passphrase.");
}

enum sk_status sk_run_open_again(struct sk_run *run, const struct sk_given *given,
                                 struct sk_error *err)
{
    const struct sk_store_options options = {
        .dir = run->dir,
        .kind = run->program->kind,
        .unlock = &given->unlock,
        .words = sk_given_words(given),
        .wait_s = run->wait_s,
    };

    enum sk_status status = sk_store_open(&run->store, &options, err);

    if (status == SK_MISSING && strstr(err->text, "/keys: "))
        sk_run_advise(run, "%s%s", SK_ADVICE_KEYS,
                      run->program->kind == SK_STORE_DEVICE ? " Else 'restore' a backup." : "");
    else if (status == SK_MISSING)
        sk_run_advise(
            run,
            "Nothing was changed. A part of the store is missing: put the folder back "
            "as a whole.%s",
            run->program->kind == SK_STORE_DEVICE ? " If 'data' is lost, 'restore' a backup." : "");
    if (status == SK_WRONG_KEY)
        advise_on_wrong_key(run, given);
    return status;
}

enum sk_status sk_run_open(struct sk_run *run, const struct sk_given *given, struct sk_error *err)
{
    SK_TRY(sk_run_open_again(run, given, err));
    warn(run);
    return SK_OK;
}

enum sk_status sk_run_new_place(struct sk_run *run, struct sk_error *err)
{
    sk_auto_free char *parent = strdup(run->dir);
    size_t len;

    if (!parent)
        return sk_fail_status(err, SK_NOMEM);
    len = strlen(parent);
    while (len > 1 && parent[len - 1] == '/')
        parent[--len] = '\0';
    char *slash = strrchr(parent, '/');
    if (slash && slash != parent) {
        *slash = '\0';
        if (!sk_file_exists(parent)) {
            sk_run_advise(run,
                          "No store was made. Make that folder first, or choose another place "
                          "with '%s NEWDIR'.",
                          run->program->dir_option);
            return sk_fail(err, SK_CREATE, "%s: there is no such folder", parent);
        }
    }
    enum sk_status status = SK_OK;

    if (!sk_store_there(run->dir) && sk_file_exists(run->dir) && !sk_dir_empty(run->dir))
        status = sk_fail(err, SK_CREATE, "%s: something is there already", run->dir);
    else
        status = sk_store_free_place(run->dir, err);
    if (status == SK_CREATE)
        sk_run_advise(run,
                      "Nothing in it was changed. To make one in another place, say '%s %s NEWDIR "
                      "%s ...'.",
                      run->program->name, run->program->dir_option, run->command->name);
    return status;
}

enum sk_status sk_run_find(struct sk_run *run, struct sk_given *given, struct sk_error *err)
{
    SK_TRY(sk_run_dir(run, err));
    if (!sk_store_there(run->dir)) {
        sk_run_advise(run, "Check %s, or make one with '%s init'.", run->program->dir_option,
                      run->program->name);
        return sk_fail(err, SK_MISSING, "%s: there is no store here", run->dir);
    }
    bool changes = run->changes || run->command->needs == SK_NEEDS_CHANGES;
    if (changes && sk_store_read_only_at(run->dir)) {
        sk_run_advise(run, "Nothing was changed. To go on, copy the whole folder to where it can "
                           "be written, and use that copy alone from then on.");
        return sk_fail(err, SK_IO, "%s can only be read", run->dir);
    }
    return sk_given_ask(run, given, err);
}

enum sk_status sk_run_enter(struct sk_run *run, struct sk_given *given, struct sk_error *err)
{
    SK_TRY(sk_run_find(run, given, err));
    return sk_run_open(run, given, err);
}
