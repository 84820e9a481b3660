#include "core/renew.h"

#include "core/store_internal.h"
#include "core/text.h"
#include "crypto/bytes.h"

#define SECRET_LEN 32

/* Rows of `meta` (core/migrations/0004.sql). */
#define KEYS_ROW "keys"
#define ID_ROW   "id"
#define NEXT_ROW "next"
#define NEXT_LEN (2 * SECRET_LEN + 4)

struct next_row {
    uint8_t bytes[NEXT_LEN];
};
static void next_row_cleanup(struct next_row *row)
{
    sk_wipe(row, sizeof(*row));
}
#define auto_next_row __attribute__((cleanup(next_row_cleanup))) struct next_row

/* ---- which there are ---- */

void sk_archive_keys(const struct sk_store *store, struct sk_archive_keys *out)
{
    out->number = store->keys_number;
    memcpy(out->dh_public, store->dh_public, SK_DH_LEN);
    memcpy(out->sign_public, store->sign_public, SK_SIGN_PUBLIC_LEN);
}

bool sk_archive_next_keys(const struct sk_store *store, struct sk_archive_keys *out)
{
    if (!store->next)
        return false;
    out->number = store->keys_number + 1;
    sk_sign_public(out->sign_public, sk_secret_view(store->next));
    sk_dh_public(out->dh_public, sk_secret_view(store->next) + SECRET_LEN);
    return true;
}

void sk_archive_newest_keys(const struct sk_store *store, struct sk_archive_keys *out)
{
    if (!sk_archive_next_keys(store, out))
        sk_archive_keys(store, out);
}

uint32_t sk_archive_renewed(const struct sk_store *store)
{
    return store->next_day;
}

void sk_archive_keys_id(uint8_t out[static SK_HASH_LEN],
                        const uint8_t sign_public[static SK_SIGN_PUBLIC_LEN],
                        const uint8_t dh_public[static SK_DH_LEN])
{
    struct sk_hash h;
    sk_hash_init(&h, NULL, SK_LABEL_ARCHIVE_ID);
    sk_hash_add(&h, sign_public, SK_SIGN_PUBLIC_LEN);
    sk_hash_add(&h, dh_public, SK_DH_LEN);
    sk_hash_end(&h, out);
}

/* Seed and scalar; NULL when they were forgotten. */
static const uint8_t *secrets_of(const struct sk_store *store, uint64_t number)
{
    if (number == store->keys_number)
        return sk_secret_view(store->identity);
    return store->next && number == store->keys_number + 1 ? sk_secret_view(store->next) : NULL;
}

const uint8_t *sk_archive_seed(const struct sk_store *store, uint64_t number)
{
    return secrets_of(store, number);
}

enum sk_status sk_archive_dh(const struct sk_store *store, uint64_t number,
                             uint8_t shared[static SK_DH_LEN],
                             const uint8_t public_key[static SK_DH_LEN])
{
    const uint8_t *secrets = secrets_of(store, number);
    return secrets ? sk_dh(shared, secrets + SECRET_LEN, public_key) : SK_MISSING;
}

/* ---- opening ---- */

static enum sk_status load_next(struct sk_store *store, struct sk_error *err)
{
    auto_next_row row = {{0}};
    bool found = false;
    SK_TRY(sk_meta_get(store->db, NEXT_ROW, row.bytes, sizeof(row.bytes), &found, err));
    if (!found)
        return SK_OK;
    if (sk_secret_new(&store->next, (size_t)2 * SECRET_LEN) != SK_OK)
        return sk_fail_status(err, SK_NOMEM);
    memcpy(sk_secret_bytes(store->next), row.bytes, (size_t)2 * SECRET_LEN);
    store->next_day = sk_get_u32(row.bytes + (size_t)2 * SECRET_LEN);
    return SK_OK;
}

enum sk_status sk_archive_load_keys(struct sk_store *store, struct sk_error *err)
{
    uint8_t number[8];
    bool found = false;
    SK_TRY(sk_meta_get(store->db, KEYS_ROW, number, sizeof(number), &found, err));
    if (found) {
        bool named = false;
        store->keys_number = sk_get_u64(number);
        SK_TRY(sk_meta_get(store->db, ID_ROW, store->id, SK_HASH_LEN, &named, err));
        if (!named)
            return sk_fail(err, SK_DAMAGED, "the database lacks its own description");
    }
    return load_next(store, err);
}

/* ---- renewing ---- */

enum sk_status sk_archive_renew(struct sk_store *store, struct sk_error *err)
{
    sk_auto_secret next = NULL;
    auto_next_row row = {{0}};
    sk_auto_store_txn txn = NULL;
    uint32_t day = sk_day_now();
    if (store->kind != SK_STORE_ARCHIVE)
        return sk_fail(err, SK_CONFIG, "only an archive renews its keys");
    if (store->next)
        return sk_fail(err, SK_REFUSED, "the keys were renewed, and the old ones are still here");
    if (sk_secret_new(&next, (size_t)2 * SECRET_LEN) != SK_OK)
        return sk_fail_status(err, SK_NOMEM);
    sk_random(sk_secret_bytes(next), (size_t)2 * SECRET_LEN);
    memcpy(row.bytes, sk_secret_view(next), (size_t)2 * SECRET_LEN);
    sk_put_u32(row.bytes + (size_t)2 * SECRET_LEN, day);
    SK_TRY(sk_store_begin(&txn, store, err));
    SK_TRY(sk_meta_put(store->db, NEXT_ROW, row.bytes, sizeof(row.bytes), err));
    SK_TRY(sk_store_commit(&txn, err));
    store->next = SK_TAKE(next);
    store->next_day = day;
    return SK_OK;
}

static enum sk_status remove_next(struct sk_store *store, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt, "DELETE FROM meta WHERE key = ?1", err));
    sk_bind_text(stmt, 1, NEXT_ROW);
    return sk_run(stmt, err);
}

static enum sk_status put_in_force(struct sk_store *store, struct sk_error *err)
{
    const uint8_t *secrets = sk_secret_view(store->next);
    uint8_t number[8];
    sk_put_u64(number, store->keys_number + 1);
    SK_TRY(sk_meta_put(store->db, "seed", secrets, SECRET_LEN, err));
    SK_TRY(sk_meta_put(store->db, "scalar", secrets + SECRET_LEN, SECRET_LEN, err));
    SK_TRY(sk_meta_put(store->db, KEYS_ROW, number, sizeof(number), err));
    SK_TRY(sk_meta_put(store->db, ID_ROW, store->id, SK_HASH_LEN, err));
    return remove_next(store, err);
}

enum sk_status sk_archive_forget(struct sk_store *store, struct sk_error *err)
{
    sk_auto_store_txn txn = NULL;
    if (!store->next)
        return sk_fail(err, SK_REFUSED, "there are no old keys to forget");
    SK_TRY(sk_store_begin(&txn, store, err));
    SK_TRY(put_in_force(store, err));
    sk_store_erases(store);
    enum sk_status status = sk_store_commit(&txn, err);
    if (status != SK_OK && !sk_store_left_copies(store))
        return status;
    sk_secret_free(store->identity);
    store->identity = SK_TAKE(store->next);
    store->next_day = 0;
    store->keys_number++;
    sk_sign_public(store->sign_public, sk_secret_view(store->identity));
    sk_dh_public(store->dh_public, sk_secret_view(store->identity) + SECRET_LEN);
    return status;
}
