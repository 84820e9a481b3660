/* An invite as it is given to a command: its file and its eight code words. */
#ifndef SK_CLI_INVITED_H
#define SK_CLI_INVITED_H

#include "cli/prompt.h"
#include "cli/unlock.h"
#include "sync/invite.h"

struct sk_invited {
    struct sk_buf file; /* empty without one */
    struct sk_line code;
    char archive[SK_ALIAS_MAX + 1]; /* filled when it is accepted */
};
void sk_invited_clear(struct sk_invited *invited);
#define sk_auto_invited __attribute__((cleanup(sk_invited_clear))) struct sk_invited
#define SK_INVITED_INIT               \
    {                                 \
        SK_BUF_INIT, SK_LINE_INIT, "" \
    }

/* For a new store, from --invite and --code-fd or the terminal; opened before anything is made, so
 * that wrong words leave nothing behind. Errors: those of opening an invite, SK_USAGE. */
SK_MUST_CHECK enum sk_status sk_invited_new(struct sk_run *run, struct sk_invited *out,
                                            struct sk_error *err);

/* For the open store, from the file `path`. Errors: those of accepting an invite, SK_USAGE. */
SK_MUST_CHECK enum sk_status sk_invited_further(struct sk_run *run, struct sk_invited *out,
                                                const char *path, struct sk_error *err);

/* Accepts it in a store; nothing without one. A sk_store_fill_fn. */
SK_MUST_CHECK enum sk_status sk_invited_accept(struct sk_store *store, void *invited,
                                               struct sk_error *err);

#endif
