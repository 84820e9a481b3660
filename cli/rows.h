/*
 * Rows of commands that the programs with a store share. Literals: `what` is "store" or "archive",
 * `id` how an item is named.
 */
#ifndef SK_CLI_ROWS_H
#define SK_CLI_ROWS_H

#include "cli/commands.h"

/* Headings. */
#define SK_LOOKING       "Looking"
#define SK_KEEPING(what) "The " what

extern const struct sk_option sk_passphrase_options[];
extern const struct sk_option sk_slot_options[];

/* clang-format off */
#define SK_ROW_EXTRACT                                                                             \
    {                                                                                              \
        .name = "extract",                                                                         \
        .run = sk_cmd_extract,                                                                     \
        .group = SK_LOOKING,                                                                       \
        .needs = SK_NEEDS_STORE,                                                                   \
        .min_args = 2,                                                                             \
        .max_args = 2,                                                                             \
        .args = "ATTACHMENT FILE",                                                                 \
        .summary = "Write an attachment to a new file, unprotected.",                              \
        .examples = "extract 91c0 photo.jpg",                                                      \
    }

#define SK_ROW_HISTORY(id)                                                                         \
    {                                                                                              \
        .name = "history",                                                                         \
        .run = sk_cmd_history,                                                                     \
        .group = SK_LOOKING,                                                                       \
        .needs = SK_NEEDS_STORE,                                                                   \
        .min_args = 1,                                                                             \
        .max_args = 1,                                                                             \
        .args = (id),                                                                              \
        .summary = "Show every revision of a record.",                                             \
        .examples = "history 3f2a",                                                                \
    }

#define SK_ROW_LIST                                                                                \
    {                                                                                              \
        .name = "list",                                                                            \
        .run = sk_cmd_list,                                                                        \
        .check = sk_check_list,                                                                    \
        .group = SK_LOOKING,                                                                       \
        .needs = SK_NEEDS_STORE,                                                                   \
        .min_args = 0,                                                                             \
        .max_args = 1,                                                                             \
        .args = "[TYPE]",                                                                          \
        .summary = "List records, newest first.",                                                  \
        .examples = "list\nlist person",                                                           \
    }

#define SK_ROW_SEARCH                                                                              \
    {                                                                                              \
        .name = "search",                                                                          \
        .run = sk_cmd_search,                                                                      \
        .check = sk_check_search,                                                                  \
        .group = SK_LOOKING,                                                                       \
        .needs = SK_NEEDS_STORE,                                                                   \
        .min_args = 0,                                                                             \
        .max_args = SK_ARGS_ANY,                                                                   \
        .args = "[TEXT ...]",                                                                      \
        .summary = "Find records that hold every word.",                                           \
        .details = "On a terminal the text is asked for. Without one and without TEXT it is a "    \
                   "line of standard input. A word also finds those that begin with it; \"...\" "  \
                   "is a phrase; the case of letters does not matter.",                            \
        .examples = "search",                                                                      \
    }

#define SK_ROW_SHOW(id)                                                                            \
    {                                                                                              \
        .name = "show",                                                                            \
        .run = sk_cmd_show,                                                                        \
        .group = SK_LOOKING,                                                                       \
        .needs = SK_NEEDS_STORE,                                                                   \
        .min_args = 1,                                                                             \
        .max_args = 1,                                                                             \
        .args = (id),                                                                              \
        .summary = "Show a record with its links and attachments.",                                \
        .examples = "show 3f2a\n--json show 3f2a",                                                 \
    }

#define SK_ROW_PASSPHRASE(what)                                                                    \
    {                                                                                              \
        .name = "passphrase",                                                                      \
        .run = sk_cmd_passphrase,                                                                  \
        .group = SK_KEEPING(what),                                                                 \
        .needs = SK_NEEDS_CHANGES,                                                                 \
        .min_args = 0,                                                                             \
        .max_args = 0,                                                                             \
        .args = "",                                                                                \
        .summary = "Change the passphrase.",                                                       \
        .options = sk_passphrase_options,                                                          \
        .examples = "passphrase",                                                                  \
    }

#define SK_ROW_REKEY(what)                                                                         \
    {                                                                                              \
        .name = "rekey",                                                                           \
        .run = sk_cmd_rekey,                                                                       \
        .group = SK_KEEPING(what),                                                                 \
        .needs = SK_NEEDS_NOTHING,                                                                 \
        .min_args = 0,                                                                             \
        .max_args = 0,                                                                             \
        .args = "",                                                                                \
        .summary = "Put everything under new keys, for instance when a passphrase became known.",  \
        .details = "Change the passphrase first. Writes the whole " what " anew, which takes "     \
                   "time and room; when it is interrupted nothing is lost, and running it again "  \
                   "goes on. Only what opened the " what " now will open it after: other slots "   \
                   "have to be added again.",                                                      \
        .examples = "rekey",                                                                       \
    }

#define SK_ROW_SLOT(what)                                                                          \
    {                                                                                              \
        .name = "slot",                                                                            \
        .run = sk_cmd_slot,                                                                        \
        .check = sk_check_slot,                                                                    \
        .group = SK_KEEPING(what),                                                                 \
        .needs = SK_NEEDS_STORE,                                                                   \
        .min_args = 0,                                                                             \
        .max_args = 2,                                                                             \
        .args = "[list | add | remove NUMBER]",                                                    \
        .summary = "List, add or remove what opens the " what ": passphrases, recovery words.",    \
        .options = sk_slot_options,                                                                \
        .details = "'add' adds a passphrase, which is asked for, with a key file if one is "       \
                   "named; or with --recovery twelve words for a paper, which open the " what      \
                   " without the passphrase and without a key file: they are typed where it is "   \
                   "asked for. The slot that opened the " what " is never removed.",               \
        .examples = "slot list\nslot add --recovery\nslot remove 2",                               \
    }

#define SK_ROW_VERIFY(what)                                                                        \
    {                                                                                              \
        .name = "verify",                                                                          \
        .run = sk_cmd_verify,                                                                      \
        .group = SK_KEEPING(what),                                                                 \
        .needs = SK_NEEDS_STORE,                                                                   \
        .min_args = 0,                                                                             \
        .max_args = 0,                                                                             \
        .args = "",                                                                                \
        .summary = "Check everything the " what " holds.",                                         \
        .examples = "verify",                                                                      \
    }
/* clang-format on */

#endif
