/*
 * Where a salvage goes on: payloads of several blocks, payloads that run over the last frame,
 * frames that are no border, and payloads that are whole and not taken.
 */
#include "crypto/bytes.h"
#include "tests/vectors/make/group.h"
#include "tests/vectors/make/squeeze.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT    4
#define PIECES   7
#define A_HEAD   48
#define BODY_LEN ((int)SK_BLOCK_LEN + 10) /* two blocks behind the one of the text */
#define TEXT                                                                    \
    "{\"recorded\":\"2024-10-04T10:00:00Z\",\"form\":\"source\",\"version\":1," \
    "\"fields\":{\"title\":\"A source\"}}"

/* A frame: from a byte of payload `first` up to one of payload `last`. A negative `from` counts
 * from its end; so does `to` where it is not above 0. */
struct piece {
    enum { NO_PIECE, STORED, LOST, LETTERS, ZEROS, NO_HEAD, STOP } how;
    int first, from, last, to;
};

#define P(i)               \
    {                      \
        STORED, i, 0, i, 0 \
    }
#define SIXTY_LOST        \
    {                     \
        LOST, 0, 0, 0, 60 \
    }
#define ATTACHMENT_HEAD            \
    {                              \
        STORED, 1, 0, 1, -BODY_LEN \
    }
#define FIRST_MIB                     \
    {                                 \
        LETTERS, 1, -BODY_LEN, 1, -10 \
    }
#define LAST_TEN             \
    {                        \
        STORED, 1, -10, 1, 0 \
    }

struct row {
    const char *name, *shows;
    enum sk_status status; /* other than SK_OK: nothing is kept */
    struct piece pieces[PIECES + 1];
    enum {
        A_SOURCE,
        AN_ATTACHMENT,
        A_LIE,        /* its length reaches over payload 2, and h_0 is of other bytes */
        A_REACH,      /* the same with the right h_0 */
        A_REACH_BACK, /* and index 0 */
        OF_NO_ENTRY,
        OF_AN_ERASURE,
        OF_NO_TYPE,
    } second;             /* what payload 1 is */
    unsigned without;     /* bits: payloads that are not there */
    uint32_t last_index;  /* of payload 3, if it is another */
    int more;             /* bytes that the manifest says above what there are */
    unsigned fewer;       /* payloads than there are, that the manifest says */
    bool last_chunk_lost; /* nothing else is wrong with it */
};

static const struct row *current;

/* ---- payloads ---- */

static void add_attachment(struct sk_draft *draft)
{
    char *body = malloc(BODY_LEN + 1);
    char text[300];
    char hex[65];
    uint8_t digest[32];
    MUST(body);
    memset(body, 'a', BODY_LEN);
    body[BODY_LEN] = '\0';
    crypto_hash_sha256(digest, (const uint8_t *)body, BODY_LEN);
    sodium_bin2hex(hex, sizeof(hex), digest, sizeof(digest));
    int len = snprintf(text, sizeof(text),
                       "{\"recorded\":\"2024-10-04T10:00:00Z\",\"record\":"
                       "\"10101010101010101010101010101010\",\"name\":\"a\",\"type\":\"\","
                       "\"size\":%d,\"sha256\":\"%s\"}",
                       BODY_LEN, hex);
    sk_draft_payload(draft, 1, text, (size_t)len, body);
    free(body);
}

/* 300 bytes of text, and it says that 100 of body follow. The manifest knows nothing of it. */
static void add_reach(struct sk_draft *draft)
{
    char text[300];
    uint8_t head[A_HEAD] = {current->second == A_REACH_BACK ? 0 : 1};
    uint8_t hashes[64] = {0};
    memset(text, 'x', sizeof(text));
    sk_put_u32(head + 36, sizeof(text));
    sk_put_u64(head + 40, 100);
    if (current->second != A_LIE)
        sk_block_hash(hashes, head + 4, 0, text, sizeof(text));
    MUST(sk_buf_add(&draft->payloads, head, sizeof(head), NULL) == SK_OK);
    MUST(sk_buf_add(&draft->payloads, hashes, sizeof(hashes), NULL) == SK_OK);
    MUST(sk_buf_add(&draft->payloads, text, sizeof(text), NULL) == SK_OK);
}

