/*
 * Damaged bundles of which an archive is told to keep what verifies. All that matters stands in the
 * first chunk: frames and payloads that are wrong under a right tag are lost in the same way as
 * those that a hole takes.
 */
#include "tests/vectors/make/group.h"

#include <string.h>

#define COUNT 4

/* A step of a case's frames: payloads [from, to) of the draft in one frame, altered. */
struct piece {
    unsigned from, to;
    enum { AS_IT_IS, LOST, LONGER, NO_HEAD, TOO_LONG, CUT_SHORT } how;
};

struct row {
    const char *name, *shows;
    enum sk_status status; /* other than SK_OK: nothing is kept */
    struct piece pieces[COUNT + 1];
    bool no_end;
    struct sk_edit edits[SK_EDITS_MAX];
    unsigned lie; /* 1: of payload 1 a byte of the text; 2: of its hash; 3: of its commitment;
                   * 4: of its entry, which has no type then */
    void (*manifest)(struct sk_draft *draft);
};

static const struct row *current;
static const struct piece plain[] = {{0, COUNT, AS_IT_IS}};

/* How many bytes a lost frame says it has. */
static uint32_t said_len(const struct piece *p, size_t len)
{
    return (uint32_t)len + (p->how == LONGER ? 7 : 0);
}

static void add_piece(struct sk_draft *draft, const struct piece *p, const size_t *at)
{
    const uint8_t *bytes = draft->payloads.bytes + at[p->from];
    size_t len = at[p->to] - at[p->from];
    if (p->how == LOST || p->how == LONGER) /* deflated data that end at once */
        sk_frame_add(&draft->frames, 1, 2, said_len(p, len), "\x03\x01");
    else if (p->how == NO_HEAD)
        sk_frame_add(&draft->frames, 7, (uint32_t)len, (uint32_t)len, bytes);
    else if (p->how == TOO_LONG)
        sk_frame_add(&draft->frames, 0, (1u << 20) + 1, (1u << 20) + 1, NULL);
    else if (p->how == CUT_SHORT)
        sk_frame_add(&draft->frames, 0, (uint32_t)len - 5, (uint32_t)len - 5, bytes);
    else
        sk_frame_add(&draft->frames, 0, (uint32_t)len, (uint32_t)len, bytes);
}

/* Four sources, each with its payload. */
static void start(struct sk_draft *draft)
{
    static const char text[] =
        "{\"recorded\":\"2024-10-04T10:00:00Z\",\"form\":\"source\",\"version\":1,"
        "\"fields\":{\"title\":\"A source\"}}";
    const struct piece *pieces = current->pieces[0].to ? current->pieces : plain;
    size_t at[COUNT + 1] = {0};
    draft->entry_count = 0;
    for (unsigned i = 0; i < COUNT; i++) {
        sk_draft_entry(draft, SK_TYPE_SOURCE, (uint8_t)(0x10 + i), 1);
        sk_draft_payload(draft, i, text, sizeof(text) - 1, NULL);
        at[i + 1] = draft->payloads.len;
    }
    if (current->lie >= 3)
        draft->entries[1][current->lie == 3 ? 32 : 2] ^= 0x40;
    else if (current->lie)
        draft->payloads.bytes[at[1] + (current->lie == 1 ? 48 + 32 + 9 : 48)] ^= 1;
    for (const struct piece *p = pieces; p < pieces + COUNT + 1 && p->to; p++) {
        add_piece(draft, p, at);
        if (pieces == plain)
            break;
    }
    if (!current->no_end)
        sk_frame_add(&draft->frames, 2, 0, 0, NULL);
}

static void for_another(struct sk_draft *draft)
{
    memcpy(draft->manifest.recipients[0], sk_rival.id, 32);
}

static void one_less(struct sk_draft *draft)
{
    draft->manifest.payload_count--;
}

