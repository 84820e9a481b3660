/*
 * Goal of this test: payloads come back as they were, whatever their sizes; a reader never takes
 * more memory or bytes than a frame may have; lengths that lie, trailing bytes, bad deflate, cut
 * streams and payloads out of order are refused, each with its own class of error.
 */
#include "sync/frames.h"

#include "crypto/bytes.h"
#include "crypto/secret.h"
#include "sync/deflate.h"
#include "tests/support/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

#define HEAD_LEN  9
#define CODEC_END 2

/* ---- writing ---- */

struct payload {
    uint32_t index;
    size_t text_len;
    size_t body_len;
};

/* Compressible, and different for each payload. */
static void fill_text(uint8_t *out, size_t len, uint32_t index)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)('a' + (i / 7 + i % 5 + index) % 20);
}

/* Not compressible, and the same each time. */
static void fill_body(uint8_t *out, size_t len, uint32_t index)
{
    uint8_t seed[randombytes_SEEDBYTES] = {0};
    sk_put_u32(seed, index);
    randombytes_buf_deterministic(out, len, seed);
}

static void fill_hashes(uint8_t *out, size_t len, uint32_t index)
{
    memset(out, (int)(index & 0xff) ^ 0x55, len);
}

static void make_head(struct sk_payload_head *head, const struct payload *p)
{
    head->index = p->index;
    memset(head->salt, (int)(p->index & 0xff), sizeof(head->salt));
    head->text_len = (uint32_t)p->text_len;
    head->body_len = p->body_len;
}

static void write_payload(struct sk_frames_writer *writer, const struct payload *p, size_t step)
{
    struct sk_payload_head head;
    size_t hashes_len = (size_t)sk_block_count(p->text_len, p->body_len) * 32;
    uint8_t *hashes = malloc(hashes_len);
    uint8_t *bytes = malloc(p->text_len + p->body_len + 1);

    make_head(&head, p);
    fill_hashes(hashes, hashes_len, p->index);
    fill_text(bytes, p->text_len, p->index);
    fill_body(bytes + p->text_len, p->body_len, p->index);
    assert_int_equal(sk_frames_begin(writer, &head, hashes, NULL), SK_OK);
    assert_int_equal(sk_frames_write(writer, bytes, p->text_len, NULL), SK_OK);
    if (p->body_len > 0)
        assert_int_equal(sk_frames_flush(writer, NULL), SK_OK);
    for (size_t at = 0; at < p->body_len; at += step) {
        size_t part = p->body_len - at < step ? p->body_len - at : step;
        assert_int_equal(sk_frames_write(writer, bytes + p->text_len + at, part, NULL), SK_OK);
    }
    free(bytes);
    free(hashes);
}

static void write_all(struct sk_buf *out, const struct payload *payloads, size_t count, size_t step)
{
    struct sk_frames_writer *writer = NULL;
    assert_int_equal(sk_frames_writer_new(&writer, sk_memory_sink(out), SK_EFFORT_FAST, NULL),
                     SK_OK);
    for (size_t i = 0; i < count; i++)
        write_payload(writer, &payloads[i], step);
    assert_int_equal(sk_frames_finish(writer, NULL), SK_OK);
    sk_frames_writer_free(writer);
}

/* ---- reading ---- */

static void read_payload(struct sk_frames_reader *reader, const struct payload *p, size_t step)
{
    struct sk_payload_head want, head;
    sk_auto_buf hashes = SK_BUF_INIT;
    bool more = false;
    size_t len = p->text_len + p->body_len;
    size_t hashes_len = (size_t)sk_block_count(p->text_len, p->body_len) * 32;
    uint8_t *expected = malloc(hashes_len + len + 1);
    uint8_t *got = malloc(len + 1);

    make_head(&want, p);
    assert_int_equal(sk_frames_next(reader, &head, &hashes, len, &more, NULL), SK_OK);
    assert_true(more);
    assert_int_equal(head.index, want.index);
    assert_memory_equal(head.salt, want.salt, sizeof(head.salt));
    assert_int_equal(head.text_len, want.text_len);
    assert_int_equal(head.body_len, want.body_len);
    assert_int_equal(hashes.len, hashes_len);
    fill_hashes(expected, hashes_len, p->index);
    assert_memory_equal(hashes.bytes, expected, hashes_len);
    for (size_t at = 0; at < len; at += step) {
        size_t part = len - at < step ? len - at : step;
        assert_int_equal(sk_frames_read(reader, got + at, part, NULL), SK_OK);
    }
    fill_text(expected, p->text_len, p->index);
    fill_body(expected + p->text_len, p->body_len, p->index);
    assert_memory_equal(got, expected, len);
    free(got);
    free(expected);
}

