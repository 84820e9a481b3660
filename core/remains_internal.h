/*
 * What remains.c, remains_rows.c and remains_proof.c share. Private to core.
 */
#ifndef SK_CORE_REMAINS_INTERNAL_H
#define SK_CORE_REMAINS_INTERNAL_H

#include "core/carve.h"
#include "core/remains.h"
#include "crypto/secret.h"

/* Where a row stands. Lists of them are sorted by id, then by view: the best one comes first. */
struct place {
    int64_t id; /* position of an entry or payload, row of a media file */
    uint32_t page;
    uint16_t cell;
    uint8_t view;
    uint8_t verdict; /* of an entry */
};

enum verdict {
    VERDICT_OPEN,
    VERDICT_PROVEN,
    VERDICT_UNPROVEN,
    VERDICT_CONTRARY, /* only while proving */
    VERDICT_REFUSED,
    VERDICT_UNKNOWN, /* signed or not: no entry of a kind that is known here */
    VERDICT_BEYOND,
    VERDICT_UNDONE, /* of a transaction that was never committed: nothing is lost with it */
};

struct place_list {
    struct sk_buf bytes; /* struct place, one after the other */
};

struct node {
    uint64_t index;
    uint8_t level;
    uint8_t hash[SK_MERKLE_LEN];
};

struct listed {
    struct sk_id id;
    int64_t entry; /* the row of its newest entry */
    uint32_t page;
    uint16_t cell;
    uint8_t view;
    uint8_t type;
    bool erased;
};

struct head {
    uint64_t size;
    bool marked; /* it was committed */
    uint8_t root[SK_MERKLE_LEN];
};

#define HEADS_MAX  8
#define RECORD_MAX (SK_TEXT_MAX + (size_t)1024 * 1024) /* of a row with a text */
#define NOTE_MAX   8192                                /* of another row */

struct sk_remains {
    struct sk_pages *pages;
    char *media_dir;
    struct sk_secret *seed;
    struct sk_remains_facts facts;
    struct place_list entries, payloads, media, purged;
    struct sk_buf nodes;  /* struct node */
    struct sk_buf items;  /* struct listed, by id */
    struct sk_buf erased; /* struct sk_id, sorted: of entries that were taken */
    struct head heads[HEADS_MAX];
    unsigned head_count;
    bool scalar_known;
    /* the page read last */
    uint32_t at_page;
    uint8_t at_view;
    bool at_whole;
    uint8_t page[SK_PAGE_LEN];
};

static inline struct place *places(const struct place_list *list)
{
    return (struct place *)(void *)list->bytes.bytes;
}
static inline size_t place_count(const struct place_list *list)
{
    return list->bytes.len / sizeof(struct place);
}

/* The first place whose id is not below; the count when there is none. */
size_t remains_find(const struct place_list *list, int64_t id);

/* Finds the rows of every view, into the lists, as they come. Errors: SK_IO, SK_DAMAGED (no page is
 * whole), SK_NOMEM. */
SK_MUST_CHECK
enum sk_status remains_scan(struct sk_remains *r, const struct sk_progress *progress,
                            struct sk_error *err);

/* A whole row of at most that many bytes, and its columns; *count is 0 when it is not to be had. */
SK_MUST_CHECK
enum sk_status remains_row(struct sk_remains *r, unsigned view, uint32_t page, unsigned number,
                           uint64_t most, struct sk_buf *out,
                           struct sk_field fields[static SK_CARVE_COLUMNS], unsigned *count,
                           struct sk_error *err);

/* Whether the columns are of these kinds. One letter a column: N null, I integer, n either, T text,
 * B blob, i an id or an empty blob; a digit names a blob's length. */
bool remains_shaped(const struct sk_field *fields, unsigned count, const char *shape);

/* The bytes of an entry; false when its page does not open any more. */
bool remains_entry(struct sk_remains *r, const struct place *at, uint8_t out[static SK_ENTRY_LEN]);

/* Gives every entry its verdict, under the head that fits best. */
void remains_prove(struct sk_remains *r);

#endif
