/*
 * Unlocking: where the passphrase comes from, the key file, opening the store, and the warnings
 * that belong to it.
 */
#ifndef SK_CLI_UNLOCK_H
#define SK_CLI_UNLOCK_H

#include "cli/command.h"
#include "cli/prompt.h"

/* What was given to unlock; `unlock` points into it. */
struct sk_given {
    struct sk_line passphrase;
    uint8_t key_file_hash[32];
    struct sk_unlock unlock;
};
void sk_given_clear(struct sk_given *given);
#define sk_auto_given __attribute__((cleanup(sk_given_clear))) struct sk_given
#define SK_GIVEN_INIT      \
    {                      \
        SK_LINE_INIT, {0}, \
        {                  \
            NULL, 0, NULL  \
        }                  \
    }

/* The passphrase from --passphrase-fd, --askpass or the terminal, and the key file.
 * Errors: SK_USAGE (no way to ask), SK_MISSING (key file), SK_REFUSED (cancelled). */
SK_MUST_CHECK enum sk_status sk_given_ask(struct sk_run *run, struct sk_given *out,
                                          struct sk_error *err);

/*
 * A new passphrase, confirmed: from `fd` (-1: none), --askpass, or the terminal, where one of six
 * words is proposed. key_file: NULL for none. Errors: as above; SK_USAGE when it is empty.
 */
SK_MUST_CHECK enum sk_status sk_given_ask_new(struct sk_run *run, int fd, const char *key_file,
                                              struct sk_given *out, struct sk_error *err);

/* Opens the store at run->dir into run->store and warns about what has to be warned about. */
SK_MUST_CHECK enum sk_status sk_run_open(struct sk_run *run, const struct sk_given *given,
                                         struct sk_error *err);

/* The code words of an invite: from --code-fd, or asked for. */
SK_MUST_CHECK enum sk_status sk_code_ask(const struct sk_run *run, struct sk_line *out,
                                         struct sk_error *err);

/* Runs `store`'s safety number into 72 bytes: 12 groups of five digits. */
#define SK_SAFETY_LEN 72
void sk_safety(char out[static SK_SAFETY_LEN], const uint8_t id[static 32]);

#endif
