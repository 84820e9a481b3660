#include "core/store.h"

#include "core/folder.h"
#include "core/form_own.h"
#include "core/log.h"
#include "core/store_internal.h"
#include "core/text.h"

#define SECRET_LEN 32

/* What belongs to one kind of store, in the words of messages. */
static const char *kind_name(uint32_t kind)
{
    return kind == SK_STORE_ARCHIVE ? "an archive, which skrynia-receiver opens"
                                    : "a documenter's store, which skrynia opens";
}

void sk_progress_tell(const struct sk_progress *progress, uint64_t done, uint64_t total)
{
    if (progress && progress->tell)
        progress->tell(progress->context, done, total);
}

/* The id of a pair of keys: a log id or an archive id. */
static void identity_id(uint8_t out[static SK_HASH_LEN], enum sk_store_kind kind,
                        const uint8_t *sign_public, const uint8_t *dh_public)
{
    uint8_t both[SK_SIGN_PUBLIC_LEN + SK_DH_LEN];
    memcpy(both, sign_public, SK_SIGN_PUBLIC_LEN);
    memcpy(both + SK_SIGN_PUBLIC_LEN, dh_public, SK_DH_LEN);
    sk_hash_of(out, NULL, kind == SK_STORE_ARCHIVE ? SK_LABEL_ARCHIVE_ID : SK_LABEL_LOG_ID, both,
               sizeof(both));
}

enum sk_status sk_meta_put(struct sk_db *db, const char *key, const void *bytes, size_t len,
                           struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(db, &stmt, "INSERT OR REPLACE INTO meta(key, value) VALUES(?1, ?2)", err));
    sk_bind_text(stmt, 1, key);
    sk_bind_bytes(stmt, 2, bytes, len);
    return sk_run(stmt, err);
}

enum sk_status sk_meta_get(struct sk_db *db, const char *key, void *out, size_t len, bool *found,
                           struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(db, &stmt, "SELECT value FROM meta WHERE key = ?1", err));
    sk_bind_text(stmt, 1, key);
    SK_TRY(sk_step(stmt, found, err));
    return *found ? sk_column_copy(stmt, 0, out, len, err) : SK_OK;
}

/* What every store has. */
static enum sk_status own_meta(struct sk_db *db, const char *key, void *out, size_t len,
                               struct sk_error *err)
{
    bool found = false;
    SK_TRY(sk_meta_get(db, key, out, len, &found, err));
    return found ? SK_OK : sk_fail(err, SK_DAMAGED, "the database lacks its own description");
}

/* Fresh keys of this installation, its name, and its empty log if it is a documenter's. */
static enum sk_status write_identity(struct sk_db *db, const struct sk_store_options *options,
                                     struct sk_error *err)
{
    sk_auto_key seed = {{0}};
    sk_auto_key scalar = {{0}};
    sk_random(seed.bytes, sizeof(seed.bytes));
    sk_random(scalar.bytes, sizeof(scalar.bytes));

    sk_auto_txn txn = NULL;
    SK_TRY(sk_txn_begin(&txn, db, err));
    uint8_t kind = (uint8_t)options->kind;
    SK_TRY(sk_meta_put(db, "kind", &kind, 1, err));
    SK_TRY(sk_meta_put(db, "name", options->name, strlen(options->name), err));
    SK_TRY(sk_meta_put(db, "seed", seed.bytes, SECRET_LEN, err));
    SK_TRY(sk_meta_put(db, "scalar", scalar.bytes, SECRET_LEN, err));
    return sk_txn_commit(&txn, err);
}

/* The own log's row, with a signed checkpoint of its empty tree. */
static enum sk_status create_own_log(struct sk_store *store, struct sk_error *err)
{
    struct sk_log log = {.state = SK_LOG_STATE_OWN};
    memcpy(log.log_id, store->id, SK_HASH_LEN);
    memcpy(log.sign_public, store->sign_public, SK_SIGN_PUBLIC_LEN);
    memcpy(log.dh_public, store->dh_public, SK_DH_LEN);
    (void)snprintf(log.alias, sizeof(log.alias), "own");

