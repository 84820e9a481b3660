/*
 * Several bundles, one after the other, into one archive: repeats, gaps, forks.
 */
#include "tests/vectors/make/group.h"

#include <string.h>

/* A part of one log of eight entries, in files of their own. */
struct part {
    uint64_t n0, n1;
    uint32_t index;
    uint64_t number;
    const struct sk_fixed_party *device;
    uint8_t twist; /* of the entry at position `twisted`, for another history */
    uint64_t twisted;
    struct sk_edit edit;
};

static const struct part *current;

static void make_entry(uint64_t position, uint8_t out[static SK_ENTRY_LEN])
{
    struct sk_entry e = {.type = SK_TYPE_CASE, .day = 20000, .revision = 1};
    memset(&e.id, 0x80 + (int)position, sizeof(e.id));
    memset(e.commitment, (int)position + 1, sizeof(e.commitment));
    if (current->twist && position == current->twisted)
        e.commitment[0] ^= current->twist;
    sk_entry_encode(out, &e);
}

static void start(struct sk_draft *draft)
{
    uint8_t entry[SK_ENTRY_LEN];
    uint8_t leaf[32];
    draft->chain_index = current->index;
    draft->number = current->number;
    draft->signer = draft->log = current->device ? current->device : &sk_device;
    for (uint64_t i = 0; i < current->n0; i++) {
        make_entry(i, entry);
        sk_merkle_leaf(leaf, entry, sizeof(entry));
        sk_merkle_append(&draft->before, leaf);
    }
    for (uint64_t i = current->n0; i < current->n1; i++)
        make_entry(i, draft->entries[draft->entry_count++]);
}

static json_t *part_file(const char *name, size_t step, const struct part *p)
{
    char full[100];
    (void)snprintf(full, sizeof(full), "%s %zu", name, step);
    struct sk_bundle_case c = {.name = full, .start = start, .edits = {{0}}};
    c.edits[0] = p->edit;
    current = p;
    return sk_bundle_file(&c);
}

#define PARTS_MAX 4