static void assert_round_trip(const struct payload *payloads, size_t count, size_t step)
{
    sk_auto_buf stream = SK_BUF_INIT;
    sk_auto_buf hashes = SK_BUF_INIT;
    struct sk_frames_reader *reader = NULL;
    struct sk_payload_head head;
    bool more = true;

    write_all(&stream, payloads, count, step);
    struct sk_memory memory = {stream.bytes, stream.len, 0};
    assert_int_equal(sk_frames_reader_new(&reader, sk_memory_source(&memory), NULL), SK_OK);
    for (size_t i = 0; i < count; i++)
        read_payload(reader, &payloads[i], step);
    assert_int_equal(sk_frames_next(reader, &head, &hashes, 0, &more, NULL), SK_OK);
    assert_false(more);
    more = true; /* END stays END */
    assert_int_equal(sk_frames_next(reader, &head, &hashes, 0, &more, NULL), SK_OK);
    assert_false(more);
    assert_int_equal(memory.at, memory.len);
    sk_frames_reader_free(reader);
}

static void payloads_of_every_size_come_back(void **state)
{
    (void)state;
    const size_t mib = 1024 * 1024;
    const struct payload payloads[] = {
        {0, 0, 0},           {1, 1, 0},       {2, 100, 1},      {5, 0, mib - 1},
        {6, 0, mib},         {7, 3, mib + 1}, {9, mib, 0},      {10, mib - 48 - 32, 0},
        {11, mib - 80, 5},   {12, 2000, 0},   {13, mib + 1, 0}, {14, 2000, 3 * mib},
        {UINT32_MAX, 17, 4},
    };
    const size_t count = sizeof(payloads) / sizeof(payloads[0]);
    assert_round_trip(payloads, 0, 1);
    for (size_t i = 0; i < count; i++)
        assert_round_trip(&payloads[i], 1, 65536);
    assert_round_trip(payloads, count, mib);
    assert_round_trip(payloads, count, 4 * mib);
    assert_round_trip(payloads, count, 1000);
}

static void many_small_payloads_share_frames(void **state)
{
    (void)state;
    static struct payload payloads[3000];
    for (uint32_t i = 0; i < 3000; i++)
        payloads[i] = (struct payload){3 * i, 1000 + i % 100, 0};
    assert_round_trip(payloads, 3000, 4096);

    sk_auto_buf stream = SK_BUF_INIT;
    write_all(&stream, payloads, 3000, 4096);
    size_t frames = 0;
    for (size_t at = 0; at < stream.len; frames++)
        at += HEAD_LEN + sk_get_u32(stream.bytes + at + 1);
    assert_int_equal(frames, 4 + 1); /* 3.3 MB, and END */
    assert_true(stream.len < 3000 * 1000 / 2);
}

/* A payload that fits a frame stands in one: what is lost with a frame ends with it. */
static void each_frame_begins_with_a_payload(void **state)
{
    (void)state;
    static struct payload payloads[2000];
    static uint8_t plain[SK_FRAME_MAX];
    struct sk_inflater *inflater = NULL;
    sk_auto_buf stream = SK_BUF_INIT;
    size_t frames = 0;
    for (uint32_t i = 0; i < 2000; i++)
        payloads[i] = (struct payload){i, 1000 + i * 7 % 1500, 0};
    write_all(&stream, payloads, 2000, 4096);
    assert_int_equal(sk_inflater_new(&inflater, NULL), SK_OK);
    for (size_t at = 0; stream.bytes[at] != CODEC_END; frames++) {
        struct sk_payload_head head;
        size_t data_len = sk_get_u32(stream.bytes + at + 1);
        size_t plain_len = sk_get_u32(stream.bytes + at + 5);
        assert_int_equal(stream.bytes[at], 1);
        assert_true(sk_inflate(inflater, plain, plain_len, stream.bytes + at + HEAD_LEN, data_len));
        sk_payload_head_decode(&head, plain);
        assert_true(head.index < 2000);
        assert_int_equal(head.text_len, payloads[head.index].text_len);
        assert_int_equal(head.salt[31], head.index & 0xff);
        at += HEAD_LEN + data_len;
    }
    assert_true(frames > 2);
    sk_inflater_free(inflater);
}

