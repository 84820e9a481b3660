#include "sync/peer.h"

#include "crypto/bytes.h"

#include <stdio.h>
#include <string.h>

#define PEER_COLUMNS                                                                 \
    "id, alias, archive_id, dh_public, sign_public, send, receive, ifnull(log, 0), " \
    "number, exported, acknowledged, wanted, "                                       \
    "(SELECT position FROM revoked WHERE revoked.log = 1 AND revoked.peer = peer.id)"
#define RANGE_LEN 16

void sk_peer_clear(struct sk_peer *peer)
{
    sk_ranges_clear(&peer->exported);
    sk_ranges_clear(&peer->acknowledged);
    sk_ranges_clear(&peer->wanted);
}

void sk_peers_clear(struct sk_peers *peers)
{
    for (size_t i = 0; i < peers->count; i++)
        sk_peer_clear(&peers->items[i]);
    peers->count = 0;
}

/* ---- ranges ---- */

enum sk_status sk_ranges_encode(struct sk_buf *out, const struct sk_ranges *ranges,
                                struct sk_error *err)
{
    for (size_t i = 0; i < ranges->count; i++) {
        uint8_t pair[RANGE_LEN];
        sk_put_u64(pair, ranges->items[i].from);
        sk_put_u64(pair + 8, ranges->items[i].to);
        SK_TRY(sk_buf_add(out, pair, sizeof(pair), err));
    }
    return SK_OK;
}

enum sk_status sk_ranges_decode(struct sk_ranges *out, const uint8_t *bytes, size_t len,
                                struct sk_error *err)
{
    uint64_t end = 0;
    if (len % RANGE_LEN)
        return sk_fail(err, SK_DAMAGED, "a list of ranges in the database is damaged");
    for (size_t at = 0; at < len; at += RANGE_LEN) {
        uint64_t from = sk_get_u64(bytes + at);
        uint64_t to = sk_get_u64(bytes + at + 8);
        if (from >= to || (at > 0 && from <= end))
            return sk_fail(err, SK_DAMAGED, "a list of ranges in the database is damaged");
        SK_TRY(sk_ranges_add(out, from, to, err));
        end = to;
    }
    return SK_OK;
}

enum sk_status sk_ranges_without(struct sk_ranges *out, const struct sk_ranges *from,
                                 const struct sk_ranges *what, struct sk_error *err)
{
    sk_auto_ranges rest = SK_RANGES_INIT;
    SK_TRY(sk_ranges_missing(&rest, what, UINT64_MAX, err));
    return sk_ranges_common(out, from, &rest, err);
}

enum sk_status sk_ranges_unite(struct sk_ranges *ranges, const struct sk_ranges *more,
                               struct sk_error *err)
{
    for (size_t i = 0; i < more->count; i++)
        SK_TRY(sk_ranges_add(ranges, more->items[i].from, more->items[i].to, err));
    return SK_OK;
}

/* ---- rows ---- */

static enum sk_status key_column(struct sk_stmt *stmt, int index, uint8_t out[static 32],
                                 struct sk_error *err)
{
    return sk_column_null(stmt, index) ? SK_OK : sk_column_copy(stmt, index, out, 32, err);
}

static enum sk_status ranges_column(struct sk_stmt *stmt, int index, struct sk_ranges *out,
                                    struct sk_error *err)
{
    size_t len = 0;
    const uint8_t *bytes = sk_column_bytes(stmt, index, &len);
    return sk_ranges_decode(out, bytes, len, err);
}

static enum sk_status peer_from_row(struct sk_store *store, struct sk_stmt *stmt,
                                    struct sk_peer *out, struct sk_error *err)
{
    sk_auto_peer peer = {.id = sk_column_int(stmt, 0)};
    (void)snprintf(peer.alias, sizeof(peer.alias), "%s", sk_column_text(stmt, 1));
    SK_TRY(key_column(stmt, 2, peer.archive_id, err));
    SK_TRY(key_column(stmt, 3, peer.dh_public, err));
    SK_TRY(key_column(stmt, 4, peer.sign_public, err));
    peer.send = sk_column_int(stmt, 5);
    peer.receive = sk_column_int(stmt, 6);
    peer.log = sk_column_int(stmt, 7);
    peer.number = (uint64_t)sk_column_int(stmt, 8);
    SK_TRY(ranges_column(stmt, 9, &peer.exported, err));
    SK_TRY(ranges_column(stmt, 10, &peer.acknowledged, err));
    SK_TRY(ranges_column(stmt, 11, &peer.wanted, err));
    peer.revoked = sk_column_null(stmt, 12) ? SK_NOT_REVOKED : (uint64_t)sk_column_int(stmt, 12);
    SK_TRY(sk_known_keys_load(store, peer.id, &peer.known, err));
    *out = SK_TAKE(peer);
    return SK_OK;
}

enum sk_status sk_peer_load(struct sk_store *store, int64_t id, struct sk_peer *out,
                            struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(sk_db_prepare(sk_store_db(store), &stmt,
                         "SELECT " PEER_COLUMNS " FROM peer WHERE id = ?1", err));
    sk_bind_int(stmt, 1, id);
    SK_TRY(sk_step(stmt, &row, err));
    if (!row)
        return sk_fail(err, SK_DAMAGED, "the database lacks a row of its peers");
    return peer_from_row(store, stmt, out, err);
}

