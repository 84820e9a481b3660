#include "sync/renew.h"

#include "core/revoke.h"

#include <stdio.h>
#include <string.h>

enum sk_status sk_keys_known(struct sk_store *store, int64_t peer, int64_t log, uint64_t *number,
                             struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(sk_db_prepare(sk_store_db(store), &stmt,
                         "SELECT ifnull(max(number), 0) FROM key_known "
                         "WHERE peer = ?1 AND log IN (0, ?2)",
                         err));
    sk_bind_int(stmt, 1, peer);
    sk_bind_int(stmt, 2, log);
    SK_TRY(sk_step(stmt, &row, err));
    *number = row ? (uint64_t)sk_column_int(stmt, 0) : 0;
    return SK_OK;
}

enum sk_status sk_keys_note(struct sk_store *store, int64_t peer, int64_t log, uint64_t number,
                            struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    uint64_t known = 0;
    SK_TRY(sk_keys_known(store, peer, log, &known, err));
    if (number <= known) /* a bundle that was long on its way */
        return SK_OK;
    SK_TRY(sk_db_prepare(sk_store_db(store), &stmt,
                         "INSERT OR REPLACE INTO key_known(peer, log, number) VALUES(?1, ?2, ?3)",
                         err));
    sk_bind_int(stmt, 1, peer);
    sk_bind_int(stmt, 2, log);
    sk_bind_int(stmt, 3, (int64_t)number);
    return sk_run(stmt, err);
}

/* ---- devices ---- */

static enum sk_status state_of(struct sk_store *store, int64_t peer, int64_t log,
                               enum sk_keys_state *out, struct sk_error *err)
{
    struct sk_archive_keys newest;
    uint64_t known = 0;
    SK_TRY(sk_keys_known(store, peer, log, &known, err));
    sk_archive_newest_keys(store, &newest);
    *out = known >= newest.number          ? SK_KEYS_TAKEN
           : sk_archive_seed(store, known) ? SK_KEYS_NOT_TAKEN
                                           : SK_KEYS_LOST;
    return SK_OK;
}

enum sk_status sk_keys_state(struct sk_store *store, int64_t log, enum sk_keys_state *out,
                             struct sk_error *err)
{
    struct sk_log row;
    SK_TRY(sk_log_get(store, log, &row, err));
    return state_of(store, row.peer, log, out, err);
}

struct walk {
    struct sk_store *store;
    sk_keys_each_fn *each;
    void *context;
};

static enum sk_status visit_log(void *context, const struct sk_log *log, struct sk_error *err)
{
    const struct walk *walk = context;
    struct sk_keys_device device = {.alias = log->alias, .log = log->id};
    uint64_t from = SK_NOT_REVOKED;
    SK_TRY(state_of(walk->store, log->peer, log->id, &device.state, err));
    SK_TRY(sk_log_revoked(walk->store, log->id, &from, err));
    device.revoked = from != SK_NOT_REVOKED;
    return walk->each(walk->context, &device, err);
}

static enum sk_status visit_invited(const struct walk *walk, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(sk_store_db(walk->store), &stmt,
                         "SELECT id, alias FROM peer WHERE log IS NULL ORDER BY id", err));
    for (;;) {
        bool row = false;
        SK_TRY(sk_step(stmt, &row, err));
        if (!row)
            return SK_OK;
        struct sk_keys_device device = {.alias = sk_column_text(stmt, 1)};
        SK_TRY(state_of(walk->store, sk_column_int(stmt, 0), 0, &device.state, err));
        SK_TRY(walk->each(walk->context, &device, err));
    }
}

enum sk_status sk_keys_each(struct sk_store *store, sk_keys_each_fn *each, void *context,
                            struct sk_error *err)
{
    struct walk walk = {store, each, context};
    SK_TRY(sk_log_each(store, visit_log, &walk, err));
    return visit_invited(&walk, err);
}

/* ---- forgetting ---- */

static enum sk_status count_waited_for(void *context, const struct sk_keys_device *device,
                                       struct sk_error *err)
{
    (void)err;
    *(uint64_t *)context += device->state == SK_KEYS_NOT_TAKEN && !device->revoked;
    return SK_OK;
}

enum sk_status sk_keys_forget(struct sk_store *store, bool leave_behind, struct sk_error *err)
{
    struct sk_archive_keys next;
    uint64_t count = 0;
    if (sk_archive_next_keys(store, &next) && !leave_behind)
        SK_TRY(sk_keys_each(store, count_waited_for, &count, err));
    if (count > 0)
        return sk_fail(err, SK_REFUSED,
                       "%llu of the devices that were invited %s not taken the next keys",
                       (unsigned long long)count, count == 1 ? "has" : "have");
    return sk_archive_forget(store, err);
}
