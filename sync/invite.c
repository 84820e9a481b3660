/*
 * Invite file: salt[16] | sealed[4040] | nonce[24] | tag[16]. The content, by offset: u32 version |
 * 4 dh_public[32] | 36 sign_public[32] | 68 psk[32] | 100 u8 name length | 101 name[100] |
 * 201 u8 alias length | 202 alias[100] | 302 signature[64] | 366 zeros.
 */
#include "sync/invite.h"

#include "core/file.h"
#include "core/text.h"
#include "crypto/aead.h"
#include "crypto/bytes.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "sync/manifest.h"
#include "sync/ratchet.h"

#include <string.h>

#define VERSION      1u
#define CONTEXT      "skrynia invite 1" /* signed with its NUL */
#define PLAIN_LEN    (SK_INVITE_FILE_LEN - SK_KDF_SALT_LEN - SK_PAGE_OVERHEAD)
#define DH_AT        4
#define SIGN_AT      36
#define PSK_AT       68
#define NAME_AT      100
#define ALIAS_AT     201
#define SIGNATURE_AT 302
#define ZEROS_AT     (SIGNATURE_AT + SK_SIGNATURE_LEN)

_Static_assert(ALIAS_AT == NAME_AT + 1 + SK_ALIAS_MAX, "name");
_Static_assert(SIGNATURE_AT == ALIAS_AT + 1 + SK_ALIAS_MAX, "alias");

/* Always the full price, whatever the store's own unlock costs: the file travels and can be kept.
 */
static const struct sk_kdf_params kdf = {SK_KDF_MEMORY_KIB, SK_KDF_PASSES, 0};

struct content {
    uint8_t bytes[PLAIN_LEN];
};
static void content_cleanup(struct content *content)
{
    sk_wipe(content, sizeof(*content));
}
#define auto_content __attribute__((cleanup(content_cleanup))) struct content

struct signed_part {
    uint8_t bytes[sizeof(CONTEXT) + SIGNATURE_AT]; /* sizeof counts the NUL */
};
static void signed_part_cleanup(struct signed_part *part)
{
    sk_wipe(part, sizeof(*part));
}
#define auto_signed_part __attribute__((cleanup(signed_part_cleanup))) struct signed_part

void sk_invite_clear(struct sk_invite *invite)
{
    sk_wipe(invite, sizeof(*invite));
}

bool sk_invite_possible(uint64_t file_len)
{
    return file_len == SK_INVITE_FILE_LEN;
}

/* ---- content ---- */

/* A name stands in messages and is typed back by a person: only what can be shown as it is. */
static enum sk_status check_name(const char *name, enum sk_status status, const char *what,
                                 struct sk_error *err)
{
    sk_auto_buf shown = SK_BUF_INIT;
    size_t len = strlen(name);
    if (len < 1 || len > SK_ALIAS_MAX)
        return sk_fail(err, status, "%s must have 1 to %d bytes", what, SK_ALIAS_MAX);
    SK_TRY(sk_text_show(&shown, name, len, false, 0, err));
    if (shown.len != len || memcmp(sk_buf_text(&shown), name, len) != 0)
        return sk_fail(err, status, "%s has characters that cannot be shown", what);
    return SK_OK;
}

static void put_name(uint8_t *at, const char *name)
{
    size_t len = strlen(name);
    at[0] = (uint8_t)len;
    memcpy(at + 1, name, len);
}

/* out: SK_ALIAS_MAX + 1 bytes. Strict: each name has one encoding. */
static enum sk_status get_name(char *out, const uint8_t *at, const char *what, struct sk_error *err)
{
    size_t len = at[0];
    if (len > SK_ALIAS_MAX)
        return sk_fail(err, SK_DAMAGED, "the invite is malformed");
    memcpy(out, at + 1, len);
    out[len] = '\0';
    for (size_t i = 0; i < SK_ALIAS_MAX; i++)
        if ((at[1 + i] != 0) != (i < len))
            return sk_fail(err, SK_DAMAGED, "the invite is malformed");
    return check_name(out, SK_DAMAGED, what, err);
}

static void sign_part(struct signed_part *part, const struct content *content)
{
    memcpy(part->bytes, CONTEXT, sizeof(CONTEXT));
    memcpy(part->bytes + sizeof(CONTEXT), content->bytes, SIGNATURE_AT);
}

static void encode(struct content *out, const struct sk_invite *invite,
                   const uint8_t seed[static SK_SIGN_SEED_LEN])
{
    auto_signed_part part = {{0}};
    memset(out->bytes, 0, sizeof(out->bytes));
    sk_put_u32(out->bytes, VERSION);
    memcpy(out->bytes + DH_AT, invite->dh_public, SK_DH_LEN);
    memcpy(out->bytes + SIGN_AT, invite->sign_public, SK_SIGN_PUBLIC_LEN);
    memcpy(out->bytes + PSK_AT, invite->psk, sizeof(invite->psk));
    put_name(out->bytes + NAME_AT, invite->name);
    put_name(out->bytes + ALIAS_AT, invite->alias);
    sign_part(&part, out);
    sk_sign(out->bytes + SIGNATURE_AT, part.bytes, sizeof(part.bytes), seed);
}