/* A part with the `same` of another step is that very file again. */
static const struct {
    const char *name, *shows;
    struct part parts[PARTS_MAX];
    size_t count;
    size_t again; /* the last step is the file of this step, counted from 1; 0: none */
} rows[] = {
    {"in order",
     "three bundles of one log",
     {{.n0 = 0, .n1 = 2, .index = 0, .number = 1},
      {.n0 = 2, .n1 = 5, .index = 1, .number = 2},
      {.n0 = 5, .n1 = 8, .index = 2, .number = 3}},
     3,
     0},
    {"in reverse order",
     "gaps are told and close",
     {{.n0 = 5, .n1 = 8, .index = 2, .number = 3},
      {.n0 = 2, .n1 = 5, .index = 1, .number = 2},
      {.n0 = 0, .n1 = 2, .index = 0, .number = 1}},
     3,
     0},
    {"the same file twice",
     "it is known, and nothing happens",
     {{.n0 = 0, .n1 = 2, .index = 0, .number = 1}},
     1,
     1},
    {"the same file twice, of a log with a gap",
     "it is known, and the gap is told again",
     {{.n0 = 2, .n1 = 4, .index = 0, .number = 1}},
     1,
     1},
    {"a known file after a gap has closed",
     "what is told of its log is of now",
     {{.n0 = 2, .n1 = 4, .index = 1, .number = 2}, {.n0 = 0, .n1 = 2, .index = 0, .number = 1}},
     2,
     1},
    {"a known file of a log that was frozen later",
     "its log has two histories by now",
     {{.n0 = 0, .n1 = 4, .index = 0, .number = 1},
      {.n0 = 0, .n1 = 4, .index = 1, .number = 2, .twist = 1, .twisted = 2}},
     2,
     1},
    {"the file of another history twice",
     "it is known, and it waits",
     {{.n0 = 0, .n1 = 4, .index = 0, .number = 1},
      {.n0 = 0, .n1 = 4, .index = 1, .number = 2, .twist = 1, .twisted = 2}},
     2,
     2},
    {"the file of another history twice, with a gap",
     "the gap of the log is told, though nothing of the file is in it",
     {{.n0 = 2, .n1 = 4, .index = 0, .number = 1},
      {.n0 = 0, .n1 = 4, .index = 1, .number = 2, .twist = 1, .twisted = 3}},
     2,
     2},
    {"the file of another device twice",
     "it is known, and it waits",
     {{.n0 = 0, .n1 = 4, .index = 0, .number = 1},
      {.n0 = 1, .n1 = 3, .index = 1, .number = 1, .device = &sk_stranger}},
     2,
     2},
    {"the file of another device again, after a fork",
     "it is known, and its own log has one history",
     {{.n0 = 0, .n1 = 4, .index = 0, .number = 1},
      {.n0 = 1, .n1 = 3, .index = 1, .number = 1, .device = &sk_stranger},
      {.n0 = 0, .n1 = 4, .index = 2, .number = 2, .twist = 1, .twisted = 2}},
     3,
     2},
    {"the file of another device again, with a gap in the log that is enrolled",
     "it is known, and its own log has no gaps",
     {{.n0 = 2, .n1 = 4, .index = 0, .number = 1},
      {.n0 = 1, .n1 = 3, .index = 1, .number = 1, .device = &sk_stranger}},
     2,
     2},
    {"overlap",
     "entries that are there already are the same",
     {{.n0 = 0, .n1 = 4, .index = 0, .number = 1}, {.n0 = 2, .n1 = 6, .index = 1, .number = 2}},
     2,
     0},
    {"a damaged copy",
     "of a file that was imported",
     {{.n0 = 0, .n1 = 2, .index = 0, .number = 1},
      {.n0 = 0, .n1 = 2, .index = 0, .number = 1, .edit = {SK_STAGE_FILE, SK_XOR, 70000, "01"}}},
     2,
     0},
    {"a damaged copy first",
     "the index stays unspent",
     {{.n0 = 0, .n1 = 2, .index = 0, .number = 1, .edit = {SK_STAGE_FILE, SK_XOR, 70000, "01"}},
      {.n0 = 0, .n1 = 2, .index = 0, .number = 1}},
     2,
     0},
    {"an index used twice",
     "another bundle under a spent index",
     {{.n0 = 0, .n1 = 2, .index = 0, .number = 1}, {.n0 = 0, .n1 = 3, .index = 0, .number = 2}},
     2,
     0},
    {"a skipped index comes late",
     "its keys were kept",
     {{.n0 = 0, .n1 = 2, .index = 9, .number = 1},
      {.n0 = 2, .n1 = 5, .index = 4, .number = 2},
      {.n0 = 5, .n1 = 8, .index = 10, .number = 3}},
     3,
     0},
    {"another history of the same size",
     "a fork: kept aside, the log frozen",
     {{.n0 = 0, .n1 = 4, .index = 0, .number = 1},
      {.n0 = 0, .n1 = 4, .index = 1, .number = 2, .twist = 1, .twisted = 2}},
     2,
     0},
    {"another history before n0",
     "a fork that the peaks tell",
     {{.n0 = 0, .n1 = 4, .index = 0, .number = 1},
      {.n0 = 4, .n1 = 6, .index = 1, .number = 2, .twist = 1, .twisted = 0}},
     2,
     0},
    {"another history behind a gap",
     "the part that came before begins with another root",
     {{.n0 = 4, .n1 = 6, .index = 0, .number = 1},
      {.n0 = 0, .n1 = 5, .index = 1, .number = 2, .twist = 1, .twisted = 3}},
     2,
     0},
    {"another history within a part behind a gap",
     "the root there is known from that part's peaks",
     {{.n0 = 3, .n1 = 8, .index = 0, .number = 1},
      {.n0 = 5, .n1 = 7, .index = 1, .number = 2, .twist = 1, .twisted = 0}},
     2,
     0},
    {"the same history within a part behind a gap",
     "all of it is known",
     {{.n0 = 3, .n1 = 8, .index = 0, .number = 1}, {.n0 = 5, .n1 = 7, .index = 1, .number = 2}},
     2,
     0},
    {"another history that ends at a part",
     "the part's first peaks tell",
     {{.n0 = 4, .n1 = 6, .index = 0, .number = 1},
      {.n0 = 2, .n1 = 4, .index = 1, .number = 2, .twist = 1, .twisted = 2}},
     2,
     0},
    {"after a fork",
     "later bundles go to quarantine",
     {{.n0 = 0, .n1 = 4, .index = 0, .number = 1},
      {.n0 = 0, .n1 = 4, .index = 1, .number = 2, .twist = 1, .twisted = 2},
      {.n0 = 4, .n1 = 8, .index = 2, .number = 3}},
     3,
     0},
    {"another device under one invite",
     "it waits",
     {{.n0 = 0, .n1 = 4, .index = 0, .number = 1},
      {.n0 = 0, .n1 = 2, .index = 1, .number = 1, .device = &sk_stranger}},
     2,
     0},
    {"a fork that is damaged",
     "is damaged, and freezes nothing",
     {{.n0 = 0, .n1 = 4, .index = 0, .number = 1},
      {.n0 = 0,
       .n1 = 4,
       .index = 1,
       .number = 2,
       .twist = 1,
       .twisted = 2,
       .edit = {SK_STAGE_FRAMES, SK_SET, 0, "07"}},
      {.n0 = 4, .n1 = 6, .index = 2, .number = 3}},
     3,
     0},
};

void sk_make_sequences(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *files = json_array();
        for (size_t k = 0; k < rows[i].count; k++) {
            /* Files of one index and number are drawn alike, so that a copy is one. */
            const struct part *p = &rows[i].parts[k];
            json_array_append_new(files, part_file(rows[i].name, p->index * 10 + p->number, p));
        }
        if (rows[i].again)
            json_array_append(files, json_array_get(files, rows[i].again - 1));
        sk_vector(rows[i].name, rows[i].shows, "ok", files, NULL);
    }
    sk_make_slot_sequences();
    sk_make_salvage_sequences();
    sk_make_erasures();
    sk_make_next_sequences();
}
