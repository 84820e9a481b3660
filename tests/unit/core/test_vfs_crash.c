/*
 * Goal of this test: whenever the power fails, the process dies or the disk refuses an operation,
 * the database opens again without a word of damage and shows the last acknowledged state, or the
 * one whose commit was under way; on disks with and without POWERSAFE_OVERWRITE.
 */
#include "crypto/secret.h"
#include "tests/support/disk.h"
#include "tests/support/effort.h"
#include "tests/support/work.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define STEPS       8
#define ROUNDS      400
#define ROUNDS_FEW  40
#define ROUNDS_LONG 20000
#define CHECKPOINT  60 /* pages in the log before one is made, in most sessions */

struct sector {
    bool powersafe;
    unsigned size;
};

static const struct sector sectors[] = {{true, 512}, {false, 512}, {false, 4096}};

static int begin(void **state)
{
    const struct sector *s = *state;
    struct sk_work w;
    if (sk_crypto_init() != SK_OK)
        return -1;
    sk_disk_begin(s->powersafe, s->size);
    int rc = sk_work_open(&w, true);
    if (rc == SQLITE_OK)
        rc = sk_work_prepare(&w);
    if (rc == SQLITE_OK)
        rc = sk_work_checkpoint(&w);
    sk_work_close(&w);
    sk_disk_settle();
    return rc == SQLITE_OK ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    sk_disk_end();
    return sk_secret_live_count() == 0 ? 0 : -1;
}

/*
 * One session: opens and takes steps until something fails. *acked is the last acknowledged.
 * `fresh`: a log left by a crash is first moved into the database, as core/db.c does. Without
 * POWERSAFE_OVERWRITE SQLite itself can lose the end of such a log when it adds to it.
 */
static int run(int *acked, int steps, bool close_well, bool fresh)
{
    struct sk_work w;
    int rc = sk_work_open(&w, false);
    if (rc == SQLITE_OK)
        sqlite3_wal_autocheckpoint(w.db, CHECKPOINT);
    if (rc == SQLITE_OK && fresh && sk_vfs_recovered(w.vfs))
        rc = sk_work_checkpoint(&w);
    for (int i = 0; rc == SQLITE_OK && i < steps; i++) {
        rc = sk_work_step(&w, *acked + 1);
        if (rc == SQLITE_OK)
            (*acked)++;
    }
    if (rc == SQLITE_OK && close_well)
        rc = sk_work_checkpoint(&w);
    if (rc == SQLITE_OK && close_well)
        sqlite3_db_config(w.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    sk_work_close(&w);
    return rc;
}

static void expect_state(int *acked, unsigned where)
{
    char fault[200];
    int rc;
    int state = sk_work_look(&rc, fault, sizeof(fault));
    if (state != *acked && state != *acked + 1)
        fail_msg("operation %u: state %d instead of %d, code %d, %s", where, state, *acked, rc,
                 fault);
    assert_string_equal(fault, "");
    *acked = state;
}

struct image {
    uint8_t *data, *wal;
    size_t data_len, wal_len;
};

static struct image take_image(void)
{
    struct image i = {0};
    i.data = sk_disk_read(SK_WORK_PATH, &i.data_len);
    i.wal = sk_disk_read(SK_WORK_WAL, &i.wal_len);
    return i;
}

static void put_image(const struct image *i)
{
    sk_disk_write(SK_WORK_PATH, i->data, i->data_len);
    sk_disk_write(SK_WORK_WAL, i->wal, i->wal_len);
}

static void free_image(struct image *i)
{
    free(i->data);
    free(i->wal);
}

static void power_fails_at_every_operation(void **state)
{
    (void)state;
    struct image start = take_image();
    for (unsigned at = 1;; at += sk_test_effort(7, 1, 1)) {
        int acked = 0;
        put_image(&start);
        sk_disk_arm(SK_DISK_FAULT_POWER, at);
        int rc = run(&acked, STEPS, true, true);
        if (sk_disk_operations() < at) {
            assert_int_equal(rc, SQLITE_OK);
            break;
        }
        sk_disk_crash(at);
        expect_state(&acked, at);
    }
    free_image(&start);
}

/* Splitmix64: the same numbers in every run. */
static uint64_t draw(uint64_t *state, uint64_t below)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % below;
}

