/*
 * Goal of this test: a migration happens whole or not at all. One that fails, is killed, or loses
 * power at any operation leaves the database as it was, at its schema, to be migrated the next
 * time; several steps stop behind the last that was done.
 *
 * The steps are this test's own: it brings its own sk_embedded_migrations, in the place of the one
 * in the library. They start from the fixture of schema 1.
 */
#include "core/db_internal.h"
#include "core/embed.h"
#include "tests/support/disk.h"
#include "tests/support/old_store.h"
#include "tests/support/stores.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIXTURE "migration/device-1.sql"
#define KILLS   24

static char second[1024]; /* what step 2 does in the test that runs */
static char third[256];

const struct sk_embedded_file sk_embedded_migrations[] = {
    {"0001.sql", "SELECT never_run()", 0},
    {"0002.sql", second, 0},
    {"0003.sql", third, 0},
    {NULL, NULL, 0},
};

/* Rewrites every row of a table, adds a column, fills a table of thousands of rows. */
static const char good[] =
    "ALTER TABLE item ADD COLUMN note TEXT NOT NULL DEFAULT 'none';"
    "CREATE TABLE filled(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;"
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 3000) "
    "INSERT INTO filled SELECT x, zeroblob(700) FROM c;"
    "UPDATE item SET note = title || title;"
    "UPDATE payload SET body_len = body_len + 1";

static char *dir;
static struct sk_old_store old;
static uint8_t before[32]; /* hash over what schema 1 held */
static const char *base;   /* the VFS below */

static void set_steps(const char *two, const char *three)
{
    (void)snprintf(second, sizeof(second), "%s", two);
    (void)snprintf(third, sizeof(third), "%s", three);
}

static int make(const char *vfs)
{
    if (sk_test_begin(NULL) != 0)
        return -1;
    base = vfs;
    dir = sk_temp_dir_make();
    char *path = sk_temp_path(dir, "store");
    sk_old_store_make(&old, path, FIXTURE, base);
    free(path);
    sk_old_store_open(&old, base);
    sk_old_store_hash(&old, before);
    sk_old_store_close(&old);
    return 0;
}

static int begin(void **state)
{
    (void)state;
    return make(NULL);
}

static int end(void **state)
{
    sk_old_store_clear(&old);
    sk_temp_dir_remove(dir);
    (void)sk_test_end(state);
    return sk_secret_live_count() == 0 ? 0 : -1;
}

static enum sk_status migrate(void)
{
    const struct sk_db_options options = {
        .path = old.data, .store_key = sk_secret_view(old.key), .store_id = old.id};
    struct sk_db *db = NULL;
    sk_error_clear(&sk_test_err);
    SK_TRY(sk_db_open(&db, &options, &sk_test_err));
    enum sk_status status = sk_db_trust(db, &sk_test_err);
    enum sk_status closed = sk_db_close(db, &sk_test_err);
    return status != SK_OK ? status : closed;
}

/* The schema that the database is at, which must be one as a whole. */
static int64_t look(void)
{
    uint8_t now[32];
    sk_old_store_open(&old, base);
    int64_t version = sk_old_store_int(&old, "PRAGMA user_version");
    int64_t filled = sk_old_store_int(
        &old, "SELECT count(*) FROM sqlite_schema WHERE name IN ('filled', 'further')");
    assert_int_equal(sk_old_store_int(&old, "SELECT count(*) FROM pragma_integrity_check "
                                            "WHERE integrity_check <> 'ok'"),
                     0);
    sk_old_store_hash(&old, now);
    if (version == 1) {
        assert_memory_equal(now, before, sizeof(now));
        assert_int_equal(filled, 0);
    } else {
        assert_int_equal(filled, version - 1);
        assert_int_equal(sk_old_store_int(&old, "SELECT count(*) FROM filled"), 3000);
        assert_int_equal(
            sk_old_store_int(&old, "SELECT count(*) FROM item WHERE note <> title || title"), 0);
    }
    sk_old_store_close(&old);
    return version;
}

static void steps_are_run_in_order(void **state)
{
    (void)state;
    set_steps(good, "CREATE TABLE further(x) ");
    assert_int_equal(look(), 1);
    EXPECT_OK(migrate());
    assert_int_equal(look(), 3);
    EXPECT_OK(migrate()); /* nothing is left to do */
    assert_int_equal(look(), 3);
}

