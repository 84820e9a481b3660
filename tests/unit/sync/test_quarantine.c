/*
 * Goal of this test: what waits in quarantine is kept whole, is read through the same checks when a
 * person approves it, and is either all in the log afterwards or all where it was.
 */
#include "core/file.h"
#include "core/media.h"
#include "tests/support/exchange.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <string.h>
#include <unistd.h>

#define WAITING_LOG 2

static struct sk_store *archive(const struct sk_world *world)
{
    return world->archive[0].store;
}

static int64_t sql(const struct sk_world *world, const char *query)
{
    return sk_test_sql_int(archive(world), query);
}

/* Device 0 is enrolled; device 1 has taken the same invite, and will have to wait. */
static void make_rivals(struct sk_world *world)
{
    sk_world_devices(world, 2);
    sk_world_archives(world, 1);
    sk_world_invite(world, 0, "lark", "invite");
    sk_world_accept(world, 0, "invite");
    sk_world_accept(world, 1, "invite");
    (void)sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "the first to come");
    (void)sk_world_export(world, 0, "first");
    (void)sk_world_import(world, 0, "first");
    (void)sk_test_add(world->device[1].store, SK_TYPE_SOURCE, "w0");
    (void)sk_world_export(world, 1, "w0"); /* under a key that is spent: lost */
}

/* `count` bundles of device 1, w1 and on, each of one record. */
static void send(struct sk_world *world, unsigned count)
{
    for (unsigned i = 1; i <= count; i++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "w%u", i);
        (void)sk_test_add(world->device[1].store, SK_TYPE_SOURCE, name);
        (void)sk_world_export(world, 1, name);
    }
}

static void put_aside(struct sk_world *world, const char *name)
{
    struct sk_import_result result = sk_world_import(world, 0, name);
    assert_true(result.waiting);
    assert_int_equal(result.entries_new, 0);
    sk_import_result_clear(&result);
}

/* What `each` was told: the numbers of the bundles as digits. */
struct told {
    char bundles[32];
    uint64_t entries;
    uint64_t malformed;
    unsigned forks;
    char refuse; /* the bundle that `each` gives an error for */
};

static enum sk_status tell(void *context, const struct sk_import_result *result,
                           struct sk_error *err)
{
    struct told *told = context;
    size_t len = strlen(told->bundles);
    assert_string_equal(result->device, "lark");
    assert_int_equal(result->log, WAITING_LOG);
    told->bundles[len] = (char)('0' + result->bundle % 10);
    told->entries += result->entries_new;
    told->malformed += result->fork ? 0 : result->quarantined;
    told->forks += result->fork;
    return told->bundles[len] == told->refuse ? sk_fail(err, SK_BUSY, "no more") : SK_OK;
}

static struct told approve(struct sk_world *world, enum sk_status status, char refuse)
{
    struct told told = {.refuse = refuse};
    EXPECT(status, sk_approve(archive(world), WAITING_LOG, NULL, tell, &told, &sk_test_err));
    return told;
}

static unsigned media_files(const struct sk_world *world)
{
    char *media = sk_temp_path(world->archive[0].path, "media");
    unsigned count = sk_test_count_files(media);
    free(media);
    return count;
}

