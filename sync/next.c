#include "sync/next.h"

#include "core/text.h"

#include <string.h>

#define KEY_HEX (2 * SK_DH_LEN + 1)
_Static_assert(SK_DH_LEN == SK_SIGN_PUBLIC_LEN, "both have 64 digits");

/* Rows of `peer_key` (core/migrations/0004.sql). */
enum state {
    STATE_ANNOUNCED = 1,
    STATE_BEFORE = 2,
};

/* ---- the keys ---- */

bool sk_next_keys_usable(const struct sk_next_keys *keys)
{
    return sk_dh_public_usable(keys->dh_public) && sk_sign_public_usable(keys->sign_public);
}

static bool has_key(const struct sk_next_keys *keys, const uint8_t key[static 32])
{
    return memcmp(keys->dh_public, key, SK_DH_LEN) == 0 ||
           memcmp(keys->sign_public, key, SK_SIGN_PUBLIC_LEN) == 0;
}

bool sk_next_keys_touch(const struct sk_next_keys *a, const struct sk_next_keys *b)
{
    return has_key(b, a->dh_public) || has_key(b, a->sign_public);
}

bool sk_next_keys_same(const struct sk_next_keys *a, const struct sk_next_keys *b)
{
    return memcmp(a->dh_public, b->dh_public, SK_DH_LEN) == 0 &&
           memcmp(a->sign_public, b->sign_public, SK_SIGN_PUBLIC_LEN) == 0;
}

enum sk_status sk_next_keys_format(struct sk_buf *out, const struct sk_next_keys *keys,
                                   struct sk_error *err)
{
    char dh[KEY_HEX];
    char sign[KEY_HEX];
    sk_hex(dh, keys->dh_public, SK_DH_LEN);
    sk_hex(sign, keys->sign_public, SK_SIGN_PUBLIC_LEN);
    return sk_buf_printf(out, err, "next %s %s\n", dh, sign);
}

/* ---- at the device ---- */

static enum sk_status take_row(struct sk_stmt *stmt, struct sk_known_keys *out,
                               struct sk_error *err)
{
    struct sk_next_keys keys;
    SK_TRY(sk_column_copy(stmt, 1, keys.dh_public, SK_DH_LEN, err));
    SK_TRY(sk_column_copy(stmt, 2, keys.sign_public, SK_SIGN_PUBLIC_LEN, err));
    if (sk_column_int(stmt, 0) == STATE_ANNOUNCED) {
        out->announced = true;
        out->next = keys;
        return SK_OK;
    }
    out->renewed = true;
    out->before = keys;
    return SK_OK;
}

enum sk_status sk_known_keys_load(struct sk_store *store, int64_t peer, struct sk_known_keys *out,
                                  struct sk_error *err)
{
    struct sk_known_keys known = {.announced = false};
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(sk_store_db(store), &stmt,
                         "SELECT state, dh_public, sign_public FROM peer_key WHERE peer = ?1",
                         err));
    sk_bind_int(stmt, 1, peer);
    for (;;) {
        bool row = false;
        SK_TRY(sk_step(stmt, &row, err));
        if (!row)
            break;
        SK_TRY(take_row(stmt, &known, err));
    }
    *out = known;
    return SK_OK;
}

enum sk_status sk_known_keys_announce(struct sk_store *store, int64_t peer,
                                      const struct sk_next_keys *keys, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(sk_store_db(store), &stmt,
                         "INSERT INTO peer_key(peer, state, dh_public, sign_public) "
                         "VALUES(?1, ?2, ?3, ?4)",
                         err));
    sk_bind_int(stmt, 1, peer);
    sk_bind_int(stmt, 2, STATE_ANNOUNCED);
    sk_bind_bytes(stmt, 3, keys->dh_public, SK_DH_LEN);
    sk_bind_bytes(stmt, 4, keys->sign_public, SK_SIGN_PUBLIC_LEN);
    return sk_run(stmt, err);
}

/* One statement for a peer, with the two states behind it. */
static enum sk_status run_for(struct sk_store *store, const char *sql, int64_t peer,
                              struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(sk_store_db(store), &stmt, sql, err));
    sk_bind_int(stmt, 1, peer);
    sk_bind_int(stmt, 2, STATE_ANNOUNCED);
    sk_bind_int(stmt, 3, STATE_BEFORE);
    return sk_run(stmt, err);
}

enum sk_status sk_known_keys_promote(struct sk_store *store, int64_t peer, struct sk_error *err)
{
    SK_TRY(run_for(store,
                   "INSERT OR REPLACE INTO peer_key(peer, state, dh_public, sign_public) "
                   "SELECT id, ?3, dh_public, sign_public FROM peer WHERE id = ?1 AND ?2 = ?2",
                   peer, err));
    SK_TRY(run_for(store,
                   "UPDATE peer SET (dh_public, sign_public) = (SELECT dh_public, sign_public "
                   "FROM peer_key WHERE peer = ?1 AND state = ?2) WHERE id = ?1 AND ?3 = ?3",
                   peer, err));
    return run_for(store, "DELETE FROM peer_key WHERE peer = ?1 AND state = ?2 AND ?3 = ?3", peer,
                   err);
}
