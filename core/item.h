/*
 * Items: the newest state of each record, link and attachment, made from log entries and their
 * payloads in one way, whether they were written here or came in a bundle.
 */
#ifndef SK_CORE_ITEM_H
#define SK_CORE_ITEM_H

#include "core/json.h"
#include "core/log.h"

struct sk_item {
    int64_t row;
    struct sk_id id;
    int64_t log;
    unsigned type; /* enum sk_type */
    uint32_t revision;
    uint64_t position; /* of the newest revision's entry */
    bool erased;
    bool purged; /* what would be shown is not here any more, since every archive has it */
    char *title; /* owned; raw text */
};
void sk_item_clear(struct sk_item *item);
#define sk_auto_item __attribute__((cleanup(sk_item_clear))) struct sk_item

/* What an entry commits to, as stored. text is owned. */
struct sk_payload {
    uint8_t salt[SK_SALT_LEN];
    struct sk_buf text;
    struct sk_buf hashes; /* 32 bytes a block */
    uint64_t body_len;
    int64_t media; /* row of the media file that holds the body, 0: none */
    bool hashed;   /* the body's SHA-256 was taken when it came; else it is not looked at */
    uint8_t sha256[32];
};
void sk_payload_clear(struct sk_payload *payload);
#define sk_auto_payload __attribute__((cleanup(sk_payload_clear))) struct sk_payload
#define SK_PAYLOAD_INIT                             \
    {                                               \
        {0}, SK_BUF_INIT, SK_BUF_INIT, 0, 0, false, \
        {                                           \
            0                                       \
        }                                           \
    }

/*
 * Takes an entry into the store at (log, position): its bytes, its item's state and, for an
 * erasure, the destruction of all payloads, words and media of the item. payload: NULL when the
 * entry has none or it is not here (erased, or it comes later through sk_item_fill()).
 *
 * What the payload says must be well formed for its type (forms, link, attachment description):
 * otherwise it is kept, the entry is marked malformed with the reason, and it is not shown;
 * *malformed (may be NULL) tells. The commitment is the caller's to check. The media file of a
 * payload becomes the item's, or is erased if the payload is not kept.
 * Errors: SK_REFUSED (the position is taken), SK_IO, SK_FULL, SK_NOMEM.
 */
SK_MUST_CHECK
enum sk_status sk_item_put(struct sk_store *store, int64_t log, uint64_t position,
                           const struct sk_entry *entry, const struct sk_payload *payload,
                           bool *malformed, struct sk_error *err);

/* The payload of an entry that was put without. It is not kept when it was erased meanwhile, or is
 * there already; *kept tells. Errors: SK_REFUSED (no such entry), SK_IO, SK_FULL, SK_NOMEM. */
SK_MUST_CHECK
enum sk_status sk_item_fill(struct sk_store *store, int64_t log, uint64_t position,
                            const struct sk_payload *payload, bool *kept, bool *malformed,
                            struct sk_error *err);

/* Whether sk_item_fill() would keep a payload for an entry, whose bytes it gives. Errors:
 * SK_MISSING (no such entry). */
SK_MUST_CHECK
enum sk_status sk_item_wants(struct sk_store *store, int64_t log, uint64_t position,
                             uint8_t bytes[static SK_ENTRY_LEN], bool *wanted,
                             struct sk_error *err);

/*
 * After an entry was put somewhere in a log: whether it names the entry of the same item that
 * stands next before it, where that is the revision before, and whether the next one names it. What
 * does not is marked as malformed; what was marked while an entry between was not here is so no
 * more.
 */
SK_MUST_CHECK
enum sk_status sk_mark_revisions(struct sk_store *store, int64_t entry_row,
                                 const uint8_t bytes[static SK_ENTRY_LEN], struct sk_error *err);

/*
 * Of an item (by its row): its entries at positions below *below stand byte for byte in *log, which
 * its log continues and which has withdrawn them, or before one that does. 0: there are none.
 */
SK_MUST_CHECK
enum sk_status sk_item_withdrawn(struct sk_store *store, int64_t item, uint64_t *below,
                                 int64_t *log, struct sk_error *err);

/*
 * Whether an entry stands apart: in a log which a log here continues, at a position that this one
 * does not know (`size` of the continuation) or behind it, and in none that continues it. Then it
 * was made after the copy that was restored, or by somebody who still has the old store. *heir: the
 * log that continues, 0 when it does not stand apart.
 */
SK_MUST_CHECK
enum sk_status sk_entry_apart(struct sk_store *store, int64_t log, uint64_t position, int64_t *heir,
                              struct sk_error *err);

/* The positions of an item's entries that stand apart: for all of them at once, since each costs as
 * much as its twins have entries. out: empty, filled; *heir as above, 0 when there are none. */
