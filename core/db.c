#include "core/db_internal.h"
#include "core/embed.h"
#include "core/file.h"
#include "crypto/aead.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AUTOCHECKPOINT_PAGES 1000
#define PRAGMA_ROOM          64
#define SENTENCE_ROOM        300

/* ---- errors ---- */

/* The words of a fault begin with the file's name, so only the folder comes before them. */
static enum sk_status fail_fault(const struct sk_db *db, const char *fault, struct sk_error *err)
{
    const char *slash = strrchr(db->path, '/');
    int folder_len = slash ? (int)(slash - db->path) + 1 : 0;
    return sk_fail(err, SK_DAMAGED, "%.*s%s", folder_len, db->path, fault);
}

enum sk_status sk_db_fail(const struct sk_db *db, int rc, struct sk_error *err)
{
    const char *fault = sk_vfs_fault(db->vfs);

    switch (rc & 0xff) {
    case SQLITE_NOMEM:
        return sk_fail_status(err, SK_NOMEM);
    case SQLITE_FULL:
        return sk_fail(err, SK_FULL, "%s: there is no space left", db->path);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return sk_fail(err, SK_BUSY, "%s is in use by another program", db->path);
    case SQLITE_READONLY:
        return sk_fail(err, SK_IO, "%s can only be read", db->path);
    case SQLITE_TOOBIG:
        return sk_fail_status(err, SK_LIMIT);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        if (fault)
            return fail_fault(db, fault, err);
        /* What could not be read before looks like damage afterwards. */
        if (sk_vfs_trouble(db->vfs) != SK_OK)
            return sk_fail(err, SK_IO, "%s: reading or writing failed", db->path);
        return sk_fail(err, SK_DAMAGED, "%s: the database is damaged", db->path);
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        if (fault)
            return fail_fault(db, fault, err);
        /* What the VFS noted when it happened: errno is of whatever call came last. */
        if (sk_vfs_trouble(db->vfs) == SK_FULL)
            return sk_fail(err, SK_FULL, "%s: there is no space left", db->path);
        return sk_fail(err, SK_IO, "%s: reading or writing failed", db->path);
    default:
        return sk_fail(err, SK_INTERNAL, "%s: %s", db->path, sqlite3_errstr(rc));
    }
}

/* A lack of memory passes; all else that broke it is the disk's. */
static void set_broken(struct sk_db *db, enum sk_status why)
{
    if (db->broken == SK_OK)
        db->broken = why == SK_NOMEM ? SK_NOMEM : SK_IO;
}

enum sk_status sk_db_check_usable(const struct sk_db *db, struct sk_error *err)
{
    if (db->broken != SK_OK)
        return sk_fail(err, db->broken, "%s: %s", db->path,
                       sk_vfs_unsure(db->vfs)
                           ? "only opening it again shows whether what came before was saved"
                           : "what came before was not saved; open it again");
    if (db->in_transaction && sqlite3_get_autocommit(db->handle))
        return sk_fail(err, SK_IO, "%s: the transaction was undone and nothing of it saved",
                       db->path);
    return SK_OK;
}

/* ---- opening ---- */

static int authorize(void *context, int action, const char *first, const char *second,
                     const char *database, const char *trigger)
{
    (void)context, (void)first, (void)database, (void)trigger;
    if (action == SQLITE_ATTACH || action == SQLITE_DETACH)
        return SQLITE_DENY;
    if (action == SQLITE_FUNCTION && second && strcmp(second, "load_extension") == 0)
        return SQLITE_DENY;
    return SQLITE_OK;
}

static enum sk_status open_handle(struct sk_db *db, struct sk_error *err)
{
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE |
                (db->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
    int rc = sqlite3_open_v2(db->path, &db->handle, flags, sk_vfs_name(db->vfs));
    return rc == SQLITE_OK ? SK_OK : sk_db_fail(db, rc, err);
}

static enum sk_status configure(struct sk_db *db, struct sk_error *err)
{
    static const struct {
        int option;
        int value;
    } settings[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
        {SQLITE_DBCONFIG_ENABLE_FKEY, 1},
        {SQLITE_DBCONFIG_DQS_DML, 0},
        {SQLITE_DBCONFIG_DQS_DDL, 0},
        {SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1},
    };
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        int rc = sqlite3_db_config(db->handle, settings[i].option, settings[i].value, NULL);
        if (rc != SQLITE_OK)
            return sk_db_fail(db, rc, err);
    }
    (void)sqlite3_limit(db->handle, SQLITE_LIMIT_ATTACHED, 0);
    (void)sqlite3_wal_autocheckpoint(db->handle, 0);
    (void)sqlite3_set_authorizer(db->handle, authorize, NULL);
    return SK_OK;
}

