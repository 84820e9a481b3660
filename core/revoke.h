/*
 * Revocation, at the archive: from a position on, the entries of a log are not taken for the word
 * of its device (sync/FORMAT.md, "Revocation"). What was accepted there before stays as evidence;
 * it does not erase in other logs.
 */
#ifndef SK_CORE_REVOKE_H
#define SK_CORE_REVOKE_H

#include "core/log.h"

#define SK_NOT_REVOKED UINT64_MAX

/* From which position on a log is revoked; SK_NOT_REVOKED. */
SK_MUST_CHECK
enum sk_status sk_log_revoked(struct sk_store *store, int64_t log, uint64_t *from,
                              struct sk_error *err);

/*
 * Revokes a log from a position on, in the current transaction. Never later than before. What an
 * erasure behind that position has erased in logs that continue this one, or that this one
 * continues, may come again. Errors: SK_REFUSED (it is revoked from an earlier position on),
 * SK_CONFIG (a documenter's store).
 */
SK_MUST_CHECK
enum sk_status sk_log_revoke(struct sk_store *store, int64_t log, uint64_t from,
                             struct sk_error *err);

/* How many entries of a log are held at a position or behind it. */
SK_MUST_CHECK
enum sk_status sk_log_held_from(struct sk_store *store, int64_t log, uint64_t from, uint64_t *count,
                                struct sk_error *err);

/* Whether an entry stands where its log is revoked. */
SK_MUST_CHECK
enum sk_status sk_entry_revoked(struct sk_store *store, int64_t log, uint64_t position, bool *out,
                                struct sk_error *err);

#endif
