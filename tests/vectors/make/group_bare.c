/*
 * Receipts with ranges that are bare, for devices that have what these entries commit to and for
 * such that have not, and with ranges that are withdrawn; and the position from which a device is
 * told that it is revoked.
 */
#include "tests/vectors/make/group.h"
#include "tests/vectors/make/paper.h"

#include <string.h>

/* ---- bare ---- */

#define RANGES 2
#define ALL    0x0fu /* bits: positions whose payload the device has */

struct told {
    struct {
        uint64_t from, to;
    } bare[RANGES], wanted[RANGES], withdrawn[RANGES];
};

static const struct {
    const char *name, *shows;
    unsigned has;
    struct told told;
} rows[] = {
    {"bare, and the device has it", "it goes with what is wanted", 1u << 2, {.bare = {{2, 3}}}},
    {"bare, and the device has it not", "it is not wanted", 0, {.bare = {{2, 3}}}},
    {"bare, and the device has another's", "it is not wanted", 1u << 0, {.bare = {{2, 3}}}},
    {"bare, and the device has some of it",
     "these are wanted",
     1u << 0 | 1u << 2,
     {.bare = {{0, 4}}}},
    {"two bare ranges", "what the device has of either is wanted", ALL, {.bare = {{0, 1}, {2, 4}}}},
    {"bare beyond the log", "cut at its size", ALL, {.bare = {{3, 9}, {20, INT64_MAX}}}},
    {"bare and wanted",
     "each counts once",
     1u << 1 | 1u << 2,
     {.bare = {{1, 3}}, .wanted = {{2, 4}}}},
    {"wanted, and the device has it not", "it is wanted all the same", 0, {.wanted = {{2, 4}}}},
    {"withdrawn, and the device has it",
     "it is not wanted: the archive would not take it",
     ALL,
     {.withdrawn = {{1, 3}}}},
    {"withdrawn beyond the log",
     "nobody looks at it",
     ALL,
     {.withdrawn = {{3, 9}, {20, INT64_MAX}}}},
    {"withdrawn and bare",
     "it is wanted all the same",
     ALL,
     {.bare = {{1, 2}}, .withdrawn = {{1, 3}}}},
    {"neither bare nor wanted", "what the device has is not asked for", ALL, {.bare = {{0}}}},
};

static json_t *has_keys(unsigned has)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < 4; i++)
        if (has >> i & 1)
            json_array_append_new(list, json_integer(i));
    return json_pack("{s:o}", "has", list);
}

static json_t *file_of(const char *name, const struct told *told, uint32_t index, bool rollback)
{
    struct paper p = sk_paper();
    p.index = index;
    p.receipt.number = index + 1;
    p.receipt.root[0] ^= rollback;
    for (size_t i = 0; i < RANGES; i++) {
        if (told->bare[i].to > 0)
            MUST(sk_ranges_add(&p.receipt.bare, told->bare[i].from, told->bare[i].to, NULL) ==
                 SK_OK);
        if (told->wanted[i].to > 0)
            MUST(sk_ranges_add(&p.receipt.wanted, told->wanted[i].from, told->wanted[i].to, NULL) ==
                 SK_OK);
        if (told->withdrawn[i].to > 0)
            MUST(sk_ranges_add(&p.receipt.withdrawn, told->withdrawn[i].from, told->withdrawn[i].to,
                               NULL) == SK_OK);
    }
    return sk_paper_file(name, &p);
}

void sk_make_bare_receipts(void)
{
    const struct told one = {.bare = {{2, 3}}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        sk_vector(rows[i].name, rows[i].shows, "ok", file_of(rows[i].name, &rows[i].told, 0, false),
                  has_keys(rows[i].has));
    sk_vector("bare in a receipt of another history", "nothing is wanted", "ok",
              file_of("bare rollback", &one, 0, true), has_keys(ALL));
}

/* ---- revoked ---- */

struct step {
    uint64_t number;
    int64_t revoked; /* -1: it says none */
    bool rollback;
};

#define STEPS 3

static json_t *revoking(const char *name, const struct step *s, uint32_t index)
{
    struct paper p = sk_paper();
    p.index = index;
    p.receipt.number = s->number;
    p.receipt.revokes = s->revoked >= 0;
    p.receipt.revoked = s->revoked >= 0 ? (uint64_t)s->revoked : 0;
    p.receipt.root[0] ^= s->rollback;
    return sk_paper_file(name, &p);
}

static void make_told(void)
{
    static const struct {
        const char *name, *shows;
        struct step steps[STEPS];
    } told[] = {
        {"revoked, and then another history that says none",
         "what is kept is told",
         {{1, 3, false}, {2, -1, true}}},
        {"revoked, and then another history that says an earlier one",
         "the earlier one is told, and not kept",
         {{1, 3, false}, {2, 1, true}, {2, -1, false}}},
        {"revoked, and then another history that says a later one",
         "what is kept is told",
         {{1, 2, false}, {2, 3, true}}},
        {"an older number of another history that revokes",
         "it changes nothing, and says nothing",
         {{2, -1, false}, {1, 3, true}}},
        {"an older number of another history that revokes earlier",
         "it says nothing: what is kept is told",
         {{2, 3, false}, {1, 1, true}}},
    };
    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
        json_t *files = json_array();
        for (uint32_t k = 0; k < STEPS && told[i].steps[k].number > 0; k++) {
            char name[100];
            (void)snprintf(name, sizeof(name), "%s %u", told[i].name, k);
            json_array_append_new(files, revoking(name, &told[i].steps[k], k));
        }
        sk_vector(told[i].name, told[i].shows, "ok", files, NULL);
    }
}

/* The newest receipt's ranges take the place of those before. */
static void make_bare_again(void)
{
    const struct told one = {.bare = {{2, 3}}};
    const struct told none = {.bare = {{0}}};
    sk_vector(
        "bare, and then not", "it is wanted no more", "ok",
        json_pack("[o, o]", file_of("bare 1", &one, 0, false), file_of("bare 2", &none, 1, false)),
        has_keys(ALL));
}

void sk_make_bare_sequences(void)
{
    make_told();
    make_bare_again();
}
