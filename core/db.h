/*
 * The encrypted database: SQLite in WAL mode over the encrypting VFS, with every setting that keeps
 * it from writing elsewhere or trusting what it reads. The only place, with vfs.c, that sees
 * sqlite3.h (through core/sqlite.h). Queries are constant strings beside the code that binds them.
 *
 *     sk_auto_stmt stmt = NULL;
 *     bool row;
 *     SK_TRY(sk_db_prepare(db, &stmt, "SELECT size FROM log WHERE id = ?1", err));
 *     sk_bind_int(stmt, 1, id);
 *     SK_TRY(sk_step(stmt, &row, err));
 *     if (row)
 *         size = sk_column_int(stmt, 0);
 */
#ifndef SK_CORE_DB_H
#define SK_CORE_DB_H

#include "core/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sk_db;
struct sk_stmt;

struct sk_db_options {
    const char *path;         /* of `data` */
    const uint8_t *store_key; /* 32 bytes */
    const uint8_t *store_id;  /* 16 bytes */
    bool create;              /* must not exist; otherwise it must */
    bool read_only;
};

#define SK_APPLICATION_ID 0x536b726e /* "Skrn", of the database */

/*
 * Opens, with these settings: exclusive locking, temp_store memory, WAL, synchronous FULL, 32 MB of
 * cache, secure_delete, cell_size_check, defensive, untrusted schema, no URI names, no extensions,
 * an authorizer that refuses ATTACH. A newer schema is refused untouched.
 *
 * Nothing is written to a database that was there until sk_db_trust(): after a crash
 * (sk_db_recovered()) and before steps of the schema that are missing (sk_db_old()) the caller
 * first verifies what it holds, while the files are still as they were.
 *
 * Errors: SK_MISSING, SK_CREATE, SK_DAMAGED, SK_CONFIG (newer schema), SK_BUSY, SK_IO, SK_FULL.
 */
SK_MUST_CHECK
enum sk_status sk_db_open(struct sk_db **out, const struct sk_db_options *options,
                          struct sk_error *err);
bool sk_db_recovered(const struct sk_db *db);
bool sk_db_old(const struct sk_db *db);
/* Then moves the log of a crash into the database. On a full disk that waits for the first
 * transaction, which fails as long as there is no room, and reading goes on. Then runs the steps of
 * the schema that are missing, each in its transaction. Errors: SK_IO; with such steps, SK_FULL. */
SK_MUST_CHECK
enum sk_status sk_db_trust(struct sk_db *db, struct sk_error *err);

/* Rolls back what is open, checkpoints (if trusted), closes, frees. Errors: SK_IO, SK_FULL: what
 * was committed is in the write-ahead log and is recovered at the next open. NULL is allowed. */
enum sk_status sk_db_close(struct sk_db *db, struct sk_error *err);

/*
 * One write transaction at a time. After a commit that failed, nothing works on this handle but
 * closing it: what was committed before is safe, the rest was not saved.
 */