    sk_auto_store_txn txn = NULL;
    SK_TRY(sk_store_begin(&txn, store, err));
    SK_TRY(sk_log_create(store, &log, err));
    if (log.id != SK_LOG_OWN)
        return sk_fail(err, SK_INTERNAL, "the store has a log already");
    struct sk_merkle empty;
    sk_merkle_init(&empty);
    char note[SK_CHECKPOINT_NOTE_MAX];
    SK_TRY(sk_log_sign_note(store, note, &empty, err));
    SK_TRY(sk_log_set_note(store, SK_LOG_OWN, note, err));
    return sk_store_commit(&txn, err);
}

static enum sk_status load_identity(struct sk_store *store, struct sk_error *err)
{
    uint8_t kind = 0;
    SK_TRY(own_meta(store->db, "kind", &kind, 1, err));
    if (kind != store->kind)
        return sk_fail(err, SK_DAMAGED, "`keys` and `data` are not of one kind of store");

    if (sk_secret_new(&store->identity, (size_t)2 * SECRET_LEN) != SK_OK)
        return sk_fail_status(err, SK_NOMEM);
    uint8_t *secret = sk_secret_bytes(store->identity);
    SK_TRY(own_meta(store->db, "seed", secret, SECRET_LEN, err));
    SK_TRY(own_meta(store->db, "scalar", secret + SECRET_LEN, SECRET_LEN, err));
    sk_sign_public(store->sign_public, secret);
    sk_dh_public(store->dh_public, secret + SECRET_LEN);
    identity_id(store->id, store->kind, store->sign_public, store->dh_public);
    if (store->kind == SK_STORE_ARCHIVE)
        SK_TRY(sk_archive_load_keys(store, err));

    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT CAST(value AS TEXT) FROM meta WHERE key = 'name'", err));
    SK_TRY(sk_step(stmt, &row, err));
    store->name = strdup(row ? sk_column_text(stmt, 0) : "");
    return store->name ? SK_OK : sk_fail_status(err, SK_NOMEM);
}

enum sk_status sk_store_open_database(struct sk_store *store, bool create, struct sk_error *err)
{
    sk_auto_free char *path = NULL;
    SK_TRY(sk_path_join(&path, store->dir, SK_DATA_FILE, err));
    struct sk_db_options options = {
        .path = path,
        .store_key = sk_secret_view(store->store_key),
        .store_id = sk_keys_store_id(&store->keys),
        .create = create,
        .read_only = store->read_only,
    };
    return sk_db_open(&store->db, &options, err);
}

static void store_free(struct sk_store *store)
{
    if (!store)
        return;
    (void)sk_db_close(store->db, NULL);
    for (size_t i = 0; i < SK_FORMS_KEPT; i++)
        sk_own_form_unref(store->forms[i]);
    sk_secret_free(store->identity);
    sk_secret_free(store->next);
    sk_secret_free(store->store_key);
    sk_buf_clear(&store->erased_media);
    sk_buf_clear(&store->touched);
    sk_buf_clear(&store->new_media);
    sk_dir_unlock(store->lock);
    free(store->name);
    free(store->media_dir);
    free(store->dir);
    sk_wipe(store, sizeof(*store));
    free(store);
}

static void store_cleanup(struct sk_store **store)
{
    store_free(*store);
}
#define auto_store __attribute__((cleanup(store_cleanup))) struct sk_store *

/* NULL when there is no memory. */
static struct sk_store *store_new(const char *dir, enum sk_store_kind kind)
{
    auto_store store = calloc(1, sizeof(*store));
    if (!store)
        return NULL;
    store->kind = kind;
    store->dir = strdup(dir);
    if (!store->dir || sk_path_join(&store->media_dir, dir, SK_MEDIA_DIR, NULL) != SK_OK)
        return NULL;
    struct sk_store *made = store;
    store = NULL;
    return made;
}