/* A picture is stored without being deflated, text behind it is deflated again. */
static void media_are_stored_and_text_is_deflated(void **state)
{
    (void)state;
    const struct payload payloads[] = {{0, 5000, 2 * 1024 * 1024 + 77777}, {1, 5000, 0}};
    const uint8_t codecs[] = {1, 0, 0, 0, 1, CODEC_END};
    sk_auto_buf stream = SK_BUF_INIT;
    write_all(&stream, payloads, 2, 1024 * 1024);
    size_t at = 0;
    for (size_t i = 0; i < sizeof(codecs); i++) {
        assert_true(at < stream.len);
        assert_int_equal(stream.bytes[at], codecs[i]);
        at += HEAD_LEN + sk_get_u32(stream.bytes + at + 1);
    }
    assert_int_equal(at, stream.len);
}

static void the_writer_holds_its_caller_to_the_head(void **state)
{
    (void)state;
    sk_auto_buf stream = SK_BUF_INIT;
    struct sk_frames_writer *writer = NULL;
    struct sk_payload_head head = {.index = 3, .text_len = 2, .body_len = 1};
    const uint8_t hashes[64] = {0};

    assert_int_equal(sk_frames_writer_new(&writer, sk_memory_sink(&stream), SK_EFFORT_FAST, NULL),
                     SK_OK);
    assert_int_equal(sk_frames_begin(writer, &head, hashes, NULL), SK_OK);
    assert_int_equal(sk_frames_write(writer, "abcd", 4, NULL), SK_INTERNAL);
    assert_int_equal(sk_frames_write(writer, "ab", 2, NULL), SK_OK);
    assert_int_equal(sk_frames_finish(writer, NULL), SK_INTERNAL);
    assert_int_equal(sk_frames_begin(writer, &head, hashes, NULL), SK_INTERNAL);
    assert_int_equal(sk_frames_write(writer, "c", 1, NULL), SK_OK);
    assert_int_equal(sk_frames_begin(writer, &head, hashes, NULL), SK_INTERNAL); /* index again */
    head.index = 4;
    head.text_len = SK_TEXT_MAX + 1;
    assert_int_equal(sk_frames_begin(writer, &head, hashes, NULL), SK_LIMIT);
    head.text_len = 0;
    head.body_len = SK_BODY_MAX + 1;
    assert_int_equal(sk_frames_begin(writer, &head, hashes, NULL), SK_LIMIT);
    sk_frames_writer_free(writer);
}

/* ---- hostile streams ---- */

static void add_frame(struct sk_buf *out, uint8_t codec, uint32_t data_len, uint32_t plain_len,
                      const void *data, size_t len)
{
    uint8_t head[HEAD_LEN] = {codec};
    sk_put_u32(head + 1, data_len);
    sk_put_u32(head + 5, plain_len);
    assert_int_equal(sk_buf_add(out, head, sizeof(head), NULL), SK_OK);
    assert_int_equal(sk_buf_add(out, data, len, NULL), SK_OK);
}

static size_t deflate_raw(uint8_t *out, size_t room, const void *bytes, size_t len)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = bytes;
    z.avail_in = (uInt)len;
    z.next_out = out;
    z.avail_out = (uInt)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t done = room - z.avail_out;
    assert_int_equal(deflateEnd(&z), Z_OK);
    return done;
}

/* A payload's head with its hashes (zeros), as plain bytes. */
static void add_head(struct sk_buf *out, uint32_t index, uint32_t text_len, uint64_t body_len)
{
    uint8_t head[48] = {0};
    sk_put_u32(head, index);
    sk_put_u32(head + 36, text_len);
    sk_put_u64(head + 40, body_len);
    assert_int_equal(sk_buf_add(out, head, sizeof(head), NULL), SK_OK);
    if (text_len > SK_TEXT_MAX || body_len > SK_BODY_MAX)
        return;
    uint8_t zeros[32] = {0};
    for (uint64_t n = sk_block_count(text_len, body_len); n > 0; n--)
        assert_int_equal(sk_buf_add(out, zeros, sizeof(zeros), NULL), SK_OK);
}

