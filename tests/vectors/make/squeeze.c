#include "tests/vectors/make/squeeze.h"

#include "tests/vectors/make/fixed.h"

#define MATCH 258u /* the longest, one symbol without extra bits */

struct bits {
    struct sk_buf *out;
    unsigned byte, count;
};

/* The lowest bit first; a Huffman code the other way round. */
static void put(struct bits *b, unsigned value, unsigned len)
{
    for (unsigned i = 0; i < len; i++) {
        b->byte |= (value >> i & 1) << b->count;
        if (++b->count == 8) {
            MUST(sk_buf_add_byte(b->out, (uint8_t)b->byte, NULL) == SK_OK);
            b->byte = b->count = 0;
        }
    }
}

static void code(struct bits *b, unsigned value, unsigned len)
{
    while (len-- > 0)
        put(b, value >> len & 1, 1);
}

static void end(struct bits *b)
{
    if (b->count > 0)
        put(b, 0, 8 - b->count);
}

/* ---- the fixed codes (RFC 1951, 3.2.6) ---- */

static void literal(struct bits *b, uint8_t byte)
{
    if (byte < 144)
        code(b, 0x30u + byte, 8);
    else
        code(b, 0x190u + byte - 144, 9);
}

static void literals(struct bits *b, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        literal(b, bytes[i]);
}

void sk_squeeze(struct sk_buf *out, const void *head, size_t head_len, size_t run)
{
    struct bits b = {out, 0, 0};
    put(&b, 1, 1); /* the last block */
    put(&b, 1, 2);
    literals(&b, head, head_len);
    if (run > 0) {
        literal(&b, 'a');
        run--;
    }
    for (; run >= MATCH; run -= MATCH) {
        code(&b, 0xc0 + 285 - 280, 8); /* length 258 */
        code(&b, 0, 5);                /* distance 1 */
    }
    for (; run > 0; run--)
        literal(&b, 'a');
    code(&b, 0, 7); /* the end */
    end(&b);
}

void sk_squeeze_far(struct sk_buf *out)
{
    struct bits b = {out, 0, 0};
    put(&b, 1, 1);
    put(&b, 1, 2);
    literal(&b, 'a');
    code(&b, 257 - 256, 7); /* length 3 */
    code(&b, 4, 5);         /* distance 5, the first of two */
    put(&b, 0, 1);
    code(&b, 0, 7);
    end(&b);
}

/* ---- codes of its own (3.2.7) ---- */

/*
 * Lengths of codes: literal 0 and the end have two bits, length 258 has one, distance 1 one. They
 * are told by the symbols 1 (0b10), 2 (0b11) and 18 (0b0, a run of zeros).
 */
static void zero_lengths(struct bits *b, unsigned count)
{
    code(b, 0, 1);
    put(b, count - 11, 7);
}

static void dense_tables(struct bits *b)
{
    static const uint8_t lengths[18] = {[2] = 1, [15] = 2, [17] = 2}; /* of 18, 2 and 1 */
    put(b, 29, 5); /* 286 codes of literals and lengths */
    put(b, 0, 5);  /* one of distances */
    put(b, sizeof(lengths) - 4, 4);
    for (size_t i = 0; i < sizeof(lengths); i++)
        put(b, lengths[i], 3);
    code(b, 3, 2); /* literal 0 */
    zero_lengths(b, 138);
    zero_lengths(b, 117);
    code(b, 3, 2); /* 256, the end */
    zero_lengths(b, 28);
    code(b, 2, 2); /* 285 */
    code(b, 2, 2); /* distance 1 */
}

void sk_squeeze_dense(struct sk_buf *out, size_t zeros)
{
    struct bits b = {out, 0, 0};
    put(&b, 1, 1);
    put(&b, 2, 2);
    dense_tables(&b);
    code(&b, 2, 2); /* a first 0 */
    zeros--;
    for (; zeros >= MATCH; zeros -= MATCH) {
        code(&b, 0, 1);
        code(&b, 0, 1);
    }
    for (; zeros > 0; zeros--)
        code(&b, 2, 2);
    code(&b, 3, 2);
    end(&b);
}