struct sk_kdf_params sk_store_kdf_params(bool insecure)
{
    struct sk_kdf_params params = {SK_KDF_MEMORY_KIB, SK_KDF_PASSES, 0};
    if (insecure)
        params = (struct sk_kdf_params){SK_KDF_TEST_MEMORY_KIB, SK_KDF_TEST_PASSES, 1};
    return params;
}

/* Everything a store is, in a folder that nobody knows yet. */
static enum sk_status build(const char *dir, const struct sk_store_options *options,
                            sk_store_fill_fn *fill, void *context, struct sk_error *err)
{
    auto_store store = store_new(dir, options->kind);
    if (!store || sk_secret_new(&store->store_key, SECRET_LEN) != SK_OK)
        return sk_fail_status(err, SK_NOMEM);
    sk_random(sk_secret_bytes(store->store_key), SECRET_LEN);
    struct sk_kdf_params params = sk_store_kdf_params(options->insecure_kdf);
    const uint8_t *key = sk_secret_view(store->store_key);
    enum sk_status made =
        options->unlock
            ? sk_keys_create(&store->keys, options->kind, options->unlock, &params, key)
            : sk_keys_create_by_words(&store->keys, options->kind, options->words, &params, key);
    if (made != SK_OK)
        return sk_fail_status(err, made);

    SK_TRY(sk_dir_create(store->media_dir, err));
    SK_TRY(sk_store_open_database(store, true, err));
    SK_TRY(sk_db_trust(store->db, err));
    SK_TRY(write_identity(store->db, options, err));
    SK_TRY(load_identity(store, err));
    if (options->kind == SK_STORE_DEVICE)
        SK_TRY(create_own_log(store, err));
    if (fill)
        SK_TRY(fill(store, context, err));
    struct sk_db *db = store->db;
    store->db = NULL;
    SK_TRY(sk_db_close(db, err));

    sk_auto_free char *keys_path = NULL;
    SK_TRY(sk_path_join(&keys_path, dir, SK_KEYS_FILE, err));
    SK_TRY(sk_file_save(keys_path, store->keys.bytes, SK_KEYS_LEN, false, err));
    return sk_dir_sync(dir, err);
}

/* The length of a path without slashes at its end. */
static size_t bare_len(const char *dir)
{
    size_t len = strlen(dir);
    while (len > 1 && dir[len - 1] == '/')
        len--;
    return len;
}

/* "<dir>.<random>.part": beside, so that moving it into place is one rename. */
static enum sk_status scratch_name(char **out, const char *dir, struct sk_error *err)
{
    uint8_t random[8];
    char hex[2 * sizeof(random) + 1];
    sk_random(random, sizeof(random));
    sk_hex(hex, random, sizeof(random));
    size_t len = bare_len(dir);
    size_t room = len + sizeof(hex) + 8;
    char *name = malloc(room);
    if (!name)
        return sk_fail_status(err, SK_NOMEM);
    (void)snprintf(name, room, "%.*s.%s.part", (int)len, dir, hex);
    *out = name;
    return SK_OK;
}

/* A store that lost one of the two is still one, and not a place for another. */
static enum sk_status find_store(const char *dir, bool *there, struct sk_error *err)
{
    sk_auto_free char *keys = NULL;
    sk_auto_free char *data = NULL;
    SK_TRY(sk_path_join(&keys, dir, SK_KEYS_FILE, err));
    SK_TRY(sk_path_join(&data, dir, SK_DATA_FILE, err));
    SK_TRY(sk_file_find(keys, there, err));
    return *there ? SK_OK : sk_file_find(data, there, err);
}

/* ---- what an interrupted attempt left ---- */

struct leftovers {
    const char *parent;
    const char *name; /* of the store */
    size_t name_len;
};

