/*
 * Purging: a documenter's store removes what entries commit to, with words, title and media, since
 * every archive has it. The entries and the log stay. What is safe to purge is the caller's to know
 * (sync/purge.h).
 */
#ifndef SK_CORE_PURGE_H
#define SK_CORE_PURGE_H

#include "core/item.h"

/*
 * Purges what the entries of an item (by its row) at these positions of the own log commit to, in
 * the current transaction. What is shown, or is newer and put aside, stays as long as an older
 * revision has to stay, since that would be shown in its place. Of a log's continuation nothing is
 * ever purged. *count: entries. Errors: SK_DAMAGED, SK_IO, SK_FULL, SK_NOMEM.
 */
SK_MUST_CHECK
enum sk_status sk_item_purge(struct sk_store *store, int64_t item, const struct sk_ranges *covered,
                             uint64_t *count, struct sk_error *err);

/* The same without changing anything: how many entries it would purge, and of how many it would
 * leave what they commit to though it may be purged once it is covered. */
SK_MUST_CHECK
enum sk_status sk_item_purgeable(struct sk_store *store, int64_t item,
                                 const struct sk_ranges *covered, uint64_t *count, uint64_t *left,
                                 struct sk_error *err);

/* Takes over from an older store that an entry of the own log was purged, with what it hung on
 * (NULL: nothing). Wants a transaction. */
SK_MUST_CHECK
enum sk_status sk_purged_put(struct sk_store *store, uint64_t position, const struct sk_id *source,
                             const struct sk_id *target, struct sk_error *err);

/* Whether what an entry commits to was purged here. */
SK_MUST_CHECK
enum sk_status sk_entry_purged(struct sk_store *store, int64_t log, uint64_t position, bool *out,
                               struct sk_error *err);

/* The positions of the own log of which what they commit to was purged. out: empty, filled. */
SK_MUST_CHECK
enum sk_status sk_purged_ranges(struct sk_store *store, struct sk_ranges *out,
                                struct sk_error *err);

/* Calls `each` for every item of which what would be shown was purged, newest first; of a type, 0
 * for all six of records. The item is borrowed. */
SK_MUST_CHECK
enum sk_status sk_purged_each(struct sk_store *store, unsigned type, sk_item_each_fn *each,
                              void *context, struct sk_error *err);

/* How many attachments and links of a record were purged. */
SK_MUST_CHECK
enum sk_status sk_purged_hanging(struct sk_store *store, const struct sk_id *record, uint64_t *out,
                                 struct sk_error *err);

/* Calls `each` for the row of the item and of each attachment and link of the own log that hangs on
 * it, purged ones too. */
typedef enum sk_status sk_item_row_fn(void *context, int64_t item, struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_item_with_dependents(struct sk_store *store, const struct sk_item *item,
                                       sk_item_row_fn *each, void *context, struct sk_error *err);

/* The same for every item of the own log. */
SK_MUST_CHECK
enum sk_status sk_item_each_row(struct sk_store *store, sk_item_row_fn *each, void *context,
                                struct sk_error *err);

#endif
