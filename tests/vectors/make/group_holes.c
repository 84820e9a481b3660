/*
 * Bundles of several chunks, of which some do not open: what a salvage finds before and behind a
 * hole; and bundles that say another sum than their payloads have.
 */
#include "core/log.h"
#include "tests/vectors/make/group.h"

#include <string.h>

#define COUNT 4
#define HEAD                                                                    \
    "{\"recorded\":\"2024-10-04T10:00:00Z\",\"form\":\"source\",\"version\":1," \
    "\"fields\":{\"title\":\""
#define END      "\"}}"
#define LONGEST  200000
#define AN_ENTRY 96
#define A_FRAME  9  /* its head */
#define A_HEAD   80 /* that of a payload, with the hash of one block */

/* How many letters a source's title has: a number of them, or as many as it takes for its frame to
 * end at a chunk's end, */
#define TO_END 1u
/* to end where the next frame's head fits before it, */
#define TO_HEAD 2u
/* or to have as many bytes behind its head as a chunk. */
#define A_CHUNK 3u

struct row {
    const char *name, *shows;
    size_t titles[COUNT];
    struct sk_edit edits[SK_EDITS_MAX];
    json_t *(*file)(struct sk_draft *draft);
    void (*manifest)(struct sk_draft *draft);
    unsigned without;                               /* bits: payloads that are not there */
    enum { NO_HEAD, HEAD_ALONE, HEAD_BEFORE } torn; /* a head that cannot be, before payload 1 */
};

static const struct row *current;

/* Where the frames begin in the inner stream. */
static size_t frames_at(void)
{
    char note[SK_CHECKPOINT_NOTE_MAX];
    static const uint8_t root[32] = {0};
    sk_fixed_checkpoint(note, &sk_device, &sk_device, COUNT, root);
    return 4 + 200 + 32 + 32 + strlen(note) + SK_SIGNATURE_LEN + (size_t)COUNT * AN_ENTRY;
}

static size_t title_len(size_t how, size_t frame_at)
{
    const size_t least = strlen(HEAD) + strlen(END);
    const size_t text_at = frame_at + A_FRAME + A_HEAD;
    const size_t end = (text_at / SK_CHUNK_PLAIN_LEN + 1) * SK_CHUNK_PLAIN_LEN;
    if (how == A_CHUNK)
        return SK_CHUNK_PLAIN_LEN - A_HEAD - least;
    if (how == TO_END || how == TO_HEAD)
        return end - text_at - least - (how == TO_HEAD ? A_FRAME : 0);
    return how;
}

/* What came into the stream of payloads since then, stored. */
static void add_frame(struct sk_draft *draft, size_t before)
{
    const uint32_t len = (uint32_t)(draft->payloads.len - before);
    sk_frame_add(&draft->frames, 0, len, len, draft->payloads.bytes + before);
}

/* A head of zeros has an index that is not above the one before. It begins in one frame and ends in
 * the next, where the payload may stand behind it. */
static void add_torn_head(struct sk_draft *draft, size_t before)
{
    static const struct sk_edit rest = {SK_STAGE_PAYLOADS, SK_INSERT, 0,
                                        "00000000000000000000000000000000000000000000000000000000"};
    static const uint8_t zeros[20] = {0};
    sk_auto_buf second = SK_BUF_INIT;
    if (current->torn != NO_HEAD)
        sk_frame_add(&draft->frames, 0, sizeof(zeros), sizeof(zeros), zeros);
    if (current->torn == HEAD_BEFORE)
        MUST(sk_buf_add(&second, draft->payloads.bytes + before, draft->payloads.len - before,
                        NULL) == SK_OK);
    if (current->torn != NO_HEAD) {
        sk_edit_apply(&second, &rest);
        sk_frame_add(&draft->frames, 0, (uint32_t)second.len, (uint32_t)second.len, second.bytes);
    }
    if (current->torn != HEAD_BEFORE)
        add_frame(draft, before);
}

/* Four sources, each with its payload in a stored frame. */
static void start(struct sk_draft *draft)
{
    static char text[LONGEST];
    const size_t first = frames_at();
    for (unsigned i = 0; i < COUNT; i++) {
        const size_t before = draft->payloads.len;
        const size_t title = title_len(current->titles[i], first + draft->frames.len);
        MUST(strlen(HEAD) + title + strlen(END) <= sizeof(text));
        memcpy(text, HEAD, strlen(HEAD));
        memset(text + strlen(HEAD), 'a' + (int)i, title);
        memcpy(text + strlen(HEAD) + title, END, strlen(END));
        sk_draft_entry(draft, SK_TYPE_SOURCE, (uint8_t)(0x10 + i), 1);
        if (current->without >> i & 1)
            continue;
        sk_draft_payload(draft, i, text, strlen(HEAD) + title + strlen(END), NULL);
        if (i == 1)
            add_torn_head(draft, before);
        else
            add_frame(draft, before);
    }
    sk_frame_add(&draft->frames, 2, 0, 0, NULL);
}

