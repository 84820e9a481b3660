/*
 * What an erasure does in its own log, and what else depends on several entries of one id; forms of
 * organisations in a log: bundles of one log, with payloads, one after the other into one archive.
 */
#include "sync/receipt_forms.h"
#include "tests/vectors/make/line.h"

#include <stdio.h>
#include <string.h>

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

/* ---- the vectors ---- */

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
    {"another type without a payload",
     "payloads are marked for it, and none is here",
     two_types,
     {{0, 3, 0, 1u << 1}}},
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

/* ---- forms of organisations ---- */

#define FORM_LINE(id, revision)                              \
    {                                                        \
        SK_TYPE_FORM, id, revision, sk_form_text, NULL, 0, 0 \
    }
#define BY_FORM(id, text)                          \
    {                                              \
        SK_TYPE_TESTIMONY, id, 1, text, NULL, 0, 0 \
    }

/* Records that name a text by its hash, which is no form where it stands. */
static void make_no_forms(void)
{
    static char no_form[1000];
    static char by_none[400];
    static char by_form[400];
    static const char record[] =
        "{\"form\":\"%s\",\"version\":2," RECORDED ",\"fields\":{\"title\":\"S\"}}";
    uint8_t hash[32];
    char hex[65];
    MUST(snprintf(no_form, sizeof(no_form), "%s", sk_form_text) < (int)sizeof(no_form));
    *strstr(no_form, "detention") = 'D'; /* a form but for its name */
    sk_own_form_hash(hash, no_form, strlen(no_form));
    sk_hex(hex, hash, sizeof(hash));
    (void)snprintf(by_none, sizeof(by_none), record, hex);
    sk_form_text_hash(hex);
    (void)snprintf(by_form, sizeof(by_form), record, hex);
    const struct line none[LINES] = {{SK_TYPE_FORM, 5, 1, no_form, NULL, 0, 0},
                                     BY_FORM(6, by_none)};
    const struct line source[LINES] = {{SK_TYPE_SOURCE, 5, 1, sk_form_text, NULL, 0, 0},
                                       BY_FORM(6, by_form)};
    const struct line table[LINES] = {{SK_TYPE_FORM, 5, 1, sk_form_text, NULL, 4, 1},
                                      BY_FORM(6, by_form)};
    const struct line body[LINES] = {
        {SK_TYPE_FORM, 5, 1, sk_form_text, "hello", 0, 0}, BY_FORM(6, by_form), FORM_LINE(8, 1)};
    const struct part all[PARTS_MAX] = {{0, 2, 0, 0}};
    const struct part then[PARTS_MAX] = {{0, 2, 0, 0}, {2, 3, 1, 0}};
    sk_vector_log("a record with a text that is no form", "of an entry of type 10", none, all);
    sk_vector_log("a form as the text of a source", "its entry is of another type", source, all);
    sk_vector_log("a form in an entry with flags", "malformed by its table: it has no text", table,
                  all);
    sk_vector_log("a form with a body", "its entry is malformed, and helps no record", body, all);
    sk_vector_log("a form with a body, and then without", "the second is as good as ever", body,
                  then);
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
    const struct line unlinked[LINES] = {{SK_TYPE_FORM, 5, 1, "{}", NULL, 0, 0},
                                         {SK_TYPE_FORM, 5, 2, sk_form_text, NULL, 70, 1},
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
        {"a form that does not follow",
         "its entry is malformed by its leaf hash alone, and it counts",
         unlinked,
         {{0, 3, 0, 0}}},
    };
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        sk_vector_log(forms[i].name, forms[i].shows, forms[i].log, forms[i].parts);
}

void sk_make_erasures(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        sk_vector_log(rows[i].name, rows[i].shows, rows[i].log, rows[i].parts);
    sk_make_statements();
    make_forms();
    make_no_forms();
}
