/*
 * Frame: u8 codec | u32 data length | u32 plain length | data. Codec 0 is stored, 1 raw deflate, 2
 * END with both lengths 0.
 */
#include "sync/frames.h"

#include "core/relay.h"
#include "crypto/bytes.h"
#include "crypto/secret.h"

#include <stdlib.h>
#include <string.h>

/* A frame shorter than this is compressed without being probed first. */
#define PROBE_FROM   ((size_t)64 * 1024)
#define PROBE_LEN    ((size_t)16 * 1024)
#define PROBE_PIECES 4u

/* What comes in is gathered to frames in one thread; deflating and the sink are the other one's. */
struct sk_frames_writer {
    struct sk_relay *relay;
    uint64_t last_index;
    uint64_t text_left; /* of the payload that is being written, its head and hashes included */
    uint64_t body_left;
    size_t plain_len; /* in the relay's piece */
    /* Of the second thread, until the relay has ended. */
    struct sk_sink sink;
    struct sk_deflater *deflater;
    uint8_t data[SK_FRAME_MAX];
};

struct sk_frames_reader {
    struct sk_source source;
    struct sk_inflater *inflater;
    uint64_t last_index;
    uint64_t payload_left; /* text and body not read yet */
    bool ended;
    size_t plain_len;
    size_t plain_at;
    size_t plain_used, data_used; /* of the two below, from their beginning: what is to be wiped */
    uint8_t plain[SK_FRAME_MAX];
    uint8_t data[SK_FRAME_MAX];
};

/* ---- writing ---- */

static enum sk_status compress_frame(void *context, const uint8_t *plain, size_t len,
                                     struct sk_error *err);

enum sk_status sk_frames_writer_new(struct sk_frames_writer **out, struct sk_sink sink,
                                    enum sk_effort effort, struct sk_error *err)
{
    struct sk_frames_writer *writer = calloc(1, sizeof(*writer));
    if (!writer)
        return sk_fail_status(err, SK_NOMEM);
    enum sk_status status = sk_deflater_new(&writer->deflater, effort, err);
    if (status == SK_OK)
        status = sk_relay_new(&writer->relay, SK_FRAME_MAX, compress_frame, writer, err);
    if (status) {
        sk_frames_writer_free(writer);
        return status;
    }
    writer->sink = sink;
    writer->last_index = SK_PAYLOAD_NONE;
    *out = writer;
    return SK_OK;
}

static enum sk_status put_frame(struct sk_frames_writer *writer, enum sk_codec codec,
                                const uint8_t *data, size_t data_len, size_t plain_len,
                                struct sk_error *err)
{
    uint8_t head[SK_FRAME_HEAD_LEN];
    head[0] = (uint8_t)codec;
    sk_put_u32(head + 1, (uint32_t)data_len);
    sk_put_u32(head + 5, (uint32_t)plain_len);
    SK_TRY(sk_sink_write(&writer->sink, head, sizeof(head), err));
    return data_len > 0 ? sk_sink_write(&writer->sink, data, data_len, err) : SK_OK;
}

/*
 * Pictures, sound and archives do not shrink, and finding that out costs more than everything else
 * an export does. Four samples tell: what saves less than a sixteenth there is stored.
 */
static bool worth_deflating(struct sk_frames_writer *writer, const uint8_t *plain, size_t len)
{
    const size_t piece = PROBE_LEN / PROBE_PIECES;
    uint8_t *sample = writer->data;
    uint8_t *result = writer->data + PROBE_LEN;

    if (len < PROBE_FROM)
        return true;
    for (size_t i = 0; i < PROBE_PIECES; i++)
        memcpy(sample + i * piece, plain + i * (len / PROBE_PIECES), piece);
    return sk_deflate(writer->deflater, result, PROBE_LEN - PROBE_LEN / 16, sample, PROBE_LEN) > 0;
}

