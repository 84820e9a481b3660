/* How the result of importing one bundle is printed, by `import` and by `approve`. */
#ifndef SK_CLI_IMPORTED_H
#define SK_CLI_IMPORTED_H

#include "cli/command.h"
#include "cli/print.h"
#include "sync/import.h"

/* file: NULL when the bundle came out of quarantine. status: what importing gave; result is only
 * read when it is SK_OK. array: NULL for an object in a line of its own. */
SK_MUST_CHECK enum sk_status sk_imported_json(struct sk_out_array *array, const char *file,
                                              enum sk_status status,
                                              const struct sk_import_result *result,
                                              struct sk_error *err);
SK_MUST_CHECK enum sk_status sk_imported_text(const char *file,
                                              const struct sk_import_result *result,
                                              struct sk_error *err);

/* Why a file was not taken in, and what to do about it, on standard error. */
void sk_imported_say_failure(const struct sk_run *run, const char *file, enum sk_status status,
                             const struct sk_error *reason, const char *advice);

/* What to do about a bundle that is beyond a limit: each copy of it is. */
#define SK_BEYOND_LIMIT                                                                           \
    "Nothing of this file was taken in; keep it. Its device made it so, and another copy is the " \
    "same: ask its owner what made it."

/* What takes bundles apart: the worker, or with --without-sandbox NULL, which is warned about. */
const struct sk_worker *sk_run_worker(const struct sk_run *run);

/* What to do where no sandbox can be had; NULL where it can. */
const char *sk_sandbox_advice(void);

#endif
