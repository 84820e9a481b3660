/*
 * Issuing an invite, at the archive, and accepting it, at the documenter: both ends become a pair.
 */
#include "sync/invite.h"

#include "core/file.h"
#include "crypto/hash.h"
#include "sync/deliver.h"
#include "sync/invite_parts.h"
#include "sync/manifest.h"
#include "sync/ratchet.h"
#include "sync/renew.h"

#include <string.h>

struct pair {
    const char *alias;
    const uint8_t *archive_id; /* NULL on the archive, and so are the keys */
    const uint8_t *dh_public;
    const uint8_t *sign_public;
    const uint8_t *send; /* first keys of the chains */
    const uint8_t *receive;
};

static enum sk_status insert_peer(struct sk_store *store, const struct pair *pair, int64_t send,
                                  int64_t receive, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(sk_store_db(store), &stmt,
                         "INSERT INTO peer(alias, archive_id, dh_public, sign_public, send, "
                         "receive, log, number, exported, acknowledged, wanted, receipt, notice) "
                         "VALUES(?1, ?2, ?3, ?4, ?5, ?6, NULL, 0, x'', x'', x'', '', '')",
                         err));
    sk_bind_text(stmt, 1, pair->alias);
    sk_bind_bytes(stmt, 2, pair->archive_id, SK_HASH_LEN);
    sk_bind_bytes(stmt, 3, pair->dh_public, SK_DH_LEN);
    sk_bind_bytes(stmt, 4, pair->sign_public, SK_SIGN_PUBLIC_LEN);
    sk_bind_int(stmt, 5, send);
    sk_bind_int(stmt, 6, receive);
    return sk_run(stmt, err);
}

/* Wants a transaction. */
static enum sk_status add_pair(struct sk_store *store, const struct pair *pair, int64_t *peer,
                               struct sk_error *err)
{
    int64_t send, receive;
    SK_TRY(sk_chain_create(store, pair->send, &send, err));
    SK_TRY(sk_chain_create(store, pair->receive, &receive, err));
    SK_TRY(insert_peer(store, pair, send, receive, err));
    *peer = sk_db_last_id(sk_store_db(store));
    return SK_OK;
}

static enum sk_status remove_pair(struct sk_store *store, int64_t peer, struct sk_error *err)
{
    sk_auto_store_txn txn = NULL;
    sk_auto_stmt chains = NULL;
    sk_auto_stmt row = NULL;
    sk_auto_stmt known = NULL;

    SK_TRY(sk_store_begin(&txn, store, err));
    SK_TRY(sk_db_prepare(sk_store_db(store), &known, "DELETE FROM key_known WHERE peer = ?1", err));
    sk_bind_int(known, 1, peer);
    SK_TRY(sk_run(known, err));
    SK_TRY(sk_db_prepare(sk_store_db(store), &chains,
                         "DELETE FROM chain WHERE id IN (SELECT send FROM peer WHERE id = ?1 "
                         "UNION SELECT receive FROM peer WHERE id = ?1)",
                         err));
    sk_bind_int(chains, 1, peer);
    SK_TRY(sk_run(chains, err));
    SK_TRY(sk_db_prepare(sk_store_db(store), &row, "DELETE FROM peer WHERE id = ?1", err));
    sk_bind_int(row, 1, peer);
    SK_TRY(sk_run(row, err));
    return sk_store_commit(&txn, err);
}

/* ---- the archive ---- */

static enum sk_status check_alias_free(struct sk_store *store, const char *alias,
                                       struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row;
    SK_TRY(sk_db_prepare(sk_store_db(store), &stmt, "SELECT 1 FROM peer WHERE alias = ?1", err));
    sk_bind_text(stmt, 1, alias);
    SK_TRY(sk_step(stmt, &row, err));
    return row ? sk_fail(err, SK_REFUSED,
                         "%s: a device with this alias is invited already: choose another alias",
                         alias)
               : SK_OK;
}

