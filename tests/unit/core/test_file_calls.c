/*
 * Goal of this test: a call that a signal breaks off is made again and does not hang where that
 * never ends; short reads and writes go on; a name whose folder cannot be synced is taken back, and
 * what had the name before has it again. What is not published yet has no name, where the file
 * system can do that.
 */
#include "tests/support/names.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static struct sk_file_calls spoiled;

/* Each breaks off that many times before it does what it should. */
static unsigned interruptions;

static bool breaks_off(void)
{
    if (interruptions == 0)
        return false;
    interruptions--;
    errno = EINTR;
    return true;
}

static int open_slowly(const char *name, int flags, mode_t mode)
{
    return breaks_off() ? -1 : sk_system_calls.open(name, flags, mode);
}

static int fsync_slowly(int fd)
{
    return breaks_off() ? -1 : sk_system_calls.fsync(fd);
}

static ssize_t write_slowly(int fd, const void *bytes, size_t len)
{
    return breaks_off() ? -1 : sk_system_calls.write(fd, bytes, len);
}

static ssize_t write_little(int fd, const void *bytes, size_t len)
{
    return sk_system_calls.write(fd, bytes, len > 7 ? 7 : len);
}

static ssize_t read_little(int fd, void *out, size_t len)
{
    return sk_system_calls.read(fd, out, len > 7 ? 7 : len);
}

static ssize_t pread_little(int fd, void *out, size_t len, off_t offset)
{
    return sk_system_calls.pread(fd, out, len > 7 ? 7 : len, offset);
}

static int fstat_fails(int fd, struct stat *out)
{
    (void)fd, (void)out;
    errno = EIO;
    return -1;
}

static int lstat_fails(const char *name, struct stat *out)
{
    (void)name, (void)out;
    errno = EIO;
    return -1;
}

/* Folders cannot be synced, files can. */
static int fsync_of_files(int fd)
{
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    if (!S_ISDIR(st.st_mode))
        return sk_system_calls.fsync(fd);
    errno = EIO;
    return -1;
}

/* The first sync of a folder works, the second does not. */
static unsigned folder_syncs;

static int fsync_of_one_folder(int fd)
{
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    if (!S_ISDIR(st.st_mode) || folder_syncs++ == 0)
        return sk_system_calls.fsync(fd);
    errno = EIO;
    return -1;
}

static int exchange_unknown(int from_dir, const char *from, int to_dir, const char *to,
                            unsigned flags)
{
    (void)from_dir, (void)from, (void)to_dir, (void)to, (void)flags;
    errno = EINVAL;
    return -1;
}

/* No file is without a name here. */
static int open_as_on_fat(const char *name, int flags, mode_t mode)
{
    if ((flags & O_TMPFILE) != O_TMPFILE)
        return sk_system_calls.open(name, flags, mode);
    errno = EOPNOTSUPP;
    return -1;
}

/* There is no /proc. */
static int stat_without_proc(const char *name, struct stat *out)
{
    if (strncmp(name, "/proc/", 6) != 0)
        return sk_system_calls.stat(name, out);
    errno = ENOENT;
    return -1;
}

static int linkat_fails(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    (void)from_dir, (void)from, (void)to_dir, (void)to, (void)flags;
    errno = EIO;
    return -1;
}

/* What was done, in order: f(ile) and d(irectory) synced, l(inked), r(enamed), w(ritten out). */
static char done[16];

static void note(char what)
{
    size_t len = strlen(done);
    assert_true(len + 1 < sizeof(done));
    done[len] = what;
}

static int fsync_noted(int fd)
{
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    note(S_ISDIR(st.st_mode) ? 'd' : 'f');
    return sk_system_calls.fsync(fd);
}

static int fadvise_noted(int fd, off_t offset, off_t len, int advice)
{
    assert_true(offset == 0 && len == 0 && advice == POSIX_FADV_DONTNEED);
    note('w');
    return sk_system_calls.posix_fadvise(fd, offset, len, advice);
}

