/*
 * Salvages among other bundles, one after the other into one archive: what is lacking, and what a
 * damaged bundle does not do.
 */
#include "crypto/hash.h"
#include "tests/vectors/make/group.h"

#include <string.h>

#define COUNT 4
#define STEPS 3

enum what {
    WHOLE,
    BARE,        /* without payloads */
    SECOND_LOST, /* of its payloads, in a frame that does not inflate */
    THIRD_LOST,
    WHOLE_BUT_THIRD, /* which is not there, and all sums are without it */
    OTHER_HISTORY,
    OTHER_DEVICE,
    OTHER_PSK,
    ERASING, /* a fifth entry alone, which erases the second's id */
};

struct step {
    bool salvage;
    enum what what;
    uint32_t index;
    struct sk_edit edit;
};

static const struct step *current;

static void no_payloads(struct sk_draft *draft)
{
    sk_buf_reset(&draft->payloads);
    draft->payload_count = draft->plain_bytes = 0;
    sk_hash_init(&draft->indices, NULL, SK_LABEL_INDICES);
}

/* The entry commits to it, and it is not there. */
static void commit_alone(struct sk_draft *draft, unsigned i, const char *text, size_t len)
{
    const struct sk_hash indices = draft->indices;
    const size_t before = draft->payloads.len;
    sk_draft_payload(draft, i, text, len, NULL);
    draft->payloads.len = before;
    draft->payload_count--;
    draft->plain_bytes -= len;
    draft->indices = indices;
}

static void add_frames(struct sk_draft *draft, const size_t at[static COUNT + 1])
{
    for (unsigned i = 0; i < COUNT; i++) {
        const uint32_t len = (uint32_t)(at[i + 1] - at[i]);
        if (len == 0)
            continue;
        if ((current->what == SECOND_LOST && i == 1) || (current->what == THIRD_LOST && i == 2))
            sk_frame_add(&draft->frames, 1, 2, len, "\x03\x01");
        else
            sk_frame_add(&draft->frames, 0, len, len, draft->payloads.bytes + at[i]);
    }
    sk_frame_add(&draft->frames, 2, 0, 0, NULL);
}

/* Only the erasure is in the bundle. */
static void erase_second(struct sk_draft *draft)
{
    uint8_t leaf[32];
    sk_draft_entry(draft, SK_TYPE_ERASURE, 0x11, 2);
    for (unsigned i = 0; i < COUNT; i++) {
        sk_merkle_leaf(leaf, draft->entries[i], SK_ENTRY_LEN);
        sk_merkle_append(&draft->before, leaf);
    }
    memcpy(draft->entries[0], draft->entries[COUNT], SK_ENTRY_LEN);
    draft->entry_count = 1;
    no_payloads(draft);
}

/* Four sources, each with its payload in a frame. */
static void start(struct sk_draft *draft)
{
    static const char text[] =
        "{\"recorded\":\"2024-10-04T10:00:00Z\",\"form\":\"source\",\"version\":1,"
        "\"fields\":{\"title\":\"A source\"}}";
    const unsigned first = current->what == OTHER_HISTORY ? 0x20 : 0x10;
    size_t at[COUNT + 1] = {0};
    draft->chain_index = current->index;
    draft->number = current->index + 1;
    if (current->what == OTHER_DEVICE)
        draft->signer = draft->log = &sk_stranger;
    if (current->what == OTHER_PSK)
        draft->chain_key[0] ^= 1;
    for (unsigned i = 0; i < COUNT; i++) {
        sk_draft_entry(draft, SK_TYPE_SOURCE, (uint8_t)(first + i), 1);
        if (current->what == WHOLE_BUT_THIRD && i == 2)
            commit_alone(draft, i, text, sizeof(text) - 1);
        else
            sk_draft_payload(draft, i, text, sizeof(text) - 1, NULL);
        at[i + 1] = draft->payloads.len;
    }
    if (current->what == BARE)
        no_payloads(draft);
    else if (current->what == ERASING)
        erase_second(draft);
    else
        add_frames(draft, at);
}

#define HOLE                                \
    {                                       \
        SK_STAGE_FILE, SK_XOR, 140000, "01" \
    }
#define CUT                             \
    {                                   \
        SK_STAGE_FILE, SK_CUT, -1, NULL \
    }

