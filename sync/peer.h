/*
 * The other ends that a store knows, as rows of the table `peer`. Private to sync.
 */
#ifndef SK_SYNC_PEER_H
#define SK_SYNC_PEER_H

#include "core/log.h"
#include "core/revoke.h"
#include "sync/manifest.h"
#include "sync/next.h"
#include "sync/ratchet.h"

/* Columns that only one kind of store fills are zeros or empty in the other. */
struct sk_peer {
    int64_t id;
    char alias[128];
    uint8_t archive_id[SK_HASH_LEN];
    uint8_t dh_public[SK_DH_LEN];
    uint8_t sign_public[SK_SIGN_PUBLIC_LEN];
    int64_t send, receive; /* chains */
    int64_t log;           /* 0: nothing has come yet */
    uint64_t number;       /* newest receipt */
    struct sk_ranges exported, acknowledged, wanted;
    uint64_t revoked; /* documenter: from which position on the archive takes nothing any more;
                         SK_NOT_REVOKED */
    struct sk_known_keys known; /* documenter: keys beside these */
};
void sk_peer_clear(struct sk_peer *peer);
#define sk_auto_peer __attribute__((cleanup(sk_peer_clear))) struct sk_peer

/* Reads one row into an empty peer. Errors: SK_DAMAGED (no such row, or a malformed one). */
SK_MUST_CHECK
enum sk_status sk_peer_load(struct sk_store *store, int64_t id, struct sk_peer *out,
                            struct sk_error *err);

/* Writes the three lists of ranges back. */
SK_MUST_CHECK
enum sk_status sk_peer_save_ranges(struct sk_store *store, const struct sk_peer *peer,
                                   struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_peer_set_number(struct sk_store *store, int64_t id, uint64_t number,
                                  struct sk_error *err);

/* The archives of a documenter's store, sorted by archive id. Errors: SK_LIMIT (more than eight).
 */
struct sk_peers {
    struct sk_peer items[SK_ARCHIVES_MAX];
    size_t count;
};
void sk_peers_clear(struct sk_peers *peers);
#define sk_auto_peers __attribute__((cleanup(sk_peers_clear))) struct sk_peers
SK_MUST_CHECK
enum sk_status sk_peers_load(struct sk_store *store, struct sk_peers *out, struct sk_error *err);

/* To which of an archive's keys bundles are sealed: the newest that it announced. */
const uint8_t *sk_peer_seal_key(const struct sk_peer *peer);

/* Notes that an archive has revoked this store from a position on, never later than before; and
 * takes the archives that did out of a list. */
SK_MUST_CHECK
enum sk_status sk_peer_revoke(struct sk_store *store, struct sk_peer *peer, uint64_t from,
                              uint32_t day, struct sk_error *err);
void sk_peers_drop_revoked(struct sk_peers *peers);

/*
 * Looks for the slot of a volume through the receiving chains of every peer: the next index of each
 * first, which is that of most bundles; then those that are near; far ones only if there is none.
 * *peer: its row. The caller wipes found->keys.
 */
SK_MUST_CHECK
enum sk_status sk_peer_match(struct sk_store *store, const uint8_t *header,
                             struct sk_chain_found *found, int64_t *peer, struct sk_error *err);

/* Ranges as blobs: pairs of u64. Errors of reading: SK_DAMAGED. */
SK_MUST_CHECK
enum sk_status sk_ranges_encode(struct sk_buf *out, const struct sk_ranges *ranges,
                                struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_ranges_decode(struct sk_ranges *out, const uint8_t *bytes, size_t len,
                                struct sk_error *err);

/* out (empty) becomes what is in `from` and not in `what`. */
SK_MUST_CHECK
enum sk_status sk_ranges_without(struct sk_ranges *out, const struct sk_ranges *from,
                                 const struct sk_ranges *what, struct sk_error *err);

/* Adds every range of `more`. */
SK_MUST_CHECK
enum sk_status sk_ranges_unite(struct sk_ranges *ranges, const struct sk_ranges *more,
                               struct sk_error *err);

static inline void sk_chain_found_clear(struct sk_chain_found *found)
{
    sk_wipe(found, sizeof(*found));
}
#define sk_auto_chain_found __attribute__((cleanup(sk_chain_found_clear))) struct sk_chain_found

#endif