/* The one file under media/. */
static void media_file(const struct sk_world *world, char path[static 512])
{
    char *media = sk_temp_path(world->archive[0].path, "media");
    DIR *dir = opendir(media);
    assert_non_null(dir);
    path[0] = '\0';
    for (const struct dirent *entry; (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            (void)snprintf(path, 512, "%s/%s", media, entry->d_name);
    closedir(dir);
    free(media);
    assert_int_not_equal(path[0], 0);
}

static void what_waits_comes_in_the_order_it_was_made(void **state)
{
    struct sk_world *world = *state;
    make_rivals(world);
    send(world, 4);
    put_aside(world, "w3");
    put_aside(world, "w1");
    put_aside(world, "w4");
    put_aside(world, "w2");
    assert_int_equal(media_files(world), 4);
    assert_int_equal(sql(world, "SELECT count(*) FROM entry WHERE id >> 40 = 2"), 0);
    sk_world_verify(archive(world));
    struct told told = approve(world, SK_OK, 0);
    assert_string_equal(told.bundles, "2345"); /* w0 was number 1 */
    assert_int_equal(told.entries, 4);
    assert_int_equal(media_files(world), 0);
    assert_int_equal(sql(world, "SELECT count(*) FROM quarantine"), 0);
    assert_int_equal(sql(world, "SELECT state FROM log WHERE id = 2"), SK_LOG_STATE_ENROLLED);
    EXPECT(SK_REFUSED, sk_approve(archive(world), WAITING_LOG, NULL, tell, &told, &sk_test_err));
    sk_world_verify(archive(world));
}

static void attachments_and_malformed_records_wait_too(void **state)
{
    struct sk_world *world = *state;
    struct sk_id attachment;
    make_rivals(world);
    struct sk_store *device = world->device[1].store;
    sk_test_write(sk_world_path(world, "film"), 1500000);
    struct sk_id id = sk_test_add(device, SK_TYPE_SOURCE, "with a film");
    sk_auto_item item = sk_test_item(device, &id);
    EXPECT_OK(sk_attachment_add(device, &item, sk_world_path(world, "film"), NULL, &attachment,
                                &sk_test_err));
    (void)sk_world_put_text(device, "not a record");
    (void)sk_world_export(world, 1, "w1");
    put_aside(world, "w1");
    assert_int_equal(media_files(world), 1);
    struct told told = approve(world, SK_OK, 0);
    assert_int_equal(told.entries, 3);
    assert_int_equal(told.malformed, 1);
    assert_int_equal(media_files(world), 1); /* the film, under a key of its own */
    sk_auto_item there = {.title = NULL};
    EXPECT_OK(sk_item_get(archive(world), WAITING_LOG, &attachment, &there, &sk_test_err));
    EXPECT_OK(sk_attachment_extract(archive(world), &there, sk_world_path(world, "film2"), NULL,
                                    &sk_test_err));
    size_t a_len = 0, b_len = 0;
    uint8_t *a = sk_temp_read(sk_world_path(world, "film"), &a_len);
    uint8_t *b = sk_temp_read(sk_world_path(world, "film2"), &b_len);
    assert_int_equal(a_len, b_len);
    assert_memory_equal(a, b, a_len);
    free(a);
    free(b);
    sk_world_verify(archive(world));
}

/* ---- what goes wrong in between ---- */

static void an_approval_that_was_cut_off_goes_on(void **state)
{
    struct sk_world *world = *state;
    make_rivals(world);
    send(world, 3);
    put_aside(world, "w1");
    put_aside(world, "w2");
    put_aside(world, "w3");
    struct told told = approve(world, SK_BUSY, '3');
    assert_string_equal(told.bundles, "23"); /* the second is in all the same */
    assert_int_equal(sql(world, "SELECT count(*) FROM quarantine"), 1);
    assert_int_equal(sql(world, "SELECT state FROM log WHERE id = 2"), SK_LOG_STATE_WAITING);
    sk_test_reopen(&world->archive[0]);
    told = approve(world, SK_OK, 0);
    assert_string_equal(told.bundles, "4");
    assert_int_equal(sql(world, "SELECT count(*) FROM entry WHERE id >> 40 = 2"), 3);
    sk_world_verify(archive(world));
}

static void expect_unchanged(struct sk_world *world, enum sk_status status, const char *words)
{
    uint8_t before[32], after[32];
    struct told told = {.bundles = ""};
    unsigned files = media_files(world);
    sk_world_dump(archive(world), before);
    EXPECT(status, sk_approve(archive(world), WAITING_LOG, NULL, tell, &told, &sk_test_err));
    if (!strstr(sk_test_err.text, words))
        fail_msg("\"%s\" does not say \"%s\"", sk_test_err.text, words);
    sk_world_dump(archive(world), after);
    assert_memory_equal(before, after, sizeof(before));
    assert_int_equal(media_files(world), files);
    assert_string_equal(told.bundles, "");
}

static void a_damaged_file_changes_nothing(void **state)
{
    struct sk_world *world = *state;
    char path[512];
    size_t len = 0;
    make_rivals(world);
    send(world, 1);
    put_aside(world, "w1");
    media_file(world, path);
    uint8_t *bytes = sk_temp_read(path, &len);
    assert_true(len >= 65536);
    for (size_t at = 0; at < len; at += len / 5) {
        sk_test_flip(path, at);
        expect_unchanged(world, SK_DAMAGED, "damaged");
        sk_test_flip(path, at);
    }
    sk_temp_write(path, bytes, len - 1);
    expect_unchanged(world, SK_DAMAGED, "length");
    free(bytes);
    bytes = sk_temp_read(path, &len);
    free(bytes);
}

/* The rows of the database decide nothing that was not signed. */
static void rows_that_lie_change_nothing(void **state)
{
    struct sk_world *world = *state;
    make_rivals(world);
    send(world, 1);
    put_aside(world, "w1");
    sk_test_sql(archive(world), "UPDATE media SET size = size - 1");
    expect_unchanged(world, SK_DAMAGED, "ends too early");
    sk_test_sql(archive(world), "UPDATE media SET size = size + 1");
    sk_test_sql(archive(world), "UPDATE quarantine SET header_hash = zeroblob(32)");
    expect_unchanged(world, SK_DAMAGED, "another file");
    sk_test_sql(archive(world), "UPDATE quarantine SET media = 77");
    expect_unchanged(world, SK_DAMAGED, "key of a media file");
    sk_test_sql(archive(world), "UPDATE quarantine SET header_hash = x'00'");
    expect_unchanged(world, SK_DAMAGED, "wrong length");
}

static void a_bundle_of_another_log_is_not_taken(void **state)
{
    struct sk_world *world = *state;
    make_rivals(world);
    send(world, 1);
    put_aside(world, "w1");
    /* The enrolled log waits for it instead. */
    sk_test_sql(archive(world), "UPDATE quarantine SET log = 1; UPDATE log SET state = 2");
    EXPECT(SK_DAMAGED, sk_approve(archive(world), 1, NULL, tell, NULL, &sk_test_err));
    assert_non_null(strstr(sk_test_err.text, "of another log"));
    assert_int_equal(sql(world, "SELECT count(*) FROM entry"), 1);
    assert_int_equal(sql(world, "SELECT count(*) FROM quarantine"), 1);
}

/* ---- two histories among what waits ---- */

static enum sk_status collect_reasons(void *context, const struct sk_quarantined *q,
                                      struct sk_error *err)
{
    char *text = context;
    size_t len = strlen(text);
    (void)err;
    (void)snprintf(text + len, 512 - len, "%d: %s\n", (int)q->bundle, q->reason);
    return SK_OK;
}

static void a_fork_ends_the_approval(void **state)
{
    struct sk_world *world = *state;
    char reasons[512] = "";
    make_rivals(world);
    sk_test_close(&world->device[1]);
    sk_world_copy(world->device[1].path, sk_world_path(world, "copy"));
    world->device[2] =
        (struct sk_test_store){world->dir, sk_temp_path(world->dir, "copy"), SK_STORE_DEVICE, NULL};
    sk_test_open(&world->device[1]);
    sk_test_open(&world->device[2]);
    send(world, 1); /* number 2: [1, 2) */
    (void)sk_test_add(world->device[2].store, SK_TYPE_SOURCE, "another history");
    (void)sk_world_export(world, 2, "c2"); /* under the key of w1 */
    (void)sk_test_add(world->device[2].store, SK_TYPE_SOURCE, "and on");
    struct sk_export_result sent;
    EXPECT_OK(sk_export(world->device[2].store, sk_world_path(world, "c3"), 1, NULL, &sent,
                        &sk_test_err)); /* [1, 3) */
    (void)sk_test_add(world->device[2].store, SK_TYPE_SOURCE, "and on");
    (void)sk_world_export(world, 2, "c4");
    put_aside(world, "w1");
    put_aside(world, "c3");
    put_aside(world, "c4");
    struct told told = approve(world, SK_OK, 0);
    assert_string_equal(told.bundles, "23");
    assert_int_equal(told.forks, 1);
    assert_int_equal(told.entries, 1);
    assert_int_equal(sql(world, "SELECT state FROM log WHERE id = 2"), SK_LOG_STATE_FROZEN);
    assert_int_equal(sql(world, "SELECT count(*) FROM entry WHERE id >> 40 = 2"), 1);
    assert_int_equal(media_files(world), 2); /* the evidence */
    EXPECT_OK(sk_quarantined_each(archive(world), collect_reasons, reasons, &sk_test_err));
    assert_string_equal(reasons, "3: fork: it does not continue the log that came before\n"
                                 "4: the log is frozen, since it forked\n");
    EXPECT(SK_REFUSED, sk_approve(archive(world), WAITING_LOG, NULL, tell, &told, &sk_test_err));
    sk_world_verify(archive(world));
    struct sk_receipt_result receipt = sk_world_receipt(world, 0, WAITING_LOG, 1, "r");
    assert_non_null(strstr(receipt.notes, "bundle 3 is in quarantine: fork"));
    sk_receipt_result_clear(&receipt);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sk_world_setup, sk_world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_waits_comes_in_the_order_it_was_made),
        TEST(attachments_and_malformed_records_wait_too),
        TEST(an_approval_that_was_cut_off_goes_on),
        TEST(a_damaged_file_changes_nothing),
        TEST(rows_that_lie_change_nothing),
        TEST(a_bundle_of_another_log_is_not_taken),
        TEST(a_fork_ends_the_approval),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
