/*
 * The text of a receipt (sync/FORMAT.md, "Receipt"): pure encoding. Private to sync.
 */
#ifndef SK_SYNC_RECEIPT_NOTE_H
#define SK_SYNC_RECEIPT_NOTE_H

#include "core/buf.h"
#include "core/types.h"
#include "crypto/hash.h"
#include "crypto/note.h"
#include "sync/next.h"

#define SK_RECEIPT_CONTEXT  "skrynia receipt 1"
#define SK_RECEIPT_MAX      ((size_t)1024 * 1024) /* bytes of the note */
#define SK_RECEIPT_LIST_MAX 1000u                 /* lines of one kind */

/* A part of the log that the archive stores, and the log's root at its end. */
struct sk_receipt_stored {
    uint64_t from, to;
    uint8_t root[SK_MERKLE_LEN];
};

struct sk_receipt_form;

/* What the archive says in words, in the order of a receipt. */
enum sk_remark {
    SK_REMARK_QUARANTINED, /* numbers: bundle, n0, n1 */
    SK_REMARK_MALFORMED,   /* numbers: position */
    SK_REMARK_NOTICE,      /* no numbers */
    SK_REMARK_KINDS,
};

struct sk_receipt {
    uint8_t archive_id[SK_HASH_LEN];
    uint8_t log_id[SK_HASH_LEN];
    uint64_t number;
    uint32_t day; /* since 1970-01-01 */
    uint64_t size;
    uint8_t root[SK_MERKLE_LEN];
    struct sk_receipt_stored *stored; /* owned; rising, not touching */
    size_t stored_count;
    struct sk_ranges wanted;
    struct sk_ranges bare;      /* stored, but for what the entries commit to */
    struct sk_ranges withdrawn; /* so as well, and it is not taken: a related log withdrew it */
    bool revokes; /* from `revoked` on the archive takes nothing of this log any more */
    uint64_t revoked;
    bool renews; /* the archive has next keys: */
    struct sk_next_keys next;
    struct sk_ranges malformed; /* positions of these remarks, when it was read */
    struct sk_buf remarks;      /* lines as they stand in the text, safe to show */
    size_t remark_counts[SK_REMARK_KINDS];
    struct sk_receipt_form *forms; /* owned; sync/receipt_forms.h */
    size_t form_count;
};
void sk_receipt_clear(struct sk_receipt *receipt);
#define sk_auto_receipt __attribute__((cleanup(sk_receipt_clear))) struct sk_receipt

/* "skrynia-archive/<64 hex digits>": the name of an archive's key. */
#define SK_ARCHIVE_KEY_NAME_LEN 81
void sk_receipt_key_name(char out[static SK_ARCHIVE_KEY_NAME_LEN],
                         const uint8_t archive_id[static SK_HASH_LEN]);

/* Adds to `stored`. Errors: SK_NOMEM. */
SK_MUST_CHECK enum sk_status sk_receipt_add_stored(struct sk_receipt *receipt, uint64_t from,
                                                   uint64_t to,
                                                   const uint8_t root[static SK_MERKLE_LEN],
                                                   struct sk_error *err);

/*
 * Adds to `remarks`, kind after kind: its numbers, and words of which everything that is not safe
 * to show is escaped. Dropped when there are SK_RECEIPT_LIST_MAX of a kind, or the text could grow
 * over SK_RECEIPT_MAX. Errors: SK_NOMEM.
 */
SK_MUST_CHECK enum sk_status sk_receipt_add_remark(struct sk_receipt *receipt, enum sk_remark kind,
                                                   const uint64_t *numbers, const char *words,
                                                   struct sk_error *err);

/* Appends the remarks as lines for a person. Errors: SK_NOMEM. */
SK_MUST_CHECK enum sk_status sk_receipt_tell(struct sk_buf *out, const struct sk_receipt *receipt,
                                             struct sk_error *err);

/* Appends the text, without signature; lists longer than SK_RECEIPT_LIST_MAX are cut. */
SK_MUST_CHECK enum sk_status sk_receipt_format(struct sk_buf *out, const struct sk_receipt *receipt,
                                               struct sk_error *err);

/* Reads the text; out is empty. Strict: only what sk_receipt_format() makes. Errors: SK_DAMAGED. */
SK_MUST_CHECK enum sk_status sk_receipt_parse(struct sk_receipt *out, const char *text, size_t len,
                                              struct sk_error *err);

#endif
