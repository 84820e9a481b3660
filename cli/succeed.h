/* What `restore` and `repair` share: the new store, what was brought back and what is lost. */
#ifndef SK_CLI_SUCCEED_H
#define SK_CLI_SUCCEED_H

#include "cli/invited.h"
#include "cli/print.h"
#include "cli/unlock.h"
#include "core/succession.h"

/* Losses on their way out, and the rest of the report. */
struct sk_succeed {
    struct sk_run *run;
    json_t *losses;      /* owned; NULL without --json */
    json_t *saved;       /* owned; the same of what was taken without a proof */
    struct sk_buf lines; /* the losses as they are printed, without --json */
    struct sk_buf saved_lines;
    struct sk_remains_facts facts;
    struct sk_succession_result result;
    uint8_t new_id[32];
    struct sk_invited *invited;
};
void sk_succeed_clear(struct sk_succeed *succeed);
#define sk_auto_succeed __attribute__((cleanup(sk_succeed_clear))) struct sk_succeed

/* Callbacks for struct sk_succession_options, with the struct sk_succeed as context. */
SK_MUST_CHECK enum sk_status sk_succeed_loss(void *context, const struct sk_loss *loss,
                                             struct sk_error *err);
SK_MUST_CHECK enum sk_status sk_succeed_also(struct sk_store *store, void *context,
                                             struct sk_error *err);

/* Ends a command whose new store is there: an error unless everything came with it and is proven.
 * Errors: SK_DAMAGED, SK_IO (something could not be read). */
SK_MUST_CHECK enum sk_status sk_succeed_end(struct sk_succeed *succeed, struct sk_error *err);

/* Wants JSON, if the command does. */
void sk_succeed_begin(struct sk_succeed *succeed);

/* Prints what came of it. dir: the new store. */
SK_MUST_CHECK enum sk_status sk_succeed_report(struct sk_succeed *succeed, const char *dir,
                                               struct sk_error *err);

#endif
