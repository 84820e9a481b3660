/*
 * The receiver's side of a worker. Private to sync: for unpack.c, which says what the functions do.
 */
#ifndef SK_SYNC_WORKER_CLIENT_H
#define SK_SYNC_WORKER_CLIENT_H

#include "sync/unpack.h"

struct sk_worker_client;

SK_MUST_CHECK
enum sk_status sk_worker_open(struct sk_worker_client **out, const struct sk_worker *worker,
                              const struct sk_unpack_from *from, struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_worker_bytes(struct sk_worker_client *client, void *out, size_t len,
                               struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_worker_next(struct sk_worker_client *client, struct sk_payload_head *head,
                              struct sk_buf *hashes, uint64_t plain_left, bool *more,
                              struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_worker_read(struct sk_worker_client *client, void *out, size_t len,
                              struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_worker_try(struct sk_worker_client *client, void *out, size_t len, bool *lost,
                             struct sk_error *err);
/* The hash that came with the end. */
const uint8_t *sk_worker_file_hash(const struct sk_worker_client *client);
void sk_worker_close(struct sk_worker_client *client);

#endif