static json_t *second_says_last(struct sk_draft *draft)
{
    json_t *chunks = sk_draft_chunks(draft);
    json_object_set_new(json_array_get(chunks, 1), "last", json_true());
    return chunks;
}

static void more_payloads(struct sk_draft *draft)
{
    draft->manifest.payload_count++;
}

static void more_bytes(struct sk_draft *draft)
{
    draft->manifest.plain_bytes++;
}

static void other_indices(struct sk_draft *draft)
{
    draft->manifest.indices_hash[0] ^= 1;
}

#define HOLE(chunk)                                               \
    {                                                             \
        SK_STAGE_FILE, SK_XOR, (1 + (chunk)) * SK_CHUNK_LEN, "01" \
    }
#define CUT_BEHIND(chunk)                                         \
    {                                                             \
        SK_STAGE_FILE, SK_CUT, (2 + (chunk)) * SK_CHUNK_LEN, NULL \
    }

static const struct row rows[] = {
    {.name = "a hole within a payload",
     .shows = "those before and behind it are kept",
     .titles = {9, 150000, 9, 9},
     .edits = {HOLE(1)}},
    {.name = "a hole with the end of a payload and the head of a frame",
     .shows = "nothing behind it is found",
     .titles = {45000, 45000, 45000, 45000},
     .edits = {HOLE(1)}},
    {.name = "a later hole with the end of a payload and the head of a frame",
     .shows = "what is before it is kept",
     .titles = {45000, 45000, 45000, 45000},
     .edits = {HOLE(2)}},
    {.name = "a hole behind a frame's end",
     .shows = "the frame does not touch it",
     .titles = {TO_END, 9, 9, 9},
     .edits = {HOLE(1)}},
    {.name = "a hole that is a frame's data",
     .shows = "its head stands before it, and the next frame's behind it",
     .titles = {TO_HEAD, A_CHUNK, 9, 9},
     .edits = {HOLE(1)}},
    {.name = "a hole before a frame",
     .shows = "the frame does not touch it, and is found",
     .titles = {TO_HEAD, A_CHUNK, 150000, 9},
     .edits = {HOLE(1)}},
    {.name = "two holes",
     .shows = "one in each of two payloads",
     .titles = {9, 150000, 150000, 9},
     .edits = {HOLE(1), HOLE(3)}},
    {.name = "cut within a payload",
     .shows = "what is before it is kept",
     .titles = {9, 150000, 9, 9},
     .edits = {CUT_BEHIND(1)}},
    {.name = "cut behind a frame's end",
     .shows = "what is before it is kept",
     .titles = {TO_END, 9, 9, 9},
     .edits = {CUT_BEHIND(0)}},
    {.name = "a chunk that says it is the last",
     .shows = "the stream ends behind it",
     .titles = {9, 150000, 9, 9},
     .file = second_says_last},

    {.name = "a head that cannot be, over two frames",
     .shows = "reading goes on behind the frame in which it ends",
     .titles = {9, 9, 9, 9},
     .torn = HEAD_ALONE},
    {.name = "a head that cannot be, over two frames, and a payload behind it",
     .shows = "that payload is in the frame in which it ends",
     .titles = {9, 9, 9, 9},
     .torn = HEAD_BEFORE},
    {.name = "a payload that was never there",
     .shows = "the sums fit without it: it is not lacking",
     .titles = {9, 9, 9, 9},
     .without = 1u << 1,
     .edits = {HOLE(1)}},
    {.name = "another number of payloads",
     .shows = "one may be lost",
     .titles = {9, 9, 9, 9},
     .without = 1u << 1,
     .manifest = more_payloads},
    {.name = "another number of bytes",
     .shows = "a payload may be lost",
     .titles = {9, 9, 9, 9},
     .without = 1u << 1,
     .manifest = more_bytes},
    {.name = "another hash of the indices",
     .shows = "another payload may be lost",
     .titles = {9, 9, 9, 9},
     .without = 1u << 1,
     .manifest = other_indices},
};

void sk_make_holes(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sk_bundle_case c = {.name = rows[i].name,
                                   .shows = rows[i].shows,
                                   .start = start,
                                   .file = rows[i].file,
                                   .manifest = rows[i].manifest};
        memcpy(c.edits, rows[i].edits, sizeof(c.edits));
        current = &rows[i];
        sk_vector_bundle(&c);
    }
}
