#include "tests/support/old_store.h"

#include "core/db_internal.h"
#include "crypto/aead.h"
#include "crypto/bytes.h"
#include "crypto/hash.h"
#include "crypto/slot.h"
#include "tests/support/stores.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CHUNK       65536u
#define CHUNK_PLAIN (CHUNK - SK_AEAD_TAG_LEN)

static void must(struct sk_old_store *store, int rc)
{
    if (rc != SQLITE_OK) {
        const char *fault = store->vfs ? sk_vfs_fault(store->vfs) : NULL;
        fail_msg("code %d, %s, %s", rc, sqlite3_errmsg(store->db), fault ? fault : "");
    }
}

static void exec(struct sk_old_store *store, const char *sql)
{
    must(store, sqlite3_exec(store->db, sql, NULL, NULL, NULL));
}

static void open_with(struct sk_old_store *store, const char *base, bool create)
{
    const struct sk_vfs_options options = {
        .base = base,
        .store_key = sk_secret_view(store->key),
        .store_id = store->id,
        .create = create,
    };
    int reserve = SK_PAGE_OVERHEAD;
    assert_int_equal(sk_db_start_library(NULL), SK_OK); /* before anything else uses SQLite */
    assert_int_equal(sk_vfs_register(&store->vfs, &options, NULL), SK_OK);
    int flags = SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0);
    must(store, sqlite3_open_v2(store->data, &store->db, flags, sk_vfs_name(store->vfs)));
    exec(store, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA temp_store = MEMORY");
    if (create) {
        must(store, sqlite3_file_control(store->db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve));
        exec(store, "PRAGMA journal_mode = MEMORY");
    }
    exec(store, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
}

void sk_old_store_open(struct sk_old_store *store, const char *base)
{
    open_with(store, base, false);
}

void sk_old_store_close(struct sk_old_store *store)
{
    must(store,
         sqlite3_wal_checkpoint_v2(store->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL));
    assert_int_equal(sqlite3_close(store->db), SQLITE_OK);
    sk_vfs_unregister(store->vfs);
    store->db = NULL;
    store->vfs = NULL;
}

/* ---- what the comments of a fixture say ---- */

/* The bytes of hex digits up to a space or the line's end; *text moves behind them. */
static size_t take_hex(const char **text, uint8_t *out, size_t room)
{
    size_t digits = strspn(*text, "0123456789abcdef");
    assert_true(digits % 2 == 0 && digits / 2 <= room);
    for (size_t i = 0; i < digits / 2; i++) {
        unsigned byte = 0;
        assert_int_equal(sscanf(*text + 2 * i, "%2x", &byte), 1);
        out[i] = (uint8_t)byte;
    }
    *text += digits;
    *text += **text == ' ';
    return digits / 2;
}

static void take_keys(struct sk_old_store *store, const char *hex)
{
    static const uint8_t passphrase[] = "correct horse";
    static const struct sk_unlock unlock = {passphrase, sizeof(passphrase) - 1, NULL};
    struct sk_keys keys;
    unsigned slot = 0;
    assert_int_equal(take_hex(&hex, keys.bytes, sizeof(keys.bytes)), SK_KEYS_LEN);
    assert_int_equal(sk_keys_unlock(&keys, &unlock, &store->key, &slot), SK_OK);
    memcpy(store->id, sk_keys_store_id(&keys), sizeof(store->id));
    char *path = sk_temp_path(store->dir, "keys");
    sk_temp_write(path, keys.bytes, SK_KEYS_LEN);
    free(path);
}

/* Seals the only chunk of a media file as core/FORMAT.md says; its hash tells whether that is still
 * what was there. */
static void put_media(struct sk_old_store *store, const char *line)
{
    static uint8_t plain[CHUNK_PLAIN], sealed[CHUNK];
    uint8_t name[16], wanted[32], hash[32], key[32], subkey[32];
    char file[40 + sizeof("media/")] = "media/";
    sqlite3_stmt *stmt = NULL;
    memset(plain, 0, sizeof(plain));
    assert_int_equal(take_hex(&line, name, sizeof(name)), sizeof(name));
    assert_int_equal(take_hex(&line, wanted, sizeof(wanted)), sizeof(wanted));
    size_t len = take_hex(&line, plain, sizeof(plain));
    must(store, sqlite3_prepare_v2(store->db, "SELECT key, size FROM media WHERE name = ?1", -1,
                                   &stmt, NULL));
    must(store, sqlite3_bind_blob(stmt, 1, name, sizeof(name), SQLITE_STATIC));
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int64(stmt, 1), len);
    memcpy(key, sqlite3_column_blob(stmt, 0), sizeof(key));
    sqlite3_finalize(stmt);
    sk_hash_of(subkey, key, SK_LABEL_MEDIA, name, sizeof(name));
    sk_chunk_seal(sealed, plain, CHUNK_PLAIN, 0, 1, subkey);
    crypto_hash_sha256(hash, sealed, CHUNK);
    assert_memory_equal(hash, wanted, sizeof(hash));
    sk_hex(file + strlen(file), name, sizeof(name));
    char *path = sk_temp_path(store->dir, file);
    sk_temp_write(path, sealed, CHUNK);
    free(path);
}

