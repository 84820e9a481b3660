/*
 * Import: a bundle is verified as it is read, inside one transaction that is only committed when
 * all of it was right. Whole or nothing, idempotent, in any order.
 */
#ifndef SK_SYNC_IMPORT_H
#define SK_SYNC_IMPORT_H

#include "core/file.h"
#include "core/log.h"
#include "sync/worker.h"

struct sk_import_result {
    char device[128]; /* alias */
    int64_t log;      /* row, 0 when it was not even opened */
    uint64_t bundle;  /* its number */
    uint64_t entries_new;
    uint64_t entries_known;
    uint64_t quarantined;  /* entries put aside with the bundle, or malformed ones */
    struct sk_ranges gaps; /* what the log still misses before what it holds */
    bool known_file;       /* this very file was imported before */
    bool waiting;          /* the bundle is in quarantine */
    bool fork;             /* the log has two histories: it is frozen */
    bool salvaged;         /* the bundle is damaged, and this is what was left of it */
    uint64_t payloads; /* then: texts and attachments that were kept, and were not here before */
    struct sk_ranges lacking; /* then: entries of the bundle whose text or attachment is lacking */
    char reason[512];         /* why it is in quarantine, or what is damaged; may end early */
};
void sk_import_result_clear(struct sk_import_result *result);

/*
 * Imports one file, which `worker` takes apart; NULL: this process itself, without a sandbox.
 * Errors, with the archive unchanged: SK_MISSING, SK_DAMAGED, SK_REFUSED (not for this archive, or
 * sealed to keys that it has forgotten; a spent index over other bytes; what it made of its
 * worker), SK_LIMIT, SK_CONFIG (a newer format; a worker that cannot be made safe), SK_FULL, SK_IO.
 */
SK_MUST_CHECK enum sk_status sk_import(struct sk_store *store, const char *path,
                                       const struct sk_worker *worker,
                                       const struct sk_progress *progress,
                                       struct sk_import_result *out, struct sk_error *err);

/* The same of a file that was opened for reading, and stands at its first byte; it stays the
 * caller's. Errors: as above. */
SK_MUST_CHECK enum sk_status sk_import_open(struct sk_store *store, struct sk_file *file,
                                            const struct sk_worker *worker,
                                            const struct sk_progress *progress,
                                            struct sk_import_result *out, struct sk_error *err);

/*
 * The same; but of a bundle that is damaged, or cannot be read in places, what verifies is kept
 * (sync/FORMAT.md, "Salvage"): out->salvaged tells. Its index stays unspent, so that an intact copy
 * can complete it. Errors: as above, when nothing of it could be kept.
 */
SK_MUST_CHECK enum sk_status sk_import_salvage(struct sk_store *store, const char *path,
                                               const struct sk_worker *worker,
                                               const struct sk_progress *progress,
                                               struct sk_import_result *out, struct sk_error *err);

/*
 * Approves a log that waits and imports what it sent, in order, by `worker` as above; calls `each`
 * with one result a bundle (borrowed). Errors: SK_REFUSED (it does not wait).
 */
typedef enum sk_status sk_import_each_fn(void *context, const struct sk_import_result *result,
                                         struct sk_error *err);
SK_MUST_CHECK enum sk_status sk_approve(struct sk_store *store, int64_t log,
                                        const struct sk_worker *worker, sk_import_each_fn *each,
                                        void *context, struct sk_error *err);

/*
 * Finds a device's log by what a person typed: its alias, the beginning of its log id (at least 8
 * hex digits), or its safety number. With `waiting`, only logs that wait are looked at, so that an
 * alias names the one log that waits under it. Errors: SK_MISSING, SK_USAGE (several fit).
 */
SK_MUST_CHECK enum sk_status sk_device_find(struct sk_store *store, const char *text, bool waiting,
                                            struct sk_log *out, struct sk_error *err);

/* Invited devices of which nothing has come yet. */
typedef enum sk_status sk_invited_each_fn(void *context, const char *alias, struct sk_error *err);
SK_MUST_CHECK enum sk_status sk_invited_each(struct sk_store *store, sk_invited_each_fn *each,
                                             void *context, struct sk_error *err);

/* Bundles in quarantine. */
struct sk_quarantined {
    int64_t id;
    int64_t log;
    const char *device;
    uint64_t bundle;
    uint64_t n0, n1;
    const char *reason;
};
typedef enum sk_status sk_quarantined_each_fn(void *context, const struct sk_quarantined *q,
                                              struct sk_error *err);
SK_MUST_CHECK enum sk_status sk_quarantined_each(struct sk_store *store,
                                                 sk_quarantined_each_fn *each, void *context,
                                                 struct sk_error *err);

/* What a log still misses before what it holds. out: empty, filled. */
SK_MUST_CHECK enum sk_status sk_log_gaps(struct sk_store *store, int64_t log, struct sk_ranges *out,
                                         struct sk_error *err);

#endif
