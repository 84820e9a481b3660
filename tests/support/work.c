#include "tests/support/work.h"

#include "tests/support/disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_PAGES  "10"
#define PAYLOAD_MAX  9000
#define ROWS_SMALL   3
#define ROWS_BIG     60
#define BIG_EVERY    5
#define ROLLED_EVERY 7

const uint8_t sk_work_key[32] = {7, 1, 9};
const uint8_t sk_work_id[16] = {3, 5};

int sk_work_exec(struct sk_work *w, const char *sql)
{
    return sqlite3_exec(w->db, sql, NULL, NULL, NULL);
}

static int set_up(struct sk_work *w, bool create)
{
    int reserve = 40;
    int rc = sk_work_exec(w, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA temp_store = MEMORY");
    sqlite3_wal_autocheckpoint(w->db, 0);
    sqlite3_db_config(w->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (rc == SQLITE_OK && create) {
        sqlite3_file_control(w->db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve);
        rc = sk_work_exec(w, "PRAGMA journal_mode = MEMORY");
    }
    if (rc == SQLITE_OK)
        rc = sk_work_exec(w, "PRAGMA journal_mode = WAL");
    if (rc == SQLITE_OK)
        rc = sk_work_exec(w, "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;"
                             "PRAGMA cell_size_check = ON; PRAGMA cache_size = " CACHE_PAGES);
    return rc;
}

int sk_work_open_with(struct sk_work *w, const struct sk_vfs_options *options)
{
    memset(w, 0, sizeof(*w));
    if (sk_vfs_register(&w->vfs, options, NULL) != SK_OK)
        abort();
    int flags = options->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    if (options->create)
        flags |= SQLITE_OPEN_CREATE;
    int rc = sqlite3_open_v2(SK_WORK_PATH, &w->db, flags, sk_vfs_name(w->vfs));
    if (rc == SQLITE_OK) {
        sqlite3_extended_result_codes(w->db, 1);
        if (options->page_size) {
            char sql[64];
            (void)snprintf(sql, sizeof(sql), "PRAGMA page_size = %u", options->page_size);
            rc = sk_work_exec(w, sql);
        }
    }
    return rc == SQLITE_OK ? set_up(w, options->create) : rc;
}

int sk_work_open(struct sk_work *w, bool create)
{
    const struct sk_vfs_options options = {
        .base = SK_DISK_VFS,
        .store_key = sk_work_key,
        .store_id = sk_work_id,
        .create = create,
    };
    return sk_work_open_with(w, &options);
}

void sk_work_close(struct sk_work *w)
{
    sqlite3_close(w->db);
    const char *fault = sk_vfs_fault(w->vfs);
    (void)snprintf(w->fault, sizeof(w->fault), "%s", fault ? fault : "");
    sk_vfs_unregister(w->vfs);
    w->db = NULL;
    w->vfs = NULL;
}

void sk_work_kill(struct sk_work *w)
{
    sk_disk_arm(SK_DISK_FAULT_POWER, 1);
    sk_work_close(w);
    sk_disk_settle();
}

int sk_work_checkpoint(struct sk_work *w)
{
    return sqlite3_wal_checkpoint_v2(w->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

int sk_work_prepare(struct sk_work *w)
{
    return sk_work_exec(w, "BEGIN;"
                           "CREATE TABLE t(id INTEGER PRIMARY KEY, version INT, payload BLOB);"
                           "CREATE INDEX ti ON t(version, id);"
                           "CREATE TABLE state(n INT, rows INT, total INT);"
                           "INSERT INTO state VALUES(0, 0, 0);"
                           "COMMIT");
}

/* The payload of a row follows from its id and version. */
static size_t make_payload(uint8_t *out, int64_t id, int64_t version)
{
    size_t len = 60 + (size_t)((id * 911 + version * 37) % (PAYLOAD_MAX - 60));
    if (id % 3)
        len = 60 + len % 200;
    memset(out, (int)(1 + (id + version) % 250), len);
    memcpy(out, SK_WORK_MARKER, sizeof(SK_WORK_MARKER) - 1);
    return len;
}

static int put_rows(struct sk_work *w, int k, int count)
{
    static uint8_t payload[PAYLOAD_MAX];
    sqlite3_stmt *stmt = NULL;
    int rc =
        sqlite3_prepare_v2(w->db, "INSERT OR REPLACE INTO t VALUES(?1, ?2, ?3)", -1, &stmt, NULL);
    for (int j = 0; j < count && rc == SQLITE_OK; j++) {
        int64_t id = (k * 13 + j * 7) % 97;
        size_t len = make_payload(payload, id, k);
        sqlite3_bind_int64(stmt, 1, id);
        sqlite3_bind_int64(stmt, 2, k);
        sqlite3_bind_blob64(stmt, 3, payload, len, SQLITE_STATIC);
        rc = sqlite3_step(stmt);
        rc = rc == SQLITE_DONE ? SQLITE_OK : rc;
        sqlite3_reset(stmt);
    }
    sqlite3_finalize(stmt);
    return rc;
}

int sk_work_spill(struct sk_work *w)
{
    int rc = sk_work_exec(w, "BEGIN IMMEDIATE");
    return rc == SQLITE_OK ? put_rows(w, 1000, ROWS_BIG) : rc;
}

static int change(struct sk_work *w, int k)
{
    char sql[256];
    int rc = put_rows(w, k, k % BIG_EVERY == 0 ? ROWS_BIG : ROWS_SMALL);
    if (rc != SQLITE_OK)
        return rc;
    (void)snprintf(sql, sizeof(sql),
                   "DELETE FROM t WHERE id %% 17 = %d;"
                   "UPDATE state SET n = %d, rows = (SELECT count(*) FROM t),"
                   "total = (SELECT ifnull(sum(id * 1009 + version), 0) FROM t)",
                   k % 17, k);
    return sk_work_exec(w, sql);
}

int sk_work_step(struct sk_work *w, int k)
{
    int rc = SQLITE_OK;
    if (k % ROLLED_EVERY == 0) {
        rc = sk_work_spill(w);
        int undone = sk_work_exec(w, "ROLLBACK");
        rc = rc == SQLITE_OK ? undone : rc;
    }
    if (rc == SQLITE_OK)
        rc = sk_work_exec(w, "BEGIN IMMEDIATE");
    if (rc == SQLITE_OK)
        rc = change(w, k);
    if (rc == SQLITE_OK)
        rc = sk_work_exec(w, "COMMIT");
    if (rc != SQLITE_OK && !sqlite3_get_autocommit(w->db))
        (void)sk_work_exec(w, "ROLLBACK");
    return rc;
}

/* ---- what is found ---- */

struct seen {
    int n;
    int64_t rows, total, found_rows, found_total;
    bool mixed;
};

static int look_at_rows(struct sk_work *w, struct seen *seen)
{
    static uint8_t payload[PAYLOAD_MAX];
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(w->db, "SELECT id, version, payload FROM t", -1, &stmt, NULL);
    while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        int64_t id = sqlite3_column_int64(stmt, 0);
        int64_t version = sqlite3_column_int64(stmt, 1);
        const void *bytes = sqlite3_column_blob(stmt, 2);
        if (!bytes && sqlite3_errcode(w->db) != SQLITE_ROW)
            break;
        size_t len = make_payload(payload, id, version);
        if (!bytes || (size_t)sqlite3_column_bytes(stmt, 2) != len ||
            memcmp(bytes, payload, len) != 0)
            seen->mixed = true;
        seen->found_rows++;
        seen->found_total += id * 1009 + version;
        rc = SQLITE_OK;
    }
    int final = sqlite3_finalize(stmt);
    return rc == SQLITE_DONE ? SQLITE_OK : final != SQLITE_OK ? final : rc;
}

static int look_at_state(struct sk_work *w, struct seen *seen)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(w->db, "SELECT n, rows, total FROM state", -1, &stmt, NULL);
    if (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        seen->n = sqlite3_column_int(stmt, 0);
        seen->rows = sqlite3_column_int64(stmt, 1);
        seen->total = sqlite3_column_int64(stmt, 2);
        rc = SQLITE_OK;
    } else if (rc == SQLITE_DONE) {
        seen->mixed = true;
        rc = SQLITE_OK;
    }
    int final = sqlite3_finalize(stmt);
    return rc != SQLITE_OK ? rc : final;
}

static int check_integrity(struct sk_work *w, struct seen *seen)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(w->db, "PRAGMA integrity_check", -1, &stmt, NULL);
    if (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(stmt, 0);
        if (!text || strcmp(text, "ok") != 0)
            seen->mixed = true;
        rc = SQLITE_OK;
    }
    int final = sqlite3_finalize(stmt);
    return rc != SQLITE_OK ? rc : final;
}

int sk_work_state(struct sk_work *w, int *rc)
{
    struct seen seen = {0};
    *rc = look_at_state(w, &seen);
    if (*rc == SQLITE_OK)
        *rc = look_at_rows(w, &seen);
    if (*rc == SQLITE_OK)
        *rc = check_integrity(w, &seen);
    if (*rc != SQLITE_OK)
        return -1;
    if (seen.mixed || seen.rows != seen.found_rows || seen.total != seen.found_total)
        return -2;
    return seen.n;
}

int sk_work_look(int *rc, char *fault, size_t room)
{
    struct sk_work w;
    int state = -1;
    *rc = sk_work_open(&w, false);
    if (*rc == SQLITE_OK)
        state = sk_work_state(&w, rc);
    sk_work_close(&w);
    if (fault)
        (void)snprintf(fault, room, "%s", w.fault);
    return state;
}