enum sk_status sk_invite_add_device(struct sk_store *store, const struct sk_invite *invite,
                                    int64_t *peer, struct sk_error *err)
{
    sk_auto_store_txn txn = NULL;
    sk_auto_key receipts = {{0}};
    struct sk_archive_keys keys;

    sk_ratchet_receipts(receipts.bytes, invite->psk);
    const struct pair pair = {
        .alias = invite->alias, .send = receipts.bytes, .receive = invite->psk};
    SK_TRY(sk_store_begin(&txn, store, err));
    SK_TRY(check_alias_free(store, invite->alias, err));
    SK_TRY(add_pair(store, &pair, peer, err));
    sk_archive_newest_keys(store, &keys);
    SK_TRY(sk_keys_note(store, *peer, 0, keys.number, err));
    return sk_store_commit(&txn, err);
}

static enum sk_status write_beside(struct sk_file **out, const char *path,
                                   const struct sk_buf *sealed, struct sk_error *err)
{
    sk_auto_file file = NULL;
    SK_TRY(sk_file_create_beside(&file, path, err));
    SK_TRY(sk_file_write(file, sealed->bytes, sealed->len, err));
    SK_TRY(sk_file_sync(file, err));
    *out = SK_TAKE(file);
    return SK_OK;
}

static enum sk_status check_issue(struct sk_store *store, const char *alias, const char *path,
                                  struct sk_error *err)
{
    if (sk_store_kind(store) != SK_STORE_ARCHIVE)
        return sk_fail(err, SK_CONFIG, "only an archive invites devices");
    SK_TRY(sk_invite_check_name(alias, SK_USAGE, "an alias", err));
    SK_TRY(sk_invite_check_name(sk_store_name(store), SK_CONFIG, "the archive's name", err));
    SK_TRY(check_alias_free(store, alias, err));
    if (sk_file_exists(path))
        return sk_fail(err, SK_CREATE, "%s exists already and was left as it is", path);
    return sk_file_try_name(path, err);
}

const uint8_t *sk_invite_seed(const struct sk_store *store)
{
    struct sk_archive_keys keys;
    sk_archive_newest_keys(store, &keys);
    return sk_archive_seed(store, keys.number);
}

void sk_invite_fill(struct sk_invite *invite, const struct sk_store *store, const char *alias)
{
    struct sk_archive_keys keys;
    sk_archive_newest_keys(store, &keys);
    memcpy(invite->archive_id, sk_store_id(store), SK_HASH_LEN);
    memcpy(invite->dh_public, keys.dh_public, SK_DH_LEN);
    memcpy(invite->sign_public, keys.sign_public, SK_SIGN_PUBLIC_LEN);
    sk_random(invite->psk, sizeof(invite->psk));
    memcpy(invite->name, sk_store_name(store), strlen(sk_store_name(store)) + 1);
    memcpy(invite->alias, alias, strlen(alias) + 1);
}

/*
 * An invite with a name but without its pair would enrol a device whose every bundle is refused,
 * and nobody would learn it for months; a pair without an invite only keeps an alias from being
 * used. So the file gets its name last. What commonly fails (the folder, the space) fails before,
 * while the bytes are written beside; if the naming fails after all, the pair is taken back, and if
 * that fails too, or the machine stops in between, what is left is the second, harmless case.
 */
static enum sk_status publish(struct sk_store *store, struct sk_file *file,
                              const struct sk_buf *sealed, int64_t peer, struct sk_error *err)
{
    struct sk_delivered delivered = {.bytes = 0};
    uint8_t hash[SK_HASH_LEN];
    sk_hash_of(hash, NULL, SK_LABEL_FILE, sealed->bytes, sealed->len);
    enum sk_status status = sk_deliver_file(file, sk_file_path(file), hash, &delivered, err);
    /* Where the name could not be taken back, or nobody can tell, the pair has to stay. */
    bool there = true;
    sk_ignore(sk_file_find(sk_file_path(file), &there, NULL));
    bool named = status == SK_OK || (status != SK_CREATE && there);
    if (!named) {
        enum sk_status removed = remove_pair(store, peer, NULL);
        (void)removed;
    }
    return status;
}

