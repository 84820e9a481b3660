/*
 * Checks everything a store holds: pages, logs and their signed heads, commitments of payloads,
 * that what is listed is what was signed, media; and that its folders hold nothing else.
 */
#ifndef SK_CORE_VERIFY_H
#define SK_CORE_VERIFY_H

#include "core/store.h"

/* One problem in a sentence that says what and where: valid UTF-8, free of record text but for the
 * name of a log. */
typedef void sk_problem_fn(void *context, const char *sentence);

/*
 * Calls `each` for every problem found and goes on. Errors: only what keeps it from going on.
 */
SK_MUST_CHECK
enum sk_status sk_verify(struct sk_store *store, sk_problem_fn *each, void *context,
                         const struct sk_progress *progress, struct sk_error *err);

/* The same without a look at what else the folder holds: what a copy of the store depends on. */
SK_MUST_CHECK
enum sk_status sk_verify_content(struct sk_store *store, sk_problem_fn *each, void *context,
                                 const struct sk_progress *progress, struct sk_error *err);

/* Only that look: files that are not the store's, or that `data` does not know. None of them says
 * that something is damaged. Errors: those of sk_folder_strays(). */
SK_MUST_CHECK
enum sk_status sk_verify_folder(struct sk_store *store, sk_problem_fn *each, void *context,
                                struct sk_error *err);

/* How many entries bear the mark that nothing proved them when they were saved from damage. */
SK_MUST_CHECK
enum sk_status sk_verify_unproven(struct sk_store *store, uint64_t *out, struct sk_error *err);

#endif