SK_MUST_CHECK
enum sk_status sk_item_apart(struct sk_store *store, const struct sk_item *item,
                             struct sk_ranges *out, int64_t *heir, struct sk_error *err);

/* How many entries of a log stand apart; *heir: a log that continues it without them. */
SK_MUST_CHECK
enum sk_status sk_log_apart(struct sk_store *store, int64_t log, uint64_t *count, int64_t *heir,
                            struct sk_error *err);

/* Whether a text fits its block hashes, and all of these what the entry commits to. */
bool sk_payload_fits(const struct sk_entry *entry, const struct sk_payload *payload);

/* Reads a payload; *found is false when the entry has none any more. */
SK_MUST_CHECK
enum sk_status sk_payload_load(struct sk_store *store, int64_t log, uint64_t position,
                               struct sk_payload *out, bool *found, struct sk_error *err);

/* Positions of a log within `within` of which the payload is here. out: empty, filled. */
SK_MUST_CHECK
enum sk_status sk_payload_ranges(struct sk_store *store, int64_t log,
                                 const struct sk_ranges *within, struct sk_ranges *out,
                                 struct sk_error *err);

/* Calls `each` for every item that has an entry at these positions of a log, once. The item is
 * borrowed. */
typedef enum sk_status sk_item_each_fn(void *context, const struct sk_item *item,
                                       struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_item_each_at(struct sk_store *store, int64_t log, const struct sk_ranges *at,
                               sk_item_each_fn *each, void *context, struct sk_error *err);

/*
 * Finds an item by what a person typed: 32 hex digits, or the first ones (at least 4) if they fit
 * one item only; of the same thing in related logs, the one that is shown. Errors: SK_MISSING,
 * SK_USAGE (not hex, or several fit).
 */
SK_MUST_CHECK
enum sk_status sk_item_find(struct sk_store *store, const char *text, struct sk_item *out,
                            struct sk_error *err);

/* The same within one log: two devices that have nothing to do with each other may have one id, if
 * one of them wants it so, or a store was repaired whose key was lost. */
SK_MUST_CHECK
enum sk_status sk_item_find_in(struct sk_store *store, int64_t log, const char *text,
                               struct sk_item *out, struct sk_error *err);

/* By exact id within one log. Errors: SK_MISSING. */
SK_MUST_CHECK
enum sk_status sk_item_get(struct sk_store *store, int64_t log, const struct sk_id *id,
                           struct sk_item *out, struct sk_error *err);

/* By exact id within a log and those related to it: the one that is shown. Errors: SK_MISSING. */
SK_MUST_CHECK
enum sk_status sk_item_related(struct sk_store *store, int64_t log, const struct sk_id *id,
                               struct sk_item *out, struct sk_error *err);

/* Calls `each` for the records (not links or attachments) of a type (0: all six) that are not
 * withdrawn nor malformed, newest first; one that is the same in related logs comes once. The item
 * is borrowed. */
SK_MUST_CHECK
enum sk_status sk_item_each(struct sk_store *store, unsigned type, sk_item_each_fn *each,
                            void *context, struct sk_error *err);

/*
 * Many records are to come in this transaction: from now on the search index gathers the words of
 * some 8 MiB before it writes them, in place of 1 MiB, and has less to merge. A setting of the
 * index itself, which stays; a transaction that gathers less takes no more memory for it. Errors:
 * those of the database.
 */
SK_MUST_CHECK
enum sk_status sk_search_many(struct sk_store *store, struct sk_error *err);

/* Records that hold every word of `text` (as the beginning of a word; "..." as a phrase), or that
 * have an attachment whose name does, whatever the case of letters, newest first. Errors: SK_USAGE
 * (no word in it). */
SK_MUST_CHECK
enum sk_status sk_item_search(struct sk_store *store, const char *text, sk_item_each_fn *each,
                              void *context, struct sk_error *err);

/* Calls `each` for what is the same thing in the logs that this one continues or that continue it
 * (core/continuation.h); those it continues come first. The item is borrowed. */
SK_MUST_CHECK
enum sk_status sk_item_twins(struct sk_store *store, const struct sk_item *item,
                             sk_item_each_fn *each, void *context, struct sk_error *err);

/* Calls `each` for every entry of an item, oldest first. */
typedef enum sk_status sk_revision_each_fn(void *context, uint64_t position,
                                           const struct sk_entry *entry, struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_item_history(struct sk_store *store, const struct sk_item *item,
                               sk_revision_each_fn *each, void *context, struct sk_error *err);

/* Entries that are well signed but not well formed. */
typedef enum sk_status sk_malformed_each_fn(void *context, int64_t log, uint64_t position,
                                            const char *reason, struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_malformed_each(struct sk_store *store, int64_t log, sk_malformed_each_fn *each,
                                 void *context, struct sk_error *err);

#endif