static enum sk_status pragma_int(struct sk_db *db, const char *sql, int64_t *value,
                                 struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(sk_db_prepare(db, &stmt, sql, err));
    SK_TRY(sk_step(stmt, &row, err));
    *value = row ? sk_column_int(stmt, 0) : 0;
    return SK_OK;
}

static enum sk_status check_wal_mode(struct sk_db *db, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(sk_db_prepare(db, &stmt, "PRAGMA journal_mode = WAL", err));
    SK_TRY(sk_step(stmt, &row, err));
    if (!row || strcmp(sk_column_text(stmt, 0), "wal") != 0)
        return sk_fail(err, SK_DAMAGED, "%s: it is not in write-ahead mode", db->path);
    return SK_OK;
}

/*
 * The order matters: exclusive locking before the first read, so that no shared memory is wanted;
 * for a new database a journal in memory before WAL, whose first page is written in the old way. An
 * existing one must not pass through another journal mode: that would checkpoint its log.
 */
static enum sk_status set_pragmas(struct sk_db *db, bool create, struct sk_error *err)
{
    int reserve = SK_PAGE_OVERHEAD;

    SK_TRY(sk_db_exec(db, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA temp_store = MEMORY", err));
    if (create) {
        int rc = sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve);
        if (rc != SQLITE_OK)
            return sk_db_fail(db, rc, err);
        SK_TRY(sk_db_exec(db,
                          "PRAGMA page_size = 4096; PRAGMA auto_vacuum = NONE;"
                          "PRAGMA journal_mode = MEMORY",
                          err));
    }
    SK_TRY(check_wal_mode(db, err));
    return sk_db_exec(db,
                      "PRAGMA synchronous = FULL;"
                      "PRAGMA cache_size = -32000;"
                      "PRAGMA secure_delete = ON;"
                      "PRAGMA cell_size_check = ON;"
                      "PRAGMA foreign_keys = ON;"
                      "PRAGMA mmap_size = 0",
                      err);
}

/* Step n of the schema sets user_version to n, in the same transaction. */
static enum sk_status run_step(struct sk_db *db, const struct sk_embedded_file *step, int64_t n,
                               struct sk_error *err)
{
    char pragma[PRAGMA_ROOM];
    sk_auto_txn txn = NULL;

    SK_TRY(sk_txn_begin(&txn, db, err));
    SK_TRY(sk_db_exec(db, step->text, err));
    (void)snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %lld", (long long)n);
    SK_TRY(sk_db_exec(db, pragma, err));
    if (n == 1) {
        (void)snprintf(pragma, sizeof(pragma), "PRAGMA application_id = %d", SK_APPLICATION_ID);
        SK_TRY(sk_db_exec(db, pragma, err));
    }
    return sk_txn_commit(&txn, err);
}

/* Whether this version knows the schema; *version is what it is at. */
static int64_t newest_schema(void)
{
    int64_t newest = 0;
    while (sk_embedded_migrations[newest].name)
        newest++;
    return newest;
}

/* Whether this version of the program knows the schema. */
static enum sk_status check_schema(struct sk_db *db, bool create, struct sk_error *err)
{
    int64_t application;

    SK_TRY(pragma_int(db, "PRAGMA application_id", &application, err));
    SK_TRY(pragma_int(db, "PRAGMA user_version", &db->schema, err));
    if (!create && (application != SK_APPLICATION_ID || db->schema < 1))
        return sk_fail(err, SK_DAMAGED, "%s: it was not created completely", db->path);
    if (db->schema > newest_schema())
        return sk_fail(err, SK_CONFIG, "%s was written by a newer version of this program",
                       db->path);
    if (db->schema < newest_schema() && db->read_only)
        return sk_fail(err, SK_CONFIG, "%s has to be opened for writing once by this version",
                       db->path);
    return SK_OK;
}

static enum sk_status migrate(struct sk_db *db, struct sk_error *err)
{
    for (int64_t newest = newest_schema(); db->schema < newest; db->schema++)
        SK_TRY(run_step(db, &sk_embedded_migrations[db->schema], db->schema + 1, err));
    return SK_OK;
}

static enum sk_status open_parts(struct sk_db *db, const struct sk_db_options *options,
                                 struct sk_error *err)
{
    const struct sk_vfs_options vfs_options = {
        .store_key = options->store_key,
        .store_id = options->store_id,
        .create = options->create,
        .read_only = options->read_only,
    };