SK_MUST_CHECK
enum sk_status sk_db_begin(struct sk_db *db, struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_db_commit(struct sk_db *db, struct sk_error *err);
void sk_db_rollback(struct sk_db *db); /* without a transaction: nothing */
bool sk_db_in_transaction(const struct sk_db *db);

/* A named point inside a transaction: what came after it is undone or kept, without the rest. */
SK_MUST_CHECK
enum sk_status sk_db_savepoint(struct sk_db *db, struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_db_savepoint_release(struct sk_db *db, struct sk_error *err);
void sk_db_savepoint_undo(struct sk_db *db);

/*
 * A statement for a constant query; compiled once for each `sql` pointer and kept. It goes back by
 * sk_stmt_done() (or sk_auto_stmt), reset and with its bindings cleared. A query that is used while
 * the same query is still running gets a second statement.
 */
SK_MUST_CHECK
enum sk_status sk_db_prepare(struct sk_db *db, struct sk_stmt **out, const char *sql,
                             struct sk_error *err);
void sk_stmt_done(struct sk_stmt *stmt); /* NULL is allowed */

/* Parameters count from 1. Bytes and text are not copied: they stay valid until the next step's
 * end. A bind that fails makes the next sk_step() fail. NULL bytes or text bind SQL's NULL. */
void sk_bind_int(struct sk_stmt *stmt, int index, int64_t v);
void sk_bind_bytes(struct sk_stmt *stmt, int index, const void *bytes, size_t len);
void sk_bind_text(struct sk_stmt *stmt, int index, const char *text);
void sk_bind_text_len(struct sk_stmt *stmt, int index, const char *text, size_t len);
void sk_bind_null(struct sk_stmt *stmt, int index);

/* Runs to the next row; *row tells whether there is one. Errors: SK_DAMAGED, SK_IO, SK_FULL, ... */
SK_MUST_CHECK
enum sk_status sk_step(struct sk_stmt *stmt, bool *row, struct sk_error *err);

/* Runs a statement that gives no rows, then resets it (bindings stay). */
SK_MUST_CHECK
enum sk_status sk_run(struct sk_stmt *stmt, struct sk_error *err);

/* Resets so that the statement can be bound and run again. */
void sk_stmt_reset(struct sk_stmt *stmt);

/* Columns count from 0; pointers are valid until the next step or reset. */
int64_t sk_column_int(struct sk_stmt *stmt, int index);
const uint8_t *sk_column_bytes(struct sk_stmt *stmt, int index, size_t *len); /* never NULL */
const char *sk_column_text(struct sk_stmt *stmt, int index);                  /* never NULL */
bool sk_column_null(struct sk_stmt *stmt, int index);

/*
 * A column that must be exactly `len` bytes, copied. Errors: SK_DAMAGED.
 */
SK_MUST_CHECK
enum sk_status sk_column_copy(struct sk_stmt *stmt, int index, void *out, size_t len,
                              struct sk_error *err);

/* Rowid of the last insert; rows changed by the last statement. */
int64_t sk_db_last_id(const struct sk_db *db);
int64_t sk_db_changes(const struct sk_db *db);

/* Runs a constant query without parameters or rows (also several, separated by semicolons). */
SK_MUST_CHECK
enum sk_status sk_db_exec(struct sk_db *db, const char *sql, struct sk_error *err);

/* Moves the write-ahead log into the database and cuts it to nothing. */
SK_MUST_CHECK
enum sk_status sk_db_checkpoint(struct sk_db *db, struct sk_error *err);

/*
 * Every page's tag and, if all pages are whole, SQLite's own integrity_check; calls `each` with one
 * sentence a problem.
 * Errors: those of reading.
 */
typedef void sk_db_problem_fn(void *context, const char *sentence);
SK_MUST_CHECK
enum sk_status sk_db_check(struct sk_db *db, sk_db_problem_fn *each, void *context,
                           struct sk_error *err);

/*
 * A closed database as a file. `recognizes`: whether its beginning opens under this key and store
 * id; false also when it is not there (errors: SK_IO). `copy`: the same pages under another key, in
 * a file that gets its name when it is whole, synced and was read back; `tell` hears of each piece,
 * twice the size in all (errors: SK_DAMAGED, SK_REFUSED when it was not closed well, SK_IO,
 * SK_FULL, SK_CREATE). `mend`: as sk_vfs_mend(), of a copy that was put in its place (errors:
 * SK_IO, SK_FULL, SK_MISSING, SK_REFUSED). Of the options, path, key and id count.
 */
SK_MUST_CHECK
enum sk_status sk_db_recognizes(const struct sk_db_options *options, bool *yes,
                                struct sk_error *err);
typedef void sk_db_copied_fn(void *context, uint64_t bytes);
SK_MUST_CHECK
enum sk_status sk_db_copy(const struct sk_db_options *from, const struct sk_db_options *to,
                          sk_db_copied_fn *tell, void *context, struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_db_mend(const struct sk_db_options *options, const char *from_path,
                          struct sk_error *err);

/*
 * The words of a text as the search index has them (db_words.c): calls `each` with the place of
 * each word, from 0, and its bytes, which are borrowed. One serves any number of texts, and goes
 * before the database is closed. Errors: SK_NOMEM, SK_INTERNAL.
 */
struct sk_word_reader;
typedef void sk_word_fn(void *context, int64_t offset, const char *word, size_t len);
SK_MUST_CHECK
enum sk_status sk_db_words_new(struct sk_db *db, struct sk_word_reader **out, struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_db_words_each(struct sk_word_reader *words, const char *text, size_t len,
                                sk_word_fn *each, void *context, struct sk_error *err);
void sk_db_words_free(struct sk_word_reader *words); /* NULL is allowed */

static inline void sk_stmt_cleanup(struct sk_stmt **stmt)
{
    sk_stmt_done(*stmt);
}
#define sk_auto_stmt __attribute__((cleanup(sk_stmt_cleanup))) struct sk_stmt *

/* `sk_auto_txn txn = NULL; SK_TRY(sk_txn_begin(&txn, db, err)); ... return sk_txn_commit(&txn,
 * err);` rolls back at the end of the scope unless committed. */
static inline void sk_txn_cleanup(struct sk_db **db)
{
    if (*db)
        sk_db_rollback(*db);
}
#define sk_auto_txn __attribute__((cleanup(sk_txn_cleanup))) struct sk_db *
SK_MUST_CHECK
enum sk_status sk_txn_begin(struct sk_db **txn, struct sk_db *db, struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_txn_commit(struct sk_db **txn, struct sk_error *err);

#endif
