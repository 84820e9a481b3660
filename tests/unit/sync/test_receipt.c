/*
 * Goal of this test: a receipt that cannot be written leaves no file and costs its number; it tells
 * the device of refused copies and of its own quarantine; and it is kept as it was signed.
 */
#include "sync/receipt_note.h"
#include "tests/support/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

static struct sk_store *device(const struct sk_world *world)
{
    return world->device[0].store;
}

static struct sk_store *archive(const struct sk_world *world)
{
    return world->archive[0].store;
}

/* ---- writing ---- */

static void limit_files(rlim_t most)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = most < limit.rlim_max ? most : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void write_fails(struct sk_world *world, const char *name, enum sk_status status,
                        int64_t numbers)
{
    char code[SK_CODE_LEN] = "untouched";
    unsigned files = sk_test_count_files(world->dir);
    int64_t number = sk_test_sql_int(archive(world), "SELECT number FROM peer WHERE id = 1");
    int64_t next = sk_test_sql_int(archive(world), "SELECT next FROM chain WHERE id = 1");
    EXPECT(status,
           sk_receipt_write(archive(world), 1, sk_world_path(world, name), code, &sk_test_err));
    assert_string_equal(code, "untouched");
    assert_int_equal(sk_test_count_files(world->dir), files);
    assert_int_equal(sk_test_sql_int(archive(world), "SELECT number FROM peer WHERE id = 1"),
                     number + numbers);
    assert_int_equal(sk_test_sql_int(archive(world), "SELECT next FROM chain WHERE id = 1"),
                     next + numbers);
}

static void what_cannot_be_written_leaves_no_file(void **state)
{
    struct sk_world *world = *state;
    char code[SK_CODE_LEN];
    (void)signal(SIGXFSZ, SIG_IGN);
    sk_world_pair(world);
    EXPECT(SK_MISSING, sk_receipt_write(archive(world), 1, sk_world_path(world, "r"), code,
                                        &sk_test_err)); /* nothing has come */
    EXPECT(SK_MISSING, sk_receipt_write(device(world), SK_LOG_OWN, sk_world_path(world, "r"), code,
                                        &sk_test_err)); /* who writes to himself */
    (void)sk_test_add(device(world), SK_TYPE_SOURCE, "one");
    (void)sk_world_export(world, 0, "b");
    (void)sk_world_import(world, 0, "b");
    write_fails(world, "b", SK_CREATE, 0);
    write_fails(world, "no/folder", SK_CREATE, 0);
    limit_files(262143);
    write_fails(world, "r", SK_FULL, 1);
    limit_files(RLIM_INFINITY);
    struct sk_receipt_result got = sk_world_receipt(world, 0, 1, 0, "r");
    assert_int_equal(got.number, 2);
    assert_false(got.older);
    sk_receipt_result_clear(&got);
}

/* Where what is kept is no receipt, that is told where it is needed, and stops nothing else. */
static void what_is_kept_is_damaged(void **state)
{
    struct sk_world *world = *state;
    sk_auto_ranges withdrawn = SK_RANGES_INIT;
    sk_world_pair(world);
    (void)sk_test_add(device(world), SK_TYPE_SOURCE, "one");
    (void)sk_world_export(world, 0, "b");
    (void)sk_world_import(world, 0, "b");
    struct sk_receipt_result got = sk_world_receipt(world, 0, 1, 0, "r");
    sk_receipt_result_clear(&got);
    EXPECT_OK(sk_receipt_withdrawn(device(world), 1, &withdrawn, &sk_test_err));
    assert_int_equal(withdrawn.count, 0);
    sk_test_sql(device(world), "UPDATE peer SET receipt = 'no receipt'");
    assert_string_equal(sk_world_status(device(world), 0), "0-1|||");
    EXPECT(SK_DAMAGED, sk_receipt_withdrawn(device(world), 1, &withdrawn, &sk_test_err));
}

