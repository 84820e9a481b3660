/*
 * Who of an archive's devices has its next keys (sync/FORMAT.md, "Renewed keys"). The keys
 * themselves are in core/renew.h.
 */
#ifndef SK_SYNC_RENEW_H
#define SK_SYNC_RENEW_H

#include "core/log.h"
#include "core/renew.h"

enum sk_keys_state {
    SK_KEYS_TAKEN,     /* it has the newest keys */
    SK_KEYS_NOT_TAKEN, /* it has shown only that it has those that are to be forgotten */
    SK_KEYS_LOST,      /* it has shown only that it has keys that were forgotten */
};

/* A device: a log, or the alias of an invite under which nothing came. */
struct sk_keys_device {
    const char *alias;
    int64_t log; /* 0: nothing came */
    enum sk_keys_state state;
    bool revoked; /* its log: nobody waits for it */
};

/* Calls `each` for every device that was invited. */
typedef enum sk_status sk_keys_each_fn(void *context, const struct sk_keys_device *device,
                                       struct sk_error *err);
SK_MUST_CHECK enum sk_status sk_keys_each(struct sk_store *store, sk_keys_each_fn *each,
                                          void *context, struct sk_error *err);

/* The state of one log. */
SK_MUST_CHECK enum sk_status sk_keys_state(struct sk_store *store, int64_t log,
                                           enum sk_keys_state *out, struct sk_error *err);

/*
 * Has the old keys forgotten (sk_archive_forget()). Unless `leave_behind`, only when no device is
 * waited for: each has the next keys, or is revoked. Errors: SK_REFUSED, SK_IO, SK_FULL.
 */
SK_MUST_CHECK enum sk_status sk_keys_forget(struct sk_store *store, bool leave_behind,
                                            struct sk_error *err);

/* The newest pair of keys that a log is known to have, by number; notes, in the current
 * transaction, that a log (0: every log of the pair) has a pair. */
SK_MUST_CHECK enum sk_status sk_keys_known(struct sk_store *store, int64_t peer, int64_t log,
                                           uint64_t *number, struct sk_error *err);
SK_MUST_CHECK enum sk_status sk_keys_note(struct sk_store *store, int64_t peer, int64_t log,
                                          uint64_t number, struct sk_error *err);

#endif
