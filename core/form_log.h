/*
 * The forms of organisations that stand in logs, as entries of type 10, and the records that name
 * them. A record is well formed only while its own log holds its form: when that comes, or goes,
 * the records that name it are judged again, so that the order of arrival makes no difference.
 */
#ifndef SK_CORE_FORM_LOG_H
#define SK_CORE_FORM_LOG_H

#include "core/form_own.h"
#include "core/log.h"

/* The form of that hash, if a log holds it: *out is a reference, or NULL. Errors: SK_DAMAGED. */
SK_MUST_CHECK
enum sk_status sk_log_form(struct sk_store *store, int64_t log,
                           const uint8_t hash[static SK_HASH_LEN], struct sk_own_form **out,
                           struct sk_error *err);

/* The forms of a log as a source: `context` is a struct sk_log_forms. */
struct sk_log_forms {
    struct sk_store *store;
    int64_t log;
};
struct sk_form_source sk_log_form_source(struct sk_log_forms *forms);

/* Puts a form into the own log, unless it is there. In the running transaction of a documenter's
 * store. */
SK_MUST_CHECK
enum sk_status sk_log_form_append(struct sk_store *store, const struct sk_own_form *own,
                                  struct sk_error *err);

/* Whether records of the own log name a form that this log lacks. */
SK_MUST_CHECK
enum sk_status sk_log_form_missed(struct sk_store *store, const uint8_t hash[static SK_HASH_LEN],
                                  bool *out, struct sk_error *err);

/* Calls `each` for the newest version of each form of the own log, by name. */
typedef enum sk_status sk_log_form_each_fn(void *context, struct sk_own_form *own,
                                           struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_log_form_each(struct sk_store *store, sk_log_form_each_fn *each, void *context,
                                struct sk_error *err);

/* Whether what is noted about forms has a basis in entries: *problem is a sentence, or NULL. */
SK_MUST_CHECK
enum sk_status sk_log_form_verify(struct sk_store *store, const char **problem,
                                  struct sk_error *err);

#endif
