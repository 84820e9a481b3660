/*
 * Goal of this test: a folder's files are given out when they have stood still, each state once;
 * what failed for its content waits for another state, what failed otherwise for its time; links,
 * pipes, folders and hidden names are never given out or followed; the folder may go and come.
 */
#include "sync/inbox.h"
#include "sync/volume.h"
#include "tests/support/stores.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUNDLE_LEN ((size_t)SK_VOLUME_BYTES_MIN)

static char *dir;
static struct sk_inbox *inbox;
static uint64_t now; /* the clock of the test */

static int setup(void **state)
{
    (void)state;
    now = 1000;
    dir = sk_temp_dir_make();
    EXPECT_OK(sk_inbox_new(&inbox, dir, &sk_test_err));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sk_inbox_free(inbox);
    inbox = NULL;
    sk_temp_dir_remove(dir);
    return 0;
}

/* Makes a file or writes it anew, with so many bytes. */
static void put(const char *name, size_t len, int value)
{
    char *path = sk_temp_path(dir, name);
    uint8_t *bytes = malloc(len + 1);
    assert_non_null(bytes);
    memset(bytes, value, len + 1);
    sk_temp_write(path, bytes, len);
    free(bytes);
    free(path);
}

static void take_away(const char *name)
{
    char *path = sk_temp_path(dir, name);
    assert_int_equal(unlink(path), 0);
    free(path);
}

static void look(void)
{
    EXPECT_OK(sk_inbox_look(inbox, now, &sk_test_err));
}

static struct sk_inbox_file *expect_next(const char *name)
{
    struct sk_inbox_file *file = sk_inbox_next(inbox, now);
    assert_non_null(file);
    char *path = sk_temp_path(dir, name);
    assert_string_equal(sk_inbox_path(file), path);
    free(path);
    assert_int_equal(sk_inbox_pause_ms(inbox, now, 5000), 0);
    return file;
}

static void expect_none(void)
{
    assert_null(sk_inbox_next(inbox, now));
}

/* Lets it stand still until just before the moment, and then until it. */
static void expect_after(const char *name, unsigned still_ms)
{
    look();
    now += still_ms - 1;
    look();
    expect_none();
    assert_int_equal(sk_inbox_pause_ms(inbox, now, 5000), 1);
    now++;
    look();
    (void)expect_next(name);
}

static void settle(enum sk_inbox_outcome outcome, enum sk_status status, bool tell)
{
    struct sk_inbox_file *file = sk_inbox_next(inbox, now);
    assert_non_null(file);
    assert_int_equal(sk_inbox_settle(file, outcome, status, now), tell);
}

static void what_stands_still_is_given_out_once(void **state)
{
    (void)state;
    look();
    expect_none();
    assert_int_equal(sk_inbox_pause_ms(inbox, now, 5000), 5000);
    put("b", BUNDLE_LEN, 1);
    expect_after("b", SK_INBOX_STILL_MS);
    settle(SK_INBOX_TAKEN, SK_OK, true);
    expect_none();
    now += 1000000;
    look();
    expect_none();
    /* By name, whichever came first. */
    put("c", BUNDLE_LEN, 1);
    look();
    now++;
    put("a", BUNDLE_LEN, 1);
    expect_after("c", SK_INBOX_STILL_MS - 1);
    now++;
    (void)expect_next("a");
    settle(SK_INBOX_TAKEN, SK_OK, true);
    (void)expect_next("c");
    settle(SK_INBOX_TAKEN, SK_OK, true);
    expect_none();
}

static void what_grows_is_waited_for(void **state)
{
    (void)state;
    for (size_t len = 0; len < BUNDLE_LEN; len += BUNDLE_LEN / 8) {
        put("a", len, 1);
        now += SK_INBOX_STILL_ODD_MS - 1;
        look();
        expect_none();
    }
    /* No bundle has its length: it is given more time to grow. */
    put("a", BUNDLE_LEN - 1, 1);
    expect_after("a", SK_INBOX_STILL_ODD_MS);
    put("a", BUNDLE_LEN, 1);
    expect_after("a", SK_INBOX_STILL_MS);
}

