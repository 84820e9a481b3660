/*
 * The steps of an export. Private to sync.
 */
#ifndef SK_SYNC_EXPORT_PARTS_H
#define SK_SYNC_EXPORT_PARTS_H

#include "sync/deflate.h"
#include "sync/export.h"
#include "sync/manifest.h"

/* What a bundle will carry, found in a first pass over the tables. */
struct sk_export_plan {
    uint64_t n0, n1;
    uint64_t left; /* entries behind n1 */
    uint64_t payloads;
    uint64_t plain_bytes; /* texts and bodies */
    enum sk_effort effort;
    uint8_t indices_hash[SK_HASH_LEN];
};

/*
 * The longest part of [n0, end) that one bundle can carry whatever the compression saves. Errors:
 * SK_LIMIT (even the first entry does not fit).
 */
SK_MUST_CHECK
enum sk_status sk_export_plan(struct sk_store *store, uint64_t n0, uint64_t end,
                              struct sk_export_plan *out, struct sk_error *err);

/* The inner stream: manifest, signature, entries, payloads. */
SK_MUST_CHECK
enum sk_status sk_export_stream(struct sk_store *store, const struct sk_export_plan *plan,
                                const struct sk_manifest *manifest, struct sk_sink sink,
                                const struct sk_progress *progress, struct sk_error *err);

#endif
