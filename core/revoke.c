#include "core/revoke.h"

#include "core/item_internal.h"
#include "core/store_internal.h"
#include "core/text.h"

enum sk_status sk_log_revoked(struct sk_store *store, int64_t log, uint64_t *from,
                              struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT position FROM revoked WHERE log = ?1 AND peer = 0", err));
    sk_bind_int(stmt, 1, log);
    SK_TRY(sk_step(stmt, &row, err));
    *from = row ? (uint64_t)sk_column_int(stmt, 0) : SK_NOT_REVOKED;
    return SK_OK;
}

enum sk_status sk_log_held_from(struct sk_store *store, int64_t log, uint64_t from, uint64_t *count,
                                struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    *count = 0;
    if (from >= SK_POSITION_MAX)
        return SK_OK;
    SK_TRY(sk_db_prepare(store->db, &stmt, "SELECT count(*) FROM entry WHERE id >= ?1 AND id < ?2",
                         err));
    sk_bind_int(stmt, 1, sk_entry_row(log, from));
    sk_bind_int(stmt, 2, sk_entry_row(log + 1, 0));
    SK_TRY(sk_step(stmt, &row, err));
    *count = row ? (uint64_t)sk_column_int(stmt, 0) : 0;
    return SK_OK;
}

enum sk_status sk_entry_revoked(struct sk_store *store, int64_t log, uint64_t position, bool *out,
                                struct sk_error *err)
{
    uint64_t from = SK_NOT_REVOKED;
    SK_TRY(sk_log_revoked(store, log, &from, err));
    *out = position >= from;
    return SK_OK;
}

/* ---- revoking ---- */

/* Lets what erasures in another log have erased in those that continue this one, and in those that
 * this one continues, come again. What only hung on something is among it: if that is withdrawn by
 * a further log too, it is erased once more when it comes. */
static enum sk_status allow_related(struct sk_store *store, int64_t log, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT item.id FROM kin CROSS JOIN item ON "
                         "item.log = kin.other WHERE kin.log = ?1 AND ((kin.relation = 1 AND "
                         "item.erased = ?2) OR (kin.relation = 2 AND item.erased = ?3))",
                         err));
    sk_bind_int(stmt, 1, log);
    sk_bind_int(stmt, 2, SK_ERASED_INHERITED);
    sk_bind_int(stmt, 3, SK_ERASED_LATER);
    return sk_items_of(store, stmt, sk_item_allow_again, err);
}

enum sk_status sk_log_revoke(struct sk_store *store, int64_t log, uint64_t from,
                             struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    uint64_t before = SK_NOT_REVOKED;
    if (store->kind != SK_STORE_ARCHIVE)
        return sk_fail(err, SK_CONFIG, "only an archive revokes");
    SK_TRY(sk_log_revoked(store, log, &before, err));
    if (from > before)
        return sk_fail(err, SK_REFUSED,
                       "it is revoked from position %llu on: a revocation is never taken back, nor "
                       "made to begin later",
                       (unsigned long long)before);
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "INSERT OR REPLACE INTO revoked(log, peer, position, day) "
                         "VALUES(?1, 0, ?2, ?3)",
                         err));
    sk_bind_int(stmt, 1, log);
    sk_bind_int(stmt, 2, (int64_t)from);
    sk_bind_int(stmt, 3, sk_day_now());
    SK_TRY(sk_run(stmt, err));
    sk_item_below_changed(store);
    return allow_related(store, log, err);
}
