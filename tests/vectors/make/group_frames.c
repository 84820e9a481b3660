/*
 * Frames, and the payloads that stand in them.
 */
#include "crypto/bytes.h"
#include "tests/vectors/make/group.h"
#include "tests/vectors/make/squeeze.h"

#include <string.h>

#define PLAIN_BYTES 1000 /* what the manifest would allow, unless a vector says another number */

static json_t *allowed(uint64_t plain_bytes)
{
    return json_pack("{s:I}", "plain_bytes", (json_int_t)plain_bytes);
}

/* ---- heads of frames ---- */

/* Two payloads ("one" for entry 0, "two" with a body for entry 3) in one stored frame, END. */
static struct sk_draft draft;

static void two_payloads(const char *name)
{
    sk_draft_clear(&draft);
    sk_draft_init(&draft, name);
    sk_draft_payload(&draft, 0, "one", 3, NULL);
    sk_draft_payload(&draft, 3, "two", 3, "body");
}

static void add_frame(struct sk_buf *out, uint8_t codec, const uint8_t *data, size_t len,
                      size_t plain_len)
{
    sk_frame_add(out, codec, (uint32_t)len, (uint32_t)plain_len, data);
}

static void add_end(struct sk_buf *out)
{
    sk_frame_add(out, 2, 0, 0, NULL);
}

static void make_heads(void)
{
    static const struct sk_edit_case rows[] = {
        {"two payloads", "in one stored frame", "ok", {{0}}},
        {"codec 3", "an unknown one", "damaged", {{1, SK_SET, 0, "03"}}},
        {"codec 255", "an unknown one", "damaged", {{1, SK_SET, 0, "ff"}}},
        {"codec 3 and 2^32 - 1 bytes",
         "the codec comes before the limit",
         "damaged",
         {{1, SK_SET, 0, "03ffffffffffffffff"}}},
        {"1 MiB and a byte of none",
         "the limit comes before a length of 0",
         "limit",
         {{1, SK_SET, 0, "010100100000000000"}}},
        {"stored, plain length one more",
         "two different lengths",
         "damaged",
         {{1, SK_XOR, 5, "01"}}},
        {"deflated, not shorter",
         "data as long as the plain bytes",
         "damaged",
         {{1, SK_SET, 0, "01"}}},
        {"stored and empty", "a length of 0", "damaged", {{1, SK_INSERT, 0, "000000000000000000"}}},
        {"deflated without data",
         "a length of 0",
         "damaged",
         {{1, SK_INSERT, 0, "010000000001000000"}}},
        {"deflated to nothing",
         "a plain length of 0",
         "damaged",
         {{1, SK_INSERT, 0, "01020000000000000003ff"}}},
        {"data of 1 MiB and a byte",
         "more than a frame has",
         "limit",
         {{1, SK_SET, 0, "000100100001001000"}}},
        {"plain bytes of 1 MiB and a byte",
         "more than a frame has",
         "limit",
         {{1, SK_SET, 0, "010500000001001000"}}},
        {"plain bytes of 2^32 - 1",
         "as many as can be said",
         "limit",
         {{1, SK_SET, 0, "0105000000ffffffff"}}},
        {"END with data", "its lengths are 0", "damaged", {{1, SK_SET, -8, "01"}}},
        {"END with a plain length", "its lengths are 0", "damaged", {{1, SK_SET, -4, "01"}}},
        {"END with a length beyond all",
         "a limit comes before the lengths",
         "limit",
         {{1, SK_SET, -1, "ff"}}},
        {"no END", "the stream ends without it", "damaged", {{1, SK_CUT, -9, NULL}}},
        {"cut in END", "the stream ends within it", "damaged", {{1, SK_CUT, -1, NULL}}},
        {"cut in the data", "the stream ends within a frame", "damaged", {{1, SK_CUT, 40, NULL}}},
        {"END in the middle of a head",
         "a payload is not complete",
         "damaged",
         {{1, SK_SET, 0, "0028000000280000"}, {1, SK_SET, 49, "020000000000000000"}}},
        {"bytes behind the last payload",
         "they are no head",
         "damaged",
         {{1, SK_INSERT, -10, "00010000000100000000"}}},
    };
    sk_auto_buf honest = SK_BUF_INIT;
    two_payloads("heads");
    add_frame(&honest, 0, draft.payloads.bytes, draft.payloads.len, draft.payloads.len);
    add_end(&honest);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        sk_vector_edited(&rows[i], &honest, allowed(PLAIN_BYTES));

    sk_auto_buf none = SK_BUF_INIT;
    add_end(&none);
    sk_vector_bytes("END alone", "no payloads", "ok", none.bytes, none.len, allowed(0));

    sk_auto_buf split = SK_BUF_INIT;
    add_frame(&split, 0, draft.payloads.bytes, 1, 1);
    add_frame(&split, 0, draft.payloads.bytes + 1, 60, 60);
    add_frame(&split, 0, draft.payloads.bytes + 61, draft.payloads.len - 61,
              draft.payloads.len - 61);
    add_end(&split);
    sk_vector_bytes("frames end anywhere", "after one byte of a head, and within a hash", "ok",
                    split.bytes, split.len, allowed(PLAIN_BYTES));
}