enum sk_status sk_peers_load(struct sk_store *store, struct sk_peers *out, struct sk_error *err)
{
    sk_auto_peers peers = {.count = 0};
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(sk_store_db(store), &stmt,
                         "SELECT " PEER_COLUMNS " FROM peer ORDER BY archive_id", err));
    for (;;) {
        bool row = false;
        SK_TRY(sk_step(stmt, &row, err));
        if (!row)
            break;
        if (peers.count == SK_ARCHIVES_MAX)
            return sk_fail(err, SK_LIMIT, "the store has more than %d archives", SK_ARCHIVES_MAX);
        SK_TRY(peer_from_row(store, stmt, &peers.items[peers.count], err));
        peers.count++;
    }
    *out = SK_TAKE(peers);
    return SK_OK;
}

enum sk_status sk_peer_save_ranges(struct sk_store *store, const struct sk_peer *peer,
                                   struct sk_error *err)
{
    sk_auto_buf exported = SK_BUF_INIT;
    sk_auto_buf acknowledged = SK_BUF_INIT;
    sk_auto_buf wanted = SK_BUF_INIT;
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_ranges_encode(&exported, &peer->exported, err));
    SK_TRY(sk_ranges_encode(&acknowledged, &peer->acknowledged, err));
    SK_TRY(sk_ranges_encode(&wanted, &peer->wanted, err));
    SK_TRY(sk_db_prepare(sk_store_db(store), &stmt,
                         "UPDATE peer SET exported = ?2, acknowledged = ?3, wanted = ?4 "
                         "WHERE id = ?1",
                         err));
    sk_bind_int(stmt, 1, peer->id);
    sk_bind_bytes(stmt, 2, sk_buf_text(&exported), exported.len);
    sk_bind_bytes(stmt, 3, sk_buf_text(&acknowledged), acknowledged.len);
    sk_bind_bytes(stmt, 4, sk_buf_text(&wanted), wanted.len);
    return sk_run(stmt, err);
}

enum sk_status sk_peer_set_number(struct sk_store *store, int64_t id, uint64_t number,
                                  struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(
        sk_db_prepare(sk_store_db(store), &stmt, "UPDATE peer SET number = ?2 WHERE id = ?1", err));
    sk_bind_int(stmt, 1, id);
    sk_bind_int(stmt, 2, (int64_t)number);
    return sk_run(stmt, err);
}

const uint8_t *sk_peer_seal_key(const struct sk_peer *peer)
{
    return peer->known.announced ? peer->known.next.dh_public : peer->dh_public;
}

enum sk_status sk_peer_revoke(struct sk_store *store, struct sk_peer *peer, uint64_t from,
                              uint32_t day, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    if (from >= peer->revoked)
        return SK_OK;
    SK_TRY(sk_db_prepare(sk_store_db(store), &stmt,
                         "INSERT OR REPLACE INTO revoked(log, peer, position, day) "
                         "VALUES(?1, ?2, ?3, ?4)",
                         err));
    sk_bind_int(stmt, 1, SK_LOG_OWN);
    sk_bind_int(stmt, 2, peer->id);
    sk_bind_int(stmt, 3, (int64_t)from);
    sk_bind_int(stmt, 4, day);
    SK_TRY(sk_run(stmt, err));
    peer->revoked = from;
    return SK_OK;
}

void sk_peers_drop_revoked(struct sk_peers *peers)
{
    size_t kept = 0;
    for (size_t i = 0; i < peers->count; i++) {
        if (peers->items[i].revoked != SK_NOT_REVOKED) {
            sk_peer_clear(&peers->items[i]);
            continue;
        }
        if (kept != i)
            peers->items[kept] = SK_TAKE(peers->items[i]);
        kept++;
    }
    peers->count = kept;
}

/* ---- which of them a file is from ---- */

static enum sk_status match_once(struct sk_store *store, const uint8_t *header,
                                 enum sk_chain_reach reach, struct sk_chain_found *found,
                                 int64_t *peer, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(
        sk_db_prepare(sk_store_db(store), &stmt, "SELECT id, receive FROM peer ORDER BY id", err));
    for (;;) {
        bool row = false;
        SK_TRY(sk_step(stmt, &row, err));
        if (!row)
            return SK_OK;
        SK_TRY(sk_chain_find(store, sk_column_int(stmt, 1), header, reach, found, err));
        if (found->match == SK_CHAIN_NONE)
            continue;
        *peer = sk_column_int(stmt, 0);
        /* What the chain has used is looked for before what it has not, whatever was faster. */
        return reach == SK_CHAIN_NEXT
                   ? sk_chain_find(store, sk_column_int(stmt, 1), header, SK_CHAIN_NEAR, found, err)
                   : SK_OK;
    }
}

enum sk_status sk_peer_match(struct sk_store *store, const uint8_t *header,
                             struct sk_chain_found *found, int64_t *peer, struct sk_error *err)
{
    sk_auto_chain_found match = {.match = SK_CHAIN_NONE};
    int64_t id = 0;
    SK_TRY(match_once(store, header, SK_CHAIN_NEXT, &match, &id, err));
    if (match.match == SK_CHAIN_NONE)
        SK_TRY(match_once(store, header, SK_CHAIN_NEAR, &match, &id, err));
    if (match.match == SK_CHAIN_NONE)
        SK_TRY(match_once(store, header, SK_CHAIN_FAR, &match, &id, err));
    *found = match;
    *peer = id;
    return SK_OK;
}