static void what_was_taken_is_kept_as_it_was_signed(void **state)
{
    struct sk_world *world = *state;
    sk_auto_stmt stmt = NULL;
    char name[SK_ARCHIVE_KEY_NAME_LEN];
    uint64_t time_s = 0;
    size_t text_len = 0;
    bool row = false;
    sk_world_pair(world);
    (void)sk_test_add(device(world), SK_TYPE_SOURCE, "one");
    (void)sk_world_export(world, 0, "b");
    (void)sk_world_import(world, 0, "b");
    struct sk_receipt_result got = sk_world_receipt(world, 0, 1, 0, "r1");
    sk_receipt_result_clear(&got);
    EXPECT_OK(
        sk_db_prepare(sk_store_db(device(world)), &stmt, "SELECT receipt FROM peer", &sk_test_err));
    EXPECT_OK(sk_step(stmt, &row, &sk_test_err));
    const char *text = sk_column_text(stmt, 0);
    const char *checkpoint = strstr(text, "\nskrynia/");
    assert_non_null(checkpoint++);
    sk_receipt_key_name(name, sk_store_id(archive(world)));
    assert_int_equal(sk_note_verify(text, (size_t)(checkpoint - text) - 1, name,
                                    sk_store_sign_public(archive(world)), &text_len),
                     SK_OK);
    assert_int_equal(sk_note_verify_cosignature(checkpoint, strlen(checkpoint), name,
                                                sk_store_sign_public(archive(world)), &time_s),
                     SK_OK);
}

/* ---- what it says ---- */

/* Two stores under one invite: every index comes twice, and the newest sixteen are told. */
static void refused_copies_are_told_sixteen_at_a_time(void **state)
{
    struct sk_world *world = *state;
    char name[16];
    sk_world_devices(world, 2);
    sk_world_archives(world, 1);
    sk_world_invite(world, 0, "lark", "invite");
    sk_world_accept(world, 0, "invite");
    sk_world_accept(world, 1, "invite");
    for (unsigned i = 0; i < 18; i++) {
        for (unsigned d = 0; d < 2; d++) {
            (void)snprintf(name, sizeof(name), "d%u-%u", d, i);
            (void)sk_test_add(world->device[d].store, SK_TYPE_SOURCE, name);
            (void)sk_world_export(world, d, name);
            if (d == 0)
                (void)sk_world_import(world, 0, name);
            else
                sk_world_import_fails(world, 0, name, SK_REFUSED, "used the key", false);
        }
    }
    sk_world_import_fails(world, 0, "d1-17", SK_REFUSED, "used the key", true); /* once is enough */
    struct sk_receipt_result got = sk_world_receipt(world, 0, 1, 0, "r");
    unsigned lines = 0;
    for (const char *at = got.notes; *at; at++)
        lines += *at == '\n';
    assert_int_equal(lines, 16);
    assert_null(strstr(got.notes, "key 1,"));
    assert_non_null(strstr(got.notes, "key 2,"));
    assert_non_null(strstr(got.notes, "key 17,"));
    sk_receipt_result_clear(&got);
}

/* What waits of one log is not told to another. */
static void only_ones_own_quarantine_is_told(void **state)
{
    struct sk_world *world = *state;
    sk_world_devices(world, 2);
    sk_world_archives(world, 1);
    for (unsigned d = 0; d < 2; d++) {
        char name[16];
        sk_world_invite(world, 0, d ? "stork" : "lark", d ? "i1" : "i0");
        sk_world_accept(world, d, d ? "i1" : "i0");
        for (unsigned i = 0; i < 2; i++) {
            (void)snprintf(name, sizeof(name), "d%u-%u", d, i);
            (void)sk_test_add(world->device[d].store, SK_TYPE_SOURCE, name);
            (void)sk_world_export(world, d, name);
            (void)sk_world_import(world, 0, name);
            sk_test_sql(archive(world), "UPDATE log SET state = 3 WHERE alias = 'stork'");
        }
    }
    struct sk_receipt_result got = sk_world_receipt(world, 0, 1, 0, "r0");
    assert_string_equal(got.notes, "");
    sk_receipt_result_clear(&got);
    got = sk_world_receipt(world, 0, 2, 1, "r1");
    assert_string_equal(got.notes,
                        "bundle 2 is in quarantine: the log is frozen, since it forked\n");
    sk_receipt_result_clear(&got);
    assert_string_equal(sk_world_status(world->device[1].store, 0), "0-1|1-2||");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sk_world_setup, sk_world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_cannot_be_written_leaves_no_file),
        TEST(what_is_kept_is_damaged),
        TEST(what_was_taken_is_kept_as_it_was_signed),
        TEST(refused_copies_are_told_sixteen_at_a_time),
        TEST(only_ones_own_quarantine_is_told),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