static void add_stored(struct sk_buf *out, const struct sk_buf *plain)
{
    add_frame(out, 0, (uint32_t)plain->len, (uint32_t)plain->len, plain->bytes, plain->len);
}

/* Reads a stream to its end, or to its first error. What lies behind the stream is given as zeros,
 * as in a volume, so that only the frames themselves can say where it ends. */
static enum sk_status read_all(const struct sk_buf *stream, uint64_t plain_left)
{
    static uint8_t sunk[64 * 1024];
    struct sk_frames_reader *reader = NULL;
    struct sk_payload_head head;
    sk_auto_buf hashes = SK_BUF_INIT;
    sk_auto_buf padded = SK_BUF_INIT;
    bool more = true;

    assert_int_equal(sk_buf_add(&padded, stream->bytes, stream->len, NULL), SK_OK);
    assert_int_equal(sk_buf_grow(&padded, 64, NULL), SK_OK);
    memset(padded.bytes + padded.len, 0, 64);
    struct sk_memory memory = {padded.bytes, padded.len + 64, 0};
    assert_int_equal(sk_frames_reader_new(&reader, sk_memory_source(&memory), NULL), SK_OK);
    enum sk_status status = sk_frames_next(reader, &head, &hashes, plain_left, &more, NULL);
    while (status == SK_OK && more) {
        uint64_t left = head.text_len + head.body_len;
        plain_left -= left;
        while (status == SK_OK && left > 0) {
            size_t part = left < sizeof(sunk) ? (size_t)left : sizeof(sunk);
            status = sk_frames_read(reader, sunk, part, NULL);
            left -= part;
        }
        if (status == SK_OK)
            status = sk_frames_next(reader, &head, &hashes, plain_left, &more, NULL);
    }
    sk_frames_reader_free(reader);
    return status;
}

static void assert_frame(uint8_t codec, uint32_t data_len, uint32_t plain_len, enum sk_status want)
{
    static const uint8_t data[256];
    sk_auto_buf stream = SK_BUF_INIT;
    add_frame(&stream, codec, data_len, plain_len, data, sizeof(data));
    assert_int_equal(read_all(&stream, 1 << 20), want);
}

static void lying_lengths_are_refused_before_anything_is_read(void **state)
{
    (void)state;
    assert_frame(3, 10, 20, SK_DAMAGED);
    assert_frame(255, 0, 0, SK_DAMAGED);
    assert_frame(CODEC_END, 0, 1, SK_DAMAGED);
    assert_frame(CODEC_END, 1, 0, SK_DAMAGED);
    assert_frame(0, 0, 0, SK_DAMAGED);
    assert_frame(0, 10, 11, SK_DAMAGED);
    assert_frame(0, 11, 10, SK_DAMAGED);
    assert_frame(1, 0, 10, SK_DAMAGED);
    assert_frame(1, 10, 10, SK_DAMAGED); /* did not shrink: has to be stored */
    assert_frame(1, 11, 10, SK_DAMAGED);
    assert_frame(0, SK_FRAME_MAX + 1, SK_FRAME_MAX + 1, SK_LIMIT);
    assert_frame(1, 10, SK_FRAME_MAX + 1, SK_LIMIT);
    assert_frame(1, 10, UINT32_MAX, SK_LIMIT);
    assert_frame(1, UINT32_MAX, 20, SK_LIMIT);
    assert_frame(CODEC_END, 0, 0, SK_OK);
}

/* One payload of 1 MB of zeros, deflated about 1:1000 in a frame that says what the test wants. */
static enum sk_status read_bomb(uint32_t plain_len, size_t cut, size_t extra, uint64_t plain_left)
{
    static uint8_t data[64 * 1024];
    sk_auto_buf plain = SK_BUF_INIT, stream = SK_BUF_INIT;
    const uint32_t text_len = 1000000;
    add_head(&plain, 0, text_len, 0);
    assert_int_equal(sk_buf_grow(&plain, text_len, NULL), SK_OK);
    memset(plain.bytes + plain.len, 0, text_len);
    plain.len += text_len;
    memset(data, 0xaa, sizeof(data));
    size_t len = deflate_raw(data, sizeof(data), plain.bytes, plain.len) - cut + extra;
    add_frame(&stream, 1, (uint32_t)len, plain_len ? plain_len : (uint32_t)plain.len, data, len);
    add_frame(&stream, CODEC_END, 0, 0, "", 0);
    return read_all(&stream, plain_left);
}