/* ---- heads of payloads ---- */

static void make_payloads(void)
{
    static const struct sk_edit_case rows[] = {
        {"as many bytes as the manifest allows", "ten", "ok", {{0}}},
        {"the same index twice", "strictly ascending", "damaged", {{1, SK_SET, 83, "00"}}},
        {"indices that fall", "strictly ascending", "damaged", {{1, SK_SET, 0, "09"}}},
        {"a text above 8 MiB", "longer than there can be", "limit", {{1, SK_SET, 36, "01008000"}}},
        {"a text of 2^32 - 1", "as long as can be said", "limit", {{1, SK_SET, 36, "ffffffff"}}},
        {"a body above 4000 MiB",
         "longer than there can be",
         "limit",
         {{1, SK_SET, 40, "010000fa00000000"}}},
        {"a body of 2^64 - 1",
         "as long as can be said",
         "limit",
         {{1, SK_SET, 40, "ffffffffffffffff"}}},
        {"a body of 2^64 - 3",
         "with the text it would come round to 0",
         "limit",
         {{1, SK_SET, 40, "fdffffffffffffff"}}},
        {"the same index twice, with a text above 8 MiB",
         "the index comes before the limit",
         "damaged",
         {{1, SK_SET, 83, "00"}, {1, SK_SET, 83 + 36, "01008000"}}},
        {"a text above 8 MiB, beyond what is allowed",
         "the limit comes before that",
         "limit",
         {{1, SK_SET, 83 + 36, "01008000"}}},
        {"a text beyond what is allowed",
         "eleven bytes of ten",
         "damaged",
         {{1, SK_SET, 36, "0b"}}},
        {"a body beyond what is allowed",
         "eight and three of ten",
         "damaged",
         {{1, SK_SET, 40, "08"}}},
        {"a second body beyond what is left",
         "the first has taken three of ten",
         "damaged",
         {{1, SK_SET, 83 + 40, "05"}}},
        {"a text longer than its bytes",
         "the next head is read as text, and hashes as a head",
         "limit",
         {{1, SK_SET, 36, "0a"}}},
        {"a text shorter than its bytes",
         "its rest is read as a head",
         "damaged",
         {{1, SK_SET, 36, "02"}}},
        {"a payload without its last byte",
         "the payloads end too early",
         "damaged",
         {{1, SK_CUT, -1, NULL}}},
        {"a head of 47 bytes",
         "behind the last payload",
         "damaged",
         {{1, SK_INSERT, -1,
           "ff0000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
           "0"
           "000000"}}},
    };
    two_payloads("payloads");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sk_auto_buf stream = SK_BUF_INIT;
        sk_auto_buf frames = SK_BUF_INIT;
        MUST(sk_buf_add(&stream, draft.payloads.bytes, draft.payloads.len, NULL) == SK_OK);
        for (size_t k = 0; k < 3; k++)
            if (rows[i].edits[k].stage)
                sk_edit_apply(&stream, &rows[i].edits[k]);
        add_frame(&frames, 0, stream.bytes, stream.len, stream.len);
        add_end(&frames);
        sk_vector_bytes(rows[i].name, rows[i].shows, rows[i].class, frames.bytes, frames.len,
                        allowed(10));
    }
}