    db->path = strdup(options->path);
    if (!db->path)
        return sk_fail_status(err, SK_NOMEM);
    SK_TRY(sk_vfs_register(&db->vfs, &vfs_options, err));
    SK_TRY(open_handle(db, err));
    SK_TRY(configure(db, err));
    SK_TRY(set_pragmas(db, options->create, err));
    SK_TRY(check_schema(db, options->create, err));
    return options->create ? migrate(db, err) : SK_OK;
}

/* The file is there, or made here: SQLite would give it more readers than the owner. */
static enum sk_status prepare_file(const struct sk_db_options *options, struct sk_error *err)
{
    sk_auto_file file = NULL;
    sk_auto_free char *log = NULL;
    bool there = false;
    if (options->create)
        return sk_file_create(&file, options->path, err);
    SK_TRY(sk_file_check(options->path, false, &there, err));
    if (!there)
        return sk_fail(err, SK_MISSING, "there is no %s", options->path);
    if (asprintf(&log, "%s-wal", options->path) < 0) {
        log = NULL;
        return sk_fail_status(err, SK_NOMEM);
    }
    return sk_file_check(log, false, NULL, err);
}

enum sk_status sk_db_open(struct sk_db **out, const struct sk_db_options *options,
                          struct sk_error *err)
{
    SK_TRY(sk_db_start_library(err));
    SK_TRY(prepare_file(options, err));

    struct sk_db *db = calloc(1, sizeof(*db));
    if (!db)
        return sk_fail_status(err, SK_NOMEM);
    db->read_only = options->read_only;
    enum sk_status status = open_parts(db, options, err);
    if (status != SK_OK) {
        (void)sk_db_close(db, NULL);
        return status;
    }
    *out = db;
    return SK_OK;
}

bool sk_db_old(const struct sk_db *db)
{
    return db->schema < newest_schema();
}

bool sk_db_recovered(const struct sk_db *db)
{
    return sk_vfs_recovered(db->vfs);
}

/* A log that was cut by a crash may end inside a sector: nothing is added to it. */
static enum sk_status move_log(struct sk_db *db, struct sk_error *err)
{
    if (db->log_waits)
        SK_TRY(sk_db_checkpoint(db, err));
    db->log_waits = false;
    return SK_OK;
}

enum sk_status sk_db_trust(struct sk_db *db, struct sk_error *err)
{
    SK_TRY(sk_db_check_usable(db, err));
    if (db->read_only)
        return SK_OK;
    int rc = sqlite3_wal_autocheckpoint(db->handle, AUTOCHECKPOINT_PAGES);
    if (rc != SQLITE_OK)
        return sk_db_fail(db, rc, err);
    db->trusted = true;
    db->log_waits = sk_db_recovered(db);
    /* On a full disk there is still reading, but not of what has to be migrated first. */
    enum sk_status status = move_log(db, err);
    if (sk_db_old(db))
        return status == SK_OK ? migrate(db, err) : status;
    return status == SK_FULL ? SK_OK : status;
}

/* ---- closing ---- */

enum sk_status sk_db_close(struct sk_db *db, struct sk_error *err)
{
    enum sk_status status = SK_OK;

