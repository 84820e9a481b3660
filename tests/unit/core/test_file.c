/*
 * Goal of this test: files and folders are made for the owner alone, through no planted link, and
 * appear under their name only whole; the fallbacks for simple file systems keep these promises;
 * failures give the status of the header. (Files without a name: test_file_calls.c. What is done
 * with folders: test_file_dir.c.)
 */
#include "tests/support/names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* These take the place of the C library's: file systems that know no RENAME_NOREPLACE, no links. */
static int no_renameat2;
static int no_link;
static int failing_fsync;
static int fsyncs_before;    /* that one fails */
static int exchanges_before; /* that exchanges fail; -1: never */
static int no_rename;

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    if (no_renameat2) {
        errno = no_renameat2;
        return -1;
    }
    if ((flags & RENAME_EXCHANGE) && exchanges_before >= 0 && exchanges_before-- == 0) {
        exchanges_before = 0;
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

int rename(const char *from, const char *to)
{
    if (no_rename) {
        errno = no_rename;
        return -1;
    }
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int link(const char *from, const char *to)
{
    if (no_link) {
        errno = no_link;
        return -1;
    }
    return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int fsync(int fd)
{
    if (failing_fsync && fsyncs_before-- <= 0) {
        errno = failing_fsync;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}

/* Nor files without a name. */
static struct sk_file_calls simple;

static int open_named(const char *name, int flags, mode_t mode)
{
    if ((flags & O_TMPFILE) != O_TMPFILE)
        return sk_system_calls.open(name, flags, mode);
    errno = EOPNOTSUPP;
    return -1;
}

static int begin_simply(void **state)
{
    simple = sk_system_calls;
    simple.open = open_named;
    sk_file_use_calls(&simple);
    no_renameat2 = no_link = no_rename = failing_fsync = fsyncs_before = 0;
    exchanges_before = -1;
    return begin(state);
}

static unsigned mode_of(const char *name)
{
    struct stat st;
    assert_int_equal(lstat(name, &st), 0);
    return st.st_mode & 07777;
}

static void opening_what_is_not_there(void **state)
{
    (void)state;
    struct sk_file *file = NULL;
    struct sk_error err = SK_ERROR_INIT;
    assert_int_equal(sk_file_open(&file, path, &err), SK_MISSING);
    assert_non_null(strstr(err.text, path));
    assert_null(file);

    sk_error_clear(&err);
    assert_int_equal(sk_file_open(&file, dir, &err), SK_IO);
    assert_non_null(strstr(err.text, "folder"));

    sk_temp_write(path, "x", 1);
    char *below = sk_temp_path(path, "below");
    assert_int_equal(sk_file_open(&file, below, NULL), SK_MISSING);
    free(below);
    assert_null(file);
    sk_file_close(NULL);
}

/* Nobody writes to the pipe, so an open that waits would not come back. */
static void only_regular_files_where_it_matters(void **state)
{
    (void)state;
    struct sk_file *file = NULL;
    struct sk_error err = SK_ERROR_INIT;
    assert_int_equal(sk_file_open_regular(&file, path, NULL), SK_MISSING);
    assert_int_equal(sk_file_open_regular(&file, dir, NULL), SK_IO);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(sk_file_open_regular(&file, path, &err), SK_REFUSED);
    assert_non_null(strstr(err.text, path));
    assert_int_equal(sk_file_open_regular(&file, "/dev/zero", NULL), SK_REFUSED);
    assert_int_equal(sk_file_open(&file, "/dev/zero", NULL), SK_OK);
    sk_file_close(file);
    sk_temp_write(other, "x", 1);
    assert_int_equal(sk_file_open_regular(&file, other, NULL), SK_OK);
    sk_file_close(file);
}

static void created_files_are_the_owners(void **state)
{
    (void)state;
    mode_t before = umask(0);
    struct sk_file *file = NULL;
    assert_int_equal(sk_file_create(&file, path, NULL), SK_OK);
    assert_int_equal(mode_of(path), 0600);
    sk_file_close(file);

    struct sk_error err = SK_ERROR_INIT;
    file = NULL;
    assert_int_equal(sk_file_create(&file, path, &err), SK_CREATE);
    assert_null(file);
    assert_int_equal(sk_file_save(other, "a", 1, false, NULL), SK_OK);
    assert_int_equal(mode_of(other), 0600);
    char *folder = sk_temp_path(dir, "folder");
    assert_int_equal(sk_dir_create(folder, NULL), SK_OK);
    assert_int_equal(mode_of(folder), 0700);
    assert_int_equal(sk_dir_create(folder, NULL), SK_CREATE);
    free(folder);
    umask(before);
}

static void planted_links_are_not_followed(void **state)
{
    (void)state;
    struct sk_file *file = NULL;
    assert_int_equal(symlink(other, path), 0);
    assert_int_equal(sk_file_create(&file, path, NULL), SK_CREATE);
    assert_int_equal(sk_file_save(path, "a", 1, false, NULL), SK_CREATE);
    assert_false(sk_file_exists(other));
    assert_true(sk_file_exists(path));
    assert_int_equal(sk_file_save(path, "a", 1, true, NULL), SK_OK);
    assert_false(sk_file_exists(other));
    assert_holds(path, "a");

    /* Reading through a link is allowed: people keep their files so. */
    assert_int_equal(symlink(path, other), 0);
    assert_holds(other, "a");
}

static void bytes_come_back(void **state)
{
    (void)state;
    sk_auto_file file = NULL;
    uint8_t in[100000], out[100000];
    size_t got;
    uint64_t size;
    bool regular;
    for (size_t i = 0; i < sizeof(in); i++)
        in[i] = (uint8_t)(i * 31 + i / 256);
    assert_int_equal(sk_file_create(&file, path, NULL), SK_OK);
    assert_int_equal(sk_file_write(file, in, 60000, NULL), SK_OK);
    assert_int_equal(sk_file_write(file, in + 60000, 40000, NULL), SK_OK);
    assert_int_equal(sk_file_sync(file, NULL), SK_OK);
    assert_int_equal(sk_file_size(file, &size, &regular, NULL), SK_OK);
    assert_int_equal(size, sizeof(in));
    assert_true(regular);
    assert_string_equal(sk_file_path(file), path);

    assert_int_equal(sk_file_seek(file, 0, NULL), SK_OK);
    assert_int_equal(sk_file_read(file, out, 70000, &got, NULL), SK_OK);
    assert_int_equal(got, 70000);
    assert_int_equal(sk_file_read(file, out + 70000, 70000 - 40000, &got, NULL), SK_OK);
    assert_int_equal(got, 30000);
    assert_int_equal(sk_file_read(file, out, 1, &got, NULL), SK_OK);
    assert_int_equal(got, 0);

    memset(out, 0, sizeof(out));
    assert_int_equal(sk_file_read_at(file, out, 5000, 95000, NULL), SK_OK);
    assert_memory_equal(out, in + 95000, 5000);
    assert_int_equal(sk_file_read_at(file, out, 5001, 95000, NULL), SK_DAMAGED);
    assert_int_equal(sk_file_read_at(file, out, 1, UINT64_MAX, NULL), SK_DAMAGED);
    assert_int_equal(sk_file_read_at(file, out, 0, 0, NULL), SK_OK);
}

static void a_read_only_file_is_not_written(void **state)
{
    (void)state;
    sk_auto_file file = NULL;
    struct sk_error err = SK_ERROR_INIT;
    sk_temp_write(path, "abc", 3);
    assert_int_equal(sk_file_open(&file, path, NULL), SK_OK);
    assert_int_equal(sk_file_write(file, "x", 1, &err), SK_IO);
    assert_int_equal(sk_file_publish(file, true, NULL), SK_INTERNAL);
    assert_holds(path, "abc");
}

static void a_file_is_written_over(void **state)
{
    (void)state;
    sk_auto_file file = NULL;
    assert_int_equal(sk_file_open_over(&file, path, NULL), SK_MISSING);
    sk_temp_write(path, "abcdef", 6);
    assert_int_equal(sk_file_open_over(&file, path, NULL), SK_OK);
    assert_int_equal(sk_file_seek(file, 2, NULL), SK_OK);
    assert_int_equal(sk_file_write(file, "XY", 2, NULL), SK_OK);
    assert_int_equal(sk_file_seek(file, 0, NULL), SK_OK);
    assert_int_equal(sk_file_write(file, "A", 1, NULL), SK_OK);
    assert_int_equal(sk_file_sync(file, NULL), SK_OK);
    assert_int_equal(sk_file_seek(file, UINT64_MAX, NULL), SK_IO);
    assert_holds(path, "AbXYef");
    assert_int_equal(symlink(path, other), 0);
    sk_auto_file link = NULL;
    assert_int_equal(sk_file_open_over(&link, other, NULL), SK_IO);
    assert_int_equal(unlink(other), 0);
}

static void a_full_device_is_told(void **state)
{
    (void)state;
    struct sk_error err = SK_ERROR_INIT;
    failing_fsync = ENOSPC;
    assert_int_equal(sk_file_save(other, "x", 1, false, &err), SK_FULL);
    assert_false(sk_file_exists(other));
    failing_fsync = EIO;
    assert_int_equal(sk_file_save(other, "x", 1, false, NULL), SK_IO);
    assert_false(sk_file_exists(other));
}

static void unpublished_files_vanish(void **state)
{
    (void)state;
    struct sk_file *file = NULL;
    assert_int_equal(sk_file_create_beside(&file, path, NULL), SK_OK);
    assert_int_equal(sk_file_write(file, "x", 1, NULL), SK_OK);
    assert_string_equal(sk_file_path(file), path);
    assert_false(sk_file_exists(path));
    assert_int_equal(entries(), 1);
    sk_file_close(file);
    assert_int_equal(entries(), 0);
}

static enum sk_status keep_name(void *context, const char *name, struct sk_error *err)
{
    (void)err;
    (void)snprintf(context, 64, "%s", name);
    return SK_OK;
}

static void temporary_names_are_neutral(void **state)
{
    (void)state;
    sk_auto_file file = NULL;
    char name[64];
    assert_int_equal(sk_file_create_beside(&file, path, NULL), SK_OK);
    assert_int_equal(sk_dir_each(dir, keep_name, name, NULL), SK_OK);
    assert_int_equal(strlen(name), 1 + 16 + 5);
    assert_int_equal(name[0], '.');
    assert_int_equal(strspn(name + 1, "0123456789abcdef"), 16);
    assert_string_equal(name + 17, ".part");
}

static void publish_without_replacing(int renameat2_errno, int link_errno)
{
    no_renameat2 = renameat2_errno;
    no_link = link_errno;
    struct sk_error err = SK_ERROR_INIT;
    assert_int_equal(sk_file_save(path, "first", 5, false, NULL), SK_OK);
    assert_holds(path, "first");
    assert_int_equal(sk_file_save(path, "second", 6, false, &err), SK_CREATE);
    assert_non_null(strstr(err.text, "exists"));
    assert_holds(path, "first");
    assert_int_equal(sk_file_save(path, "third", 5, true, NULL), SK_OK);
    assert_holds(path, "third");
    assert_int_equal(entries(), 1);
}

static void publishing(void **state)
{
    (void)state;
    publish_without_replacing(0, 0);
}

static void publishing_by_links(void **state)
{
    (void)state;
    publish_without_replacing(EINVAL, 0);
}

static void publishing_without_links(void **state)
{
    (void)state;
    publish_without_replacing(ENOSYS, EPERM);
}

static void publishing_twice_is_a_fault(void **state)
{
    (void)state;
    sk_auto_file file = NULL;
    assert_int_equal(sk_file_create_beside(&file, path, NULL), SK_OK);
    assert_int_equal(sk_file_publish(file, false, NULL), SK_OK);
    assert_int_equal(sk_file_publish(file, false, NULL), SK_INTERNAL);
}

static void failing_to_publish_keeps_what_was_there(void **state)
{
    (void)state;
    assert_int_equal(sk_file_save(path, "first", 5, false, NULL), SK_OK);
    no_renameat2 = EIO;
    assert_int_equal(sk_file_save(other, "second", 6, false, NULL), SK_CREATE);
    assert_holds(path, "first");
    assert_int_equal(entries(), 1);
    char *nowhere = sk_temp_path(dir, "no/such/folder");
    assert_int_equal(sk_file_save(nowhere, "x", 1, true, NULL), SK_CREATE);
    free(nowhere);
}

/* The folder cannot be synced, and the two names cannot be exchanged again: the file that was there
 * is there again by a rename, or at least it is kept. */
static void what_cannot_be_put_back_is_kept(void **state)
{
    (void)state;
    struct sk_error err = SK_ERROR_INIT;
    assert_int_equal(sk_file_save(path, "first", 5, true, NULL), SK_OK);
    for (int renames = 0; renames < 2; renames++) {
        failing_fsync = EIO;
        fsyncs_before = 1;
        exchanges_before = 1;
        no_rename = renames == 0 ? 0 : EIO;
        sk_error_clear(&err);
        assert_int_equal(sk_file_save(path, "second", 6, true, &err), SK_IO);
        assert_int_equal(entries(), renames == 0 ? 1 : 2);
        if (renames == 0)
            assert_holds(path, "first");
    }
    char *kept = strstr(err.text, "kept as ");
    assert_non_null(kept);
    kept += strlen("kept as ");
    kept[strcspn(kept, ":;, ")] = '\0';
    assert_holds(kept, "first");
}

static void loading(void **state)
{
    (void)state;
    sk_auto_buf buf = SK_BUF_INIT;
    assert_int_equal(sk_buf_add_text(&buf, "before", NULL), SK_OK);
    sk_temp_write(path, "0123456789", 10);
    assert_int_equal(sk_file_load(&buf, path, 9, NULL), SK_LIMIT);
    assert_string_equal(sk_buf_text(&buf), "before");
    assert_int_equal(sk_file_load(&buf, other, 9, NULL), SK_MISSING);
    assert_string_equal(sk_buf_text(&buf), "before");
    assert_int_equal(sk_file_load(&buf, path, 10, NULL), SK_OK);
    assert_string_equal(sk_buf_text(&buf), "0123456789");
    assert_int_equal(sk_file_load(&buf, path, SIZE_MAX, NULL), SK_OK);
    assert_int_equal(buf.len, 10);
    sk_temp_write(path, "", 0);
    assert_int_equal(sk_file_load(&buf, path, 0, NULL), SK_OK);
    assert_int_equal(buf.len, 0);

    static uint8_t large[300001];
    memset(large, 'z', sizeof(large));
    sk_temp_write(path, large, sizeof(large));
    assert_int_equal(sk_file_load(&buf, path, sizeof(large) - 1, NULL), SK_LIMIT);
    assert_int_equal(sk_file_load(&buf, path, sizeof(large), NULL), SK_OK);
    assert_int_equal(buf.len, sizeof(large));
    assert_int_equal(buf.bytes[buf.len], 0);
}

static void pipes_are_read_whole(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        for (int i = 0; i < 10; i++) {
            if (write(fd, "0123456789", 10) != 10)
                _exit(1);
            (void)usleep(2000);
        }
        _exit(0);
    }
    sk_auto_file file = NULL;
    char out[200];
    size_t got;
    uint64_t size;
    bool regular;
    assert_int_equal(sk_file_open(&file, path, NULL), SK_OK);
    assert_int_equal(sk_file_size(file, &size, &regular, NULL), SK_OK);
    assert_false(regular);
    assert_int_equal(sk_file_read(file, out, sizeof(out), &got, NULL), SK_OK);
    assert_int_equal(got, 100);
    assert_int_equal(sk_file_seek(file, 0, NULL), SK_IO);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void removing(void **state)
{
    (void)state;
    sk_temp_write(path, "x", 1);
    assert_int_equal(sk_file_remove(path, NULL), SK_OK);
    assert_false(sk_file_exists(path));
    assert_int_equal(sk_file_remove(path, NULL), SK_OK);
    assert_int_equal(sk_file_remove(dir, NULL), SK_IO);
}

static void free_space(void **state)
{
    (void)state;
    uint64_t here = 0, there = 0;
    assert_int_equal(sk_file_space(dir, &here, NULL), SK_OK);
    assert_int_equal(sk_file_space(path, &there, NULL), SK_OK);
    assert_true(here > 0 && there > 0);
    assert_int_equal(sk_file_space("/no/such/folder", &here, NULL), SK_IO);
}

static void joining_paths(void **state)
{
    (void)state;
    sk_auto_free char *a = NULL;
    sk_auto_free char *b = NULL;
    assert_int_equal(sk_path_join(&a, "x", "y", NULL), SK_OK);
    assert_string_equal(a, "x/y");
    assert_int_equal(sk_path_join(&b, "/", "y", NULL), SK_OK);
    assert_string_equal(b, "/y");
}

/* The parent of a name is found in every way of writing it. */
static void names_of_every_form(void **state)
{
    (void)state;
    assert_int_equal(chdir(dir), 0);
    assert_int_equal(sk_file_save("plain", "a", 1, false, NULL), SK_OK);
    assert_int_equal(sk_file_save("./dotted", "a", 1, false, NULL), SK_OK);
    assert_int_equal(sk_dir_create("folder/", NULL), SK_OK);
    assert_int_equal(sk_file_save("folder//inside", "a", 1, false, NULL), SK_OK);
    assert_int_equal(sk_dir_publish("folder/", "moved/", NULL), SK_OK);
    assert_true(sk_file_exists("moved/inside"));
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(entries(), 3);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin_simply, end)
    const struct CMUnitTest tests[] = {
        TEST(opening_what_is_not_there),
        TEST(only_regular_files_where_it_matters),
        TEST(created_files_are_the_owners),
        TEST(planted_links_are_not_followed),
        TEST(bytes_come_back),
        TEST(a_read_only_file_is_not_written),
        TEST(a_full_device_is_told),
        TEST(a_file_is_written_over),
        TEST(unpublished_files_vanish),
        TEST(temporary_names_are_neutral),
        TEST(publishing),
        TEST(publishing_by_links),
        TEST(publishing_without_links),
        TEST(publishing_twice_is_a_fault),
        TEST(failing_to_publish_keeps_what_was_there),
        TEST(what_cannot_be_put_back_is_kept),
        TEST(loading),
        TEST(pipes_are_read_whole),
        TEST(removing),
        TEST(free_space),
        TEST(joining_paths),
        TEST(names_of_every_form),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
