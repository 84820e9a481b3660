/*
 * Export: the entries that have not left yet, in one bundle for every archive.
 */
#ifndef SK_SYNC_EXPORT_H
#define SK_SYNC_EXPORT_H

#include "core/log.h"
#include "core/revoke.h"
#include "sync/envelope.h"

#define SK_EXPORT_NEW \
    UINT64_MAX /* since: from the first to the last position that some archive lacks */

struct sk_export_result {
    bool nothing;           /* nothing new: no file was written */
    uint64_t number;        /* of the bundle */
    uint64_t n0, n1;        /* entries it carries */
    uint64_t left;          /* entries that did not fit and want another bundle */
    uint64_t purged;        /* entries it carries without what they say: it was purged here */
    uint64_t bytes;         /* size of the file */
    bool from_medium;       /* read back from the medium, as far as the system can tell */
    char code[SK_CODE_LEN]; /* the courier's */
};

/*
 * Writes a bundle to a new file: number and index are durable before the first byte; the positions
 * count as exported after the file was synced, named, read back and found equal.
 * An archive that has revoked this store is left out.
 * Errors: SK_CONFIG (no archive has invited this store), SK_REFUSED (each has revoked it), SK_USAGE
 * (since beyond the log), SK_CREATE, SK_FULL, SK_IO, SK_DAMAGED (a record or media file of this
 * store).
 */
SK_MUST_CHECK enum sk_status sk_export(struct sk_store *store, const char *path, uint64_t since,
                                       const struct sk_progress *progress,
                                       struct sk_export_result *out, struct sk_error *err);

/* The same, in fewer bytes and more time. */
SK_MUST_CHECK enum sk_status sk_export_small(struct sk_store *store, const char *path,
                                             uint64_t since, const struct sk_progress *progress,
                                             struct sk_export_result *out, struct sk_error *err);

/* What has arrived, is on its way and never left, for one archive. */
struct sk_archive_status {
    int64_t peer; /* its row */
    const char *name;
    const struct sk_ranges *acknowledged;
    const struct sk_ranges *exported; /* left in a bundle, and not acknowledged */
    const struct sk_ranges *unexported;
    const struct sk_ranges *wanted;
    uint64_t revoked;    /* from there on it takes nothing any more; SK_NOT_REVOKED */
    bool renewed;        /* it has renewed its keys */
    uint8_t keys_id[32]; /* then: what the safety number of the newest is made of */
};
typedef enum sk_status sk_archive_status_fn(void *context, const struct sk_archive_status *status,
                                            struct sk_error *err);
SK_MUST_CHECK enum sk_status sk_status_each(struct sk_store *store, sk_archive_status_fn *each,
                                            void *context, struct sk_error *err);

#endif
