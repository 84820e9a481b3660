/*
 * Rows out of single pages of an SQLite database, without its trees: a leaf page is read by itself
 * through its own cell pointers, and a row that goes on beyond it along its chain of overflow
 * pages. See "Database File Format" of SQLite, 1.6 and 2.1.
 *
 * Pages are authentic, but may be of different ages; whatever does not add up is passed over.
 */
#ifndef SK_CORE_CARVE_H
#define SK_CORE_CARVE_H

#include "core/buf.h"
#include "core/pages.h"

#define SK_CARVE_COLUMNS 10

/* Gives a page; false when there is none. */
typedef bool sk_carve_page_fn(void *context, uint32_t page, uint8_t out[static SK_PAGE_LEN]);

/* A cell of a leaf page (or of an inner page of an index, which holds rows as well). */
struct sk_cell {
    bool table; /* rows with a number; else of a table WITHOUT ROWID */
    int64_t rowid;
    uint64_t len;      /* of the whole record */
    const uint8_t *at; /* its first bytes, in the page */
    size_t local;      /* how many of them stand there */
    uint32_t overflow; /* the page where it goes on, 0 for none */
};

/* A column as the record's head describes it. */
struct sk_field {
    enum { SK_FIELD_NULL, SK_FIELD_INT, SK_FIELD_BLOB, SK_FIELD_TEXT, SK_FIELD_OTHER } kind;
    int64_t number; /* of an integer, if its bytes are at hand */
    uint64_t at;    /* of blob and text: in the record */
    uint64_t len;
};

/* How many cells a page has; 0 when it is no page with rows. `first` tells page 1. */
unsigned sk_carve_cells(const uint8_t page[static SK_PAGE_LEN], bool first);

/* The n-th cell; false when it does not fit into the page. */
bool sk_carve_cell(const uint8_t page[static SK_PAGE_LEN], bool first, unsigned n,
                   struct sk_cell *out);

/*
 * Describes the columns of a record of `len` bytes, of which `have` are given. Returns their
 * number, or 0 when they are more than SK_CARVE_COLUMNS or do not add up to `len`.
 */
unsigned sk_carve_fields(const uint8_t *bytes, size_t have, uint64_t len,
                         struct sk_field fields[static SK_CARVE_COLUMNS]);

/* The whole record of a cell, along its overflow pages, into `out` (reset). False when a page of it
 * is missing, or it is longer than `most`. Errors: SK_NOMEM. */
SK_MUST_CHECK
enum sk_status sk_carve_record(const struct sk_cell *cell, uint64_t most, sk_carve_page_fn *page,
                               void *context, struct sk_buf *out, bool *whole,
                               struct sk_error *err);

#endif