static void what_is_refused_waits_for_another_state(void **state)
{
    (void)state;
    struct timespec old[2] = {{.tv_sec = 100}, {.tv_sec = 100}};
    char *path = sk_temp_path(dir, "a");
    put("a", BUNDLE_LEN, 1);
    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
    expect_after("a", SK_INBOX_STILL_MS);
    settle(SK_INBOX_REFUSED, SK_DAMAGED, true);
    now += 10000000;
    look();
    expect_none();
    /* The same length, and the same time put back: it is another state nevertheless. File systems
     * keep times in steps of a few milliseconds. */
    (void)usleep(50000);
    put("a", BUNDLE_LEN, 2);
    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
    expect_after("a", SK_INBOX_STILL_MS);
    settle(SK_INBOX_REFUSED, SK_DAMAGED, true);
    expect_none();
    take_away("a");
    look();
    put("a", BUNDLE_LEN, 2);
    expect_after("a", SK_INBOX_STILL_MS);
    free(path);
}

/* Failing to be told of: it changed while it was looked into. */
static void what_changed_meanwhile_is_not_told_of(void **state)
{
    (void)state;
    put("a", BUNDLE_LEN, 1);
    expect_after("a", SK_INBOX_STILL_MS);
    put("a", BUNDLE_LEN + 1, 1);
    settle(SK_INBOX_REFUSED, SK_DAMAGED, false);
    expect_none();
    expect_after("a", SK_INBOX_STILL_ODD_MS);
    settle(SK_INBOX_REFUSED, SK_DAMAGED, true);
}

static void what_failed_otherwise_is_tried_again(void **state)
{
    (void)state;
    unsigned delay = SK_INBOX_RETRY_MS;
    put("a", BUNDLE_LEN, 1);
    expect_after("a", SK_INBOX_STILL_MS);
    for (unsigned i = 0; i < 20; i++) {
        settle(SK_INBOX_LATER, SK_FULL, i == 0);
        expect_none();
        now += delay - 1;
        look();
        expect_none();
        now++;
        (void)expect_next("a");
        delay = 2 * delay < SK_INBOX_RETRY_MAX_MS ? 2 * delay : SK_INBOX_RETRY_MAX_MS;
    }
    assert_int_equal(delay, SK_INBOX_RETRY_MAX_MS);
    /* Another reason is told of. */
    settle(SK_INBOX_LATER, SK_IO, true);
    now += SK_INBOX_RETRY_MAX_MS;
    settle(SK_INBOX_TAKEN, SK_OK, true);
    expect_none();
}

static void what_goes_away_is_forgotten(void **state)
{
    (void)state;
    sk_auto_file file = NULL;
    put("a", BUNDLE_LEN, 1);
    expect_after("a", SK_INBOX_STILL_MS);
    take_away("a");
    EXPECT(SK_MISSING, sk_inbox_open(expect_next("a"), &file, &sk_test_err));
    settle(SK_INBOX_GONE, SK_MISSING, false);
    look();
    now += 10000000;
    expect_none();
    look();
    expect_none();
    assert_null(file);
}

/* Only what was seen is opened: not what stands there by the time, and through no link. */
static void only_what_was_seen_is_opened(void **state)
{
    (void)state;
    sk_auto_file file = NULL;
    uint8_t first = 0;
    char *path = sk_temp_path(dir, "a");
    char *moved = sk_temp_path(dir, ".moved");
    put("a", BUNDLE_LEN, 7);
    expect_after("a", SK_INBOX_STILL_MS);
    EXPECT_OK(sk_inbox_open(expect_next("a"), &file, &sk_test_err));
    EXPECT_OK(sk_file_read_at(file, &first, 1, 0, &sk_test_err));
    assert_int_equal(first, 7);
    sk_file_close(file);
    file = NULL;
    assert_int_equal(rename(path, moved), 0);
    assert_int_equal(symlink(moved, path), 0);
    EXPECT(SK_MISSING, sk_inbox_open(expect_next("a"), &file, &sk_test_err));
    sk_error_clear(&sk_test_err);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    EXPECT(SK_MISSING, sk_inbox_open(expect_next("a"), &file, &sk_test_err));
    sk_error_clear(&sk_test_err);
    assert_int_equal(unlink(path), 0);
    put("a", BUNDLE_LEN, 7);
    EXPECT(SK_MISSING, sk_inbox_open(expect_next("a"), &file, &sk_test_err));
    assert_null(file);
    free(path);
    free(moved);
}

