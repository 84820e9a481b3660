/*
 * The inner stream of a bundle, unpacked: decrypted and decompressed, either in this process or in
 * a worker (sync/worker.h), which the caller cannot tell apart. Private to sync.
 *
 * Whoever reads it takes manifest and entries as bytes, then one payload after the other until
 * there is none, then the end. Signature, tree and commitments are the caller's to check.
 */
#ifndef SK_SYNC_UNPACK_H
#define SK_SYNC_UNPACK_H

#include "sync/envelope.h"
#include "sync/frames.h"
#include "sync/worker.h"

/* Where it comes from: a volume, or (file: NULL) an inner stream that was kept as it came. */
struct sk_unpack_from {
    struct sk_file *file; /* borrowed, as is all here */
    const uint8_t *header;
    const struct sk_volume_unlocked *unlocked;

    struct sk_source stream;
    uint64_t stream_len;

    struct sk_sink raw; /* takes the inner stream as it is, up to END; without write: nobody does */
    bool salvage;       /* of a volume: what is damaged is passed over (sync/salvage.h) */
    const struct sk_progress *progress; /* in bytes of the file or stream; may be NULL */
};

struct sk_unpack;

/*
 * worker: NULL to unpack in this process. Errors: SK_NOMEM; SK_CONFIG (no worker can be made safe).
 *
 * The functions below give, besides their own, what ended a worker: SK_REFUSED (it did or said what
 * it may not, or crashed), SK_IO (it was killed from outside, or fell silent), SK_NOMEM.
 */
SK_MUST_CHECK
enum sk_status sk_unpack_open(struct sk_unpack **out, const struct sk_unpack_from *from,
                              const struct sk_worker *worker, struct sk_error *err);

/* The stream up to the last entry. Errors: SK_DAMAGED, SK_LIMIT. */
struct sk_source sk_unpack_source(struct sk_unpack *unpack);

/* As sk_frames_next() and sk_frames_read(). */
SK_MUST_CHECK
enum sk_status sk_unpack_next(struct sk_unpack *unpack, struct sk_payload_head *head,
                              struct sk_buf *hashes, uint64_t plain_left, bool *more,
                              struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_unpack_read(struct sk_unpack *unpack, void *out, size_t len,
                              struct sk_error *err);

/* The same for a payload that may be lost in part: *lost, and then no more of it can be read.
 * sk_unpack_next() goes on behind it, as it does behind one that was not read to its end. Without
 * `salvage`, *lost is false. */
SK_MUST_CHECK
enum sk_status sk_unpack_try(struct sk_unpack *unpack, void *out, size_t len, bool *lost,
                             struct sk_error *err);

/* After the last payload: nothing but padding follows. file_hash: of a volume, zeros of a stream.
 * Not for a salvage.
 * Errors: SK_DAMAGED. */
SK_MUST_CHECK
enum sk_status sk_unpack_end(struct sk_unpack *unpack, uint8_t file_hash[static 32],
                             struct sk_error *err);

/* Ends the worker, whatever it does. NULL is allowed. */
void sk_unpack_close(struct sk_unpack *unpack);

static inline void sk_unpack_cleanup(struct sk_unpack **unpack)
{
    sk_unpack_close(*unpack);
}
#define sk_auto_unpack __attribute__((cleanup(sk_unpack_cleanup))) struct sk_unpack *

#endif
