/*
 * What an erasure does in its own log, and what else depends on several entries of one id: bundles
 * of one log of a few entries, with payloads, one after the other into one archive.
 */
#include "tests/vectors/make/group.h"

#include <stdio.h>
#include <string.h>

#define RECORDED "\"recorded\":\"2026-01-02T03:04Z\""
#define ID_1     "01010101010101010101010101010101"
#define ID_2     "02020202020202020202020202020202"
#define SHA      "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" /* of "hello" */
#define RECORD(form, title) \
    "{\"form\":\"" form "\",\"version\":1," RECORDED ",\"fields\":{\"title\":\"" title "\"}}"

/* ---- a log ---- */

struct line {
    unsigned type;
    uint8_t id;
    uint32_t revision;
    const char *text, *body;
    int at; /* where its 96 bytes are altered, if `mix` is not 0 */
    uint8_t mix;
};

#define LINES 8
#define SOURCE_LINE                                             \
    {                                                           \
        SK_TYPE_SOURCE, 1, 1, RECORD("source", "S"), NULL, 0, 0 \
    }
#define EVENT_LINE                                             \
    {                                                          \
        SK_TYPE_EVENT, 2, 1, RECORD("event", "E1"), NULL, 0, 0 \
    }
#define ATTACHMENT_LINE                                                                     \
    {                                                                                       \
        SK_TYPE_ATTACHMENT, 3, 1,                                                           \
            "{" RECORDED ",\"record\":\"" ID_2 "\",\"name\":\"a\",\"type\":\"text/plain\"," \
            "\"size\":5,\"sha256\":\"" SHA "\"}",                                           \
            "hello", 0, 0                                                                   \
    }
#define LINK_LINE                                                                                  \
    {                                                                                              \
        SK_TYPE_LINK, 4, 1,                                                                        \
            "{" RECORDED ",\"source\":\"" ID_2 "\",\"role\":\"x\",\"target\":\"" ID_1 "\"}", NULL, \
            0, 0                                                                                   \
    }
#define EVENT_AGAIN                                            \
    {                                                          \
        SK_TYPE_EVENT, 2, 2, RECORD("event", "E2"), NULL, 0, 0 \
    }
#define ERASURE_LINE(id, revision, at, mix)                \
    {                                                      \
        SK_TYPE_ERASURE, id, revision, NULL, NULL, at, mix \
    }
#define BEFORE SOURCE_LINE, EVENT_LINE, ATTACHMENT_LINE, LINK_LINE, EVENT_AGAIN

static const struct line withdrawn[LINES] = {
    BEFORE,
    ERASURE_LINE(2, 3, 0, 0),
    {SK_TYPE_EVENT, 2, 4, RECORD("event", "E4"), NULL, 0, 0},
    {SK_TYPE_SOURCE, 1, 2, RECORD("source", "S2"), NULL, 0, 0},
};
static const struct line attachment_withdrawn[LINES] = {BEFORE, ERASURE_LINE(3, 2, 0, 0)};
static const struct line wrong_leaf[LINES] = {BEFORE, ERASURE_LINE(2, 3, 70, 1)};
static const struct line other_type[LINES] = {BEFORE, ERASURE_LINE(2, 3, 4, 1)};
static const struct line type_zero[LINES] = {BEFORE, ERASURE_LINE(2, 3, 4, 3)};
static const struct line committed[LINES] = {BEFORE, ERASURE_LINE(2, 3, 40, 1)};
static const struct line marked[LINES] = {
    BEFORE,
    ERASURE_LINE(2, 3, 7, 0x80),
    {SK_TYPE_SOURCE, 1, 2, RECORD("source", "S2"), NULL, 7, 0x80}};
static const struct line two_types[LINES] = {
    SOURCE_LINE,
    {SK_TYPE_EVENT, 1, 2, RECORD("event", "E"), NULL, 0, 0},
    {SK_TYPE_SOURCE, 1, 3, RECORD("source", "S3"), NULL, 0, 0},
};
static const struct line malformed_between[LINES] = {
    SOURCE_LINE,
    {SK_TYPE_SOURCE, 1, 2, "{}", NULL, 0, 0},
    {SK_TYPE_SOURCE, 1, 3, RECORD("source", "S3"), NULL, 0, 0},
    {SK_TYPE_SOURCE, 1, 4, RECORD("source", "S4"), NULL, 70, 1},
    {SK_TYPE_SOURCE, 1, 5, RECORD("source", "S5"), NULL, 0, 0},
};
static const struct line no_entry_between[LINES] = {
    SOURCE_LINE,
    {SK_TYPE_SOURCE, 1, 2, NULL, NULL, 2, 0x80}, /* of no type: the next does not follow it */
    {SK_TYPE_SOURCE, 1, 2, RECORD("source", "S2"), NULL, 0, 0},
};
static const struct line odd_revisions[LINES] = {
    SOURCE_LINE,
    {SK_TYPE_SOURCE, 1, 1, RECORD("source", "S1"), NULL, 0, 0},
    {SK_TYPE_SOURCE, 1, 7, RECORD("source", "S7"), NULL, 64, 1},
};