static bool is_scratch_of(const struct leftovers *l, const char *name)
{
    static const char end[] = ".part";
    const size_t digits = 16;
    return strncmp(name, l->name, l->name_len) == 0 && name[l->name_len] == '.' &&
           strspn(name + l->name_len + 1, "0123456789abcdef") == digits &&
           strcmp(name + l->name_len + 1 + digits, end) == 0;
}

/* Whoever still works in one holds it. A link of such a name is nothing that this program made. */
static enum sk_status sweep_one(void *context, const char *name, struct sk_error *err)
{
    const struct leftovers *l = context;
    sk_auto_free char *path = NULL;
    struct sk_dir_lock *lock = NULL;
    if (!is_scratch_of(l, name))
        return SK_OK;
    SK_TRY(sk_path_join(&path, l->parent, name, err));
    if (sk_dir_lock_own(&lock, path, NULL) == SK_OK)
        sk_dir_discard(path);
    sk_dir_unlock(lock);
    return SK_OK;
}

static enum sk_status sweep_scratch(const char *dir, struct sk_error *err)
{
    sk_auto_free char *path = strndup(dir, bare_len(dir));
    sk_auto_free char *parent = NULL;
    if (!path)
        return sk_fail_status(err, SK_NOMEM);
    char *slash = strrchr(path, '/');
    size_t parent_len = slash ? (size_t)(slash - path) + 1 : 0;
    parent = slash ? strndup(path, parent_len) : strdup(".");
    if (!parent)
        return sk_fail_status(err, SK_NOMEM);
    struct leftovers l = {parent, path + parent_len, strlen(path + parent_len)};
    sk_ignore(sk_dir_each(parent, sweep_one, &l, NULL));
    return SK_OK;
}

enum sk_status sk_store_scratch(char **out, struct sk_dir_lock **lock, const char *dir,
                                struct sk_error *err)
{
    sk_auto_free char *scratch = NULL;
    SK_TRY(scratch_name(&scratch, dir, err));
    SK_TRY(sk_dir_create(scratch, err));
    enum sk_status status = sk_dir_lock(lock, scratch, 0, err);
    if (status != SK_OK) {
        sk_dir_discard(scratch);
        return status;
    }
    *out = SK_TAKE(scratch);
    return SK_OK;
}

enum sk_status sk_store_free_place(const char *dir, struct sk_error *err)
{
    bool there = false;
    SK_TRY(find_store(dir, &there, err));
    if (there)
        return sk_fail(err, SK_CREATE, "%s: a store is there already", dir);
    if (sk_file_exists(dir) && !sk_dir_empty(dir))
        return sk_fail(err, SK_CREATE, "%s: this folder is not empty", dir);
    return sweep_scratch(dir, err);
}

enum sk_status sk_store_create_filled(const struct sk_store_options *options,
                                      sk_store_fill_fn *fill, void *context, struct sk_error *err)
{
    const char *dir = options->dir;
    sk_auto_free char *scratch = NULL;
    struct sk_dir_lock *lock = NULL;
    SK_TRY(sk_store_free_place(dir, err));
    SK_TRY(sk_store_scratch(&scratch, &lock, dir, err));
    enum sk_status status = build(scratch, options, fill, context, err);
    if (status == SK_OK)
        status = sk_dir_publish(scratch, dir, err);
    if (status != SK_OK)
        sk_dir_discard(scratch);
    sk_dir_unlock(lock);
    return status;
}

enum sk_status sk_store_create(const struct sk_store_options *options, struct sk_error *err)
{
    return sk_store_create_filled(options, NULL, NULL, err);
}

static enum sk_status read_keys(struct sk_keys *keys, const char *path, struct sk_error *err)
{
    bool there = false;
    SK_TRY(sk_file_check(path, false, &there, err));
    if (!there)
        return sk_fail(err, SK_MISSING, "%s: this file of the store is missing", path);
    sk_auto_buf file = SK_BUF_INIT;
    struct sk_error why = SK_ERROR_INIT;
    enum sk_status status = sk_file_load(&file, path, SK_KEYS_LEN, &why);
    if (status == SK_LIMIT || (status == SK_OK && file.len != SK_KEYS_LEN))
        return sk_fail(err, SK_DAMAGED, "%s: this file has not the length it should have", path);
    if (status != SK_OK)
        return sk_fail(err, status, "%s", why.text);
    memcpy(keys->bytes, file.bytes, SK_KEYS_LEN);
    return SK_OK;
}