static void links_pipes_folders_and_hidden_files_are_left_out(void **state)
{
    (void)state;
    char *link = sk_temp_path(dir, "link");
    char *pipe = sk_temp_path(dir, "pipe");
    char *sub = sk_temp_path(dir, "sub");
    char *inside = sk_temp_path(dir, "sub/inside");
    put(".0123456789abcdef.part", BUNDLE_LEN, 1);
    put(".hidden", BUNDLE_LEN, 1);
    assert_int_equal(symlink(".hidden", link), 0);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_int_equal(mkdir(sub, 0700), 0);
    sk_temp_write(inside, "x", 1);
    look();
    now += 10000000;
    look();
    expect_none();
    assert_int_equal(unlink(inside), 0);
    assert_int_equal(rmdir(sub), 0);
    free(link);
    free(pipe);
    free(sub);
    free(inside);
}

/* What is known of its files stays known. */
static void a_folder_may_go_and_come_back(void **state)
{
    (void)state;
    char away[512];
    put("a", BUNDLE_LEN, 1);
    expect_after("a", SK_INBOX_STILL_MS);
    settle(SK_INBOX_TAKEN, SK_OK, true);
    (void)snprintf(away, sizeof(away), "%s.away", dir);
    assert_int_equal(rename(dir, away), 0);
    EXPECT(SK_MISSING, sk_inbox_look(inbox, now, &sk_test_err));
    sk_error_clear(&sk_test_err);
    expect_none();
    assert_int_equal(rename(away, dir), 0);
    now += 10000000;
    look();
    expect_none();
    put("b", BUNDLE_LEN, 1);
    expect_after("b", SK_INBOX_STILL_MS);
}

static void many_files_are_kept_apart(void **state)
{
    (void)state;
    const unsigned count = 300;
    char name[16];
    for (unsigned i = 0; i < count; i++) {
        (void)snprintf(name, sizeof(name), "%03u", i * 7 % count);
        put(name, BUNDLE_LEN / 256, 1);
    }
    look();
    now += SK_INBOX_STILL_ODD_MS;
    for (unsigned i = 0; i < count; i++) {
        (void)snprintf(name, sizeof(name), "%03u", i);
        (void)expect_next(name);
        settle(i % 2 ? SK_INBOX_REFUSED : SK_INBOX_TAKEN, i % 2 ? SK_REFUSED : SK_OK, true);
    }
    expect_none();
    for (unsigned i = 0; i < count; i += 2) {
        (void)snprintf(name, sizeof(name), "%03u", i);
        take_away(name);
    }
    look();
    put("150", 10, 1);
    expect_after("150", SK_INBOX_STILL_ODD_MS);
    assert_false(sk_inbox_overflows(inbox));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_stands_still_is_given_out_once, setup, teardown),
        cmocka_unit_test_setup_teardown(what_grows_is_waited_for, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_refused_waits_for_another_state, setup, teardown),
        cmocka_unit_test_setup_teardown(what_changed_meanwhile_is_not_told_of, setup, teardown),
        cmocka_unit_test_setup_teardown(what_failed_otherwise_is_tried_again, setup, teardown),
        cmocka_unit_test_setup_teardown(what_goes_away_is_forgotten, setup, teardown),
        cmocka_unit_test_setup_teardown(only_what_was_seen_is_opened, setup, teardown),
        cmocka_unit_test_setup_teardown(links_pipes_folders_and_hidden_files_are_left_out, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_folder_may_go_and_come_back, setup, teardown),
        cmocka_unit_test_setup_teardown(many_files_are_kept_apart, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