/* One store through many crashes, each in a session on what the one before left. */
static void a_store_lives_through_many_crashes(void **state)
{
    const struct sector *s = *state;
    const unsigned rounds = sk_test_effort(ROUNDS_FEW, ROUNDS, ROUNDS_LONG);
    uint64_t random = s->size + s->powersafe;
    int acked = 0;
    for (unsigned round = 1; round <= rounds; round++) {
        unsigned reach = draw(&random, 3) == 0 ? 12 : 311; /* many fall into recovery */
        sk_disk_arm(SK_DISK_FAULT_POWER, 1 + (unsigned)draw(&random, reach));
        bool fresh = !s->powersafe || draw(&random, 2) == 0;
        int rc = run(&acked, (int)draw(&random, 6), draw(&random, 3) == 0, fresh);
        if (rc == SQLITE_OK || draw(&random, 5) == 0)
            sk_disk_settle();
        else
            sk_disk_crash(draw(&random, UINT64_MAX));
        if (draw(&random, 4) != 0)
            expect_state(&acked, round);
    }
    expect_state(&acked, rounds);
    assert_true((unsigned)acked > rounds / 4);
}

/* The fault is met once; the session ends in an error and nothing acknowledged is lost. */
static void fault_at_every_operation(enum sk_disk_fault fault)
{
    struct image start = take_image();
    for (unsigned at = 1;; at += sk_test_effort(7, 1, 1)) {
        int acked = 0;
        put_image(&start);
        sk_disk_arm(fault, at);
        int rc = run(&acked, STEPS, true, true);
        unsigned operations = sk_disk_operations();
        sk_disk_settle();
        if (operations < at) {
            assert_int_equal(rc, SQLITE_OK);
            break;
        }
        expect_state(&acked, at);
    }
    free_image(&start);
}

static void an_operation_fails(void **state)
{
    (void)state;
    fault_at_every_operation(SK_DISK_FAULT_IO);
}

static void the_disk_is_full_once(void **state)
{
    (void)state;
    fault_at_every_operation(SK_DISK_FAULT_FULL);
}

static void a_read_fails(void **state)
{
    (void)state;
    fault_at_every_operation(SK_DISK_FAULT_READ);
}

/* After a sync that failed nothing more is written by that handle. */
static void nothing_is_retried_after_a_failed_sync(void **state)
{
    (void)state;
    struct sk_work w;
    for (unsigned at = 1; at < 40; at++) {
        assert_int_equal(sk_work_open(&w, false), SQLITE_OK);
        assert_int_equal(sk_work_step(&w, 1), SQLITE_OK);
        sk_disk_arm(SK_DISK_FAULT_IO, at);
        int rc = sk_work_exec(&w, "UPDATE state SET n = n");
        sk_work_kill(&w);
        int look;
        assert_int_equal(sk_work_look(&look, NULL, 0), 1);
        if (rc == SQLITE_OK)
            break;
    }
}

int main(void)
{
    struct CMUnitTest tests[] = {
        {"power fails, powersafe", power_fails_at_every_operation, begin, end, NULL},
        {"power fails, torn sectors", power_fails_at_every_operation, begin, end, NULL},
        {"power fails, torn pages", power_fails_at_every_operation, begin, end, NULL},
        {"many crashes, powersafe", a_store_lives_through_many_crashes, begin, end, NULL},
        {"many crashes, torn sectors", a_store_lives_through_many_crashes, begin, end, NULL},
        {"many crashes, torn pages", a_store_lives_through_many_crashes, begin, end, NULL},
        {"an operation fails", an_operation_fails, begin, end, NULL},
        {"the disk is full once", the_disk_is_full_once, begin, end, NULL},
        {"a read fails", a_read_fails, begin, end, NULL},
        {"a failed sync", nothing_is_retried_after_a_failed_sync, begin, end, NULL},
    };
    static struct sector states[sizeof(tests) / sizeof(tests[0])];
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        states[i] = sectors[i < 6 ? i % 3 : 0];
        tests[i].initial_state = &states[i];
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