/* Heads whose payload never comes, and what stands behind the frame that they are in. */
static void make_great(void)
{
    static const struct {
        const char *name, *shows, *class, *behind;
        uint32_t text;
        uint64_t body;
    } rows[] = {
        {"a text of 8 MiB", "as long as there can be, but END cuts it", "damaged",
         "020000000000000000", 8u << 20, 0},
        {"a body of 4000 MiB", "as long as there can be, but END cuts it", "damaged",
         "020000000000000000", 0, 4000ull << 20},
        {"a text above 8 MiB, and then no frame", "bytes are looked at in their order", "limit",
         "070000000000000000", (8u << 20) + 1, 0},
        {"a text of 8 MiB, and then no frame", "an unknown codec", "damaged", "070000000000000000",
         8u << 20, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t head[48] = {0};
        sk_auto_buf frames = SK_BUF_INIT;
        sk_put_u32(head + 36, rows[i].text);
        sk_put_u64(head + 40, rows[i].body);
        add_frame(&frames, 0, head, sizeof(head), sizeof(head));
        sk_hex_add(&frames, rows[i].behind);
        sk_vector_bytes(rows[i].name, rows[i].shows, rows[i].class, frames.bytes, frames.len,
                        allowed(1ull << 36));
    }
}

/* Payloads that are whole, and frames that hold all of them. */
static void make_sums(void)
{
    sk_auto_buf frames = SK_BUF_INIT;
    sk_draft_clear(&draft);
    sk_draft_init(&draft, "sums");
    sk_draft_payload(&draft, 0, "three", 5, "six");
    sk_draft_payload(&draft, 1, "two", 3, "four");
    add_frame(&frames, 0, draft.payloads.bytes, draft.payloads.len, draft.payloads.len);
    add_end(&frames);
    sk_vector_bytes("two whole payloads of as many bytes as are allowed", "15", "ok", frames.bytes,
                    frames.len, allowed(15));
    sk_vector_bytes("two whole payloads of a byte above what is allowed",
                    "each of them is below it", "damaged", frames.bytes, frames.len, allowed(14));

    sk_buf_reset(&frames);
    add_frame(&frames, 0, draft.payloads.bytes, 100, 100);
    add_end(&frames);
    add_frame(&frames, 0, draft.payloads.bytes + 100, draft.payloads.len - 100,
              draft.payloads.len - 100);
    sk_vector_bytes("the rest of a payload behind END", "END cuts it", "damaged", frames.bytes,
                    frames.len, allowed(15));
    add_end(&frames);
    sk_vector_bytes("the rest of a payload behind END, and END again", "END cuts it", "damaged",
                    frames.bytes, frames.len, allowed(15));
}

/* A payload that fills a stored frame, by pieces. */
static void make_full_frame(void)
{
    static char text[(1 << 20) - 80];
    sk_auto_buf frames = SK_BUF_INIT;
    memset(text, 'a', sizeof(text));
    sk_draft_clear(&draft);
    sk_draft_init(&draft, "full");
    sk_draft_payload(&draft, 0, text, sizeof(text), NULL);
    MUST(draft.payloads.len == 1 << 20);
    add_frame(&frames, 0, draft.payloads.bytes, 1 << 20, 1 << 20);
    const size_t head = frames.len - sizeof(text);
    add_end(&frames);
    sk_vector("a stored frame of 1 MiB", "as long as there can be", "ok",
              json_pack("[[o, i], [s, I], [o, i]]", sk_hex_json(frames.bytes, head), 1, "61",
                        (json_int_t)sizeof(text), sk_hex_json(frames.bytes + frames.len - 9, 9), 1),
              allowed(sizeof(text)));
}

/* ---- deflate ---- */

#define RUN 600

/* One payload with a text of `run` times 'a', deflated; as a frame's data. */
static size_t run_stream(struct sk_buf *out, size_t run)
{
    char text[RUN + 5];
    memset(text, 'a', sizeof(text));
    sk_draft_clear(&draft);
    sk_draft_init(&draft, "deflate");
    sk_draft_payload(&draft, 0, text, run, NULL);
    sk_buf_reset(out);
    sk_squeeze(out, draft.payloads.bytes, draft.payloads.len - run, run);
    return draft.payloads.len;
}

static void deflated(const char *name, const char *shows, const char *class,
                     const struct sk_buf *data, size_t plain_len)
{
    sk_auto_buf frames = SK_BUF_INIT;
    add_frame(&frames, 1, data->bytes, data->len, plain_len);
    add_end(&frames);
    sk_vector_bytes(name, shows, class, frames.bytes, frames.len, allowed(PLAIN_BYTES));
}

/* The sum of what is deflated stands at a zlib stream's end (RFC 1950). */
static void add_adler(struct sk_buf *out)
{
    uint32_t a = 1;
    uint32_t b = 0;
    for (size_t i = 0; i < draft.payloads.len; i++) {
        a = (a + draft.payloads.bytes[i]) % 65521;
        b = (b + a) % 65521;
    }
    for (unsigned shift = 24; shift < 32; shift -= 8)
        MUST(sk_buf_add_byte(out, (uint8_t)((b << 16 | a) >> shift), NULL) == SK_OK);
}

static void make_deflate(void)
{
    sk_auto_buf data = SK_BUF_INIT;
    size_t plain = run_stream(&data, RUN);
    deflated("deflated", "a text of 600 letters", "ok", &data, plain);
    deflated("deflated to one byte more", "than the plain length says", "damaged", &data,
             plain - 1);
    deflated("deflated to one byte less", "than the plain length says", "damaged", &data,
             plain + 1);
    data.bytes[data.len - 1] |= 0x80;
    deflated("bits behind the deflate stream", "in its last byte: they stand for nothing", "ok",
             &data, plain);
    data.bytes[data.len - 1] &= 0x7f;
    MUST(sk_buf_add_byte(&data, 0, NULL) == SK_OK);
    deflated("a byte behind the deflate stream", "it ends at the end of the data", "damaged", &data,
             plain);
    data.len -= 2;
    deflated("a deflate stream without its last byte", "it has no end", "damaged", &data, plain);
    data.bytes[0] |= 6;
    deflated("a block of type 3", "no deflate stream", "damaged", &data, plain);

    plain = run_stream(&data, RUN);
    static const struct sk_edit header = {1, SK_INSERT, 0, "789c"};
    sk_edit_apply(&data, &header);
    add_adler(&data);
    deflated("a stream of zlib", "with its header and its sum", "damaged", &data, plain);

    /* Its head says that the text is longer than there can be; that is seen later. */
    plain = run_stream(&data, RUN);
    sk_put_u32(draft.payloads.bytes + 36, (8u << 20) + 1);
    sk_buf_reset(&data);
    sk_squeeze(&data, draft.payloads.bytes, draft.payloads.len - RUN, RUN);
    deflated("a text above 8 MiB, deflated", "longer than there can be", "limit", &data, plain);
    MUST(sk_buf_add_byte(&data, 0, NULL) == SK_OK);
    deflated("a text above 8 MiB and a byte behind the deflate stream",
             "a frame is inflated whole before it is looked at", "damaged", &data, plain);

    sk_auto_buf far = SK_BUF_INIT;
    sk_squeeze_far(&far);
    deflated("a distance before the beginning", "one letter, then three from five before",
             "damaged", &far, 40);
}

/* A right stream with empty blocks of five bytes before it, until it is as long as what it gives.
 */
static void make_not_shorter(void)
{
    sk_auto_buf data = SK_BUF_INIT;
    const struct sk_edit block = {1, SK_INSERT, 0, "000000ffff"};
    size_t run = RUN;
    size_t plain = run_stream(&data, run);
    while ((plain - data.len) % 5 != 0)
        plain = run_stream(&data, ++run);
    while (data.len + 5 < plain)
        sk_edit_apply(&data, &block);
    deflated("empty blocks", "the data are shorter than the plain bytes", "ok", &data, plain);
    sk_edit_apply(&data, &block);
    deflated("an empty block more", "the data are as long as the plain bytes", "damaged", &data,
             plain);
}

static void make_bombs(void)
{
    sk_auto_buf bomb = SK_BUF_INIT;
    sk_squeeze_dense(&bomb, 1 << 20);
    deflated("1032:1 as a head", "1 MiB of zeros: payloads for entry 0 again and again", "damaged",
             &bomb, 1 << 20);
    deflated("1032:1 that says less", "1 MiB that says it is 100,000", "damaged", &bomb, 100000);
    sk_buf_reset(&bomb);
    sk_squeeze_dense(&bomb, (1 << 20) + 1);
    deflated("1032:1 that says 1 MiB", "and is a byte longer", "damaged", &bomb, 1 << 20);
    deflated("1032:1 above 1 MiB", "and says so", "limit", &bomb, (1 << 20) + 1);
    sk_buf_reset(&bomb);
    sk_squeeze_dense(&bomb, 8 << 20);
    deflated("1032:1 of 8 MiB that says 1 MiB", "more than two buffers", "damaged", &bomb, 1 << 20);
}

/* A text of 1 MiB and 1,000 bytes in two deflated frames: blocks and frames end at different
 * places. */
static void make_long_text(void)
{
    static char text[(1 << 20) + 1000];
    const size_t first = 5000;
    sk_auto_buf frames = SK_BUF_INIT;
    sk_auto_buf data = SK_BUF_INIT;
    memset(text, 'a', sizeof(text));
    sk_draft_clear(&draft);
    sk_draft_init(&draft, "long");
    sk_draft_payload(&draft, 4, text, sizeof(text), NULL);
    size_t head = draft.payloads.len - sizeof(text);
    sk_squeeze(&data, draft.payloads.bytes, head, first);
    add_frame(&frames, 1, data.bytes, data.len, head + first);
    for (size_t left = sizeof(text) - first; left > 0;) {
        size_t len = left < 1 << 20 ? left : 1 << 20;
        sk_buf_reset(&data);
        sk_squeeze(&data, NULL, 0, len);
        add_frame(&frames, 1, data.bytes, data.len, len);
        left -= len;
    }
    add_end(&frames);
    sk_vector_bytes("a text of two blocks in two frames", "blocks and frames are not the same",
                    "ok", frames.bytes, frames.len, allowed(sizeof(text)));
}

void sk_make_frames(void)
{
    make_heads();
    make_payloads();
    make_great();
    make_sums();
    make_full_frame();
    make_deflate();
    make_not_shorter();
    make_bombs();
    make_long_text();
    sk_draft_clear(&draft);
}
