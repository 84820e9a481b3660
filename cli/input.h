/* Fields of records from arguments, files and standard input, for `add` and `edit`. */
#ifndef SK_CLI_INPUT_H
#define SK_CLI_INPUT_H

#include "cli/command.h"
#include "core/form.h"

#define SK_FROM_MAX (1024u * 1024 * 1024) /* bytes that --from takes */

/* On a terminal, record text is asked for: refuses it as arguments from `first` on.
 * Errors: SK_USAGE with the reason. */
SK_MUST_CHECK enum sk_status sk_input_refuse_args(const struct sk_run *run, int first,
                                                  struct sk_error *err);

/* Applies the FIELD=VALUE arguments from `first` on. Errors: SK_USAGE, SK_REFUSED. */
SK_MUST_CHECK enum sk_status sk_input_set(const struct sk_run *run, int first,
                                          const struct sk_form *form, json_t *fields,
                                          struct sk_error *err);

/* What --from names: a file, or standard input for "-". */
SK_MUST_CHECK enum sk_status sk_input_load(const char *from, struct sk_buf *out,
                                           struct sk_error *err);

#endif
