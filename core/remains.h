/*
 * What is left of a documenter's store whose database may be damaged, or of one in a backup: its
 * entries in their order, each with what speaks for it, and what they commit to. Nothing in the
 * folder is changed, and nothing is believed that is not authentic (core/pages.h).
 *
 * An entry is **proven** when the signed head of the log covers it: its leaf, with the others or
 * with kept nodes of the tree in place of lost ones, gives the signed root. Where too much is lost
 * around it, only the seal of its page speaks for it: it is **unproven**. Entries that are all
 * there and do not give the signed root are **refused**, every one, and so are those of a
 * transaction that no commit ended, unless they are proven. Those beyond the newest head are
 * unproven where pages are lost, and the head that covered them may be among these; in a whole
 * database, or if they may be of a transaction that was undone, they are refused.
 */
#ifndef SK_CORE_REMAINS_H
#define SK_CORE_REMAINS_H

#include "core/item.h"
#include "core/media.h"
#include "core/pages.h"

struct sk_remains;

struct sk_remains_facts {
    struct sk_pages_state pages;
    uint64_t bad_pages; /* of `data`, that are in no view */
    bool key_known;     /* the old log can sign what continues it */
    bool head_known;    /* a signed head was found */
    uint64_t size;      /* of the log: of the head, or as far as there are entries that are taken */
    uint64_t known_size; /* where `root` is: of the head, or without one at the first gap */
    uint8_t root[SK_MERKLE_LEN];
    uint8_t log_id[SK_HASH_LEN]; /* with the key or a head */
    uint8_t sign_public[SK_SIGN_PUBLIC_LEN];
    uint8_t dh_public[SK_DH_LEN];
    uint64_t proven, unproven, refused, beyond; /* entries; beyond the head: refused as well */
    uint64_t undone;    /* entries of a transaction that was never committed: left out */
    uint64_t uncovered; /* of the unproven: beyond every head that was found */
    uint64_t unknown;   /* entries that would be taken, and are of no kind that is known here */
};

/* Reads what there is. progress: pages. Errors: those of sk_pages_open(), SK_DAMAGED (no page is
 * whole), SK_NOMEM. */
SK_MUST_CHECK
enum sk_status sk_remains_open(struct sk_remains **out, const char *dir, const uint8_t *store_key,
                               const uint8_t *store_id, const struct sk_progress *progress,
                               struct sk_error *err);
void sk_remains_free(struct sk_remains *remains);

const struct sk_remains_facts *sk_remains_facts(const struct sk_remains *remains);

/* The old Ed25519 seed, or NULL; owned by the remains. */
const uint8_t *sk_remains_seed(const struct sk_remains *remains);

/* Calls `each` for every entry that is proven or unproven, in the order of positions. */
typedef enum sk_status sk_remains_each_fn(void *context, uint64_t position,
                                          const struct sk_entry *entry, bool proven,
                                          struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_remains_each(struct sk_remains *remains, sk_remains_each_fn *each, void *context,
                               struct sk_error *err);

/* Why an entry is not taken. */
enum sk_remains_lack {
    SK_LACK_ENTRY,   /* there is none at that position, which lies below facts->size */
    SK_LACK_REFUSED, /* it was refused; also beyond facts->size */
    SK_LACK_UNKNOWN, /* it is of no kind that is known here */
};

/* Calls `each` for the ranges of positions of which entries are not taken for that reason. */
typedef enum sk_status sk_remains_range_fn(void *context, uint64_t from, uint64_t to,
                                           struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_remains_missing(struct sk_remains *remains, enum sk_remains_lack lack,
                                  sk_remains_range_fn *each, void *context, struct sk_error *err);

/* Whether an item was withdrawn, by an entry that was taken or by the database's own list. */
bool sk_remains_erased(const struct sk_remains *remains, const struct sk_id *id);

/* What an entry commits to, held against it; *found is false when there is nothing that fits.
 * payload->media is the old row of the body. Errors: SK_NOMEM. */
SK_MUST_CHECK
enum sk_status sk_remains_payload(struct sk_remains *remains, uint64_t position,
                                  const struct sk_entry *entry, struct sk_payload *payload,
                                  bool *found, struct sk_error *err);

/* Whether the old store says that it purged what an entry commits to, and what that hung on.
 * Errors: SK_NOMEM. */
struct sk_remains_purged {
    bool purged, has_source, has_target;
    struct sk_id source, target;
};
SK_MUST_CHECK
enum sk_status sk_remains_purged(struct sk_remains *remains, uint64_t position,
                                 struct sk_remains_purged *out, struct sk_error *err);

/* Opens the body. Errors: SK_MISSING, SK_DAMAGED, SK_IO, SK_NOMEM. */
SK_MUST_CHECK
enum sk_status sk_remains_body(struct sk_remains *remains, int64_t media,
                               struct sk_media_reader **out, struct sk_error *err);

/* The database's own list of what there is: id, type, title, where its newest entry stands. */
struct sk_remains_item {
    struct sk_id id;
    unsigned type;
    bool erased;
    uint64_t position;
    const char *title; /* borrowed; "" when it is not at hand */
};
typedef enum sk_status sk_remains_item_fn(void *context, const struct sk_remains_item *item,
                                          struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_remains_items(struct sk_remains *remains, sk_remains_item_fn *each, void *context,
                                struct sk_error *err);

/* How many reads failed so far for another reason than damage: SK_IO. */
uint64_t sk_remains_unread(const struct sk_remains *remains);

/* Whether an entry at that position was taken. */
bool sk_remains_taken(const struct sk_remains *remains, uint64_t position);

static inline void sk_remains_cleanup(struct sk_remains **remains)
{
    sk_remains_free(*remains);
}
#define sk_auto_remains __attribute__((cleanup(sk_remains_cleanup))) struct sk_remains *

#endif
