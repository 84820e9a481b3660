/*
 * Unlocking: where the passphrase comes from, the key file, opening the store, and the warnings
 * that belong to it.
 */
#ifndef SK_CLI_UNLOCK_H
#define SK_CLI_UNLOCK_H

#include "cli/command.h"
#include "cli/prompt.h"

/* What was given to unlock; `unlock` and `by_words` point into it. */
struct sk_given {
    struct sk_line passphrase;
    struct sk_line words; /* the same line as recovery words, if it has their shape */
    uint8_t key_file_hash[32];
    struct sk_unlock unlock;
    struct sk_words by_words; /* text NULL: it has not */
    bool nearly_words;        /* it nearly has: `strange` is the first that is not in the list */
    unsigned strange;         /* from 1; 0: there are too few or too many */
};
void sk_given_clear(struct sk_given *given);
#define sk_auto_given __attribute__((cleanup(sk_given_clear))) struct sk_given
#define SK_GIVEN_INIT                         \
    {                                         \
        .passphrase = {NULL, 0}, .strange = 0 \
    }

/* What was given as recovery words, or NULL. */
const struct sk_words *sk_given_words(const struct sk_given *given);

/* The passphrase (or recovery words) from --passphrase-fd, --askpass or the terminal, and the key
 * file. Errors: SK_USAGE (no way to ask), SK_MISSING (key file), SK_REFUSED (cancelled). */
SK_MUST_CHECK enum sk_status sk_given_ask(struct sk_run *run, struct sk_given *out,
                                          struct sk_error *err);

/*
 * A new passphrase, confirmed: from `fd` (-1: none), --askpass, or the terminal, where one of six
 * words is proposed. key_file: NULL for none. What is easily guessed is warned about, and taken.
 * Errors: as above; SK_USAGE when it is empty.
 */
SK_MUST_CHECK enum sk_status sk_given_ask_new(struct sk_run *run, int fd, const char *key_file,
                                              struct sk_given *out, struct sk_error *err);

/* Opens the store at run->dir into run->store and warns about what has to be warned about; again:
 * without the warnings, for a run that has opened it before. */
SK_MUST_CHECK enum sk_status sk_run_open_again(struct sk_run *run, const struct sk_given *given,
                                               struct sk_error *err);
SK_MUST_CHECK enum sk_status sk_run_open(struct sk_run *run, const struct sk_given *given,
                                         struct sk_error *err);

/* Finds the store and asks: everything before it is opened. Errors: those of sk_given_ask(),
 * SK_MISSING (no store), SK_IO (it is to be changed, and can only be read). */
SK_MUST_CHECK enum sk_status sk_run_find(struct sk_run *run, struct sk_given *given,
                                         struct sk_error *err);

/* Finds the store, asks and opens: what a command that needs a store begins with. *given is what
 * opened it. */
SK_MUST_CHECK enum sk_status sk_run_enter(struct sk_run *run, struct sk_given *given,
                                          struct sk_error *err);

/* Whether a new store may come to run->dir: its folder is there, and nothing is in its place; says
 * the way out otherwise. Errors: SK_CREATE, SK_IO, SK_NOMEM. */
SK_MUST_CHECK enum sk_status sk_run_new_place(struct sk_run *run, struct sk_error *err);

/* Whether a folder was named where a file is wanted, so that the advice can be another. */
bool sk_is_folder(const char *path);

/* Runs `store`'s safety number into 72 bytes: 12 groups of five digits. */
#define SK_SAFETY_LEN 72
void sk_safety(char out[static SK_SAFETY_LEN], const uint8_t id[static 32]);

#endif
