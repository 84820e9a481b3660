/*
 * Goal of this test: somebody who takes a store with its passphrase, while the program runs, finds
 * no key of what was exported, imported or received before: not in the database, and not in an old
 * page of the write-ahead log.
 */
#include "sync/ratchet.h"
#include "tests/support/exchange.h"
#include "tests/support/seized.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* Rows of the first pair's chains. */
#define SEND    1
#define RECEIVE 2

static void read_key(struct sk_store *store, const char *sql, int64_t a, int64_t b, uint8_t out[32])
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    EXPECT_OK(sk_db_prepare(sk_store_db(store), &stmt, sql, &sk_test_err));
    sk_bind_int(stmt, 1, a);
    sk_bind_int(stmt, 2, b);
    EXPECT_OK(sk_step(stmt, &row, &sk_test_err));
    assert_true(row);
    EXPECT_OK(sk_column_copy(stmt, 0, out, 32, &sk_test_err));
}

static void chain_key(struct sk_store *store, int64_t chain, uint8_t out[32])
{
    read_key(store, "SELECT key FROM chain WHERE id = ?1 AND ?2 = 0", chain, 0, out);
}

static void assert_there(const struct sk_test_store *at, const uint8_t key[32])
{
    assert_true(sk_seized_holds(at->path, key, 32));
}

static void assert_gone(const struct sk_test_store *at, const uint8_t key[32])
{
    struct sk_slot_keys keys;
    assert_false(sk_seized_holds(at->path, key, 32));
    sk_ratchet_keys(&keys, key);
    assert_false(sk_seized_holds(at->path, keys.mask, 32));
    assert_false(sk_seized_holds(at->path, keys.wrap, 32));
}

static void assert_kept(const struct sk_test_store *at, const struct sk_slot_keys *keys)
{
    assert_true(sk_seized_holds(at->path, keys->mask, 32));
    assert_true(sk_seized_holds(at->path, keys->wrap, 32));
}

/* ---- the device ---- */

static void an_export_forgets_its_key(void **state)
{
    struct sk_world *world = *state;
    const struct sk_test_store *device = &world->device[0];
    uint8_t first[32], second[32];
    sk_world_pair(world);
    (void)sk_test_add(device->store, SK_TYPE_SOURCE, "one");
    chain_key(device->store, SEND, first);
    assert_there(device, first);
    (void)sk_world_export(world, 0, "b0");
    assert_gone(device, first);
    chain_key(device->store, SEND, second);
    assert_there(device, second);
    (void)sk_test_add(device->store, SK_TYPE_SOURCE, "two");
    (void)sk_world_export(world, 0, "b1");
    assert_gone(device, second);
}

/* A file may have been begun, and been copied by who watches the medium. */
static void an_export_that_failed_forgets_its_key(void **state)
{
    struct sk_world *world = *state;
    const struct sk_test_store *device = &world->device[0];
    struct sk_export_result sent;
    uint8_t key[32];
    sk_world_pair(world);
    (void)sk_test_add(device->store, SK_TYPE_SOURCE, "one");
    sk_test_sql(device->store, "UPDATE payload SET hashes = x''");
    chain_key(device->store, SEND, key);
    EXPECT(SK_DAMAGED, sk_export(device->store, sk_world_path(world, "b0"), SK_EXPORT_NEW, NULL,
                                 &sent, &sk_test_err));
    assert_gone(device, key);
}

static void a_receipt_that_was_taken_leaves_no_key(void **state)
{
    struct sk_world *world = *state;
    uint8_t at_archive[32], at_device[32];
    sk_world_pair(world);
    (void)sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "one");
    (void)sk_world_export(world, 0, "b0");
    (void)sk_world_import(world, 0, "b0");
    chain_key(world->archive[0].store, SEND, at_archive);
    chain_key(world->device[0].store, RECEIVE, at_device);
    assert_memory_equal(at_archive, at_device, 32);
    assert_there(&world->archive[0], at_archive);
    assert_there(&world->device[0], at_device);
    struct sk_receipt_result receipt = sk_world_receipt(world, 0, 1, 0, "r0");
    sk_receipt_result_clear(&receipt);
    assert_gone(&world->archive[0], at_archive);
    assert_gone(&world->device[0], at_device);
}

/* ---- the archive ---- */