enum sk_status sk_invite_issue(struct sk_store *store, const char *alias, const char *code,
                               const char *path, struct sk_error *err)
{
    sk_auto_invite invite = {0};
    sk_auto_buf sealed = SK_BUF_INIT;
    sk_auto_file file = NULL;
    int64_t peer;

    SK_TRY(check_issue(store, alias, path, err));
    sk_invite_fill(&invite, store, alias);
    SK_TRY(sk_invite_seal(&sealed, &invite, sk_invite_seed(store), code, err));
    SK_TRY(write_beside(&file, path, &sealed, err));
    SK_TRY(sk_invite_add_device(store, &invite, &peer, err));
    return publish(store, file, &sealed, peer, err);
}

/* ---- the device ---- */

static enum sk_status check_archive_new(struct sk_store *store, const uint8_t *id,
                                        struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row;
    SK_TRY(sk_db_prepare(sk_store_db(store), &stmt,
                         "SELECT count(*), count(*) FILTER (WHERE archive_id = ?1) FROM peer",
                         err));
    sk_bind_bytes(stmt, 1, id, SK_HASH_LEN);
    SK_TRY(sk_step(stmt, &row, err));
    if (sk_column_int(stmt, 1) > 0)
        return sk_fail(err, SK_REFUSED,
                       "this store has accepted an invite of this archive before, and needs no "
                       "other: that one is for a new store");
    if (sk_column_int(stmt, 0) >= SK_ARCHIVES_MAX)
        return sk_fail(err, SK_REFUSED,
                       "this store sends to %d archives already, and no more "
                       "fit into a bundle",
                       SK_ARCHIVES_MAX);
    return SK_OK;
}

/* A key of low order would make every later export fail, for all archives: it must not get in. */
static enum sk_status check_agrees(struct sk_store *store, const struct sk_invite *invite,
                                   struct sk_error *err)
{
    sk_auto_key shared = {{0}};
    if (sk_store_dh(store, shared.bytes, invite->dh_public) != SK_OK)
        return sk_fail(err, SK_DAMAGED, "the invite has an unusable key");
    return SK_OK;
}

enum sk_status sk_invite_add_archive(struct sk_store *store, const struct sk_invite *invite,
                                     struct sk_error *err)
{
    sk_auto_store_txn txn = NULL;
    sk_auto_key receipts = {{0}};
    int64_t peer;

    SK_TRY(check_agrees(store, invite, err));
    sk_ratchet_receipts(receipts.bytes, invite->psk);
    const struct pair pair = {.alias = invite->name,
                              .archive_id = invite->archive_id,
                              .dh_public = invite->dh_public,
                              .sign_public = invite->sign_public,
                              .send = invite->psk,
                              .receive = receipts.bytes};
    SK_TRY(sk_store_begin(&txn, store, err));
    SK_TRY(check_archive_new(store, invite->archive_id, err));
    SK_TRY(add_pair(store, &pair, &peer, err));
    return sk_store_commit(&txn, err);
}

enum sk_status sk_invite_accept(struct sk_store *store, const uint8_t *bytes, size_t len,
                                const char *code, char *name, struct sk_error *err)
{
    sk_auto_invite invite = {0};

    if (sk_store_kind(store) != SK_STORE_DEVICE)
        return sk_fail(err, SK_CONFIG, "only a documenter's store accepts an invite");
    SK_TRY(sk_invite_open(&invite, bytes, len, code, err));
    SK_TRY(sk_invite_add_archive(store, &invite, err));
    memcpy(name, invite.name, sizeof(invite.name));
    return SK_OK;
}