static void a_step_that_fails_changes_nothing(void **state)
{
    static const char *const faults[] = {
        "SELECT no_such_function()",  "INSERT INTO filled VALUES(1, x'00')", /* is there */
        "DROP TABLE no_such_table",   "ATTACH ':memory:' AS elsewhere",
        "INSERT INTO filled VALUES(",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        char step[1024];
        (void)snprintf(step, sizeof(step), "%s;%s", good, faults[i]);
        set_steps(step, "CREATE TABLE further(x)");
        assert_int_not_equal(migrate(), SK_OK);
        assert_string_not_equal(sk_test_err.text, "");
        assert_int_equal(look(), 1);
    }
    /* The step before one that fails is done, and stays. */
    set_steps(good, "CREATE TABLE further(x); SELECT no_such_function()");
    assert_int_not_equal(migrate(), SK_OK);
    assert_int_equal(look(), 2);
    set_steps(good, "CREATE TABLE further(x)");
    EXPECT_OK(migrate());
    assert_int_equal(look(), 3);
}

/* Whenever it is killed, one of the schemas is there as a whole, and the next start goes on. */
static void a_migration_that_is_killed(void **state)
{
    unsigned found[4] = {0};
    (void)state;
    set_steps(good, "CREATE TABLE further(x)");
    size_t len;
    uint8_t *bytes = sk_temp_read(old.data, &len);
    for (unsigned i = 0; i < KILLS; i++) {
        sk_temp_write(old.data, bytes, len);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            _exit(migrate() == SK_OK ? 0 : 1);
        (void)usleep(i * 1500);
        (void)kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        found[look()]++;
        EXPECT_OK(migrate());
        assert_int_equal(look(), 3);
    }
    free(bytes);
    print_message("killed %u times: schema 1 %u times, 2 %u times, 3 %u times\n", KILLS, found[1],
                  found[2], found[3]);
}

/* ---- on the simulated disk ---- */

static int begin_on_disk(void **state)
{
    (void)state;
    if (sk_db_start_library(NULL) != SK_OK)
        return -1;
    sk_disk_begin(true, 512);
    /* core/db.c opens over the default VFS. */
    if (sqlite3_vfs_register(sqlite3_vfs_find(SK_DISK_VFS), 1) != SQLITE_OK || make(SK_DISK_VFS))
        return -1;
    sk_temp_write(old.data, "", 0); /* it looks whether the file is there */
    return 0;
}

static int end_on_disk(void **state)
{
    sk_disk_end();
    return end(state);
}

static void put(const uint8_t *bytes, size_t len)
{
    char *log = NULL;
    assert_true(asprintf(&log, "%s-wal", old.data) > 0);
    sk_disk_write(old.data, bytes, len);
    sk_disk_write(log, NULL, 0);
    free(log);
}

/* One operation of the disk is the last, or fails once. */
static void fault_at_every_operation(enum sk_disk_fault fault, unsigned found[4])
{
    size_t len;
    uint8_t *bytes = sk_disk_read(old.data, &len);
    assert_non_null(bytes);
    for (unsigned at = 1;; at++) {
        put(bytes, len);
        sk_disk_arm(fault, at);
        enum sk_status status = migrate();
        unsigned operations = sk_disk_operations();
        if (fault == SK_DISK_FAULT_POWER)
            sk_disk_crash(at);
        else
            sk_disk_settle();
        if (operations < at) {
            assert_int_equal(status, SK_OK);
            break;
        }
        found[look()]++;
        sk_disk_settle();
        EXPECT_OK(migrate());
        assert_int_equal(look(), 3);
        sk_disk_settle();
    }
    free(bytes);
}

static void power_fails_in_a_migration(void **state)
{
    unsigned found[4] = {0};
    (void)state;
    /* Smaller than above: this is done once for each operation. */
    set_steps("CREATE TABLE filled(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;"
              "ALTER TABLE item ADD COLUMN note TEXT NOT NULL DEFAULT 'none';"
              "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 3000) "
              "INSERT INTO filled SELECT x, x'00' FROM c;"
              "UPDATE item SET note = title || title",
              "CREATE TABLE further(x)");
    fault_at_every_operation(SK_DISK_FAULT_POWER, found);
    fault_at_every_operation(SK_DISK_FAULT_IO, found);
    fault_at_every_operation(SK_DISK_FAULT_FULL, found);
    print_message("faults: schema 1 %u times, 2 %u times, 3 %u times\n", found[1], found[2],
                  found[3]);
    assert_true(found[1] > 0 && found[2] > 0 && found[3] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(steps_are_run_in_order, begin, end),
        cmocka_unit_test_setup_teardown(a_step_that_fails_changes_nothing, begin, end),
        cmocka_unit_test_setup_teardown(a_migration_that_is_killed, begin, end),
        cmocka_unit_test_setup_teardown(power_fails_in_a_migration, begin_on_disk, end_on_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
