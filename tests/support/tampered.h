/*
 * A small database over the encrypting VFS (tests/support/work.h) as its two files, which a test
 * takes, changes and puts back; and what is expected of a store that somebody has had in his hands.
 */
#ifndef SK_TESTS_TAMPERED_H
#define SK_TESTS_TAMPERED_H

#include "crypto/secret.h"
#include "tests/support/disk.h"
#include "tests/support/work.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

/* Where things stand in the files (core/FORMAT.md). */
#define PREAMBLE  8192
#define PAGE      4096
#define LOG_START 4128
#define FRAME     4120

struct files {
    uint8_t *data, *wal;
    size_t data_len, wal_len;
};

static inline struct files take_files(void)
{
    struct files f = {0};
    f.data = sk_disk_read(SK_WORK_PATH, &f.data_len);
    f.wal = sk_disk_read(SK_WORK_WAL, &f.wal_len);
    return f;
}

static inline void put_files(const struct files *f)
{
    sk_disk_write(SK_WORK_PATH, f->data, f->data_len);
    sk_disk_write(SK_WORK_WAL, f->wal, f->wal_len);
}

static inline void free_files(struct files *f)
{
    free(f->data);
    free(f->wal);
}

/* A session of the steps first..last on what is there. */
static inline void session(struct sk_work *w, bool create, int first, int last)
{
    assert_int_equal(sk_work_open(w, create), SQLITE_OK);
    if (create)
        assert_int_equal(sk_work_prepare(w), SQLITE_OK);
    for (int k = first; k <= last; k++)
        assert_int_equal(sk_work_step(w, k), SQLITE_OK);
}

static inline void close_well(struct sk_work *w)
{
    assert_int_equal(sk_work_checkpoint(w), SQLITE_OK);
    sqlite3_db_config(w->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    sk_work_close(w);
    sk_disk_settle();
}

static inline int begin(void **state)
{
    (void)state;
    if (sk_crypto_init() != SK_OK)
        return -1;
    sk_disk_begin(true, 512);
    return 0;
}

static inline int end(void **state)
{
    (void)state;
    sk_disk_end();
    return sk_secret_live_count() == 0 ? 0 : -1;
}

/* States 0..3 in the database, 4..`newest` in the log only. */
static inline struct files crashed_store(int newest)
{
    struct sk_work w;
    session(&w, true, 1, 3);
    close_well(&w);
    session(&w, false, 4, newest);
    sk_work_kill(&w);
    return take_files();
}

/* An error, or one committed state that is at least `oldest`. */
static inline int expect_sound(int oldest, int newest, size_t where)
{
    char fault[200];
    int rc;
    int state = sk_work_look(&rc, fault, sizeof(fault));
    if (state == -2 || (state >= 0 && (state < oldest || state > newest)))
        fail_msg("at %zu: state %d, code %d, %s", where, state, rc, fault);
    return state;
}

static inline void expect_refused(const char *words)
{
    char fault[200];
    int rc;
    assert_int_equal(sk_work_look(&rc, fault, sizeof(fault)), -1);
    if (!strstr(fault, words))
        fail_msg("\"%s\" does not hold \"%s\"", fault, words);
}

static inline void expect_state(int state)
{
    int rc;
    assert_int_equal(sk_work_look(&rc, NULL, 0), state);
}

#endif