static int linkat_noted(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    note('l');
    return sk_system_calls.linkat(from_dir, from, to_dir, to, flags);
}

static int renameat2_noted(int from_dir, const char *from, int to_dir, const char *to,
                           unsigned flags)
{
    note('r');
    return sk_system_calls.renameat2(from_dir, from, to_dir, to, flags);
}

static int begin_spoiled(void **state)
{
    spoiled = sk_system_calls;
    if (begin(state) != 0)
        return -1;
    sk_file_use_calls(&spoiled);
    return 0;
}

static void a_call_broken_off_is_made_again(void **state)
{
    (void)state;
    spoiled.open = open_slowly;
    spoiled.write = write_slowly;
    spoiled.fsync = fsync_slowly;
    for (unsigned times = 1; times < 10; times++) {
        interruptions = times;
        assert_int_equal(sk_file_save(path, "text", 4, true, NULL), SK_OK);
        assert_int_equal(interruptions, 0);
        assert_holds(path, "text");
    }
}

static void a_call_always_broken_off_is_an_error(void **state)
{
    (void)state;
    struct sk_error err = SK_ERROR_INIT;
    spoiled.fsync = fsync_slowly;
    interruptions = UINT32_MAX;
    assert_int_equal(sk_file_save(path, "text", 4, false, &err), SK_IO);
    assert_int_equal(entries(), 0);
}

static void short_calls_go_on(void **state)
{
    (void)state;
    sk_auto_file file = NULL;
    char out[5] = "";
    spoiled.write = write_little;
    spoiled.read = read_little;
    spoiled.pread = pread_little;
    static const char text[] = "a text that is longer than what is read or written at a time";
    assert_int_equal(sk_file_save(path, text, sizeof(text) - 1, false, NULL), SK_OK);
    assert_holds(path, text);
    assert_int_equal(sk_file_open(&file, path, NULL), SK_OK);
    assert_int_equal(sk_file_read_at(file, out, 4, 2, NULL), SK_OK);
    assert_string_equal(out, "text");
}

static void what_cannot_be_looked_at_is_no_missing_file(void **state)
{
    (void)state;
    struct sk_file *file = NULL;
    bool there = true;
    assert_int_equal(sk_file_find(path, &there, NULL), SK_OK);
    assert_false(there);
    assert_int_equal(sk_file_save(path, "x", 1, false, NULL), SK_OK);
    assert_int_equal(sk_file_find(path, &there, NULL), SK_OK);
    assert_true(there);
    spoiled.lstat = lstat_fails;
    spoiled.fstat = fstat_fails;
    struct sk_error err = SK_ERROR_INIT;
    assert_int_equal(sk_file_find(path, &there, &err), SK_IO);
    assert_non_null(strstr(err.text, "cannot be looked at"));
    assert_int_equal(sk_file_open(&file, path, NULL), SK_IO);
    assert_null(file);
}

/* Another program's folder is told from a disk that fails. */
static void a_folder_that_cannot_be_looked_at_is_not_in_use(void **state)
{
    (void)state;
    struct sk_dir_lock *lock = NULL;
    spoiled.fstat = fstat_fails;
    assert_int_equal(sk_dir_lock(&lock, dir, 0, NULL), SK_IO);
    assert_null(lock);
}

static void a_new_name_that_is_not_durable_is_taken_back(void **state)
{
    (void)state;
    struct sk_error err = SK_ERROR_INIT;
    spoiled.fsync = fsync_of_files;
    assert_int_equal(sk_file_save(path, "new", 3, false, &err), SK_IO);
    assert_int_equal(entries(), 0);
    spoiled.fsync = sk_system_calls.fsync;
    assert_int_equal(sk_file_save(path, "new", 3, false, NULL), SK_OK);
    assert_holds(path, "new");
}