static enum sk_status compress_frame(void *context, const uint8_t *plain, size_t len,
                                     struct sk_error *err)
{
    struct sk_frames_writer *writer = context;
    size_t data_len = 0;
    if (worth_deflating(writer, plain, len))
        data_len = sk_deflate(writer->deflater, writer->data, len - 1, plain, len);
    return data_len > 0 ? put_frame(writer, SK_CODEC_DEFLATE, writer->data, data_len, len, err)
                        : put_frame(writer, SK_CODEC_STORED, plain, len, len, err);
}

enum sk_status sk_frames_flush(struct sk_frames_writer *writer, struct sk_error *err)
{
    size_t len = writer->plain_len;
    writer->plain_len = 0;
    return len > 0 ? sk_relay_give(writer->relay, len, err) : SK_OK;
}

static enum sk_status append(struct sk_frames_writer *writer, const uint8_t *bytes, size_t len,
                             struct sk_error *err)
{
    while (len > 0) {
        size_t part = SK_FRAME_MAX - writer->plain_len;
        part = part < len ? part : len;
        memcpy(sk_relay_piece(writer->relay) + writer->plain_len, bytes, part);
        writer->plain_len += part;
        if (writer->plain_len == SK_FRAME_MAX)
            SK_TRY(sk_frames_flush(writer, err));
        bytes += part;
        len -= part;
    }
    return SK_OK;
}

void sk_payload_head_encode(uint8_t out[static SK_PAYLOAD_HEAD_LEN],
                            const struct sk_payload_head *head)
{
    sk_put_u32(out, head->index);
    memcpy(out + 4, head->salt, SK_SALT_LEN);
    sk_put_u32(out + 36, head->text_len);
    sk_put_u64(out + 40, head->body_len);
}

enum sk_status sk_frames_begin(struct sk_frames_writer *writer, const struct sk_payload_head *head,
                               const uint8_t *hashes, struct sk_error *err)
{
    uint8_t encoded[SK_PAYLOAD_HEAD_LEN];
    if (writer->text_left > 0 || writer->body_left > 0)
        return sk_fail(err, SK_INTERNAL, "the payload before is not complete");
    if (writer->last_index != SK_PAYLOAD_NONE && head->index <= writer->last_index)
        return sk_fail(err, SK_INTERNAL, "payloads are not in order");
    if (head->text_len > SK_TEXT_MAX || head->body_len > SK_BODY_MAX)
        return sk_fail(err, SK_LIMIT, "a payload is too large");
    size_t hashes_len = (size_t)sk_block_count(head->text_len, head->body_len) * SK_HASH_LEN;
    /* A payload that fits a frame stands in one whole: where the frame before it is lost, a salvage
     * goes on at this one. */
    if (writer->plain_len + sizeof(encoded) + hashes_len + head->text_len > SK_FRAME_MAX)
        SK_TRY(sk_frames_flush(writer, err));
    writer->last_index = head->index;
    writer->text_left = head->text_len;
    writer->body_left = head->body_len;

    sk_payload_head_encode(encoded, head);
    enum sk_status status = append(writer, encoded, sizeof(encoded), err);
    sk_wipe(encoded, sizeof(encoded)); /* the salt */
    if (status)
        return status;
    return append(writer, hashes, hashes_len, err);
}

enum sk_status sk_frames_write(struct sk_frames_writer *writer, const void *bytes, size_t len,
                               struct sk_error *err)
{
    const uint8_t *at = bytes;
    if (len > writer->text_left + writer->body_left)
        return sk_fail(err, SK_INTERNAL, "a payload is longer than its head says");
    size_t text = len < writer->text_left ? len : (size_t)writer->text_left;
    SK_TRY(append(writer, at, text, err));
    writer->text_left -= text;
    if (len == text)
        return SK_OK;
    SK_TRY(append(writer, at + text, len - text, err));
    writer->body_left -= len - text;
    /* What follows a picture is text again, and would not be deflated in its frame. */
    return writer->body_left == 0 ? sk_frames_flush(writer, err) : SK_OK;
}

