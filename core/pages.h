/*
 * The pages of a store's database that are whole, read without SQLite from files that may be
 * damaged: each by itself, since a page is authentic or not whatever became of its neighbours.
 *
 * Where the write-ahead log is whole, its committed pages stand in place of those of `data`. Where
 * it is not, nobody can tell which of the two is newer, so there are several views: what is found
 * in one and not in another counts. The layout is in core/FORMAT.md.
 */
#ifndef SK_CORE_PAGES_H
#define SK_CORE_PAGES_H

#include "core/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SK_PAGE_LEN   4096
#define SK_PAGE_PLAIN 4056 /* bytes of a page that hold something */

/* What was found out about the files. */
struct sk_pages_state {
    uint64_t pages;     /* of `data` */
    bool log_used;      /* the write-ahead log holds pages that count */
    bool log_doubtful;  /* it is missing, foreign or damaged, and may hold what is nowhere else */
    bool start_damaged; /* neither copy of the preamble opens */
    bool data_missing;
    uint64_t unread; /* reads that failed by an I/O error so far: try again, it may be no damage */
};

struct sk_pages;

/* Opens `data` and `data-wal` in a folder, for reading alone. Errors: SK_MISSING (neither file),
 * SK_IO (neither can be opened), SK_NOMEM, SK_CONFIG. */
SK_MUST_CHECK
enum sk_status sk_pages_open(struct sk_pages **out, const char *dir, const uint8_t *store_key,
                             const uint8_t *store_id, struct sk_error *err);
void sk_pages_free(struct sk_pages *pages);

void sk_pages_state(const struct sk_pages *pages, struct sk_pages_state *out);
unsigned sk_pages_views(const struct sk_pages *pages); /* 1 to 3; the first is the best */
uint32_t sk_pages_count(const struct sk_pages *pages); /* pages are 1 to this, in any view */

/* Whether a view shows what was committed alone: else it may hold a transaction that was undone. */
bool sk_pages_committed(const struct sk_pages *pages, unsigned view);

/* Whether a page in a view is in `data`, or in the log with the end of a transaction behind it: in
 * an undone one it has none. */
bool sk_pages_marked(const struct sk_pages *pages, unsigned view, uint32_t page);

/* Whether a view shows a page that no earlier view shows. */
bool sk_pages_new_in(const struct sk_pages *pages, unsigned view, uint32_t page);

/* Reads a page; false when there is none that is whole. */
bool sk_pages_read(struct sk_pages *pages, unsigned view, uint32_t page,
                   uint8_t out[static SK_PAGE_LEN]);

static inline void sk_pages_cleanup(struct sk_pages **pages)
{
    sk_pages_free(*pages);
}
#define sk_auto_pages __attribute__((cleanup(sk_pages_cleanup))) struct sk_pages *

#endif