static void what_was_replaced_comes_back(void **state)
{
    (void)state;
    assert_int_equal(sk_file_save(path, "old", 3, true, NULL), SK_OK);
    spoiled.fsync = fsync_of_files;
    assert_int_equal(sk_file_save(path, "new", 3, true, NULL), SK_IO);
    assert_holds(path, "old");
    assert_int_equal(entries(), 1);
    spoiled.fsync = sk_system_calls.fsync;
    assert_int_equal(sk_file_save(path, "new", 3, true, NULL), SK_OK);
    assert_holds(path, "new");
    assert_int_equal(entries(), 1);
}

/* Once it is durable, what follows only tidies up. */
static void what_replaces_durably_has_succeeded(void **state)
{
    (void)state;
    assert_int_equal(sk_file_save(path, "old", 3, true, NULL), SK_OK);
    folder_syncs = 0;
    spoiled.fsync = fsync_of_one_folder;
    assert_int_equal(sk_file_save(path, "new", 3, true, NULL), SK_OK);
    assert_int_equal(folder_syncs, 2);
    assert_holds(path, "new");
    assert_int_equal(entries(), 1);
}

static void names_that_cannot_be_exchanged_are_replaced(void **state)
{
    (void)state;
    spoiled.renameat2 = exchange_unknown;
    assert_int_equal(sk_file_save(path, "old", 3, true, NULL), SK_OK);
    assert_int_equal(sk_file_save(path, "new", 3, true, NULL), SK_OK);
    assert_holds(path, "new");
    assert_int_equal(entries(), 1);
}

static int link_unknown(const char *from, const char *to)
{
    (void)from, (void)to;
    errno = EPERM;
    return -1;
}

/* Where only a look tells that the name is free, and it cannot be had. */
static void a_name_that_cannot_be_looked_at_is_not_taken_for_free(void **state)
{
    (void)state;
    struct sk_error err = SK_ERROR_INIT;
    assert_int_equal(sk_file_save(path, "old", 3, false, NULL), SK_OK);
    spoiled.open = open_as_on_fat;
    spoiled.renameat2 = exchange_unknown;
    spoiled.link = link_unknown;
    spoiled.lstat = lstat_fails;
    assert_int_equal(sk_file_save(path, "new", 3, false, &err), SK_CREATE);
    assert_non_null(strstr(err.text, strerror(EIO)));
    assert_holds(path, "old");
    assert_int_equal(entries(), 1);
}

/* How many names there are while the file is written. */
static size_t entries_meanwhile(void)
{
    sk_auto_file file = NULL;
    assert_int_equal(sk_file_create_beside(&file, path, NULL), SK_OK);
    assert_int_equal(sk_file_write(file, "x", 1, NULL), SK_OK);
    assert_int_equal(sk_file_reserve(file, 1, NULL), SK_OK);
    return entries();
}

static void what_is_not_published_has_no_name(void **state)
{
    (void)state;
    assert_int_equal(entries_meanwhile(), 0);
    assert_int_equal(entries(), 0);
    spoiled.open = open_as_on_fat;
    assert_int_equal(entries_meanwhile(), 1);
    assert_int_equal(entries(), 0);
    spoiled.open = sk_system_calls.open;
    spoiled.stat = stat_without_proc;
    assert_int_equal(entries_meanwhile(), 1);
    assert_int_equal(entries(), 0);
}

/* Synced before it has a name and after, then the folder; see give_name() in core/file.c. */
static void a_name_comes_between_two_syncs(void **state)
{
    (void)state;
    spoiled.fsync = fsync_noted;
    spoiled.linkat = linkat_noted;
    spoiled.renameat2 = renameat2_noted;
    memset(done, 0, sizeof(done));
    assert_int_equal(sk_file_save(path, "new", 3, false, NULL), SK_OK);
    assert_string_equal(done, "flfd");
    memset(done, 0, sizeof(done));
    assert_int_equal(sk_file_save(path, "newer", 5, true, NULL), SK_OK);
    assert_string_equal(done, "flfrdd");
    assert_holds(path, "newer");
    spoiled.open = open_as_on_fat;
    memset(done, 0, sizeof(done));
    assert_int_equal(sk_file_save(other, "new", 3, false, NULL), SK_OK);
    assert_string_equal(done, "frd");
    assert_int_equal(entries(), 2);
}