static const struct {
    const char *name, *shows, *classes;
    struct step steps[STEPS];
    size_t count;
} rows[] = {
    {"a salvage, then the whole",
     "its index was not spent, and nothing is lacking any more",
     "ok ok",
     {{true, SECOND_LOST, 0, {0}}, {false, WHOLE, 0, {0}}},
     2},
    {"a salvage, then an intact bundle without payloads",
     "nothing is lacking: the device says that it sends none",
     "ok ok",
     {{true, SECOND_LOST, 0, {0}}, {false, BARE, 1, {0}}},
     2},
    {"a salvage, then one that loses nothing",
     "nothing is lacking: the device says that it sends none",
     "ok ok",
     {{true, SECOND_LOST, 0, {0}}, {true, BARE, 1, HOLE}},
     2},
    {"entries without payloads, then a salvage",
     "they were held before: none is lacking",
     "ok ok",
     {{false, BARE, 1, {0}}, {true, SECOND_LOST, 0, {0}}},
     2},
    {"two salvages of one bundle",
     "the other copy has what the first lacks, and lacks nothing new",
     "ok ok",
     {{true, SECOND_LOST, 0, {0}}, {true, THIRD_LOST, 0, {0}}},
     2},
    {"a salvage twice",
     "the second adds nothing",
     "ok ok",
     {{true, SECOND_LOST, 0, {0}}, {true, SECOND_LOST, 0, {0}}},
     2},
    {"a salvage, then an erasure",
     "what is erased is not lacking",
     "ok ok",
     {{true, SECOND_LOST, 0, {0}}, {false, ERASING, 1, {0}}},
     2},
    {"an erasure, then a salvage",
     "what is erased is not lacking",
     "ok ok",
     {{false, ERASING, 1, {0}}, {true, SECOND_LOST, 0, {0}}},
     2},
    {"an erasure, then a salvage without a payload that was never there",
     "what is erased is dropped, and not passed over: nothing is lacking",
     "ok ok",
     {{false, ERASING, 1, {0}}, {true, WHOLE_BUT_THIRD, 0, HOLE}},
     2},
    {"a salvage of a whole bundle",
     "it is taken as ever, and its index is spent",
     "ok refused",
     {{true, WHOLE, 0, {0}}, {false, BARE, 0, {0}}},
     2},
    {"a whole bundle, then a salvage of the same",
     "the file is known",
     "ok ok",
     {{false, WHOLE, 0, {0}}, {true, WHOLE, 0, {0}}},
     2},
    {"a whole bundle, then a salvage of a cut copy",
     "the index is spent",
     "ok refused",
     {{false, WHOLE, 0, {0}}, {true, WHOLE, 0, CUT}},
     2},
    {"a whole bundle, then a salvage of a copy with a hole",
     "the index is spent",
     "ok refused",
     {{false, WHOLE, 0, {0}}, {true, WHOLE, 0, HOLE}},
     2},
    {"a whole bundle, then a salvage of less than its first chunk",
     "a file of this length is damaged, whatever its tag",
     "ok damaged",
     {{false, WHOLE, 0, {0}}, {true, WHOLE, 0, {SK_STAGE_FILE, SK_CUT, 131071, NULL}}},
     2},
    {"a whole bundle, then a salvage of its first chunk",
     "the index is spent",
     "ok refused",
     {{false, WHOLE, 0, {0}}, {true, WHOLE, 0, {SK_STAGE_FILE, SK_CUT, 131072, NULL}}},
     2},
    {"a salvage of a cut file for nobody",
     "no tag of this archive",
     "refused",
     {{true, OTHER_PSK, 0, CUT}},
     1},
    {"a salvage of another device's bundle",
     "it would wait: nothing of it is kept, and its log is not listed",
     "ok damaged",
     {{false, WHOLE, 0, {0}}, {true, OTHER_DEVICE, 1, HOLE}},
     2},
    {"a salvage of the bundle of a log that waits",
     "nothing of it is kept",
     "ok ok damaged",
     {{false, WHOLE, 0, {0}}, {false, OTHER_DEVICE, 1, {0}}, {true, OTHER_DEVICE, 2, HOLE}},
     3},
    {"a salvage of another history",
     "a damaged bundle is no evidence: it freezes nothing, and spends no index",
     "ok damaged ok",
     {{false, WHOLE, 0, {0}}, {true, OTHER_HISTORY, 1, HOLE}, {false, BARE, 1, {0}}},
     3},
    {"a salvage of a frozen log",
     "nothing of it is kept",
     "ok ok damaged",
     {{false, WHOLE, 0, {0}}, {false, OTHER_HISTORY, 1, {0}}, {true, ERASING, 2, HOLE}},
     3},
};

/* Files of one index are drawn alike, so that one can be a copy of another. */
static json_t *file_of(const char *name, const struct step *step)
{
    char full[100];
    (void)snprintf(full, sizeof(full), "%s %u", name, step->index);
    struct sk_bundle_case c = {.name = full, .start = start, .edits = {{0}}};
    c.edits[0] = step->edit;
    current = step;
    json_t *file = sk_bundle_file(&c);
    if (step->salvage)
        json_object_set_new(file, "salvage", json_true());
    return file;
}

void sk_make_salvage_sequences(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *files = json_array();
        for (size_t k = 0; k < rows[i].count; k++)
            json_array_append_new(files, file_of(rows[i].name, &rows[i].steps[k]));
        sk_vector_steps(rows[i].name, rows[i].shows, rows[i].classes, files, NULL);
    }
}
