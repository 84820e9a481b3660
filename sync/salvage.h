/*
 * What is left of the payloads of a damaged bundle (sync/FORMAT.md, "Salvage"). Private to sync.
 *
 * It reads as sk_frames_reader does, over a stream with holes. Frames follow each other by their
 * lengths, so a hole costs the frames that it touches; where the border between two payloads is
 * lost with them, reading goes on at the next frame that begins with a payload.
 */
#ifndef SK_SYNC_SALVAGE_H
#define SK_SYNC_SALVAGE_H

#include "sync/frames.h"

/* Gives exactly len bytes; *whole is false when some of them were lost. Errors: SK_DAMAGED when
 * there are no more. */
struct sk_torn_source {
    enum sk_status (*read)(void *context, void *out, size_t len, bool *whole, struct sk_error *err);
    void *context;
};

struct sk_salvage_reader;

SK_MUST_CHECK enum sk_status sk_salvage_reader_new(struct sk_salvage_reader **out,
                                                   struct sk_torn_source source,
                                                   struct sk_error *err);

/* The next payload whose head and block hashes are there, as sk_frames_next(); what was not read of
 * the one before is passed over. Errors: SK_NOMEM, those of the source but SK_DAMAGED. */
SK_MUST_CHECK enum sk_status sk_salvage_next(struct sk_salvage_reader *reader,
                                             struct sk_payload_head *head, struct sk_buf *hashes,
                                             uint64_t plain_left, bool *more, struct sk_error *err);

/* Reads exactly len bytes of text or body; *lost when some of them are not to be had. */
SK_MUST_CHECK enum sk_status sk_salvage_read(struct sk_salvage_reader *reader, void *out,
                                             size_t len, bool *lost, struct sk_error *err);
void sk_salvage_reader_free(struct sk_salvage_reader *reader);

#endif