/* ---- a bundle of a part of it ---- */

struct part {
    unsigned n0, n1;
    uint32_t index;
    unsigned without; /* bits: positions whose payload stays out */
};

static struct {
    const struct line *log;
    const struct part *part;
} now;

/* The whole log from position 0, so that each entry names the one before and its own payload. */
static void whole_log(struct sk_draft *draft)
{
    for (unsigned i = 0; i < LINES && now.log[i].type; i++) {
        const struct line *l = &now.log[i];
        sk_draft_entry(draft, l->type, l->id, l->revision);
        draft->entries[i][l->at] ^= l->mix;
        if (l->text)
            sk_draft_payload(draft, i, l->text, strlen(l->text), l->body);
    }
}

static void start(struct sk_draft *draft)
{
    static struct sk_draft whole;
    const struct part *p = now.part;
    uint8_t leaf[32];
    sk_draft_init(&whole, "whole");
    whole_log(&whole);
    MUST(p->n1 <= whole.entry_count);
    draft->chain_index = p->index;
    draft->number = p->index + 1;
    draft->salt = (uint8_t)(whole.salt + p->n0);
    for (unsigned i = 0; i < p->n0; i++) {
        sk_merkle_leaf(leaf, whole.entries[i], SK_ENTRY_LEN);
        sk_merkle_append(&draft->before, leaf);
    }
    for (unsigned i = p->n0; i < p->n1; i++)
        memcpy(draft->entries[draft->entry_count++], whole.entries[i], SK_ENTRY_LEN);
    for (unsigned i = p->n0; i < p->n1; i++)
        if (now.log[i].text && !(p->without >> i & 1))
            sk_draft_payload(draft, i - p->n0, now.log[i].text, strlen(now.log[i].text),
                             now.log[i].body);
    for (unsigned i = p->n0; i < p->n1; i++)
        MUST(memcmp(draft->entries[i - p->n0], whole.entries[i], SK_ENTRY_LEN) == 0);
    sk_draft_clear(&whole);
}

/* ---- the vectors ---- */

#define PARTS_MAX 3

static const struct {
    const char *name, *shows;
    const struct line *log;
    struct part parts[PARTS_MAX];
} rows[] = {
    {"erased in one bundle",
     "payloads before and behind the erasure; what hangs on it stays",
     withdrawn,
     {{0, 8, 0, 0}}},
    {"erased by a later bundle",
     "what was kept is destroyed",
     withdrawn,
     {{0, 5, 0, 0}, {5, 8, 1, 0}}},
    {"erased before it came",
     "the erasure stands behind a gap",
     withdrawn,
     {{5, 6, 1, 0}, {0, 5, 0, 0}}},
    {"a later revision before the erasure comes",
     "it is destroyed too",
     withdrawn,
     {{6, 8, 2, 0}, {0, 5, 0, 0}, {5, 6, 1, 0}}},
    {"sent again after it was erased",
     "it is verified and dropped",
     withdrawn,
     {{0, 6, 0, 0}, {0, 5, 1, 0}, {1, 2, 2, 0}}},
    {"without the payloads that are erased",
     "as a device sends it",
     withdrawn,
     {{0, 8, 0, 1u << 1 | 1u << 4 | 1u << 6}}},
    {"an attachment erased",
     "its record stays",
     attachment_withdrawn,
     {{0, 5, 0, 0}, {5, 6, 1, 0}}},
    {"an erasure that does not follow",
     "malformed by its leaf hash, and erases",
     wrong_leaf,
     {{0, 5, 0, 0}, {5, 6, 1, 0}}},
    {"an erasure of another type", "it erases", other_type, {{0, 5, 0, 0}, {5, 6, 1, 0}}},
    {"an erasure of no type",
     "malformed by its table, and erases nothing",
     type_zero,
     {{0, 5, 0, 0}, {5, 6, 1, 0}}},
    {"an erasure that commits to something",
     "malformed by its table, and erases nothing",
     committed,
     {{0, 5, 0, 0}, {5, 6, 1, 0}}},
    {"a mark", "on an erasure and on a revision", marked, {{0, 5, 0, 0}, {5, 7, 1, 0}}},
    {"payloads that come later",
     "to entries that are held",
     withdrawn,
     {{0, 5, 0, 31}, {0, 5, 1, 1u << 2}, {0, 5, 2, 0}}},
    {"payloads across a gap", "the second part first", withdrawn, {{2, 5, 1, 0}, {0, 2, 0, 0}}},
    {"two types under one id", "the first counts", two_types, {{0, 2, 0, 0}, {2, 3, 1, 0}}},
    {"malformed entries before others",
     "by a text and by a leaf hash: the next is held against them",
     malformed_between,
     {{0, 5, 0, 0}}},
    {"no entry before another",
     "malformed by its table: the next is held against the one before it",
     no_entry_between,
     {{0, 3, 0, 0}}},
    {"odd revisions", "a number twice, and numbers left out", odd_revisions, {{0, 3, 0, 0}}},
};

