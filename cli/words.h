/*
 * Passphrases and codes made of words: each word is one of 2,048 (cli/words.txt), drawn by the
 * system's random generator, and worth 11 bits. Six are proposed for a store (66 bits behind
 * Argon2id), eight seal an invite (88 bits), twelve recover a store (132 bits).
 */
#ifndef SK_CLI_WORDS_H
#define SK_CLI_WORDS_H

#include "cli/prompt.h"

#define SK_WORDS_COUNT      2048
#define SK_WORDS_PASSPHRASE 6
#define SK_WORDS_RECOVERY   12

/* `count` words divided by spaces. Errors: SK_NOMEM, SK_INTERNAL (the list is not as it should be).
 */
SK_MUST_CHECK enum sk_status sk_words_draw(struct sk_line *out, unsigned count,
                                           struct sk_error *err);

/*
 * Reads recovery words from what was typed: letters of either case, divided by anything else
 * (spaces, commas, numbers before the words). *out then holds them as a slot takes them
 * (crypto/slot.h): lower case, single spaces.
 */
enum sk_words_shape {
    SK_WORDS_NONE,   /* something else; *out is left alone */
    SK_WORDS_NEARLY, /* most are words of the list: *at is the first that is not (from 1), or 0 when
                        there are too few or too many; *out is left alone */
    SK_WORDS_ALL,
};
SK_MUST_CHECK enum sk_status sk_words_read(struct sk_line *out, const char *typed, size_t len,
                                           enum sk_words_shape *shape, unsigned *at,
                                           struct sk_error *err);

/* How many words were typed, read like recovery words, and which is the first (from 1) that is not
 * of the list; 0: all are. */
struct sk_words_facts {
    unsigned count, strange;
};
struct sk_words_facts sk_words_look(const char *typed, size_t len);

/*
 * Shows recovery words on the terminal and asks for them until they were typed as they are, from
 * the paper on which they were written. Errors: SK_REFUSED (cancelled), SK_IO, SK_NOMEM.
 */
SK_MUST_CHECK enum sk_status sk_words_hand_over(const struct sk_line *words, struct sk_error *err);

#endif