/* The version comes first, then the signature: nothing that the archive did not sign is looked at.
 */
static enum sk_status decode(struct sk_invite *out, const struct content *in, struct sk_error *err)
{
    auto_signed_part part = {{0}};
    uint32_t version = sk_get_u32(in->bytes);
    if (version > VERSION)
        return sk_fail(err, SK_CONFIG, "the invite was made by a newer version of this program");
    sign_part(&part, in);
    if (version < VERSION || sk_sign_verify(in->bytes + SIGNATURE_AT, part.bytes,
                                            sizeof(part.bytes), in->bytes + SIGN_AT) != SK_OK)
        return sk_fail(err, SK_DAMAGED, "the invite is malformed");
    for (size_t i = ZEROS_AT; i < PLAIN_LEN; i++)
        if (in->bytes[i] != 0)
            return sk_fail(err, SK_DAMAGED, "the invite is malformed");
    SK_TRY(get_name(out->name, in->bytes + NAME_AT, "the archive's name", err));
    SK_TRY(get_name(out->alias, in->bytes + ALIAS_AT, "the alias", err));
    memcpy(out->dh_public, in->bytes + DH_AT, SK_DH_LEN);
    memcpy(out->sign_public, in->bytes + SIGN_AT, SK_SIGN_PUBLIC_LEN);
    memcpy(out->psk, in->bytes + PSK_AT, sizeof(out->psk));
    return SK_OK;
}

/* ---- code words ---- */

static bool between_words(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '-';
}

/* The words in lower case, one space between two. */
static enum sk_status normalise(struct sk_buf *out, const char *code, struct sk_error *err)
{
    bool gap = false;
    SK_TRY(sk_buf_grow(out, strlen(code), err));
    for (; *code; code++) {
        if (between_words(*code)) {
            gap = true;
            continue;
        }
        if (gap && out->len > 0)
            SK_TRY(sk_buf_add_byte(out, ' ', err));
        gap = false;
        char c = *code >= 'A' && *code <= 'Z' ? (char)(*code - 'A' + 'a') : *code;
        SK_TRY(sk_buf_add_byte(out, (uint8_t)c, err));
    }
    return SK_OK;
}

static enum sk_status code_key(struct sk_key *out, const struct sk_buf *words,
                               const uint8_t salt[static SK_KDF_SALT_LEN], struct sk_error *err)
{
    sk_auto_secret slow = NULL;
    enum sk_status status = sk_kdf_passphrase(&slow, words->bytes, words->len, salt, &kdf);
    if (status)
        return sk_fail_status(err, status);
    sk_hash_of(out->bytes, sk_secret_view(slow), SK_LABEL_INVITE, NULL, 0);
    return SK_OK;
}

/* ---- sealing and opening ---- */

enum sk_status sk_invite_seal(struct sk_buf *out, const struct sk_invite *invite,
                              const uint8_t seed[static SK_SIGN_SEED_LEN], const char *code,
                              struct sk_error *err)
{
    auto_content content = {{0}};
    uint8_t file[SK_INVITE_FILE_LEN];
    sk_auto_buf words = SK_BUF_INIT;
    sk_auto_key key = {{0}};

    SK_TRY(check_name(invite->name, SK_USAGE, "the archive's name", err));
    SK_TRY(check_name(invite->alias, SK_USAGE, "an alias", err));
    SK_TRY(normalise(&words, code, err));
    if (words.len == 0)
        return sk_fail(err, SK_USAGE, "an invite needs code words");
    sk_random(file, SK_KDF_SALT_LEN);
    SK_TRY(code_key(&key, &words, file, err));
    encode(&content, invite, seed);
    sk_page_seal(file + SK_KDF_SALT_LEN, content.bytes, PLAIN_LEN, NULL, 0, key.bytes);
    return sk_buf_add(out, file, sizeof(file), err);
}

enum sk_status sk_invite_open(struct sk_invite *out, const uint8_t *bytes, size_t len,
                              const char *code, struct sk_error *err)
{
    auto_content content = {{0}};
    sk_auto_invite invite = {0};
    sk_auto_buf words = SK_BUF_INIT;
    sk_auto_key key = {{0}};

    if (len != SK_INVITE_FILE_LEN)
        return sk_fail(err, SK_DAMAGED, "this is not an invite: it has another length");
    SK_TRY(normalise(&words, code, err));
    SK_TRY(code_key(&key, &words, bytes, err));
    if (sk_page_open(content.bytes, bytes + SK_KDF_SALT_LEN, PLAIN_LEN, NULL, 0, key.bytes) !=
        SK_OK)
        return sk_fail(err, SK_WRONG_KEY,
                       "the invite does not open: the code words are wrong or the file is damaged");
    SK_TRY(decode(&invite, &content, err));
    *out = invite;
    return SK_OK;
}