static void add_sequence(const char *name, const char *shows, const struct line *log,
                         const struct part parts[static PARTS_MAX])
{
    json_t *files = json_array();
    now.log = log;
    for (size_t k = 0; k < PARTS_MAX && parts[k].n1 > 0; k++) {
        char full[100];
        (void)snprintf(full, sizeof(full), "%s %zu", name, k);
        struct sk_bundle_case c = {.name = full, .start = start, .edits = {{0}}};
        now.part = &parts[k];
        json_array_append_new(files, sk_bundle_file(&c));
    }
    sk_vector(name, shows, "ok", files, NULL);
}

/* ---- continuations ---- */

/* A statement that `log` continues `old`, at a position of the device's log of four entries. */
static const struct {
    const char *name, *shows;
    const struct sk_fixed_party *log, *old;
    unsigned position;
    uint64_t size;
    uint32_t revision;
    bool empty; /* the root is that of the empty tree, else none that a log has */
    struct part parts[PARTS_MAX];
} statements[] = {
    {"a log that continues another",
     "its first entry says so",
     &sk_device,
     &sk_stranger,
     0,
     4,
     1,
     false,
     {{0, 4, 0, 0}}},
    {"a first entry about another log",
     "it speaks of its own",
     &sk_rival,
     &sk_stranger,
     0,
     4,
     1,
     false,
     {{0, 4, 0, 0}}},
    {"a second entry about its own log",
     "only the first speaks of it",
     &sk_device,
     &sk_stranger,
     1,
     4,
     1,
     false,
     {{0, 4, 0, 0}}},
    {"a second entry about another log",
     "it may have been taken over; it is kept, and does not count",
     &sk_rival,
     &sk_stranger,
     1,
     4,
     1,
     false,
     {{0, 4, 0, 0}}},
    {"a log that continues itself",
     "no two logs",
     &sk_device,
     &sk_device,
     0,
     0,
     1,
     true,
     {{0, 4, 0, 0}}},
    {"a continuation of revision 7",
     "the revision is not looked at",
     &sk_rival,
     &sk_stranger,
     1,
     4,
     7,
     false,
     {{0, 4, 0, 0}}},
    {"size 0 of a known log with another root",
     "than that of the empty tree",
     &sk_rival,
     &sk_device,
     1,
     0,
     1,
     false,
     {{0, 4, 0, 0}}},
    {"size 0 of a known log",
     "the empty tree",
     &sk_rival,
     &sk_device,
     1,
     0,
     1,
     true,
     {{0, 4, 0, 0}}},
    {"size 0 of an unknown log with another root",
     "nobody can tell",
     &sk_device,
     &sk_stranger,
     0,
     0,
     1,
     false,
     {{0, 4, 0, 0}}},
    {"a continuation looked at again",
     "two entries are not there yet; then they have another root",
     &sk_rival,
     &sk_device,
     1,
     3,
     1,
     false,
     {{0, 2, 0, 0}, {2, 4, 1, 0}}},
    {"a continuation behind a gap",
     "the entries before it come later and have another root",
     &sk_rival,
     &sk_device,
     3,
     2,
     1,
     false,
     {{2, 4, 1, 0}, {0, 2, 0, 0}}},
};