/* Calls `each` with what stands behind "-- <word> " in the lines that begin so. */
static void each_line(struct sk_old_store *store, const char *text, const char *word,
                      void each(struct sk_old_store *, const char *))
{
    size_t len = strlen(word);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, word, len) == 0)
            each(store, line + len);
    }
}

void sk_old_store_make(struct sk_old_store *store, const char *dir, const char *fixture,
                       const char *base)
{
    size_t len = 0;
    char *text = (char *)sk_temp_read(fixture, &len);
    char *media = sk_temp_path(dir, "media");
    assert_non_null(text);
    *store = (struct sk_old_store){.data = sk_temp_path(dir, "data"), .dir = strdup(dir)};
    assert_int_equal(mkdir(dir, 0700), 0);
    assert_int_equal(mkdir(media, 0700), 0);
    free(media);
    each_line(store, text, "-- keys ", take_keys);
    assert_non_null(store->key);
    open_with(store, base, true);
    exec(store, "BEGIN");
    exec(store, text);
    exec(store, "COMMIT");
    if (!base)
        each_line(store, text, "-- media ", put_media);
    sk_old_store_close(store);
    free(text);
}

void sk_old_store_clear(struct sk_old_store *store)
{
    sk_secret_free(store->key);
    free(store->data);
    free(store->dir);
}

int64_t sk_old_store_int(struct sk_old_store *store, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    must(store, sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL));
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return value;
}

void sk_old_store_hash(struct sk_old_store *store, uint8_t out[static 32])
{
    static const char *const tables[] = {
        "SELECT * FROM meta ORDER BY 1",        "SELECT * FROM log ORDER BY 1",
        "SELECT * FROM node ORDER BY 1,2,3",    "SELECT * FROM entry ORDER BY 1",
        "SELECT * FROM payload ORDER BY 1",     "SELECT * FROM item ORDER BY 1",
        "SELECT * FROM link ORDER BY 1",        "SELECT * FROM attachment ORDER BY 1",
        "SELECT * FROM media ORDER BY 1",       "SELECT * FROM malformed ORDER BY 1",
        "SELECT * FROM chain ORDER BY 1",       "SELECT * FROM chain_index ORDER BY 1,2",
        "SELECT * FROM peer ORDER BY 1",        "SELECT * FROM export ORDER BY 1",
        "SELECT * FROM segment ORDER BY 1",     "SELECT * FROM quarantine ORDER BY 1",
        "SELECT * FROM search_data ORDER BY 1",
    };
    struct sk_hash hash;
    sk_hash_init(&hash, NULL, SK_LABEL_KEY_FILE);
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        sqlite3_stmt *stmt = NULL;
        must(store, sqlite3_prepare_v2(store->db, tables[i], -1, &stmt, NULL));
        while (sqlite3_step(stmt) == SQLITE_ROW)
            for (int column = 0; column < sqlite3_column_count(stmt); column++) {
                const void *bytes = sqlite3_column_blob(stmt, column);
                int len = sqlite3_column_bytes(stmt, column);
                sk_hash_add(&hash, &len, sizeof(len));
                if (len > 0)
                    sk_hash_add(&hash, bytes, (size_t)len);
            }
        must(store, sqlite3_finalize(stmt));
    }
    sk_hash_end(&hash, out);
}
