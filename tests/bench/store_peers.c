#include "tests/bench/store_bench.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef SK_BENCH_SQLCIPHER
#include "core/db_internal.h"
#include "core/vfs.h"
#include "crypto/aead.h"
#include "crypto/secret.h"

static struct sk_vfs *vfs;

static const char *prepare_vfs(bool create)
{
    static const uint8_t key[SK_AEAD_KEY_LEN] = {7};
    static const uint8_t id[16] = {9};
    const struct sk_vfs_options options = {.store_key = key, .store_id = id, .create = create};
    if (sk_crypto_init() != SK_OK || sk_db_start_library(NULL) != SK_OK ||
        sk_vfs_register(&vfs, &options, NULL) != SK_OK)
        bench_fail("skrynia", "the VFS does not register");
    return sk_vfs_name(vfs);
}
#endif

/* The tables of a record in core/migrations, in what SQLite 3.15 (Debian's sqlcipher) knows too. */
static const char schema[] =
    "CREATE TABLE entry(id INTEGER PRIMARY KEY, item INTEGER NOT NULL, bytes BLOB NOT NULL);"
    "CREATE INDEX entry_item ON entry(item);"
    "CREATE TABLE payload(id INTEGER PRIMARY KEY, salt BLOB NOT NULL, hashes BLOB NOT NULL,"
    " body_len INTEGER NOT NULL, media INTEGER, text BLOB NOT NULL);"
    "CREATE TABLE item(id INTEGER PRIMARY KEY, uid BLOB NOT NULL, log INTEGER NOT NULL,"
    " type INTEGER NOT NULL, revision INTEGER NOT NULL, entry INTEGER NOT NULL,"
    " shown INTEGER NOT NULL, erased INTEGER NOT NULL, title TEXT NOT NULL);"
    "CREATE UNIQUE INDEX item_uid ON item(uid, log);";

/* sqlcipher there has no FTS5, so that it is compared with what all have. */
static const char index_5[] = "CREATE VIRTUAL TABLE search USING fts5(text, content = '',"
                              " columnsize = 0, tokenize = 'unicode61 remove_diacritics 2')";
static const char index_4[] = "CREATE VIRTUAL TABLE search USING fts4(text, content=\"\","
                              " matchinfo=fts3, tokenize=unicode61)";

/* Which VFS a peer's database stands on. */
static const char *vfs_of(const char *peer, bool create)
{
#ifdef SK_BENCH_SQLCIPHER
    (void)create;
    if (strcmp(peer, "sqlcipher") == 0)
        return NULL;
#else
    if (strcmp(peer, "plain") == 0)
        return NULL;
    if (strcmp(peer, "skrynia") == 0)
        return prepare_vfs(create);
#endif
    bench_fail(peer, "there is no such peer in this program");
}

static void run(sqlite3 *db, const char *sql)
{
    bench_expect(db, sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, sql);
}

sqlite3 *bench_open(const char *peer, const char *dir, bool create)
{
    sqlite3 *db = NULL;
    char path[4096];

    const char *name = vfs_of(peer, create);
    (void)snprintf(path, sizeof(path), "%s/data", dir);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (create ? SQLITE_OPEN_CREATE : 0);
    bench_expect(db, sqlite3_open_v2(path, &db, flags, name), SQLITE_OK, path);
#ifdef SK_BENCH_SQLCIPHER
    run(db, "PRAGMA key = \"x'0707070707070707070707070707070707070707070707070707070707070707'\";"
            "PRAGMA cipher_page_size = 4096");
#else
    int reserve = SK_PAGE_OVERHEAD;
    if (create && vfs)
        bench_expect(db, sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve),
                     SQLITE_OK, "reserved bytes");
#endif
    run(db, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA temp_store = MEMORY");
    if (create)
        run(db, "PRAGMA journal_mode = MEMORY");
    run(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32000;"
            "PRAGMA secure_delete = ON; PRAGMA cell_size_check = ON; PRAGMA foreign_keys = ON;"
            "PRAGMA mmap_size = 0");
    return db;
}

void bench_close(sqlite3 *db)
{
    run(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    bench_expect(db, sqlite3_close(db), SQLITE_OK, "close");
#ifndef SK_BENCH_SQLCIPHER
    sk_vfs_unregister(vfs);
    vfs = NULL;
#endif
}

void bench_make_schema(sqlite3 *db)
{
    const char *fts = getenv("SK_BENCH_FTS");
    run(db, schema);
    bool four = fts && strcmp(fts, "4") == 0;
    run(db, four ? index_4 : index_5);
#ifndef SK_BENCH_SQLCIPHER
    /* As in core/migrations: what FTS5 takes by itself for pages of 4,096 is 4,050. */
    if (vfs && !four)
        run(db, "INSERT INTO search(search, rank) VALUES('pgsz', 4010)");
#endif
}