static const struct row rows[] = {
    {.name = "cut behind its first chunk",
     .shows = "none is lost",
     .edits = {{SK_STAGE_FILE, SK_CUT, 131072, ""}}},
    {.name = "cut within its first chunk",
     .shows = "nothing can be kept",
     .status = SK_DAMAGED,
     .edits = {{SK_STAGE_FILE, SK_CUT, 131071, ""}}},
    {.name = "a piece of a chunk at its end",
     .shows = "it is not looked at",
     .edits = {{SK_STAGE_FILE, SK_CUT, 200000, ""}}},
    {.name = "a chunk of zeros",
     .shows = "a hole in the padding takes nothing",
     .edits = {{SK_STAGE_FILE, SK_XOR, 140000, "01"}}},
    {.name = "the last chunk",
     .shows = "it need not be there",
     .edits = {{SK_STAGE_FILE, SK_XOR, -1, "01"}}},
    {.name = "something behind its end",
     .shows = "it is not looked at",
     .edits = {{SK_STAGE_FILE, SK_INSERT, -1, "00"}}},
    {.name = "the first chunk",
     .shows = "without manifest and entries nothing is kept",
     .status = SK_DAMAGED,
     .edits = {{SK_STAGE_FILE, SK_XOR, 65536, "01"}}},
    {.name = "the header",
     .shows = "its MAC is wrong",
     .status = SK_DAMAGED,
     .edits = {{SK_STAGE_FILE, SK_XOR, 60000, "01"}}},
    {.name = "a signature",
     .shows = "it is checked as ever",
     .status = SK_DAMAGED,
     .edits = {{SK_STAGE_SIGNATURE, SK_XOR, 1, "01"}}},
    {.name = "an entry",
     .shows = "the root is checked as ever",
     .status = SK_DAMAGED,
     .edits = {{SK_STAGE_INNER, SK_XOR, 800, "01"}}},
    {.name = "a lost frame",
     .shows = "its payload is lacking, those before and behind are kept",
     .pieces = {{0, 1, AS_IT_IS}, {1, 2, LOST}, {2, 4, AS_IT_IS}}},
    {.name = "the first frame is lost",
     .shows = "what is behind it is kept",
     .pieces = {{0, 2, LOST}, {2, 3, AS_IT_IS}, {3, 4, AS_IT_IS}}},
    {.name = "a lost frame that ends within a payload",
     .shows = "reading goes on at the next frame that begins with one",
     .pieces = {{0, 1, AS_IT_IS}, {1, 2, LONGER}, {2, 3, AS_IT_IS}, {3, 4, AS_IT_IS}}},
    {.name = "a frame ends too early",
     .shows = "the head behind it is read where it is not, and a later frame begins with one",
     .pieces = {{0, 1, CUT_SHORT}, {1, 2, AS_IT_IS}, {2, 3, AS_IT_IS}, {3, 4, AS_IT_IS}}},
    {.name = "two lost frames",
     .shows = "and one kept between",
     .pieces = {{0, 1, LOST}, {1, 2, AS_IT_IS}, {2, 3, LOST}, {3, 4, AS_IT_IS}}},
    {.name = "all frames are lost", .shows = "the entries are kept", .pieces = {{0, 4, LOST}}},
    {.name = "no head of a frame",
     .shows = "nothing behind it is found",
     .pieces = {{0, 1, AS_IT_IS}, {1, 2, NO_HEAD}, {2, 4, AS_IT_IS}}},
    {.name = "a payload is missing",
     .shows = "it is lacking",
     .pieces = {{0, 2, AS_IT_IS}, {3, 4, AS_IT_IS}}},
    {.name = "payloads out of order",
     .shows = "an index below the one before is no head; a later frame has one",
     .pieces = {{1, 2, AS_IT_IS}, {0, 1, AS_IT_IS}, {2, 4, AS_IT_IS}}},
    {.name = "no END", .shows = "none is lost", .no_end = true},
    {.name = "a text that is not what was signed",
     .shows = "it is passed over, what is behind it is kept",
     .lie = 1},
    {.name = "a hash that is not what was signed",
     .shows = "the commitment tells; it is passed over",
     .lie = 2},
    {.name = "a payload that its entry does not commit to",
     .shows = "whole in itself, and all sums fit: it is passed over and lacking",
     .lie = 3},
    {.name = "the payload of an entry of no type",
     .shows = "it is malformed by its table: nothing of it is lacking",
     .pieces = {{0, 1, AS_IT_IS}, {1, 3, LOST}, {3, 4, AS_IT_IS}},
     .lie = 4},
    {.name = "a frame above 1 MiB",
     .shows = "nothing is damaged: nothing is kept",
     .status = SK_LIMIT,
     .edits = {{SK_STAGE_FRAMES, SK_INSERT, -10, "000100100001001000"}}},
    {.name = "a text that is not what was signed, and a frame above 1 MiB",
     .shows = "it is no head of a frame, and ends them",
     .pieces = {{0, 2, AS_IT_IS}, {2, 3, TOO_LONG}, {3, 4, AS_IT_IS}},
     .lie = 1},
    {.name = "a frame above 1 MiB, and the last chunk",
     .shows = "the frame is judged before that chunk: nothing is kept",
     .status = SK_LIMIT,
     .pieces = {{0, 1, AS_IT_IS}, {1, 2, TOO_LONG}, {2, 4, AS_IT_IS}},
     .edits = {{SK_STAGE_FILE, SK_XOR, -1, "01"}}},
    {.name = "for another archive, cut by a byte",
     .shows = "the second reading tells",
     .status = SK_REFUSED,
     .manifest = for_another,
     .edits = {{SK_STAGE_FILE, SK_CUT, -1, ""}}},
    {.name = "of a newer version, cut by a byte",
     .shows = "the second reading tells",
     .status = SK_CONFIG,
     .edits = {{SK_STAGE_MANIFEST, SK_SET, 0, "02"}, {SK_STAGE_FILE, SK_CUT, -1, ""}}},
    {.name = "without a manifest, cut by a byte",
     .shows = "the second reading tells",
     .status = SK_LIMIT,
     .edits = {{SK_STAGE_INNER, SK_SET, 0, "00000000"}, {SK_STAGE_FILE, SK_CUT, -1, ""}}},
    {.name = "a payload more than the manifest says",
     .shows = "nothing is kept",
     .status = SK_DAMAGED,
     .manifest = one_less},
    {.name = "a lie behind a lost frame",
     .shows = "a frame that begins with a block of another hash is no border",
     .pieces = {{0, 1, LONGER}, {1, 2, AS_IT_IS}, {2, 3, AS_IT_IS}, {3, 4, AS_IT_IS}},
     .lie = 1},
};

void sk_make_salvages(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sk_bundle_case c = {.name = rows[i].name, .shows = rows[i].shows, .start = start};
        current = &rows[i];
        memcpy(c.edits, current->edits, sizeof(c.edits));
        c.status = current->status;
        c.manifest = current->manifest;
        sk_vector_bundle(&c);
    }
    sk_make_holes();
    sk_make_borders();
}
