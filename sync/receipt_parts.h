/*
 * What taking a receipt and purging share. Private to sync.
 */
#ifndef SK_SYNC_RECEIPT_PARTS_H
#define SK_SYNC_RECEIPT_PARTS_H

#include "sync/peer.h"
#include "sync/receipt_note.h"

/*
 * Verifies the note of a receipt (its text, an empty line, signatures) and reads it into an empty
 * receipt. *by_next: whether it is signed with the key that its archive has announced, and not with
 * that in force. Errors: SK_DAMAGED, SK_REFUSED (of another archive, for another store, or signed
 * with a key that was given up).
 */
SK_MUST_CHECK
enum sk_status sk_receipt_open(struct sk_store *store, const struct sk_peer *peer, const char *note,
                               size_t len, struct sk_receipt *out, bool *by_next,
                               struct sk_error *err);

/* Keeps the newest receipt of an archive (a peer's row): its note and the checkpoint that came with
 * it, or "". Wants a transaction. */
SK_MUST_CHECK
enum sk_status sk_receipt_keep(struct sk_store *store, int64_t peer, uint64_t number,
                               const char *note, const char *checkpoint, struct sk_error *err);

/*
 * The newest receipt of an archive, as it was kept. out: empty; *found is false where the archive
 * never answered. Errors: those of sk_receipt_open().
 */
SK_MUST_CHECK
enum sk_status sk_receipt_kept(struct sk_store *store, const struct sk_peer *peer,
                               struct sk_receipt *out, bool *found, struct sk_error *err);

/* Of some ranges that an archive named: the positions of the own log of which what they commit to
 * is here. out: empty, filled. */
SK_MUST_CHECK
enum sk_status sk_receipt_here(struct sk_store *store, const struct sk_ranges *named,
                               struct sk_ranges *out, struct sk_error *err);

/*
 * Whether a receipt that is newer than any before may say of its archive's keys what it says. Under
 * the key in force, once next keys were announced, it names these. Errors: SK_REFUSED.
 */
SK_MUST_CHECK
enum sk_status sk_receipt_check_next(const struct sk_peer *peer, const struct sk_receipt *receipt,
                                     bool by_next, struct sk_error *err);

/* Whether this store's own log has that root at a size; false also when it was never so long. */
SK_MUST_CHECK
enum sk_status sk_receipt_root_is_own(struct sk_store *store, uint64_t size,
                                      const uint8_t root[static SK_MERKLE_LEN], bool *same,
                                      struct sk_error *err);

#endif
