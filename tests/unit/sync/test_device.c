/*
 * Goal of this test: an archive finds a device by what a person typed, and never another one; it
 * knows who was invited and is silent, and what is missing of a log.
 */
#include "crypto/hash.h"
#include "sync/import.h"
#include "tests/support/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static struct sk_store *device(const struct sk_world *world)
{
    return world->device[0].store;
}

static struct sk_store *archive(const struct sk_world *world)
{
    return world->archive[0].store;
}

static void add(struct sk_store *store, const char *title)
{
    (void)sk_test_add(store, SK_TYPE_SOURCE, title);
}

static enum sk_status check_invited(void *context, const char *alias, struct sk_error *err)
{
    (void)err;
    assert_string_equal(alias, "stork");
    ++*(unsigned *)context;
    return SK_OK;
}

static void devices_are_found_by_what_a_person_types(void **state)
{
    struct sk_world *world = *state;
    struct sk_log log;
    char hex[2 * SK_HASH_LEN + 1];
    char safety[12 * 6];
    unsigned invited = 0;
    sk_world_pair(world);
    sk_world_invite(world, 0, "stork", "invite2");
    add(device(world), "one");
    (void)sk_world_export(world, 0, "b1");
    (void)sk_world_import(world, 0, "b1");
    sk_hex(hex, sk_store_id(device(world)), SK_HASH_LEN);
    sk_digits(safety, 12, SK_LABEL_SAFETY, sk_store_id(device(world)));
    EXPECT_OK(sk_device_find(archive(world), "lark", false, &log, &sk_test_err));
    EXPECT_OK(sk_device_find(archive(world), hex, false, &log, &sk_test_err));
    EXPECT_OK(sk_device_find(archive(world), safety, false, &log, &sk_test_err));
    safety[5] = '-';
    EXPECT_OK(sk_device_find(archive(world), safety, false, &log, &sk_test_err));
    assert_int_equal(log.id, 1);
    safety[0] = (char)(safety[0] == '9' ? '0' : safety[0] + 1);
    EXPECT(SK_MISSING, sk_device_find(archive(world), safety, false, &log, &sk_test_err));
    safety[0] = 'x';
    EXPECT(SK_MISSING, sk_device_find(archive(world), safety, false, &log, &sk_test_err));
    hex[8] = '\0';
    EXPECT_OK(sk_device_find(archive(world), hex, false, &log, &sk_test_err));
    hex[7] = '\0';
    EXPECT(SK_MISSING, sk_device_find(archive(world), hex, false, &log, &sk_test_err));
    EXPECT(SK_MISSING, sk_device_find(archive(world), "", false, &log, &sk_test_err));
    EXPECT(SK_MISSING, sk_device_find(archive(world), "lark", true, &log, &sk_test_err));
    EXPECT_OK(sk_invited_each(archive(world), check_invited, &invited, &sk_test_err));
    assert_int_equal(invited, 1);
}

