/*
 * A file whose index is spent (sync/FORMAT.md, "Ratchet"): the bundle that spent it again, a
 * damaged copy of it, or another one, which the next receipt tells.
 */
#include "core/text.h"
#include "sync/import_parts.h"
#include "sync/peer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NOTICES_MAX 16 /* lines in peer.notice */

/* What became of the file when it came for the first time. */
static enum sk_status fill_known(struct sk_arrival *a, struct sk_import_result *result,
                                 struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    struct sk_log log;
    result->known_file = true;
    SK_TRY(sk_db_prepare(sk_store_db(a->store), &stmt,
                         "SELECT log, number, n1 - n0, reason, 1 FROM quarantine "
                         "WHERE header_hash = ?1 UNION ALL "
                         "SELECT log, number, n1 - n0, '', 0 FROM segment WHERE header_hash = ?1 "
                         "ORDER BY 5 DESC", /* of one that waits a part may have been salvaged */
                         err));
    sk_bind_bytes(stmt, 1, a->found.header_hash, sizeof(a->found.header_hash));
    SK_TRY(sk_step(stmt, &row, err));
    if (!row)
        return SK_OK;
    SK_TRY(sk_log_get(a->store, sk_column_int(stmt, 0), &log, err));
    (void)snprintf(result->device, sizeof(result->device), "%s", log.alias);
    result->log = log.id;
    result->fork = log.state == SK_LOG_STATE_FROZEN;
    result->bundle = (uint64_t)sk_column_int(stmt, 1);
    result->waiting = sk_column_int(stmt, 4) != 0;
    (void)snprintf(result->reason, sizeof(result->reason), "%s", sk_column_text(stmt, 3));
    if (result->waiting)
        result->quarantined = (uint64_t)sk_column_int(stmt, 2);
    else
        result->entries_known = (uint64_t)sk_column_int(stmt, 2);
    return sk_log_gaps(a->store, log.id, &result->gaps, err);
}

/* Whether the file that spent the index began with other random bytes: it was another bundle, not
 * another copy of this one. */
static enum sk_status other_bundle(struct sk_arrival *a, int64_t chain, bool *other,
                                   struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    uint8_t n0[SK_N0_KEPT] = {0};
    SK_TRY(sk_db_prepare(sk_store_db(a->store), &stmt,
                         "SELECT n0 FROM chain_index WHERE chain = ?1 AND idx = ?2 AND "
                         "n0 IS NOT NULL",
                         err));
    sk_bind_int(stmt, 1, chain);
    sk_bind_int(stmt, 2, (int64_t)a->found.index);
    SK_TRY(sk_step(stmt, &row, err));
    if (row)
        SK_TRY(sk_column_copy(stmt, 0, n0, sizeof(n0), err));
    *other = row && memcmp(n0, a->header, sizeof(n0)) != 0;
    return SK_OK;
}

/* Adds a line unless it is there; the oldest gives way when there are too many. */
static enum sk_status add_line(struct sk_buf *lines, const char *line, bool *added,
                               struct sk_error *err)
{
    size_t count = 0;
    const char *text = sk_buf_text(lines);
    *added = strstr(text, line) == NULL;
    if (!*added)
        return SK_OK;
    for (const char *at = text; *at; at++)
        count += *at == '\n';
    if (count >= NOTICES_MAX) {
        const char *second = strchr(text, '\n') + 1;
        size_t len = lines->len - (size_t)(second - text);
        memmove(lines->bytes, second, len + 1);
        lines->len = len;
    }
    return sk_buf_add_text(lines, line, err);
}

/* Notes it for the next receipt. */
static enum sk_status add_notice(struct sk_arrival *a, struct sk_error *err)
{
    sk_auto_store_txn txn = NULL;
    sk_auto_stmt stmt = NULL;
    sk_auto_stmt update = NULL;
    sk_auto_buf lines = SK_BUF_INIT;
    char line[256];
    bool row = false;
    bool added = false;
    SK_TRY(sk_store_begin(&txn, a->store, err));
    SK_TRY(
        sk_db_prepare(sk_store_db(a->store), &stmt, "SELECT notice FROM peer WHERE id = ?1", err));
    sk_bind_int(stmt, 1, a->peer);
    SK_TRY(sk_step(stmt, &row, err));
    SK_TRY(sk_buf_add_text(&lines, row ? sk_column_text(stmt, 0) : "", err));
    (void)snprintf(line, sizeof(line),
                   "two bundles came under key %" PRIu64 ", the later one was refused: the store "
                   "was put back from an older copy, or its invite was used twice; that store has "
                   "to be made anew, with a new invite\n",
                   a->found.index);
    SK_TRY(add_line(&lines, line, &added, err));
    if (!added)
        return SK_OK;
    SK_TRY(sk_db_prepare(sk_store_db(a->store), &update,
                         "UPDATE peer SET notice = ?2 WHERE id = ?1", err));
    sk_bind_int(update, 1, a->peer);
    sk_bind_text(update, 2, sk_buf_text(&lines));
    SK_TRY(sk_run(update, err));
    sk_stmt_reset(stmt);
    return sk_store_commit(&txn, err);
}

enum sk_status sk_arrival_spent(struct sk_arrival *a, struct sk_import_result *result,
                                struct sk_error *err)
{
    sk_auto_peer peer = {.id = 0};
    uint8_t hash[32];
    bool other = false;
    SK_TRY(sk_file_hash(a->file, hash, a->progress, err));
    if (memcmp(hash, a->found.file_hash, sizeof(hash)) == 0)
        return fill_known(a, result, err);
    SK_TRY(sk_peer_load(a->store, a->peer, &peer, err));
    SK_TRY(other_bundle(a, peer.receive, &other, err));
    if (!other)
        return sk_fail(err, SK_REFUSED,
                       "%s: this bundle of \"%s\" is here already, and nothing is lacking; this "
                       "copy of it is damaged",
                       a->path, peer.alias);
    SK_TRY(add_notice(a, err));
    return sk_fail(err, SK_REFUSED,
                   "%s: \"%s\" has used the key of this bundle for another one, which is here: the "
                   "device was put back from an older copy, or its invite was used twice. The next "
                   "receipt says so; the device needs a new store, with a new invite",
                   a->path, peer.alias);
}