enum sk_status sk_store_key(const struct sk_store_options *options, struct sk_secret **key,
                            uint8_t store_id[static SK_STORE_ID_LEN], bool *insecure,
                            bool *by_words, struct sk_error *err)
{
    sk_auto_free char *path = NULL;
    struct sk_keys keys;
    SK_TRY(sk_path_join(&path, options->dir, SK_KEYS_FILE, err));
    SK_TRY(read_keys(&keys, path, err));
    enum sk_status sound = sk_keys_check(&keys);
    enum sk_status status = SK_WRONG_KEY;
    if (options->words)
        status = sk_keys_salvage(&keys, NULL, options->words, key, insecure);
    *by_words = status == SK_OK;
    if (status == SK_WRONG_KEY)
        status = sk_keys_salvage(&keys, options->unlock, NULL, key, insecure);
    if (status == SK_WRONG_KEY && sound == SK_CONFIG)
        return sk_fail(err, sound, "%s: made by a newer version of this program", path);
    if (status == SK_WRONG_KEY && sound != SK_OK)
        return sk_fail(err, SK_DAMAGED,
                       "%s: this file is damaged, and no slot of it opens with what was given",
                       path);
    if (status != SK_OK)
        return sk_fail_status(err, status);
    if (sk_keys_store_kind(&keys) != options->kind) {
        sk_secret_free(*key);
        *key = NULL;
        return sk_fail(err, SK_CONFIG, "%s: this is %s", options->dir,
                       kind_name(sk_keys_store_kind(&keys)));
    }
    memcpy(store_id, sk_keys_store_id(&keys), SK_STORE_ID_LEN);
    return SK_OK;
}

/* Reads `keys` and looks at what can be judged without a passphrase. */
static enum sk_status load_keys(struct sk_store *store, const char *path, struct sk_error *err)
{
    SK_TRY(read_keys(&store->keys, path, err));
    enum sk_status status = sk_keys_check(&store->keys);
    if (status == SK_CONFIG)
        return sk_fail(err, status, "%s: made by a newer version of this program", path);
    if (status != SK_OK)
        return sk_fail(err, status, "%s: this file is damaged", path);
    if (sk_keys_store_kind(&store->keys) != store->kind)
        return sk_fail(err, SK_CONFIG, "%s: this is %s", store->dir,
                       kind_name(sk_keys_store_kind(&store->keys)));
    return SK_OK;
}

/* Words are tried first: who types twelve of the list seldom means anything else. */
static enum sk_status unlock(struct sk_store *store, const struct sk_store_options *options,
                             struct sk_error *err)
{
    sk_auto_free char *path = NULL;
    enum sk_status status = SK_WRONG_KEY;
    SK_TRY(sk_path_join(&path, store->dir, SK_KEYS_FILE, err));
    SK_TRY(load_keys(store, path, err));
    if (options->words)
        status =
            sk_keys_unlock_by_words(&store->keys, options->words, &store->store_key, &store->slot);
    if (status == SK_WRONG_KEY)
        status = sk_keys_unlock(&store->keys, options->unlock, &store->store_key, &store->slot);
    if (status == SK_DAMAGED)
        return sk_fail(err, status, "%s: this file was altered", path);
    return status == SK_OK ? SK_OK : sk_fail_status(err, status);
}

/*
 * After a crash the write-ahead log decides what the store holds: what it would bring in must agree
 * with the signed heads before a page of it reaches the database file. So must a store whose schema
 * is about to be changed: a step rewrites what a damaged one might still be repaired from.
 */

struct heads {
    struct sk_store *store;
};

