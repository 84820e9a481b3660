/*
 * Passphrases and codes made of words: each word is one of 2,048 (cli/words.txt), drawn by the
 * system's random generator, and worth 11 bits. Six are proposed for a store (66 bits behind
 * Argon2id), eight seal an invite (88 bits).
 */
#ifndef SK_CLI_WORDS_H
#define SK_CLI_WORDS_H

#include "cli/prompt.h"

#define SK_WORDS_COUNT      2048
#define SK_WORDS_PASSPHRASE 6

/* `count` words divided by spaces. Errors: SK_NOMEM, SK_INTERNAL (the list is not as it should be).
 */
SK_MUST_CHECK enum sk_status sk_words_draw(struct sk_line *out, unsigned count,
                                           struct sk_error *err);

#endif
