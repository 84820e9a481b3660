/*
 * Statements: compiled once and kept by the address of their text, bound, stepped, read.
 */
#include "core/db_internal.h"

#include <stdlib.h>
#include <string.h>

static size_t bucket_of(const char *sql)
{
    uint64_t h = (uint64_t)(uintptr_t)sql * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(h >> 56) % SK_DB_STMT_BUCKETS;
}

static enum sk_status compile(struct sk_db *db, const char *sql, struct sk_stmt **out,
                              struct sk_error *err)
{
    struct sk_stmt *stmt = calloc(1, sizeof(*stmt));
    if (!stmt)
        return sk_fail_status(err, SK_NOMEM);
    int rc =
        sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt->handle, NULL);
    if (rc != SQLITE_OK || !stmt->handle) {
        free(stmt);
        return sk_failed(rc != SQLITE_OK ? sk_db_fail(db, rc, err)
                                         : sk_fail_status(err, SK_INTERNAL));
    }
    stmt->db = db;
    stmt->sql = sql;
    stmt->next = db->buckets[bucket_of(sql)];
    db->buckets[bucket_of(sql)] = stmt;
    *out = stmt;
    return SK_OK;
}

enum sk_status sk_db_prepare(struct sk_db *db, struct sk_stmt **out, const char *sql,
                             struct sk_error *err)
{
    SK_TRY(sk_db_check_usable(db, err));
    struct sk_stmt *stmt = db->buckets[bucket_of(sql)];
    /* The text is compared too: a query in memory that was used again must not run the old one. */
    while (stmt &&
           (stmt->sql != sql || stmt->in_use || strcmp(sqlite3_sql(stmt->handle), sql) != 0))
        stmt = stmt->next;
    if (!stmt)
        SK_TRY(compile(db, sql, &stmt, err));
    stmt->in_use = true;
    *out = stmt;
    return SK_OK;
}

void sk_stmt_done(struct sk_stmt *stmt)
{
    if (!stmt)
        return;
    sk_stmt_reset(stmt);
    (void)sqlite3_clear_bindings(stmt->handle);
    stmt->bind_rc = SQLITE_OK;
    stmt->in_use = false;
}

void sk_stmt_reset(struct sk_stmt *stmt)
{
    (void)sqlite3_reset(stmt->handle);
}

static void note_bind(struct sk_stmt *stmt, int rc)
{
    if (stmt->bind_rc == SQLITE_OK)
        stmt->bind_rc = rc;
}

void sk_bind_int(struct sk_stmt *stmt, int index, int64_t v)
{
    note_bind(stmt, sqlite3_bind_int64(stmt->handle, index, v));
}

void sk_bind_bytes(struct sk_stmt *stmt, int index, const void *bytes, size_t len)
{
    note_bind(stmt, sqlite3_bind_blob64(stmt->handle, index, bytes, len, SQLITE_STATIC));
}

void sk_bind_text(struct sk_stmt *stmt, int index, const char *text)
{
    sk_bind_text_len(stmt, index, text, text ? strlen(text) : 0);
}

void sk_bind_text_len(struct sk_stmt *stmt, int index, const char *text, size_t len)
{
    note_bind(stmt,
              sqlite3_bind_text64(stmt->handle, index, text, len, SQLITE_STATIC, SQLITE_UTF8));
}

void sk_bind_null(struct sk_stmt *stmt, int index)
{
    note_bind(stmt, sqlite3_bind_null(stmt->handle, index));
}

enum sk_status sk_step(struct sk_stmt *stmt, bool *row, struct sk_error *err)
{
    SK_TRY(sk_db_check_usable(stmt->db, err));
    int rc = stmt->bind_rc != SQLITE_OK ? stmt->bind_rc : sqlite3_step(stmt->handle);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return sk_db_fail(stmt->db, rc, err);
    *row = rc == SQLITE_ROW;
    return SK_OK;
}

enum sk_status sk_run(struct sk_stmt *stmt, struct sk_error *err)
{
    bool row = false;
    enum sk_status status = sk_step(stmt, &row, err);
    sk_stmt_reset(stmt);
    return status;
}

int64_t sk_column_int(struct sk_stmt *stmt, int index)
{
    return sqlite3_column_int64(stmt->handle, index);
}

const uint8_t *sk_column_bytes(struct sk_stmt *stmt, int index, size_t *len)
{
    static const uint8_t nothing[1];
    const uint8_t *bytes = sqlite3_column_blob(stmt->handle, index);
    *len = (size_t)sqlite3_column_bytes(stmt->handle, index);
    return bytes ? bytes : nothing;
}

const char *sk_column_text(struct sk_stmt *stmt, int index)
{
    const unsigned char *text = sqlite3_column_text(stmt->handle, index);
    return text ? (const char *)text : "";
}

bool sk_column_null(struct sk_stmt *stmt, int index)
{
    return sqlite3_column_type(stmt->handle, index) == SQLITE_NULL;
}

enum sk_status sk_column_copy(struct sk_stmt *stmt, int index, void *out, size_t len,
                              struct sk_error *err)
{
    size_t got;
    const uint8_t *bytes = sk_column_bytes(stmt, index, &got);
    if (got != len)
        return sk_fail(err, SK_DAMAGED, "%s: a field has a wrong length", stmt->db->path);
    if (len > 0)
        memcpy(out, bytes, len);
    return SK_OK;
}

int64_t sk_db_last_id(const struct sk_db *db)
{
    return sqlite3_last_insert_rowid(db->handle);
}

int64_t sk_db_changes(const struct sk_db *db)
{
    return sqlite3_changes64(db->handle);
}

void sk_db_free_statements(struct sk_db *db)
{
    for (size_t i = 0; i < SK_DB_STMT_BUCKETS; i++) {
        while (db->buckets[i]) {
            struct sk_stmt *stmt = db->buckets[i];
            db->buckets[i] = stmt->next;
            sqlite3_finalize(stmt->handle);
            free(stmt);
        }
    }
}