static enum sk_status verify_head(void *context, const struct sk_log *log, struct sk_error *err)
{
    struct heads *heads = context;
    return sk_log_verify(heads->store, log, NULL, err);
}

static enum sk_status verify_heads(struct sk_store *store, struct sk_error *err)
{
    struct heads heads = {store};
    return sk_log_each(store, verify_head, &heads, err);
}

static enum sk_status load(struct sk_store *store, struct sk_error *err)
{
    SK_TRY(load_identity(store, err));
    if (sk_db_recovered(store->db) || sk_db_old(store->db))
        SK_TRY(verify_heads(store, err));
    SK_TRY(sk_db_trust(store->db, err));
    return store->read_only ? sk_file_check(store->media_dir, true, NULL, err)
                            : sk_folder_sweep(store, err);
}

enum sk_status sk_store_open(struct sk_store **out, const struct sk_store_options *options,
                             struct sk_error *err)
{
    bool there = false;
    SK_TRY(find_store(options->dir, &there, err));
    if (!there)
        return sk_fail(err, SK_MISSING, "%s: there is no store here", options->dir);
    auto_store store = store_new(options->dir, options->kind);
    if (!store)
        return sk_fail_status(err, SK_NOMEM);
    SK_TRY(sk_dir_lock(&store->lock, options->dir, options->wait_s, err));
    store->read_only = sk_store_read_only_at(options->dir);
    SK_TRY(unlock(store, options, err));
    SK_TRY(sk_rekey_settle(store, err));
    SK_TRY(sk_store_open_database(store, false, err));
    SK_TRY(load(store, err));
    /* A restore that died when the store had its name left what it had unpacked: all that was in
     * the backup, also what is withdrawn here later. */
    if (!store->read_only)
        SK_TRY(sweep_scratch(store->dir, err));
    *out = SK_TAKE(store);
    return SK_OK;
}

enum sk_status sk_store_close(struct sk_store *store, struct sk_error *err)
{
    if (!store)
        return SK_OK;
    struct sk_db *db = store->db;
    store->db = NULL;
    enum sk_status status = sk_db_close(db, err);
    store_free(store);
    return status;
}

enum sk_status sk_store_freeze(struct sk_store *store, const uint8_t **key,
                               const uint8_t **store_id, struct sk_error *err)
{
    struct sk_db *db = store->db;
    store->db = NULL;
    enum sk_status status = sk_db_close(db, err);
    /* What a full disk keeps from being moved is in the log, which is a part as well. */
    if (status != SK_OK && status != SK_FULL)
        return status;
    *key = sk_secret_view(store->store_key);
    *store_id = sk_keys_store_id(&store->keys);
    return SK_OK;
}

bool sk_store_there(const char *dir)
{
    bool there = false;
    return find_store(dir, &there, NULL) != SK_OK || there;
}

bool sk_store_insecure(const struct sk_store *store)
{
    return sk_keys_insecure(&store->keys) != 0;
}

bool sk_store_read_only_at(const char *dir)
{
    static const char *const parts[] = {SK_DATA_FILE, SK_DATA_FILE "-wal"};
    bool read_only = sk_file_read_only(dir);
    for (size_t i = 0; !read_only && i < sizeof(parts) / sizeof(parts[0]); i++) {
        sk_auto_free char *path = NULL;
        if (sk_path_join(&path, dir, parts[i], NULL) == SK_OK)
            read_only = sk_file_read_only(path);
    }
    return read_only;
}

bool sk_store_read_only(const struct sk_store *store)
{
    return store->read_only;
}

enum sk_status sk_store_check_writable(const struct sk_store *store, struct sk_error *err)
{
    if (!store->read_only)
        return SK_OK;
    return sk_fail(err, SK_IO, "%s can only be read", store->dir);
}

enum sk_store_kind sk_store_kind(const struct sk_store *store)
{
    return store->kind;
}

const char *sk_store_name(const struct sk_store *store)
{
    return store->name;
}

