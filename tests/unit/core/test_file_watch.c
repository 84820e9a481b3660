/*
 * Goal of this test: a look at a file tells its states apart and opens nothing; waiting for changes
 * in a folder ends when there is one, also in a folder that came in the place of the first, and
 * after its time where the system tells of none.
 */
#include "core/file_watch.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LONG_MS 600000u /* nothing waits that long: CTest would end the test */

static char *dir;
static char *path;

/* Takes the place of the C library's: a system that gives no more of them. */
static bool none_left;
int inotify_init1(int flags)
{
    if (none_left) {
        errno = EMFILE;
        return -1;
    }
    return (int)syscall(SYS_inotify_init1, flags);
}

static int setup(void **state)
{
    (void)state;
    none_left = false;
    dir = sk_temp_dir_make();
    path = sk_temp_path(dir, "file");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(path);
    sk_temp_dir_remove(dir);
    return 0;
}

static struct sk_file_look look(const char *name)
{
    struct sk_file_look look;
    bool regular = false;
    assert_int_equal(sk_file_look(&look, name, &regular, NULL), SK_OK);
    assert_true(regular);
    return look;
}

static void states_are_told_apart(void **state)
{
    (void)state;
    sk_auto_file file = NULL;
    struct sk_file_look opened;
    char *other = sk_temp_path(dir, "other");
    sk_temp_write(path, "abc", 3);
    sk_temp_write(other, "abc", 3);
    struct sk_file_look first = look(path);
    struct sk_file_look again = look(path);
    struct sk_file_look second = look(other);
    assert_true(sk_file_look_same(&first, &again));
    assert_false(sk_file_look_same(&first, &second));
    assert_int_equal(sk_file_open_unlinked(&file, path, NULL), SK_OK);
    assert_int_equal(sk_file_look_open(&opened, file, NULL), SK_OK);
    assert_true(sk_file_look_same(&first, &opened));
    sk_temp_write(path, "abcd", 4);
    again = look(path);
    assert_false(sk_file_look_same(&first, &again));
    assert_int_equal(again.bytes, 4);
    assert_int_equal(rename(other, path), 0);
    again = look(path);
    assert_false(sk_file_look_same(&first, &again));
    free(other);
}

static void what_is_no_file_is_told_and_not_opened(void **state)
{
    (void)state;
    struct sk_file_look out;
    sk_auto_file file = NULL;
    bool regular = true;
    assert_int_equal(sk_file_look(&out, path, &regular, NULL), SK_MISSING);
    assert_int_equal(sk_file_look(&out, dir, &regular, NULL), SK_OK);
    assert_false(regular);
    assert_int_equal(symlink("/dev/null", path), 0);
    regular = true;
    assert_int_equal(sk_file_look(&out, path, &regular, NULL), SK_OK);
    assert_false(regular);
    assert_int_equal(unlink(path), 0);
    char *target = sk_temp_path(dir, "target");
    sk_temp_write(target, "abc", 3);
    assert_int_equal(symlink(target, path), 0);
    assert_int_equal(sk_file_open_unlinked(&file, path, NULL), SK_IO);
    assert_int_equal(sk_file_open_unlinked(&file, target, NULL), SK_OK);
    free(target);
}

static void a_change_ends_the_waiting(void **state)
{
    (void)state;
    sk_auto_notice notice = NULL;
    char away[512];
    assert_int_equal(sk_notice_new(&notice, dir, NULL), SK_OK);
    sk_temp_write(path, "abc", 3);
    sk_notice_wait(notice, LONG_MS);
    assert_int_equal(unlink(path), 0);
    /* Another folder in its place. */
    (void)snprintf(away, sizeof(away), "%s.away", dir);
    assert_int_equal(rename(dir, away), 0);
    sk_notice_wait(notice, LONG_MS); /* that it went is a change too */
    sk_notice_wait(notice, 1);
    assert_int_equal(mkdir(dir, 0700), 0);
    sk_notice_wait(notice, 1);
    sk_temp_write(path, "abc", 3);
    sk_notice_wait(notice, LONG_MS);
    assert_int_equal(rmdir(away), 0);
}

static void without_notices_it_is_a_pause(void **state)
{
    (void)state;
    sk_auto_notice notice = NULL;
    struct timespec before, after;
    none_left = true;
    assert_int_equal(sk_notice_new(&notice, dir, NULL), SK_OK);
    sk_temp_write(path, "abc", 3);
    (void)clock_gettime(CLOCK_MONOTONIC, &before);
    sk_notice_wait(notice, 50);
    (void)clock_gettime(CLOCK_MONOTONIC, &after);
    int64_t ms = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
    assert_true(ms >= 49);
    sk_notice_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(states_are_told_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_file_is_told_and_not_opened, setup, teardown),
        cmocka_unit_test_setup_teardown(a_change_ends_the_waiting, setup, teardown),
        cmocka_unit_test_setup_teardown(without_notices_it_is_a_pause, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