/* ---- pairs ---- */

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

    SK_TRY(sk_store_begin(&txn, store, err));
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
    return row ? sk_fail(err, SK_REFUSED, "%s: a device with this alias is invited already", alias)
               : SK_OK;
}

static enum sk_status add_device(struct sk_store *store, const struct sk_invite *invite,
                                 int64_t *peer, struct sk_error *err)
{
    sk_auto_store_txn txn = NULL;
    sk_auto_key receipts = {{0}};

    sk_ratchet_receipts(receipts.bytes, invite->psk);
    const struct pair pair = {
        .alias = invite->alias, .send = receipts.bytes, .receive = invite->psk};
    SK_TRY(sk_store_begin(&txn, store, err));
    SK_TRY(check_alias_free(store, invite->alias, err));
    SK_TRY(add_pair(store, &pair, peer, err));
    return sk_store_commit(&txn, err);
}

static enum sk_status write_beside(struct sk_file **out, const char *path,
                                   const struct sk_buf *sealed, struct sk_error *err)
{
    sk_auto_file file = NULL;
    SK_TRY(sk_file_create_beside(&file, path, err));
    SK_TRY(sk_file_write(file, sealed->bytes, sealed->len, err));
    SK_TRY(sk_file_sync(file, err));
    *out = file;
    file = NULL;
    return SK_OK;
}

static enum sk_status check_issue(struct sk_store *store, const char *alias, const char *path,
                                  struct sk_error *err)
{
    if (sk_store_kind(store) != SK_STORE_ARCHIVE)
        return sk_fail(err, SK_CONFIG, "only an archive invites devices");
    SK_TRY(check_name(alias, SK_USAGE, "an alias", err));
    SK_TRY(check_name(sk_store_name(store), SK_CONFIG, "the archive's name", err));
    SK_TRY(check_alias_free(store, alias, err));
    if (sk_file_exists(path))
        return sk_fail(err, SK_CREATE, "%s exists already and was left as it is", path);
    return SK_OK;
}

static void fill_invite(struct sk_invite *invite, const struct sk_store *store, const char *alias)
{
    memcpy(invite->dh_public, sk_store_dh_public(store), SK_DH_LEN);
    memcpy(invite->sign_public, sk_store_sign_public(store), SK_SIGN_PUBLIC_LEN);
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
static enum sk_status publish(struct sk_store *store, struct sk_file *file, int64_t peer,
                              struct sk_error *err)
{
    enum sk_status status = sk_file_publish(file, false, err);
    /* A folder that did not sync may still hold the named file: then the pair has to stay. */
    bool named = status == SK_OK || (status != SK_CREATE && sk_file_exists(sk_file_path(file)));
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
    fill_invite(&invite, store, alias);
    SK_TRY(sk_invite_seal(&sealed, &invite, sk_store_seed(store), code, err));
    SK_TRY(write_beside(&file, path, &sealed, err));
    SK_TRY(add_device(store, &invite, &peer, err));
    return publish(store, file, peer, err);
}

/* ---- the device ---- */

static void archive_id(uint8_t out[static SK_HASH_LEN], const struct sk_invite *invite)
{
    struct sk_hash h;
    sk_hash_init(&h, NULL, SK_LABEL_ARCHIVE_ID);
    sk_hash_add(&h, invite->sign_public, SK_SIGN_PUBLIC_LEN);
    sk_hash_add(&h, invite->dh_public, SK_DH_LEN);
    sk_hash_end(&h, out);
}

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
        return sk_fail(err, SK_REFUSED, "this store has accepted an invite of this archive before");
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

enum sk_status sk_invite_accept(struct sk_store *store, const uint8_t *bytes, size_t len,
                                const char *code, char *name, struct sk_error *err)
{
    sk_auto_invite invite = {0};
    sk_auto_store_txn txn = NULL;
    sk_auto_key receipts = {{0}};
    uint8_t id[SK_HASH_LEN];
    int64_t peer;

    if (sk_store_kind(store) != SK_STORE_DEVICE)
        return sk_fail(err, SK_CONFIG, "only a documenter's store accepts an invite");
    SK_TRY(sk_invite_open(&invite, bytes, len, code, err));
    SK_TRY(check_agrees(store, &invite, err));
    archive_id(id, &invite);
    sk_ratchet_receipts(receipts.bytes, invite.psk);
    const struct pair pair = {.alias = invite.name,
                              .archive_id = id,
                              .dh_public = invite.dh_public,
                              .sign_public = invite.sign_public,
                              .send = invite.psk,
                              .receive = receipts.bytes};
    SK_TRY(sk_store_begin(&txn, store, err));
    SK_TRY(check_archive_new(store, id, err));
    SK_TRY(add_pair(store, &pair, &peer, err));
    SK_TRY(sk_store_commit(&txn, err));
    memcpy(name, invite.name, sizeof(invite.name));
    return SK_OK;
}