const char *sk_store_dir(const struct sk_store *store)
{
    return store->dir;
}

struct sk_db *sk_store_db(struct sk_store *store)
{
    return store->db;
}

const uint8_t *sk_store_sign_public(const struct sk_store *store)
{
    return store->sign_public;
}

const uint8_t *sk_store_dh_public(const struct sk_store *store)
{
    return store->dh_public;
}

const uint8_t *sk_store_id(const struct sk_store *store)
{
    return store->id;
}

const uint8_t *sk_store_seed(const struct sk_store *store)
{
    return sk_secret_view(store->identity);
}

void sk_store_sign(const struct sk_store *store, uint8_t signature[static SK_SIGNATURE_LEN],
                   const void *message, size_t len)
{
    sk_sign(signature, message, len, sk_store_seed(store));
}

enum sk_status sk_store_dh(const struct sk_store *store, uint8_t shared[static SK_DH_LEN],
                           const uint8_t public_key[static SK_DH_LEN])
{
    return sk_dh(shared, sk_secret_view(store->identity) + SECRET_LEN, public_key);
}

enum sk_status sk_store_begin(struct sk_store **txn, struct sk_store *store, struct sk_error *err)
{
    SK_TRY(sk_store_check_writable(store, err));
    SK_TRY(sk_db_begin(store->db, err));
    store->below_now++; /* another program may have changed it */
    store->kin_changed = store->kin_dropped = false;
    *txn = store;
    return SK_OK;
}

/* Takes the words of what was erased out of the index's segments, where a deletion only marks them.
 */
static enum sk_status forget_words(struct sk_store *store, struct sk_error *err)
{
    return sk_db_exec(store->db, "INSERT INTO search(search) VALUES('optimize')", err);
}

static enum sk_status commit(struct sk_store **txn, const char *words, struct sk_error *err)
{
    struct sk_store *store = *txn;
    store->left_copies = false;
    SK_TRY(sk_log_finish(store, err));
    if (store->words_erased)
        SK_TRY(forget_words(store, err));
    SK_TRY(sk_media_mark_erased(store, err));
    /* If this fails, only opening the store again tells whether their rows are there: the files
     * keep their marks until then. */
    sk_auto_buf added = SK_TAKE(store->new_media);
    sk_auto_buf gone = SK_TAKE(store->erased_media);
    SK_TRY(sk_db_commit(store->db, err));
    *txn = NULL;
    bool erased = store->erased;
    store->erased = store->words_erased = false;
    sk_media_settle_new(store, &added);
    if (!erased)
        return SK_OK;
    struct sk_error why = SK_ERROR_INIT;
    enum sk_status removed = sk_media_remove(store, &gone, &why);
    enum sk_status cut = sk_db_checkpoint(store->db, &why);
    enum sk_status status = removed != SK_OK ? removed : cut;
    store->left_copies = status != SK_OK;
    return status == SK_OK
               ? SK_OK
               : sk_fail(err, status,
                         "%s old copies of what was taken away may still be on the disk: %s", words,
                         why.text);
}

enum sk_status sk_store_commit(struct sk_store **txn, struct sk_error *err)
{
    return commit(txn, "it was saved, but", err);
}

enum sk_status sk_store_commit_step(struct sk_store **txn, struct sk_error *err)
{
    struct sk_store *store = *txn;
    enum sk_status status = commit(txn, "it was not ended, and", err);
    store->left_copies = false;
    return status;
}

bool sk_store_left_copies(const struct sk_store *store)
{
    return store->left_copies;
}

void sk_store_erases(struct sk_store *store)
{
    store->erased = true;
}

void sk_store_rollback(struct sk_store *store)
{
    sk_db_rollback(store->db);
    sk_media_drop_new(store);
    sk_buf_reset(&store->erased_media);
    sk_buf_reset(&store->touched);
    store->erased = store->words_erased = false;
    sk_log_forget(store);
    store->below_now++;
}