static void an_import_forgets_its_key(void **state)
{
    struct sk_world *world = *state;
    const struct sk_test_store *archive = &world->archive[0];
    sk_world_pair(world);
    for (unsigned i = 0; i < 3; i++) {
        uint8_t key[32];
        char name[8];
        (void)snprintf(name, sizeof(name), "b%u", i);
        (void)sk_test_add(world->device[0].store, SK_TYPE_SOURCE, name);
        (void)sk_world_export(world, 0, name);
        chain_key(archive->store, RECEIVE, key);
        assert_there(archive, key);
        (void)sk_world_import(world, 0, name);
        assert_gone(archive, key);
    }
}

/* What was skipped waits as single keys, of which none gives another. */
static void a_late_bundle_leaves_no_key_either(void **state)
{
    struct sk_world *world = *state;
    const struct sk_test_store *archive = &world->archive[0];
    uint8_t chain[3][32];
    struct sk_slot_keys keys[3];
    struct sk_import_result result;
    sk_world_pair(world);
    chain_key(archive->store, RECEIVE, chain[0]);
    for (unsigned i = 0; i < 3; i++) {
        static const char *const names[] = {"b0", "b1", "b2"};
        (void)sk_test_add(world->device[0].store, SK_TYPE_SOURCE, names[i]);
        (void)sk_world_export(world, 0, names[i]);
        if (i > 0)
            sk_ratchet_next(chain[i], chain[i - 1]);
        sk_ratchet_keys(&keys[i], chain[i]);
    }
    result = sk_world_import(world, 0, "b2");
    sk_import_result_clear(&result);
    assert_gone(archive, chain[2]);
    assert_false(sk_seized_holds(archive->path, chain[0], 32));
    assert_false(sk_seized_holds(archive->path, chain[1], 32));
    assert_kept(archive, &keys[0]);
    assert_kept(archive, &keys[1]);
    result = sk_world_import(world, 0, "b0");
    sk_import_result_clear(&result);
    assert_gone(archive, chain[0]);
    assert_kept(archive, &keys[1]);
    result = sk_world_import(world, 0, "b1");
    assert_int_equal(result.gaps.count, 0);
    assert_gone(archive, chain[1]);
}

/* A bundle in quarantine is kept under a key of its own, so that its envelope's can go. */
static void quarantine_forgets_the_key(void **state)
{
    struct sk_world *world = *state;
    const struct sk_test_store *archive = &world->archive[0];
    uint8_t key[32];
    sk_world_pair(world);
    (void)sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "one");
    (void)sk_world_export(world, 0, "b0");
    (void)sk_world_import(world, 0, "b0");
    sk_test_sql(archive->store, "UPDATE log SET state = 3");
    (void)sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "two");
    (void)sk_world_export(world, 0, "b1");
    chain_key(archive->store, RECEIVE, key);
    struct sk_import_result result = sk_world_import(world, 0, "b1");
    assert_true(result.waiting);
    assert_gone(archive, key);
}

static void limit_files(rlim_t most)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = most < limit.rlim_max ? most : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Room for the log, none for the database: what came is there, and what stays behind is said. */
static void a_key_that_could_not_go_is_told(void **state)
{
    struct sk_world *world = *state;
    const struct sk_test_store *archive = &world->archive[0];
    struct sk_import_result result;
    struct stat st;
    uint8_t key[32];
    (void)signal(SIGXFSZ, SIG_IGN);
    sk_world_pair(world);
    char *data = sk_temp_path(archive->path, "data");
    for (unsigned i = 0; i < 40; i++)
        (void)sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "one of many");
    (void)sk_world_export(world, 0, "b");
    chain_key(archive->store, RECEIVE, key);
    EXPECT_OK(sk_db_checkpoint(sk_store_db(archive->store), &sk_test_err));
    assert_int_equal(stat(data, &st), 0);
    free(data);
    limit_files((rlim_t)st.st_size);
    enum sk_status status =
        sk_import(archive->store, sk_world_path(world, "b"), NULL, NULL, &result, &sk_test_err);
    limit_files(RLIM_INFINITY);
    assert_int_equal(status, SK_FULL);
    assert_non_null(strstr(sk_test_err.text, "it was saved, but"));
    sk_test_reopen(&world->archive[0]);
    assert_gone(archive, key);
    result = sk_world_import(world, 0, "b");
    assert_true(result.known_file);
    assert_int_equal(result.entries_known, 40);
    sk_world_verify(archive->store);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sk_world_setup, sk_world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_export_forgets_its_key),
        TEST(an_export_that_failed_forgets_its_key),
        TEST(a_receipt_that_was_taken_leaves_no_key),
        TEST(an_import_forgets_its_key),
        TEST(a_late_bundle_leaves_no_key_either),
        TEST(quarantine_forgets_the_key),
        TEST(a_key_that_could_not_go_is_told),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
