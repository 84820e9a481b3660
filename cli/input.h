/* Fields of records from arguments, files and standard input, for `add` and `edit`. */
#ifndef SK_CLI_INPUT_H
#define SK_CLI_INPUT_H

#include "cli/command.h"
#include "core/form.h"

/* On a terminal, record text is asked for: refuses it as arguments from `first` on.
 * Errors: SK_USAGE with the reason. */
SK_MUST_CHECK enum sk_status sk_input_refuse_args(const struct sk_run *run, int first,
                                                  struct sk_error *err);

/* Applies the FIELD=VALUE arguments from `first` on. Errors: SK_USAGE, SK_REFUSED. */
SK_MUST_CHECK enum sk_status sk_input_set(const struct sk_run *run, int first,
                                          const struct sk_form *form, json_t *fields,
                                          struct sk_error *err);

/* Each record of what --from names: a file, or standard input for "-". See sk_json_each(). */
SK_MUST_CHECK enum sk_status sk_input_each(const char *from, sk_json_each_fn *each, void *context,
                                           struct sk_error *err);

#endif
