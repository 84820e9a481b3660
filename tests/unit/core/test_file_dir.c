/*
 * Goal of this test: folders are walked, published whole and only where nothing is lost, discarded
 * without leaving them, and held by one process at a time; failures give the status of the header.
 */
#include "tests/support/names.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static enum sk_status stop(void *context, const char *name, struct sk_error *err)
{
    (void)name;
    ++*(int *)context;
    return sk_fail(err, SK_REFUSED, "stopped");
}

static void walking_a_folder(void **state)
{
    (void)state;
    int calls = 0;
    struct sk_error err = SK_ERROR_INIT;
    assert_true(sk_dir_empty(dir));
    sk_temp_write(path, "x", 1);
    sk_temp_write(other, "x", 1);
    assert_false(sk_dir_empty(dir));
    assert_false(sk_dir_empty(path));
    assert_false(sk_dir_empty("/no/such/folder"));
    assert_int_equal(entries(), 2);
    assert_int_equal(sk_dir_each(dir, stop, &calls, &err), SK_REFUSED);
    assert_int_equal(calls, 1);
    assert_string_equal(err.text, "stopped");
    assert_int_equal(sk_dir_each(path, stop, &calls, NULL), SK_MISSING);
    assert_int_equal(sk_dir_sync(dir, NULL), SK_OK);
    assert_int_equal(sk_dir_sync("/no/such/folder", NULL), SK_IO);
}

static void folders_are_published(void **state)
{
    (void)state;
    char *inside = sk_temp_path(path, "file");
    char *arrived = sk_temp_path(other, "file");
    assert_int_equal(sk_dir_create(path, NULL), SK_OK);
    sk_temp_write(inside, "x", 1);

    assert_int_equal(sk_dir_publish(path, other, NULL), SK_OK);
    assert_true(sk_file_exists(arrived));
    assert_false(sk_file_exists(path));

    assert_int_equal(sk_dir_create(path, NULL), SK_OK);
    assert_int_equal(sk_dir_publish(other, path, NULL), SK_OK); /* onto an empty one */
    assert_true(sk_file_exists(inside));

    assert_int_equal(sk_dir_create(other, NULL), SK_OK);
    sk_temp_write(arrived, "y", 1);
    struct sk_error err = SK_ERROR_INIT;
    assert_int_equal(sk_dir_publish(path, other, &err), SK_CREATE);
    assert_non_null(strstr(err.text, "exists"));
    assert_true(sk_file_exists(inside));
    sk_dir_discard(other);
    assert_false(sk_file_exists(other));
    sk_temp_write(other, "y", 1);
    assert_int_equal(sk_dir_publish(path, other, NULL), SK_CREATE); /* onto a file */
    free(inside);
    free(arrived);
}

static void discarding_stays_inside(void **state)
{
    (void)state;
    char *folder = sk_temp_path(path, "media");
    char *file = sk_temp_path(folder, "file");
    char *planted = sk_temp_path(folder, "link");
    char *outside = sk_temp_path(other, "kept");
    assert_int_equal(sk_dir_create(path, NULL), SK_OK);
    assert_int_equal(sk_dir_create(folder, NULL), SK_OK);
    assert_int_equal(sk_dir_create(other, NULL), SK_OK);
    sk_temp_write(file, "x", 1);
    sk_temp_write(outside, "x", 1);
    assert_int_equal(symlink(other, planted), 0);
    sk_dir_discard(path);
    assert_false(sk_file_exists(path));
    assert_true(sk_file_exists(outside));
    sk_dir_discard("/no/such/folder");
    /* In the place of the folder itself. */
    assert_int_equal(symlink(other, path), 0);
    sk_dir_discard(path);
    assert_true(sk_file_exists(outside));
    assert_true(sk_file_exists(path));
    free(folder);
    free(file);
    free(planted);
    free(outside);
}

static void a_folder_is_held_by_one(void **state)
{
    (void)state;
    struct sk_dir_lock *lock = NULL;
    struct sk_dir_lock *second = NULL;
    struct sk_error err = SK_ERROR_INIT;
    assert_int_equal(sk_dir_lock(&lock, dir, 0, NULL), SK_OK);
    assert_int_equal(sk_dir_lock(&second, dir, 0, &err), SK_BUSY);
    assert_non_null(strstr(err.text, dir));
    assert_int_equal(sk_dir_lock(&second, dir, 1, NULL), SK_BUSY);
    assert_null(second);
    assert_int_equal(entries(), 0); /* no lock file */
    sk_dir_unlock(lock);
    assert_int_equal(sk_dir_lock(&second, dir, 0, NULL), SK_OK);
    sk_dir_unlock(second);
    sk_dir_unlock(NULL);
    assert_int_equal(sk_dir_lock(&lock, "/no/such/folder", 0, NULL), SK_MISSING);
    sk_temp_write(path, "x", 1);
    assert_int_equal(sk_dir_lock(&lock, path, 0, NULL), SK_MISSING);
}

static void a_folder_to_be_removed_is_real_and_own(void **state)
{
    (void)state;
    struct sk_dir_lock *lock = NULL;
    struct sk_dir_lock *second = NULL;
    assert_int_equal(sk_dir_create(path, NULL), SK_OK);
    assert_int_equal(sk_dir_lock_own(&lock, path, NULL), SK_OK);
    assert_int_equal(sk_dir_lock_own(&second, path, NULL), SK_BUSY);
    assert_int_equal(sk_dir_lock(&second, path, 0, NULL), SK_BUSY);
    sk_dir_unlock(lock);
    assert_int_equal(symlink(path, other), 0);
    assert_int_equal(sk_dir_lock_own(&lock, other, NULL), SK_MISSING);
    assert_int_equal(sk_dir_lock(&lock, other, 0, NULL), SK_OK); /* a store may be named by one */
    sk_dir_unlock(lock);
    assert_int_equal(sk_dir_lock_own(&lock, "/no/such/folder", NULL), SK_MISSING);
    /* The root belongs to another, or this is its owner, whom nothing is kept from. */
    struct stat st;
    assert_int_equal(stat("/", &st), 0);
    if (st.st_uid != geteuid())
        assert_int_equal(sk_dir_lock_own(&lock, "/", NULL), SK_IO);
}

static void waiting_for_a_folder(void **state)
{
    (void)state;
    int ready[2];
    char byte;
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct sk_dir_lock *held = NULL;
        if (sk_dir_lock(&held, dir, 0, NULL) != SK_OK || write(ready[1], "x", 1) != 1)
            _exit(1);
        (void)usleep(200000);
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    struct sk_dir_lock *lock = NULL;
    assert_int_equal(sk_dir_lock(&lock, dir, 0, NULL), SK_BUSY);
    assert_int_equal(sk_dir_lock(&lock, dir, 10, NULL), SK_OK);
    sk_dir_unlock(lock);
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(ready[0]);
    close(ready[1]);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(walking_a_folder),
        TEST(folders_are_published),
        TEST(discarding_stays_inside),
        TEST(a_folder_is_held_by_one),
        TEST(a_folder_to_be_removed_is_real_and_own),
        TEST(waiting_for_a_folder),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