static void a_bomb_gives_no_more_than_its_frame_says(void **state)
{
    (void)state;
    const uint32_t whole = 48 + 32 + 1000000;
    assert_int_equal(read_bomb(0, 0, 0, 1000000), SK_OK);
    assert_int_equal(read_bomb(0, 0, 0, 999999), SK_DAMAGED); /* more than was signed */
    assert_int_equal(read_bomb(whole - 1, 0, 0, 1000000), SK_DAMAGED);
    assert_int_equal(read_bomb(whole + 1, 0, 0, 1000000), SK_DAMAGED);
    assert_int_equal(read_bomb(2000, 0, 0, 1000000), SK_DAMAGED);
    assert_int_equal(read_bomb(0, 0, 1, 1000000), SK_DAMAGED); /* bytes behind the deflate stream */
    assert_int_equal(read_bomb(0, 0, 100, 1000000), SK_DAMAGED);
    assert_int_equal(read_bomb(0, 1, 0, 1000000), SK_DAMAGED); /* cut */
    assert_int_equal(read_bomb(0, 500, 0, 1000000), SK_DAMAGED);
}

/* Every byte of a deflated frame's head and data changed: refused, or other bytes of that length.
 */
static void bad_deflate_never_does_more_than_fail(void **state)
{
    (void)state;
    const struct payload p = {0, 3000, 0};
    sk_auto_buf stream = SK_BUF_INIT;
    write_all(&stream, &p, 1, 1);
    assert_int_equal(stream.bytes[0], 1);
    size_t refused = 0;
    for (size_t i = 0; i < stream.len; i++) {
        for (unsigned v = 1; v < 256; v += 6) {
            stream.bytes[i] ^= (uint8_t)v;
            enum sk_status status = read_all(&stream, 3000);
            assert_true(status == SK_OK || status == SK_DAMAGED || status == SK_LIMIT);
            refused += status != SK_OK;
            stream.bytes[i] ^= (uint8_t)v;
        }
    }
    assert_true(refused > stream.len);
}

static void a_stream_cut_anywhere_is_damaged(void **state)
{
    (void)state;
    const struct payload payloads[] = {{0, 300, 50}, {1, 200, 0}};
    sk_auto_buf stream = SK_BUF_INIT;
    struct sk_payload_head head;
    write_all(&stream, payloads, 2, 16);
    for (size_t len = 0; len < stream.len; len++) {
        struct sk_memory memory = {stream.bytes, len, 0};
        struct sk_frames_reader *reader = NULL;
        sk_auto_buf hashes = SK_BUF_INIT;
        static uint8_t text[512];
        bool more = true;
        enum sk_status status = sk_frames_reader_new(&reader, sk_memory_source(&memory), NULL);
        while (status == SK_OK && more) {
            status = sk_frames_next(reader, &head, &hashes, 1000, &more, NULL);
            if (status == SK_OK && more)
                status = sk_frames_read(reader, text, head.text_len + (size_t)head.body_len, NULL);
        }
        assert_int_equal(status, SK_DAMAGED);
        sk_frames_reader_free(reader);
    }
}

static enum sk_status read_stored(const struct sk_buf *plain, uint64_t plain_left)
{
    sk_auto_buf stream = SK_BUF_INIT;
    add_stored(&stream, plain);
    add_frame(&stream, CODEC_END, 0, 0, "", 0);
    return read_all(&stream, plain_left);
}

static enum sk_status read_two(uint32_t first, uint32_t second)
{
    sk_auto_buf plain = SK_BUF_INIT;
    add_head(&plain, first, 0, 0);
    add_head(&plain, second, 0, 0);
    return read_stored(&plain, 0);
}

static void payloads_come_in_the_order_of_their_entries(void **state)
{
    (void)state;
    assert_int_equal(read_two(0, 1), SK_OK);
    assert_int_equal(read_two(0, UINT32_MAX), SK_OK);
    assert_int_equal(read_two(5, 5), SK_DAMAGED);
    assert_int_equal(read_two(5, 4), SK_DAMAGED);
    assert_int_equal(read_two(UINT32_MAX, 0), SK_DAMAGED);
}