/* An erasure of something else. */
static void add_erasure(struct sk_draft *draft)
{
    struct sk_entry entry = {.type = SK_TYPE_ERASURE, .flags = SK_TYPE_CASE, .revision = 2};
    memset(&entry.id, 0x77, sizeof(entry.id));
    memset(entry.previous, 0xdd, sizeof(entry.previous));
    sk_entry_encode(draft->entries[draft->entry_count++], &entry);
}

static void add_entry(struct sk_draft *draft, unsigned i)
{
    const bool second = i == 1;
    if (second && current->second == OF_AN_ERASURE)
        add_erasure(draft);
    else
        sk_draft_entry(
            draft, second && current->second == AN_ATTACHMENT ? SK_TYPE_ATTACHMENT : SK_TYPE_SOURCE,
            (uint8_t)(0x10 + i), 1);
}

static void add_payload(struct sk_draft *draft, unsigned i)
{
    const bool second = i == 1;
    const uint32_t index = second && current->second == OF_NO_ENTRY ? 9
                           : i == 3 && current->last_index          ? current->last_index
                                                                    : i;
    if (second && current->second == AN_ATTACHMENT)
        add_attachment(draft);
    else if (second && current->second >= A_LIE && current->second <= A_REACH_BACK)
        add_reach(draft);
    else
        sk_draft_payload(draft, index, TEXT, sizeof(TEXT) - 1, NULL);
    if (second && current->second == OF_AN_ERASURE) /* it commits to nothing */
        memset(draft->entries[1] + 32, 0, 32);
    if (second && current->second == OF_NO_TYPE)
        draft->entries[1][2] ^= 0x40;
}

/* ---- frames ---- */

static size_t place(const size_t *at, int payload, int offset, bool end)
{
    const size_t from = offset < 0 || (end && offset == 0) ? at[payload + 1] : at[payload];
    return (size_t)((long)from + offset);
}

static void add_piece(struct sk_draft *draft, const struct piece *p, const size_t *at)
{
    sk_auto_buf data = SK_BUF_INIT;
    static const uint8_t zeros[A_HEAD] = {0};
    const size_t from = place(at, p->first, p->from, false);
    const uint32_t len = (uint32_t)(place(at, p->last, p->to, true) - from);
    if (p->how == LETTERS)
        sk_squeeze(&data, NULL, 0, len);
    if (p->how == LETTERS)
        sk_frame_add(&draft->frames, 1, (uint32_t)data.len, len, data.bytes);
    else if (p->how == LOST) /* deflated data that end at once */
        sk_frame_add(&draft->frames, 1, 2, len, "\x03\x01");
    else if (p->how == NO_HEAD)
        sk_frame_add(&draft->frames, 7, len, len, draft->payloads.bytes + from);
    else if (p->how == STOP)
        sk_frame_add(&draft->frames, 2, 0, 0, NULL);
    else
        sk_frame_add(&draft->frames, 0, len, len,
                     p->how == ZEROS ? zeros : draft->payloads.bytes + from);
}

static void start(struct sk_draft *draft)
{
    size_t at[COUNT + 1] = {0};
    for (unsigned i = 0; i < COUNT; i++)
        add_entry(draft, i);
    for (unsigned i = 0; i < COUNT; i++) {
        if (!(current->without >> i & 1))
            add_payload(draft, i);
        at[i + 1] = draft->payloads.len;
    }
    for (const struct piece *p = current->pieces; p->how != NO_PIECE; p++)
        add_piece(draft, p, at);
    sk_frame_add(&draft->frames, 2, 0, 0, NULL);
}

static void say_other(struct sk_draft *draft)
{
    draft->manifest.plain_bytes += (uint64_t)(int64_t)current->more;
    draft->manifest.payload_count -= current->fewer;
}

/* ---- the vectors ---- */

/* As many fewer bytes as leave room for one of the two payloads behind the attachment. */
#define ONE_LESS (-90)