    if (!db)
        return SK_OK;
    if (db->handle) {
        sk_db_rollback(db);
        sk_db_free_statements(db);
        bool moves = db->trusted && db->broken == SK_OK && !db->log_waits;
        if (moves)
            status = sk_db_checkpoint(db, err);
        /* The last checkpoint of sqlite3_close() has nothing to do, but removes the empty log. */
        if (moves && status == SK_OK)
            (void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
        int rc = sqlite3_close(db->handle);
        if (rc != SQLITE_OK && status == SK_OK)
            status = sk_db_fail(db, rc, err);
    }
    sk_vfs_unregister(db->vfs);
    free(db->path);
    free(db);
    return status;
}

enum sk_status sk_db_checkpoint(struct sk_db *db, struct sk_error *err)
{
    SK_TRY(sk_db_check_usable(db, err));
    if (!db->trusted)
        return sk_fail_status(err, SK_INTERNAL);
    int rc = sqlite3_wal_checkpoint_v2(db->handle, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    return rc == SQLITE_OK ? SK_OK : sk_db_fail(db, rc, err);
}

/* ---- transactions ---- */

enum sk_status sk_db_exec(struct sk_db *db, const char *sql, struct sk_error *err)
{
    SK_TRY(sk_db_check_usable(db, err));
    int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? SK_OK : sk_db_fail(db, rc, err);
}

static enum sk_status run_cached(struct sk_db *db, const char *sql, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(db, &stmt, sql, err));
    return sk_run(stmt, err);
}

enum sk_status sk_db_begin(struct sk_db *db, struct sk_error *err)
{
    if (db->in_transaction || db->read_only)
        return sk_fail_status(err, SK_INTERNAL);
    SK_TRY(move_log(db, err));
    SK_TRY(run_cached(db, "BEGIN IMMEDIATE", err));
    db->in_transaction = true;
    return SK_OK;
}

/* After a failed commit it is open what is on disk: only reading it anew tells. */
enum sk_status sk_db_commit(struct sk_db *db, struct sk_error *err)
{
    if (!db->in_transaction)
        return sk_fail_status(err, SK_INTERNAL);
    struct sk_error why = SK_ERROR_INIT;
    enum sk_status status = run_cached(db, "COMMIT", &why);
    if (status == SK_OK) {
        db->in_transaction = false;
        return SK_OK;
    }
    sk_db_rollback(db);
    set_broken(db, status);
    /* What could not be synced may reach the disk all the same. */
    return sk_fail(err, status, "%s; %s", why.text,
                   sk_vfs_unsure(db->vfs) ? "only opening it again shows whether it was saved"
                                          : "it was not saved");
}

void sk_db_rollback(struct sk_db *db)
{
    if (!db->in_transaction)
        return;
    db->in_transaction = false;
    if (sqlite3_get_autocommit(db->handle))
        return;
    int rc = sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        set_broken(db, sk_db_fail(db, rc, NULL));
}

bool sk_db_in_transaction(const struct sk_db *db)
{
    return db->in_transaction;
}

enum sk_status sk_db_savepoint(struct sk_db *db, struct sk_error *err)
{
    if (!db->in_transaction)
        return sk_fail_status(err, SK_INTERNAL);
    return run_cached(db, "SAVEPOINT sk", err);
}

enum sk_status sk_db_savepoint_release(struct sk_db *db, struct sk_error *err)
{
    return run_cached(db, "RELEASE sk", err);
}

/* Should this fail, the transaction must not be committed with what was to be undone. */
void sk_db_savepoint_undo(struct sk_db *db)
{
    enum sk_status status = run_cached(db, "ROLLBACK TO sk", NULL);
    if (status == SK_OK)
        status = run_cached(db, "RELEASE sk", NULL);
    if (status == SK_OK)
        return;
    sk_db_rollback(db);
    set_broken(db, status);
}

enum sk_status sk_txn_begin(struct sk_db **txn, struct sk_db *db, struct sk_error *err)
{
    SK_TRY(sk_db_begin(db, err));
    *txn = db;
    return SK_OK;
}

enum sk_status sk_txn_commit(struct sk_db **txn, struct sk_error *err)
{
    struct sk_db *db = *txn;
    *txn = NULL;
    return sk_db_commit(db, err);
}

/* ---- checking ---- */

struct check {
    sk_db_problem_fn *each;
    void *context;
    bool bad_pages;
};

static void tell(const struct check *check, const char *format, ...) SK_PRINTF(2, 3);
static void tell(const struct check *check, const char *format, ...)
{
    char sentence[SENTENCE_ROOM];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    check->each(check->context, sentence);
}

static void bad_page(void *context, uint64_t page)
{
    struct check *check = context;
    check->bad_pages = true;
    tell(check, "data: page %llu is damaged", (unsigned long long)page);
}

/* The slow one: an index that lacks a row, as from an old page, hides what the table has. */
static enum sk_status integrity_check(struct sk_db *db, const struct check *check,
                                      struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;

    SK_TRY(sk_db_prepare(db, &stmt, "PRAGMA integrity_check", err));
    (void)sk_db_starved();
    SK_TRY(sk_step(stmt, &row, err));
    while (row) {
        const char *sentence = sk_column_text(stmt, 0);
        bool ok = strcmp(sentence, "ok") == 0;
        if (!ok && sk_db_starved()) /* it takes a lack of memory for damage */
            return sk_fail_status(err, SK_NOMEM);
        if (!ok)
            tell(check, "data: %s", sentence);
        SK_TRY(sk_step(stmt, &row, err));
    }
    return SK_OK;
}

enum sk_status sk_db_check(struct sk_db *db, sk_db_problem_fn *each, void *context,
                           struct sk_error *err)
{
    struct check check = {each, context, false};
    struct sk_error why = SK_ERROR_INIT;

    /* A page that a crash tore is whole in the log: it is put right first. */
    if (db->trusted && !db->in_transaction)
        SK_TRY(sk_db_checkpoint(db, err));
    SK_TRY(sk_vfs_check(db->vfs, db->path, bad_page, &check, err));
    if (check.bad_pages)
        return SK_OK; /* SQLite would only stumble over the same pages */
    enum sk_status status = integrity_check(db, &check, &why);
    if (status == SK_DAMAGED) {
        each(context, why.text);
        return SK_OK;
    }
    return status == SK_OK ? SK_OK : sk_fail(err, status, "%s", why.text);
}
