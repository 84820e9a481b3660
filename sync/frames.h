/*
 * Payloads as a compressed stream (sync/FORMAT.md, "Frames").
 *
 * The payloads of a bundle, one after the other (head, block hashes, text, body), are one stream of
 * bytes. It is cut into frames of at most 1 MiB, each deflated by itself or stored; small payloads
 * share a frame, and a body starts a new one. END closes it.
 */
#ifndef SK_SYNC_FRAMES_H
#define SK_SYNC_FRAMES_H

#include "core/buf.h"
#include "core/entry.h"
#include "sync/deflate.h"
#include "sync/stream.h"

#define SK_FRAME_MAX      ((size_t)1024 * 1024)
#define SK_FRAME_HEAD_LEN 9 /* u8 codec | u32 data length | u32 plain length */

enum sk_codec {
    SK_CODEC_STORED = 0,
    SK_CODEC_DEFLATE = 1,
    SK_CODEC_END = 2, /* both lengths are 0 */
};

/* Whether a frame's lengths can be. Errors: SK_DAMAGED, SK_LIMIT. */
SK_MUST_CHECK enum sk_status sk_frame_head_check(const uint8_t head[static SK_FRAME_HEAD_LEN],
                                                 struct sk_error *err);

struct sk_payload_head {
    uint32_t index; /* position - n0 */
    uint8_t salt[SK_SALT_LEN];
    uint32_t text_len;
    uint64_t body_len;
};

#define SK_PAYLOAD_HEAD_LEN 48         /* encoded */
#define SK_PAYLOAD_NONE     UINT64_MAX /* no payload came before */

void sk_payload_head_encode(uint8_t out[static SK_PAYLOAD_HEAD_LEN],
                            const struct sk_payload_head *head);
void sk_payload_head_decode(struct sk_payload_head *out,
                            const uint8_t in[static SK_PAYLOAD_HEAD_LEN]);

/* Against SK_TEXT_MAX, SK_BODY_MAX, the index of the payload before, and `plain_left`, what the
 * manifest still allows. Errors: SK_DAMAGED, SK_LIMIT. */
SK_MUST_CHECK enum sk_status sk_payload_head_check(const struct sk_payload_head *head,
                                                   uint64_t last_index, uint64_t plain_left,
                                                   struct sk_error *err);

struct sk_frames_writer;
struct sk_frames_reader;

/*
 * Frames are deflated and given to the sink in a second thread (core/relay.h): nobody else writes
 * to the sink between sk_frames_begin() and the end of sk_frames_finish(), and an error of the sink
 * may come with a later call, with sk_frames_finish() at the latest.
 */
SK_MUST_CHECK enum sk_status sk_frames_writer_new(struct sk_frames_writer **out,
                                                  struct sk_sink sink, enum sk_effort effort,
                                                  struct sk_error *err);

/* The head and its block hashes; then text and body by sk_frames_write(), exactly as long as said.
 */
SK_MUST_CHECK enum sk_status sk_frames_begin(struct sk_frames_writer *writer,
                                             const struct sk_payload_head *head,
                                             const uint8_t *hashes, struct sk_error *err);
SK_MUST_CHECK enum sk_status sk_frames_write(struct sk_frames_writer *writer, const void *bytes,
                                             size_t len, struct sk_error *err);

/* Call before the first byte of a body, so that its blocks fill frames of their own. */
SK_MUST_CHECK enum sk_status sk_frames_flush(struct sk_frames_writer *writer, struct sk_error *err);

/* Flushes, waits for the second thread and writes END. */
SK_MUST_CHECK enum sk_status sk_frames_finish(struct sk_frames_writer *writer,
                                              struct sk_error *err);
void sk_frames_writer_free(struct sk_frames_writer *writer);

SK_MUST_CHECK enum sk_status sk_frames_reader_new(struct sk_frames_reader **out,
                                                  struct sk_source source, struct sk_error *err);

/*
 * The next payload's head, or *more false at END. hashes (reset, then filled) holds 32 bytes a
 * block. Lengths are checked against SK_TEXT_MAX, SK_BODY_MAX and `plain_left` (what the manifest
 * still allows) before anything is allocated. Errors: SK_DAMAGED, SK_LIMIT.
 */
SK_MUST_CHECK enum sk_status sk_frames_next(struct sk_frames_reader *reader,
                                            struct sk_payload_head *head, struct sk_buf *hashes,
                                            uint64_t plain_left, bool *more, struct sk_error *err);

/* Reads exactly len bytes of text or body. Errors: SK_DAMAGED. */
SK_MUST_CHECK enum sk_status sk_frames_read(struct sk_frames_reader *reader, void *out, size_t len,
                                            struct sk_error *err);
void sk_frames_reader_free(struct sk_frames_reader *reader);

#endif