enum sk_status sk_frames_finish(struct sk_frames_writer *writer, struct sk_error *err)
{
    if (writer->text_left > 0 || writer->body_left > 0)
        return sk_fail(err, SK_INTERNAL, "the last payload is not complete");
    SK_TRY(sk_frames_flush(writer, err));
    SK_TRY(sk_relay_end(writer->relay, err));
    return put_frame(writer, SK_CODEC_END, NULL, 0, 0, err);
}

void sk_frames_writer_free(struct sk_frames_writer *writer)
{
    if (!writer)
        return;
    sk_relay_free(writer->relay); /* first: its thread uses the rest */
    sk_deflater_free(writer->deflater);
    sk_wipe(writer, sizeof(*writer));
    free(writer);
}

/* ---- reading ---- */

enum sk_status sk_frames_reader_new(struct sk_frames_reader **out, struct sk_source source,
                                    struct sk_error *err)
{
    struct sk_frames_reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return sk_fail_status(err, SK_NOMEM);
    enum sk_status status = sk_inflater_new(&reader->inflater, err);
    if (status) {
        free(reader);
        return status;
    }
    reader->source = source;
    reader->last_index = SK_PAYLOAD_NONE;
    *out = reader;
    return SK_OK;
}

/* A deflated frame is shorter than its plain bytes and a stored one as long: one has to be true. */
enum sk_status sk_frame_head_check(const uint8_t head[static SK_FRAME_HEAD_LEN],
                                   struct sk_error *err)
{
    uint32_t data_len = sk_get_u32(head + 1);
    uint32_t plain_len = sk_get_u32(head + 5);

    if (head[0] > SK_CODEC_END)
        return sk_fail(err, SK_DAMAGED, "a frame has an unknown codec");
    if (plain_len > SK_FRAME_MAX || data_len > SK_FRAME_MAX)
        return sk_fail(err, SK_LIMIT, "a frame is too large");
    bool right = head[0] == SK_CODEC_END      ? data_len == 0 && plain_len == 0
                 : head[0] == SK_CODEC_STORED ? data_len > 0 && data_len == plain_len
                                              : data_len > 0 && data_len < plain_len;
    return right ? SK_OK : sk_fail(err, SK_DAMAGED, "a frame's lengths do not fit together");
}

/* Reads the next frame into `plain`, or notes END. Nothing of the frame before may be left. */
static enum sk_status load_frame(struct sk_frames_reader *reader, struct sk_error *err)
{
    uint8_t head[SK_FRAME_HEAD_LEN];
    SK_TRY(sk_source_read(&reader->source, head, sizeof(head), err));
    SK_TRY(sk_frame_head_check(head, err));
    size_t data_len = sk_get_u32(head + 1);
    size_t plain_len = sk_get_u32(head + 5);

    if (head[0] == SK_CODEC_END) {
        reader->ended = true;
        return SK_OK;
    }
    reader->plain_used = plain_len > reader->plain_used ? plain_len : reader->plain_used;
    reader->data_used = data_len > reader->data_used ? data_len : reader->data_used;
    if (head[0] == SK_CODEC_STORED) {
        SK_TRY(sk_source_read(&reader->source, reader->plain, plain_len, err));
    } else {
        SK_TRY(sk_source_read(&reader->source, reader->data, data_len, err));
        if (!sk_inflate(reader->inflater, reader->plain, plain_len, reader->data, data_len))
            return sk_fail(err, SK_DAMAGED, "a frame's compressed data are damaged");
    }
    reader->plain_len = plain_len;
    reader->plain_at = 0;
    return SK_OK;
}

