/*
 * What the files of the database share. db.c opens, closes and runs transactions, db_stmt.c is
 * statements, db_words.c what FTS5 takes for a word, db_library.c is SQLite's settings for the
 * whole process.
 */
#ifndef SK_CORE_DB_INTERNAL_H
#define SK_CORE_DB_INTERNAL_H

#include "core/db.h"
#include "core/sqlite.h"
#include "core/vfs.h"

#define SK_DB_STMT_BUCKETS 256

struct sk_stmt {
    sqlite3_stmt *handle;
    struct sk_db *db;
    const char *sql;
    struct sk_stmt *next; /* in its bucket */
    int bind_rc;          /* the first bind that failed */
    bool in_use;
};

struct sk_db {
    sqlite3 *handle;
    struct sk_vfs *vfs;
    char *path;
    bool read_only;
    int64_t schema; /* user_version */
    bool trusted;
    bool log_waits; /* the log of a crash is still to be moved: nothing may be added to it */
    bool in_transaction;
    enum sk_status broken; /* why a commit or rollback failed: nothing works but closing */
    struct sk_stmt *buckets[SK_DB_STMT_BUCKETS];
};

/* Settles SQLite's settings before its first use, once. Errors: SK_CONFIG. */
SK_MUST_CHECK
enum sk_status sk_db_start_library(struct sk_error *err);

/* Whether an allocation of SQLite's failed in this thread since this was last asked. */
bool sk_db_starved(void);

/*
 * The status of one of SQLite's result codes, with words. SQLite's own messages may hold a record's
 * text and are never used; its fixed sentence for the code is. Damage that the VFS found reaches
 * SQLite as an I/O error.
 */
enum sk_status sk_db_fail(const struct sk_db *db, int rc, struct sk_error *err);

/*
 * Whether the handle can be used at all. A transaction may be gone: SQLite undoes it after some
 * errors, and what follows would then be saved piece by piece. Errors: SK_IO,
 * SK_NOMEM when the reason was a lack of memory.
 */
SK_MUST_CHECK
enum sk_status sk_db_check_usable(const struct sk_db *db, struct sk_error *err);

/* Frees all statements; none may be in use. */
void sk_db_free_statements(struct sk_db *db);

#endif