static void make_statement(size_t i)
{
    char text[SK_CONTINUATION_TEXT];
    struct sk_continuation c = {.size = statements[i].size};
    struct line log[LINES] = {SOURCE_LINE, EVENT_LINE, LINK_LINE, ATTACHMENT_LINE};
    struct sk_merkle empty;
    memcpy(c.log_id, statements[i].log->id, 32);
    memcpy(c.old_id, statements[i].old->id, 32);
    memcpy(c.sign_public, statements[i].old->sign_public, 32);
    memcpy(c.dh_public, statements[i].old->dh_public, 32);
    memset(c.root, 0x2b, 32);
    sk_merkle_init(&empty);
    if (statements[i].empty)
        sk_merkle_root(&empty, c.root);
    sk_continuation_sign(&c, statements[i].old->seed);
    sk_continuation_text(text, &c);
    uint8_t mix = statements[i].revision > 1; /* it names a revision before */
    log[statements[i].position] = (struct line){
        SK_TYPE_CONTINUATION, 11, statements[i].revision, text, NULL, mix ? 64 : 0, mix};
    add_sequence(statements[i].name, statements[i].shows, log, statements[i].parts);
}

/* ---- forms of organisations ---- */

#define FORM_LINE(id, revision)                              \
    {                                                        \
        SK_TYPE_FORM, id, revision, sk_form_text, NULL, 0, 0 \
    }
#define BY_FORM(id, text)                          \
    {                                              \
        SK_TYPE_TESTIMONY, id, 1, text, NULL, 0, 0 \
    }

static void make_forms(void)
{
    static char text[400];
    char hash[65];
    sk_form_text_hash(hash);
    (void)snprintf(text, sizeof(text),
                   "{\"form\":\"%s\",\"version\":2," RECORDED
                   ",\"fields\":{\"title\":\"S\",\"days\":3}}",
                   hash);
    const struct line log[LINES] = {SOURCE_LINE, FORM_LINE(5, 1), BY_FORM(6, text),
                                    BY_FORM(7, text)};
    const struct line behind[LINES] = {BY_FORM(6, text), SOURCE_LINE, FORM_LINE(5, 1)};
    const struct line erased[LINES] = {
        FORM_LINE(5, 1), BY_FORM(6, text), {SK_TYPE_ERASURE, 5, 2, NULL, NULL, 4, 1}};
    const struct line twice[LINES] = {FORM_LINE(5, 1),
                                      BY_FORM(6, text),
                                      FORM_LINE(8, 1),
                                      {SK_TYPE_ERASURE, 5, 2, NULL, NULL, 4, 1}};
    const struct line again[LINES] = {FORM_LINE(5, 1),
                                      BY_FORM(6, text),
                                      {SK_TYPE_ERASURE, 5, 2, NULL, NULL, 4, 1},
                                      FORM_LINE(8, 1)};
    const struct line foreign[LINES] = {{SK_TYPE_SOURCE, 5, 1, RECORD("source", "S"), NULL, 0, 0},
                                        FORM_LINE(5, 2),
                                        BY_FORM(6, text)};
    const struct line revised[LINES] = {
        {SK_TYPE_FORM, 5, 1, "{}", NULL, 0, 0}, FORM_LINE(5, 2), BY_FORM(6, text)};
    const struct {
        const char *name, *shows;
        const struct line *log;
        struct part parts[PARTS_MAX];
    } forms[] = {
        {"a form, then its records", "as a device writes them", log, {{0, 4, 0, 0}}},
        {"a form that comes after its records",
         "they are malformed until then",
         log,
         {{2, 4, 1, 0}, {0, 2, 0, 0}}},
        {"records without their form", "the form never comes", log, {{2, 4, 0, 0}}},
        {"a form whose payload comes later",
         "its entry alone is no form",
         log,
         {{0, 4, 0, 1u << 1}, {0, 2, 1, 0}}},
        {"a form behind its record", "anywhere in the log", behind, {{0, 3, 0, 0}}},
        {"a form that is erased",
         "its records are malformed",
         erased,
         {{0, 2, 0, 0}, {2, 3, 1, 0}}},
        {"a form that was erased before it came",
         "it is dropped",
         erased,
         {{2, 3, 1, 0}, {0, 2, 0, 0}}},
        {"a form twice, one erased", "the other is as good", twice, {{0, 3, 0, 0}, {3, 4, 1, 0}}},
        {"a form that comes again", "under another id", again, {{0, 3, 0, 0}, {3, 4, 1, 0}}},
        {"a form under the id of a source", "it is none", foreign, {{1, 3, 1, 0}, {0, 1, 0, 0}}},
        {"a form in a second revision", "the first is none", revised, {{0, 3, 0, 0}}},
    };
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        add_sequence(forms[i].name, forms[i].shows, forms[i].log, forms[i].parts);
}

void sk_make_erasures(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        add_sequence(rows[i].name, rows[i].shows, rows[i].log, rows[i].parts);
    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++)
        make_statement(i);
    make_forms();
}