static void a_name_that_is_taken_stays(void **state)
{
    (void)state;
    sk_auto_file file = NULL;
    assert_int_equal(sk_file_create_beside(&file, path, NULL), SK_OK);
    assert_int_equal(sk_file_save(path, "first", 5, false, NULL), SK_OK);
    assert_int_equal(sk_file_publish(file, false, NULL), SK_CREATE);
    assert_holds(path, "first");
    assert_int_equal(symlink(path, other), 0);
    assert_int_equal(sk_file_save(other, "second", 6, false, NULL), SK_CREATE);
    assert_holds(path, "first");
    assert_int_equal(entries(), 2);
}

static void a_name_that_cannot_be_given_is_told(void **state)
{
    (void)state;
    struct sk_error err = SK_ERROR_INIT;
    spoiled.linkat = linkat_fails;
    assert_int_equal(sk_file_save(path, "new", 3, false, &err), SK_CREATE);
    assert_non_null(strstr(err.text, "cannot be created"));
    assert_int_equal(sk_file_save(path, "new", 3, true, NULL), SK_CREATE);
    assert_int_equal(entries(), 0);
}

static void a_folder_that_is_not_durable_is_moved_back(void **state)
{
    (void)state;
    assert_int_equal(sk_dir_create(path, NULL), SK_OK);
    char *inside = sk_temp_path(path, "inside");
    assert_int_equal(sk_file_save(inside, "x", 1, false, NULL), SK_OK);
    assert_int_equal(sk_dir_create(other, NULL), SK_OK);
    spoiled.fsync = fsync_of_files;
    assert_int_equal(sk_dir_publish(path, other, NULL), SK_IO);
    assert_holds(inside, "x");
    free(inside);
}

/* A file of 72 MiB twice on its way, and one of 8 not before its end. */
static void a_large_file_is_written_out_as_it_grows(void **state)
{
    (void)state;
    static uint8_t piece[8 << 20];
    sk_auto_file file = NULL;
    memset(done, 0, sizeof(done));
    spoiled.posix_fadvise = fadvise_noted;
    assert_int_equal(sk_file_save(other, piece, sizeof(piece), false, NULL), SK_OK);
    assert_string_equal(done, "");
    assert_int_equal(sk_file_create(&file, path, NULL), SK_OK);
    for (unsigned i = 0; i < 9; i++)
        assert_int_equal(sk_file_write(file, piece, sizeof(piece), NULL), SK_OK);
    assert_string_equal(done, "ww");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin_spoiled, end)
    const struct CMUnitTest tests[] = {
        TEST(a_call_broken_off_is_made_again),
        TEST(a_call_always_broken_off_is_an_error),
        TEST(short_calls_go_on),
        TEST(what_cannot_be_looked_at_is_no_missing_file),
        TEST(a_folder_that_cannot_be_looked_at_is_not_in_use),
        TEST(a_new_name_that_is_not_durable_is_taken_back),
        TEST(what_was_replaced_comes_back),
        TEST(what_replaces_durably_has_succeeded),
        TEST(names_that_cannot_be_exchanged_are_replaced),
        TEST(a_name_that_cannot_be_looked_at_is_not_taken_for_free),
        TEST(what_is_not_published_has_no_name),
        TEST(a_name_comes_between_two_syncs),
        TEST(a_name_that_is_taken_stays),
        TEST(a_name_that_cannot_be_given_is_told),
        TEST(a_folder_that_is_not_durable_is_moved_back),
        TEST(a_large_file_is_written_out_as_it_grows),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