static enum sk_status read_plain(struct sk_frames_reader *reader, void *out, size_t len,
                                 struct sk_error *err)
{
    uint8_t *at = out;
    while (len > 0) {
        size_t part = reader->plain_len - reader->plain_at;
        part = part < len ? part : len;
        if (part == 0) {
            if (!reader->ended)
                SK_TRY(load_frame(reader, err));
            if (reader->ended)
                return sk_fail(err, SK_DAMAGED, "the payloads end too early");
            continue;
        }
        memcpy(at, reader->plain + reader->plain_at, part);
        reader->plain_at += part;
        at += part;
        len -= part;
    }
    return SK_OK;
}

enum sk_status sk_payload_head_check(const struct sk_payload_head *head, uint64_t last_index,
                                     uint64_t plain_left, struct sk_error *err)
{
    if (last_index != SK_PAYLOAD_NONE && head->index <= last_index)
        return sk_fail(err, SK_DAMAGED, "the payloads are not in order");
    if (head->text_len > SK_TEXT_MAX || head->body_len > SK_BODY_MAX)
        return sk_fail(err, SK_LIMIT, "a payload is too large");
    if (head->text_len > plain_left || head->body_len > plain_left - head->text_len)
        return sk_fail(err, SK_DAMAGED, "the payloads are larger than their device signed");
    return SK_OK;
}

void sk_payload_head_decode(struct sk_payload_head *out,
                            const uint8_t in[static SK_PAYLOAD_HEAD_LEN])
{
    out->index = sk_get_u32(in);
    memcpy(out->salt, in + 4, SK_SALT_LEN);
    out->text_len = sk_get_u32(in + 36);
    out->body_len = sk_get_u64(in + 40);
}

static enum sk_status read_head(struct sk_frames_reader *reader, struct sk_payload_head *head,
                                struct sk_buf *hashes, uint64_t plain_left, struct sk_error *err)
{
    uint8_t encoded[SK_PAYLOAD_HEAD_LEN];
    SK_TRY(read_plain(reader, encoded, sizeof(encoded), err));
    sk_payload_head_decode(head, encoded);
    sk_wipe(encoded, sizeof(encoded));
    SK_TRY(sk_payload_head_check(head, reader->last_index, plain_left, err));

    size_t hashes_len = (size_t)sk_block_count(head->text_len, head->body_len) * SK_HASH_LEN;
    sk_buf_reset(hashes);
    SK_TRY(sk_buf_grow(hashes, hashes_len, err));
    SK_TRY(read_plain(reader, hashes->bytes, hashes_len, err));
    hashes->len = hashes_len;
    return SK_OK;
}

enum sk_status sk_frames_next(struct sk_frames_reader *reader, struct sk_payload_head *head,
                              struct sk_buf *hashes, uint64_t plain_left, bool *more,
                              struct sk_error *err)
{
    struct sk_payload_head read = {0};
    if (reader->payload_left > 0)
        return sk_fail(err, SK_INTERNAL, "the payload before was not read to its end");
    if (!reader->ended && reader->plain_at == reader->plain_len)
        SK_TRY(load_frame(reader, err));
    if (!reader->ended) {
        SK_TRY(read_head(reader, &read, hashes, plain_left, err));
        reader->last_index = read.index;
        reader->payload_left = read.text_len + read.body_len;
        *head = read;
    }
    *more = !reader->ended;
    return SK_OK;
}

enum sk_status sk_frames_read(struct sk_frames_reader *reader, void *out, size_t len,
                              struct sk_error *err)
{
    if (len > reader->payload_left)
        return sk_fail(err, SK_INTERNAL, "a payload has fewer bytes than were asked for");
    SK_TRY(read_plain(reader, out, len, err));
    reader->payload_left -= len;
    return SK_OK;
}

void sk_frames_reader_free(struct sk_frames_reader *reader)
{
    if (!reader)
        return;
    sk_inflater_free(reader->inflater);
    /* Most bundles fill a small part of it. */
    sk_wipe(reader->plain, reader->plain_used);
    sk_wipe(reader->data, reader->data_used);
    free(reader);
}