/* Logs with made-up ids, of which the first nine digits are the same. */
static void put_log(struct sk_store *store, const char *alias, uint8_t last, int state)
{
    struct sk_store *txn = NULL;
    struct sk_log log = {.state = (enum sk_log_state)state, .peer = 1};
    memset(log.log_id, 0xab, sizeof(log.log_id));
    log.log_id[4] = last;
    (void)snprintf(log.alias, sizeof(log.alias), "%s", alias);
    EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
    EXPECT_OK(sk_log_create(store, &log, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
}

static void what_fits_several_names_none(void **state)
{
    struct sk_world *world = *state;
    struct sk_log log = {.id = 77};
    char safety[12 * 6];
    char hex[2 * SK_HASH_LEN + 2];
    sk_world_archives(world, 1);
    put_log(archive(world), "lark", 0xab, SK_LOG_STATE_ENROLLED);
    put_log(archive(world), "lark", 0xac, SK_LOG_STATE_WAITING);
    put_log(archive(world), "abababab", 0xad, SK_LOG_STATE_FROZEN);
    EXPECT(SK_USAGE, sk_device_find(archive(world), "lark", false, &log, &sk_test_err));
    EXPECT(SK_USAGE, sk_device_find(archive(world), "abababab", false, &log, &sk_test_err));
    EXPECT(SK_USAGE, sk_device_find(archive(world), "ABABABABA", false, &log, &sk_test_err));
    assert_int_equal(log.id, 77);
    EXPECT_OK(sk_device_find(archive(world), "abababABAC", false, &log, &sk_test_err));
    assert_int_equal(log.id, 2);
    EXPECT_OK(sk_device_find(archive(world), "lark", true, &log, &sk_test_err));
    assert_int_equal(log.id, 2);
    EXPECT_OK(sk_device_find(archive(world), "abababab", true, &log, &sk_test_err));
    assert_int_equal(log.id, 2);
    EXPECT(SK_MISSING, sk_device_find(archive(world), "lar", false, &log, &sk_test_err));
    EXPECT(SK_MISSING, sk_device_find(archive(world), "Lark", false, &log, &sk_test_err));
    EXPECT(SK_MISSING, sk_device_find(archive(world), "lark ", false, &log, &sk_test_err));

    /* All of an id and no more of it; all sixty digits and no more of them. */
    EXPECT_OK(sk_log_get(archive(world), 3, &log, &sk_test_err));
    sk_hex(hex, log.log_id, SK_HASH_LEN);
    sk_digits(safety, 12, SK_LABEL_SAFETY, log.log_id);
    log.id = 77;
    EXPECT_OK(sk_device_find(archive(world), hex, false, &log, &sk_test_err));
    assert_int_equal(log.id, 3);
    hex[sizeof(hex) - 2] = '0';
    hex[sizeof(hex) - 1] = '\0';
    EXPECT(SK_MISSING, sk_device_find(archive(world), hex, false, &log, &sk_test_err));
    EXPECT(SK_MISSING, sk_device_find(archive(world), safety, true, &log, &sk_test_err));
    char longer[sizeof(safety) + 1];
    (void)snprintf(longer, sizeof(longer), "%s0", safety);
    EXPECT(SK_MISSING, sk_device_find(archive(world), longer, false, &log, &sk_test_err));
    safety[strlen(safety) - 1] = '\0';
    EXPECT(SK_MISSING, sk_device_find(archive(world), safety, false, &log, &sk_test_err));
}

static enum sk_status stop_at_once(void *context, const char *alias, struct sk_error *err)
{
    ++*(unsigned *)context;
    assert_string_equal(alias, "lark");
    return sk_fail(err, SK_BUSY, "no more");
}

static void who_is_silent_is_told_until_told_to_stop(void **state)
{
    struct sk_world *world = *state;
    unsigned count = 0;
    sk_world_archives(world, 1);
    sk_world_invite(world, 0, "lark", "i0");
    sk_world_invite(world, 0, "stork", "i1");
    EXPECT(SK_BUSY, sk_invited_each(archive(world), stop_at_once, &count, &sk_test_err));
    assert_int_equal(count, 1);
}

static void gaps_are_what_lies_before_what_is_held(void **state)
{
    struct sk_world *world = *state;
    static const char *const names[] = {"b0", "b1", "b2", "b3", "b4"};
    static const struct {
        unsigned bundle;
        const char *gaps;
    } steps[] = {{1, "0-1"}, {4, "0-1 2-4"}, {2, "0-1 3-4"}, {0, "3-4"}, {3, ""}};
    sk_auto_ranges none = SK_RANGES_INIT;
    sk_world_pair(world);
    EXPECT(SK_DAMAGED, sk_log_gaps(archive(world), 1, &none, &sk_test_err)); /* no such log yet */
    for (unsigned i = 0; i < 5; i++) {
        add(device(world), names[i]);
        (void)sk_world_export(world, 0, names[i]);
    }
    for (unsigned i = 0; i < 5; i++) {
        sk_auto_ranges gaps = SK_RANGES_INIT;
        struct sk_import_result result = sk_world_import(world, 0, names[steps[i].bundle]);
        EXPECT_OK(sk_log_gaps(archive(world), 1, &gaps, &sk_test_err));
        assert_string_equal(sk_world_ranges(&gaps), steps[i].gaps);
        assert_string_equal(sk_world_ranges(&result.gaps), steps[i].gaps);
        sk_import_result_clear(&result);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sk_world_setup, sk_world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(devices_are_found_by_what_a_person_types),
        TEST(what_fits_several_names_none),
        TEST(who_is_silent_is_told_until_told_to_stop),
        TEST(gaps_are_what_lies_before_what_is_held),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