static const struct row blocks[] = {
    {.name = "an attachment of three blocks",
     .shows = "it is taken",
     .pieces = {P(0), ATTACHMENT_HEAD, FIRST_MIB, LAST_TEN, P(2), P(3)},
     .second = AN_ATTACHMENT,
     .last_chunk_lost = true},
    {.name = "a block of a body in a lost frame",
     .shows = "it is passed over by its length",
     .pieces = {P(0), ATTACHMENT_HEAD, {LOST, 1, -BODY_LEN, 1, -10}, LAST_TEN, P(2), P(3)},
     .second = AN_ATTACHMENT},
    {.name = "a block of a body in a lost frame, and bytes for one payload more",
     .shows = "the manifest's bytes are less by those of the lost one: the last cannot be",
     .pieces = {P(0), ATTACHMENT_HEAD, {LOST, 1, -BODY_LEN, 1, -10}, LAST_TEN, P(2), P(3)},
     .second = AN_ATTACHMENT,
     .more = ONE_LESS},
    {.name = "a last block that is not what was signed",
     .shows = "it is passed over, those behind it are kept",
     .pieces = {P(0), ATTACHMENT_HEAD, FIRST_MIB, {ZEROS, 1, -10, 1, 0}, P(2), P(3)},
     .second = AN_ATTACHMENT},
    {.name = "block hashes in a lost frame",
     .shows = "the head tells where the next payload begins",
     .pieces = {P(0),
                {STORED, 1, 0, 1, A_HEAD},
                {LOST, 1, A_HEAD, 1, -BODY_LEN},
                FIRST_MIB,
                LAST_TEN,
                P(2),
                P(3)},
     .second = AN_ATTACHMENT},
    {.name = "block hashes in a lost frame, and bytes for one payload more",
     .shows = "nothing is taken from the manifest's bytes: both can be",
     .pieces = {P(0),
                {STORED, 1, 0, 1, A_HEAD},
                {LOST, 1, A_HEAD, 1, -BODY_LEN},
                FIRST_MIB,
                LAST_TEN,
                P(2),
                P(3)},
     .second = AN_ATTACHMENT,
     .more = ONE_LESS},
    {.name = "block hashes in a lost frame, and a payload more than the manifest says",
     .shows = "the lost one is not counted: the others are kept",
     .pieces = {P(0), {STORED, 1, 0, 1, A_HEAD}, {LOST, 1, A_HEAD, 1, 0}, P(2), P(3)},
     .fewer = 1},
    {.name = "a block in a lost frame, and a payload more than the manifest says",
     .shows = "the lost one is counted: nothing is kept",
     .status = SK_DAMAGED,
     .pieces = {P(0), {STORED, 1, 0, 1, -20}, {LOST, 1, -20, 1, 0}, P(2), P(3)},
     .fewer = 1},
    {.name = "block hashes in a lost frame, and a lower index",
     .shows = "the index of the lost one is the one before",
     .pieces = {P(0), {STORED, 2, 0, 2, A_HEAD}, {LOST, 2, A_HEAD, 2, 0}, P(1), P(3)}},
};

static const struct row ends[] = {
    {.name = "END within a payload",
     .shows = "it is passed over, those before it are kept",
     .pieces = {P(0), P(1), P(2), {STORED, 3, 0, 3, -5}}},
    {.name = "END within a head",
     .shows = "those before it are kept",
     .pieces = {P(0), P(1), P(2), {STORED, 3, 0, 3, 40}}},
    {.name = "no head of a frame within a payload",
     .shows = "it is passed over, those before it are kept",
     .pieces = {P(0), P(1), {STORED, 2, 0, 2, -5}, {NO_HEAD, 2, -5, 3, 0}}},
    {.name = "a frame behind END",
     .shows = "it is not read",
     .pieces = {P(0), P(1), P(2), {STOP, 0, 0, 0, 0}, P(3)}},
    {.name = "the rest of a payload behind END",
     .shows = "it is not read",
     .pieces = {P(0), P(1), {STORED, 2, 0, 2, -5}, {STOP, 0, 0, 0, 0}, {STORED, 2, -5, 3, 0}}},
};