static enum sk_status read_one_head(uint32_t text_len, uint64_t body_len, uint64_t plain_left)
{
    sk_auto_buf plain = SK_BUF_INIT;
    add_head(&plain, 0, text_len, body_len);
    return read_stored(&plain, plain_left);
}

static void payload_lengths_are_checked_before_memory_is_taken(void **state)
{
    (void)state;
    assert_int_equal(read_one_head(SK_TEXT_MAX + 1, 0, UINT64_MAX), SK_LIMIT);
    assert_int_equal(read_one_head(UINT32_MAX, 0, UINT64_MAX), SK_LIMIT);
    assert_int_equal(read_one_head(0, SK_BODY_MAX + 1, UINT64_MAX), SK_LIMIT);
    assert_int_equal(read_one_head(0, UINT64_MAX, UINT64_MAX), SK_LIMIT);
    assert_int_equal(read_one_head(1, UINT64_MAX, 0), SK_LIMIT);
    assert_int_equal(read_one_head(1, 0, 0), SK_DAMAGED);
    assert_int_equal(read_one_head(1, SK_BODY_MAX, SK_BODY_MAX), SK_DAMAGED);
    assert_int_equal(read_one_head(10, 0, 10), SK_DAMAGED); /* the text is missing */
    assert_int_equal(read_one_head(0, 0, 0), SK_OK);
}

static void bytes_before_end_that_belong_to_no_payload_are_damage(void **state)
{
    (void)state;
    sk_auto_buf plain = SK_BUF_INIT;
    add_head(&plain, 0, 0, 0);
    assert_int_equal(read_stored(&plain, 0), SK_OK);
    assert_int_equal(sk_buf_add_byte(&plain, 0, NULL), SK_OK);
    assert_int_equal(read_stored(&plain, 0), SK_DAMAGED);
}

static void the_reader_holds_its_caller_to_the_head(void **state)
{
    (void)state;
    const struct payload p = {0, 10, 10};
    sk_auto_buf stream = SK_BUF_INIT, hashes = SK_BUF_INIT;
    struct sk_frames_reader *reader = NULL;
    struct sk_payload_head head;
    uint8_t bytes[32];
    bool more;
    write_all(&stream, &p, 1, 10);
    struct sk_memory memory = {stream.bytes, stream.len, 0};
    assert_int_equal(sk_frames_reader_new(&reader, sk_memory_source(&memory), NULL), SK_OK);
    assert_int_equal(sk_frames_next(reader, &head, &hashes, 20, &more, NULL), SK_OK);
    assert_int_equal(sk_frames_read(reader, bytes, 21, NULL), SK_INTERNAL);
    assert_int_equal(sk_frames_read(reader, bytes, 12, NULL), SK_OK);
    assert_int_equal(sk_frames_next(reader, &head, &hashes, 20, &more, NULL), SK_INTERNAL);
    assert_int_equal(sk_frames_read(reader, bytes, 8, NULL), SK_OK);
    assert_int_equal(sk_frames_next(reader, &head, &hashes, 0, &more, NULL), SK_OK);
    assert_false(more);
    sk_frames_reader_free(reader);
}

static int setup(void **state)
{
    (void)state;
    return sk_crypto_init() ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(payloads_of_every_size_come_back),
        cmocka_unit_test(many_small_payloads_share_frames),
        cmocka_unit_test(each_frame_begins_with_a_payload),
        cmocka_unit_test(media_are_stored_and_text_is_deflated),
        cmocka_unit_test(the_writer_holds_its_caller_to_the_head),
        cmocka_unit_test(lying_lengths_are_refused_before_anything_is_read),
        cmocka_unit_test(a_bomb_gives_no_more_than_its_frame_says),
        cmocka_unit_test(bad_deflate_never_does_more_than_fail),
        cmocka_unit_test(a_stream_cut_anywhere_is_damaged),
        cmocka_unit_test(payloads_come_in_the_order_of_their_entries),
        cmocka_unit_test(payload_lengths_are_checked_before_memory_is_taken),
        cmocka_unit_test(bytes_before_end_that_belong_to_no_payload_are_damage),
        cmocka_unit_test(the_reader_holds_its_caller_to_the_head),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
