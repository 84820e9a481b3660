/*
 * Bundles that are whole but for one thing that no sum and no other hash tells, and bundles with
 * two things wrong, of which the first that is looked at names the class.
 */
#include "tests/vectors/make/group.h"

#include <string.h>

/* Damage of the second chunk, which holds nothing but zeros. */
#define SECOND_CHUNK                                  \
    {                                                 \
        SK_STAGE_FILE, SK_XOR, 2 * SK_CHUNK_LEN, "01" \
    }

/* The payload has salt, hashes and text of its own, and the entry is signed: but for another. */
static void other_commitment(struct sk_draft *draft)
{
    sk_draft_base(draft);
    draft->entries[0][32] ^= 1;
}

/* It has no type by then, and so nothing that it commits to. */
static void no_commitment(struct sk_draft *draft)
{
    other_commitment(draft);
    draft->entries[0][2] = 12;
}

static void empty_text(struct sk_draft *draft)
{
    sk_draft_entry(draft, SK_TYPE_SOURCE, 1, 1);
    sk_draft_payload(draft, 0, "", 0, NULL);
}

#define MARK 0x80 /* of byte 7 of an entry */

static void mark_then(struct sk_draft *draft, bool unmarked)
{
    sk_draft_entry(draft, SK_TYPE_SOURCE, 1, 1);
    if (!unmarked)
        draft->entries[0][7] |= MARK;
    sk_draft_entry(draft, SK_TYPE_SOURCE, 1, 2);
    draft->entries[0][7] |= MARK;
}

static void follows_unmarked(struct sk_draft *draft)
{
    mark_then(draft, true);
}

static void follows_marked(struct sk_draft *draft)
{
    mark_then(draft, false);
}

static void two_of_two(struct sk_draft *draft)
{
    draft->manifest.k = draft->manifest.n = 2;
    memset(draft->manifest.header_hashes[1], 0x99, 32);
}

static void empty_of_no_type(struct sk_draft *draft)
{
    empty_text(draft);
    draft->entries[0][2] = 12;
}

/* Its head in one frame, and its hash in another that is too long. */
static void hashes_beyond(struct sk_draft *draft)
{
    empty_text(draft);
    draft->payloads.bytes[0] = 5;
    sk_frame_add(&draft->frames, 0, 48, 48, draft->payloads.bytes);
    sk_frame_add(&draft->frames, 0, (1u << 20) + 1, (1u << 20) + 1, NULL);
}

static const struct sk_bundle_case cases[] = {
    {"a payload that its entry does not commit to", "whole in itself, and all sums fit", SK_DAMAGED,
     .start = other_commitment},
    {"a payload of an entry of no type", "it commits to nothing: the payload is dropped", SK_OK,
     .start = no_commitment},
    {"a text of no bytes", "one empty block: it is taken, and is no JSON", SK_OK,
     .start = empty_text},
    {"a revision behind a mark", "it names the entry without its mark", SK_OK,
     .start = follows_unmarked},
    {"a revision that names a mark", "it names the entry with its mark: malformed", SK_OK,
     .start = follows_marked},

    {"manifest length 0, and the second chunk damaged", "the first chunk is judged first", SK_LIMIT,
     .edits = {{SK_STAGE_INNER, SK_SET, 0, "00000000"}, SECOND_CHUNK}},
    {"two of two volumes, and the second chunk damaged", "the first chunk is judged first",
     SK_CONFIG, .manifest = two_of_two, .edits = {SECOND_CHUNK}},
    {"a text above 8 MiB, and the second chunk damaged", "the first chunk is judged first",
     SK_LIMIT, .edits = {{SK_STAGE_PAYLOADS, SK_SET, 36, "01008000"}, SECOND_CHUNK}},
    {"a newer version of 65,536 bytes", "it is read whole, and then judged", SK_CONFIG,
     .edits = {{SK_STAGE_MANIFEST, SK_SET, 0, "02"}, {SK_STAGE_INNER, SK_SET, 0, "00000100"}}},
    {"a newer version of 65,536 bytes, and the second chunk damaged",
     "it is read whole before it is judged", SK_DAMAGED,
     .edits = {{SK_STAGE_MANIFEST, SK_SET, 0, "02"},
               {SK_STAGE_INNER, SK_SET, 0, "00000100"},
               SECOND_CHUNK}},
    {"a checkpoint that is not UTF-8", "well signed", SK_DAMAGED,
     .edits = {{SK_STAGE_MANIFEST, SK_SET, -3, "ff"}}},
    {"a payload of no entry, and its hash in a frame above 1 MiB", "hashes come before the index",
     SK_LIMIT, .start = hashes_beyond},
    {"a payload of no type with a wrong letter", "it is checked, though it is dropped", SK_DAMAGED,
     .start = no_commitment, .edits = {{SK_STAGE_PAYLOADS, SK_XOR, 90, "01"}}},
    {"an empty text of no type with another hash", "of no bytes, and checked as any block",
     SK_DAMAGED, .start = empty_of_no_type, .edits = {{SK_STAGE_PAYLOADS, SK_XOR, 48, "01"}}},
    {"a text above 8 MiB of no entry", "the limit comes before the index", SK_LIMIT,
     .edits = {{SK_STAGE_PAYLOADS, SK_SET, 0, "05"}, {SK_STAGE_PAYLOADS, SK_SET, 36, "01008000"}}},
};

void sk_make_lies(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        sk_vector_bundle(&cases[i]);
}