static const struct row borders[] = {
    {.name = "a wrong h_0 and a length over the next payload",
     .shows = "no border: the frame behind it is one",
     .pieces = {P(0), SIXTY_LOST, P(1), P(2), P(3)},
     .second = A_LIE,
     .more = 1000},
    {.name = "an index that was there and a length over the next payload",
     .shows = "no border: the frame behind it is one",
     .pieces = {P(0), SIXTY_LOST, P(1), P(2), P(3)},
     .second = A_REACH_BACK,
     .more = 1000},
    {.name = "a length above what is allowed, and over the next payload",
     .shows = "no border: the frame behind it is one",
     .pieces = {P(0), SIXTY_LOST, P(1), P(2), P(3)},
     .second = A_REACH},
    {.name = "a right h_0 and a length over the next payload",
     .shows = "a border, though it is not what was signed: it is passed over by its length",
     .pieces = {P(0), SIXTY_LOST, P(1), P(2), P(3)},
     .second = A_REACH,
     .more = 1000},
    {.name = "a frame of 47 bytes of a head",
     .shows = "no border: the frame behind it is one",
     .pieces = {P(0), SIXTY_LOST, {STORED, 1, 0, 1, A_HEAD - 1}, P(2), P(3)}},
    {.name = "a frame with a part of the block hashes",
     .shows = "no border, nor is the frame that goes on",
     .pieces = {P(0), SIXTY_LOST, {STORED, 1, 0, 1, 60}, {STORED, 1, 60, 2, 0}, P(3)}},
    {.name = "a frame with a part of the first block",
     .shows = "no border, nor is the frame that goes on",
     .pieces = {P(0), SIXTY_LOST, {STORED, 1, 0, 1, -1}, {STORED, 1, -1, 2, 0}, P(3)}},
    {.name = "a frame with all block hashes and the first block",
     .shows = "a border: the other blocks may stand in the next frames",
     .pieces = {P(0), SIXTY_LOST, ATTACHMENT_HEAD, FIRST_MIB, LAST_TEN, P(2), P(3)},
     .second = AN_ATTACHMENT},
    {.name = "a head that cannot be, over a frame that begins with a payload",
     .shows = "the head ends in that frame: reading goes on at the next one",
     .pieces = {P(0), {ZEROS, 0, 0, 0, 20}, P(1), P(2), P(3)}},
};

static const struct row passed[] = {
    {.name = "an index of as many as there are entries",
     .shows = "all sums fit: it is passed over, and so one may be lost",
     .pieces = {P(0), P(1), P(2), P(3)},
     .last_index = COUNT},
    {.name = "an index of as many as there are entries, and another number of bytes",
     .shows = "it is passed over",
     .pieces = {P(0), P(1), P(2), P(3)},
     .last_index = COUNT,
     .more = 1},
    {.name = "an index of no entry before others",
     .shows = "it can be a head: those behind it are of no higher index",
     .pieces = {P(0), P(1), P(2), P(3)},
     .second = OF_NO_ENTRY},
    {.name = "an index of no entry behind a lost frame",
     .shows = "it can be a border: those behind it are of no higher index",
     .pieces = {P(0), SIXTY_LOST, P(1), P(2), P(3)},
     .second = OF_NO_ENTRY},
    {.name = "the payload of an erasure, and one that was never there",
     .shows = "it is dropped, and not passed over: nothing is lacking",
     .pieces = {P(0), P(1), P(3)},
     .second = OF_AN_ERASURE,
     .without = 1u << 2,
     .last_chunk_lost = true},
    {.name = "the payload of an entry of no type, and one that was never there",
     .shows = "it is dropped, and not passed over: nothing is lacking",
     .pieces = {P(0), P(1), P(3)},
     .second = OF_NO_TYPE,
     .without = 1u << 2,
     .last_chunk_lost = true},
};

static void add_rows(const struct row *rows, size_t count)
{
    static const struct sk_edit last_chunk = {SK_STAGE_FILE, SK_XOR, -1, "01"};
    for (size_t i = 0; i < count; i++) {
        struct sk_bundle_case c = {.name = rows[i].name,
                                   .shows = rows[i].shows,
                                   .status = rows[i].status,
                                   .start = start,
                                   .manifest = say_other};
        if (rows[i].last_chunk_lost)
            c.edits[0] = last_chunk;
        current = &rows[i];
        sk_vector_bundle(&c);
    }
}

#define ADD(rows) add_rows(rows, sizeof(rows) / sizeof((rows)[0]))

void sk_make_borders(void)
{
    ADD(blocks);
    ADD(ends);
    ADD(borders);
    ADD(passed);
}
