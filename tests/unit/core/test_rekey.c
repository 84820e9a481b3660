/*
 * Goal of this test: new keys reach every page and every media file, and the old ones open nothing
 * of them; whichever call that changes a file is the last before the program dies, or fails, the
 * store opens with the same passphrase, holds everything, and the next run completes the work;
 * a file that is damaged or missing is left behind, and one that only could not be read is not: it
 * waits for the next run; what the new keys came from goes only once they are on the disk, and
 * stays on a medium that is read only; files of two states of a store are never mixed.
 */
#include "core/rekey.h"

#include "core/file_calls.h"
#include "core/slots.h"
#include "core/store_internal.h"
#include "core/verify.h"
#include "tests/support/effort.h"
#include "tests/support/stores.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define RECORDS  12
#define PAGE     4096
#define PREAMBLE 8192

/* ---- calls that change files, of this program and of SQLite ---- */

static unsigned counted;    /* since they are counted */
static unsigned stop_at;    /* which one is the last; 0: none is */
static int fails_with;      /* 0: the program dies there; else the errno of that one call */
static uint64_t room_bytes; /* what the file system says is free; 0: the truth */

/* Whether this call fails. Does not come back when it is the last. */
static bool stopped(void)
{
    if (stop_at == 0 || ++counted != stop_at)
        return false;
    if (fails_with == 0)
        _exit(9);
    errno = fails_with;
    return true;
}

/* What was synced last, and what that was when the second database went. */
static struct stat synced, synced_before;
static unsigned next_removed;
static bool medium_is_read_only; /* for this user, who can read everything */

static void note_synced(int fd)
{
    assert_int_equal(fstat(fd, &synced), 0);
}

static void note_removed(const char *path)
{
    const char *name = strrchr(path, '/');
    if (!name || strcmp(name + 1, SK_DATA_NEXT_FILE) != 0)
        return;
    next_removed++;
    synced_before = synced;
}

int faccessat(int dir, const char *path, int mode, int flags)
{
    (void)flags;
    if (medium_is_read_only && (mode & W_OK)) {
        errno = EROFS;
        return -1;
    }
    return (int)syscall(SYS_faccessat, dir, path, mode);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    return stopped() ? -1 : syscall(SYS_write, fd, bytes, len);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t offset)
{
    return stopped() ? -1 : syscall(SYS_pwrite64, fd, bytes, len, offset);
}

int ftruncate64(int fd, off64_t len)
{
    return stopped() ? -1 : (int)syscall(SYS_ftruncate, fd, len);
}

int fsync(int fd)
{
    return stopped() ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    note_synced(fd);
    return stopped() ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int unlink(const char *path)
{
    note_removed(path);
    return stopped() ? -1 : (int)syscall(SYS_unlink, path);
}

int rename(const char *from, const char *to)
{
    return stopped() ? -1 : (int)syscall(SYS_rename, from, to);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    return stopped() ? -1 : (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

int statvfs64(const char *path, struct statvfs64 *out)
{
    (void)path;
    *out = (struct statvfs64){.f_frsize = 1, .f_bavail = room_bytes ? room_bytes : 1u << 30};
    return 0;
}

/* ---- a store with a copy of it ---- */

static struct sk_test_store *at;

static const char *base(const char *name)
{
    static char path[512];
    (void)snprintf(path, sizeof(path), "%s/base/%s", at->dir, name);
    return path;
}

static const char *in_store(const char *name)
{
    static char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s", at->path, name);
    return path;
}

struct copying {
    const char *from, *to;
};

static enum sk_status copy_one(void *context, const char *name, struct sk_error *err)
{
    const struct copying *copying = context;
    sk_auto_free char *from = NULL;
    sk_auto_free char *to = NULL;
    struct stat st;
    SK_TRY(sk_path_join(&from, copying->from, name, err));
    SK_TRY(sk_path_join(&to, copying->to, name, err));
    if (stat(from, &st) == 0 && S_ISREG(st.st_mode))
        sk_temp_copy(from, to);
    return SK_OK;
}

/* Copies a closed store. */
static void copy_store(const char *from, const char *to)
{
    sk_auto_free char *from_media = sk_temp_path(from, "media");
    sk_auto_free char *to_media = sk_temp_path(to, "media");
    struct copying top = {from, to}, media = {from_media, to_media};
    sk_dir_discard(to);
    EXPECT_OK(sk_dir_create(to, &sk_test_err));
    EXPECT_OK(sk_dir_create(to_media, &sk_test_err));
    EXPECT_OK(sk_dir_each(from, copy_one, &top, &sk_test_err));
    EXPECT_OK(sk_dir_each(from_media, copy_one, &media, &sk_test_err));
}

static void attach(struct sk_id *record, size_t len)
{
    sk_auto_item item = sk_test_item(at->store, record);
    struct sk_id id;
    sk_test_write(sk_test_path(at, "photo"), len);
    EXPECT_OK(
        sk_attachment_add(at->store, &item, sk_test_path(at, "photo"), NULL, &id, &sk_test_err));
}

/* Records and four attachments, closed, and a copy of it all. */
static int make(void **state)
{
    struct sk_id id = {{0}};
    if (sk_test_device(state) != 0)
        return -1;
    at = *state;
    for (unsigned i = 0; i < RECORDS; i++)
        id = sk_test_add(at->store, SK_TYPE_EVENT, "Before the new keys");
    attach(&id, 0);
    attach(&id, 1);
    attach(&id, 70000);
    attach(&id, 200000);
    sk_test_close(at);
    sk_auto_free char *to = sk_temp_path(at->dir, "base");
    copy_store(at->path, to);
    return 0;
}

static void start_over(void)
{
    sk_auto_free char *from = sk_temp_path(at->dir, "base");
    copy_store(from, at->path);
}

static void no_problem(void *context, const char *sentence)
{
    (void)context;
    fail_msg("%s", sentence);
}

static void count_problem(void *context, const char *sentence)
{
    (void)sentence;
    ++*(unsigned *)context;
}

/* Open, with everything in it and nothing else in the folder. */
static void assert_whole(void)
{
    EXPECT_OK(sk_verify(at->store, no_problem, NULL, NULL, &sk_test_err));
    assert_int_equal(sk_test_sql_int(at->store, "SELECT count(*) FROM item"), RECORDS + 4);
    assert_int_equal(sk_test_sql_int(at->store, "SELECT count(*) FROM media"), 4);
    assert_int_equal(sk_test_count_files(in_store("media")), 4);
    assert_false(sk_file_exists(in_store(SK_DATA_NEXT_FILE)));
}

static enum sk_status rekey(struct sk_rekey *out, struct sk_error *err)
{
    struct sk_store_options options = sk_test_options(at->path, at->kind);
    return sk_rekey(at->store, options.unlock, NULL, NULL, out, err);
}

static uint64_t left(void)
{
    uint64_t files = 99;
    EXPECT_OK(sk_rekey_left(at->store, &files, &sk_test_err));
    return files;
}

static void assert_open_gives(enum sk_status expected, const char *words)
{
    struct sk_store_options options = sk_test_options(at->path, at->kind);
    struct sk_store *store = NULL;
    EXPECT(expected, sk_store_open(&store, &options, &sk_test_err));
    if (words && !strstr(sk_test_err.text, words))
        fail_msg("%s", sk_test_err.text);
    EXPECT_OK(sk_store_close(store, &sk_test_err));
}

/* ---- what it does ---- */

static enum sk_status same_name(void *context, const char *name, struct sk_error *err)
{
    (void)context, (void)err;
    sk_auto_free char *before = sk_temp_path(base("media"), name);
    if (sk_file_exists(before))
        fail_msg("media/%s is still there", name);
    return SK_OK;
}

/* Neither half of the old state opens with a half of the new one. */
static void assert_states_do_not_mix(void)
{
    sk_auto_free char *keys = sk_temp_path(at->path, SK_KEYS_FILE);
    sk_auto_free char *data = sk_temp_path(at->path, SK_DATA_FILE);
    size_t keys_len, data_len;
    uint8_t *new_keys = sk_temp_read(keys, &keys_len);
    uint8_t *new_data = sk_temp_read(data, &data_len);

    sk_temp_copy(base(SK_KEYS_FILE), keys);
    assert_open_gives(SK_DAMAGED, "another `keys`");
    sk_temp_write(keys, new_keys, keys_len);
    sk_temp_copy(base(SK_DATA_FILE), data);
    assert_open_gives(SK_DAMAGED, "another `keys`");
    sk_temp_write(data, new_data, data_len);
    assert_open_gives(SK_OK, NULL);
    free(new_keys);
    free(new_data);
}

/* No page of before has a place in the new database. */
static void assert_old_pages_are_refused(void)
{
    sk_auto_free char *data = sk_temp_path(at->path, SK_DATA_FILE);
    size_t old_len, new_len;
    uint8_t *old = sk_temp_read(base(SK_DATA_FILE), &old_len);
    uint8_t *now = sk_temp_read(data, &new_len);
    for (size_t page = 1; PREAMBLE + (page + 1) * PAGE <= old_len && page < 40; page++) {
        const size_t place = PREAMBLE + page * PAGE;
        if (place + PAGE > new_len)
            break;
        uint8_t kept[PAGE];
        memcpy(kept, now + place, PAGE);
        memcpy(now + place, old + place, PAGE);
        sk_temp_write(data, now, new_len);
        struct sk_store_options options = sk_test_options(at->path, at->kind);
        struct sk_store *store = NULL;
        enum sk_status status = sk_store_open(&store, &options, NULL);
        unsigned bad = 0;
        if (status == SK_OK)
            EXPECT_OK(sk_db_check(sk_store_db(store), count_problem, &bad, &sk_test_err));
        assert_true(status == SK_DAMAGED || bad == 1);
        EXPECT_OK(sk_store_close(store, &sk_test_err));
        memcpy(now + place, kept, PAGE);
    }
    sk_temp_write(data, now, new_len);
    free(old);
    free(now);
}

static void test_all_is_new(void **state)
{
    (void)state;
    struct sk_rekey result;
    uint8_t key[32], id[SK_STORE_ID_LEN], log_id[32];
    sk_test_open(at);
    memcpy(key, sk_secret_view(at->store->store_key), sizeof(key));
    memcpy(id, sk_keys_store_id(&at->store->keys), sizeof(id));
    memcpy(log_id, sk_store_id(at->store), sizeof(log_id));
    int64_t keys_before = sk_test_sql_int(at->store, "SELECT count(DISTINCT key) FROM media");
    EXPECT_OK(rekey(&result, &sk_test_err));
    assert_false(result.resumed);
    assert_int_equal(result.renewed, 4);
    assert_int_equal(result.damaged, 0);
    assert_int_equal(left(), 0);
    assert_whole();
    assert_memory_not_equal(sk_secret_view(at->store->store_key), key, sizeof(key));
    assert_memory_not_equal(sk_keys_store_id(&at->store->keys), id, sizeof(id));
    assert_memory_equal(sk_store_id(at->store), log_id, sizeof(log_id));
    assert_int_equal(sk_test_sql_int(at->store, "SELECT count(DISTINCT key) FROM media"),
                     keys_before);
    /* It is open as before: it takes a record. */
    (void)sk_test_add(at->store, SK_TYPE_EVENT, "After");
    sk_test_reopen(at);
    assert_int_equal(sk_test_sql_int(at->store, "SELECT count(*) FROM item"), RECORDS + 5);
    assert_memory_equal(sk_store_id(at->store), log_id, sizeof(log_id));
    EXPECT_OK(sk_dir_each(in_store("media"), same_name, NULL, &sk_test_err));
    sk_test_close(at);
    assert_states_do_not_mix();
    assert_old_pages_are_refused();
    sk_test_open(at);
}

static void test_an_old_log_is_not_replayed(void **state)
{
    (void)state;
    struct sk_rekey result;
    pid_t child = fork();
    if (child == 0) {
        sk_test_open(at);
        (void)sk_test_add(at->store, SK_TYPE_EVENT, "In the log");
        _exit(0);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    size_t len;
    uint8_t *log = sk_temp_read(in_store("data-wal"), &len);
    assert_true(len > PAGE);
    sk_test_open(at);
    EXPECT_OK(rekey(&result, &sk_test_err));
    sk_test_close(at);
    sk_temp_write(in_store("data-wal"), log, len);
    free(log);
    sk_test_open(at);
    EXPECT_OK(sk_verify(at->store, no_problem, NULL, NULL, &sk_test_err));
    assert_int_equal(sk_test_sql_int(at->store, "SELECT count(*) FROM item"), RECORDS + 5);
}

/* ---- interrupted ---- */

/* What is done to the open store. */
typedef enum sk_status work_fn(void);

/* Runs work on the open store in a child that dies at that call; false when it ended before. */
static bool killed_at(unsigned call, work_fn *work)
{
    int how = 0;
    pid_t child = fork();
    if (child == 0) {
        sk_test_open(at);
        counted = 0;
        stop_at = call;
        enum sk_status status = work();
        if (status == SK_OK)
            status = sk_store_close(at->store, NULL);
        _exit(status == SK_OK ? 0 : 1);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how) && (WEXITSTATUS(how) == 9 || WEXITSTATUS(how) == 0));
    return WEXITSTATUS(how) == 9;
}

static enum sk_status renew(void)
{
    struct sk_rekey result;
    return rekey(&result, NULL);
}

static void test_killed_at_every_call(void **state)
{
    (void)state;
    struct sk_rekey result;
    unsigned resumed = 0, calls = 0;
    for (unsigned call = 1; killed_at(call, renew); call++) {
        sk_test_open(at);
        assert_whole();
        bool half = left() > 0;
        resumed += half;
        EXPECT_OK(rekey(&result, &sk_test_err));
        assert_int_equal(result.resumed, half);
        assert_int_equal(left(), 0);
        assert_whole();
        sk_test_close(at);
        assert_open_gives(SK_OK, NULL);
        sk_temp_copy(base(SK_KEYS_FILE), in_store(SK_KEYS_FILE));
        assert_open_gives(SK_DAMAGED, NULL);
        start_over();
        calls = call;
    }
    print_message("killed at each of %u calls, %u of them between the pages and the end\n", calls,
                  resumed);
    assert_true(calls > 50 && resumed > 10);
    sk_test_open(at);
    assert_whole();
}

/* The same call fails once: an error, nothing lost, and the next try succeeds. Each third call, in
 * a long run each. */
static void fail_at_calls(unsigned from, int number)
{
    const unsigned step = sk_test_effort(7, 3, 1);
    unsigned failures = 0;
    bool ended = false;
    for (unsigned call = from; !ended; call += step) {
        struct sk_rekey result;
        struct sk_error err = SK_ERROR_INIT;
        sk_test_open(at);
        counted = 0;
        fails_with = number;
        stop_at = call;
        enum sk_status status = rekey(&result, &err);
        stop_at = 0;
        ended = counted < call;
        if (status != SK_OK) {
            assert_true(status == SK_FULL || status == SK_IO || status == SK_CREATE);
            assert_true(err.text[0] != '\0');
            failures++;
        }
        struct sk_store *store = at->store;
        at->store = NULL;
        (void)sk_store_close(store, NULL);
        sk_test_open(at);
        assert_whole();
        EXPECT_OK(rekey(&result, &sk_test_err));
        assert_whole();
        sk_test_close(at);
        start_over();
    }
    fails_with = 0;
    assert_true(failures * step > 45);
}

static void test_full_disk_at_a_call(void **state)
{
    (void)state;
    fail_at_calls(1, ENOSPC);
    sk_test_open(at);
}

static void test_failing_call(void **state)
{
    (void)state;
    fail_at_calls(2, EIO);
    sk_test_open(at);
}

/* ---- states that are found at opening ---- */

/* The folder as it is between `keys` and the renaming of `data`. */
static void make_half_state(void)
{
    struct sk_rekey result;
    sk_test_open(at);
    sk_test_sql(at->store, "DELETE FROM payload WHERE media IS NOT NULL; DELETE FROM media");
    sk_test_close(at);
    sk_temp_copy(in_store(SK_DATA_FILE), base(SK_DATA_FILE));
    sk_temp_copy(in_store(SK_KEYS_FILE), base(SK_KEYS_FILE));
    sk_test_open(at);
    EXPECT_OK(rekey(&result, &sk_test_err));
    sk_test_close(at);
    sk_auto_free char *data = sk_temp_path(at->path, SK_DATA_FILE);
    assert_int_equal(rename(data, in_store(SK_DATA_NEXT_FILE)), 0);
    sk_temp_copy(base(SK_DATA_FILE), data);
}

static void assert_records_are_there(void)
{
    sk_test_open(at);
    assert_int_equal(sk_test_sql_int(at->store, "SELECT count(*) FROM item"), RECORDS + 4);
    sk_test_close(at);
    assert_false(sk_file_exists(in_store(SK_DATA_NEXT_FILE)));
}

static void test_rolled_forward(void **state)
{
    (void)state;
    make_half_state();
    assert_records_are_there();
    /* Also when the old one is gone. */
    sk_auto_free char *data = sk_temp_path(at->path, SK_DATA_FILE);
    assert_int_equal(rename(data, in_store(SK_DATA_NEXT_FILE)), 0);
    assert_records_are_there();
    assert_true(sk_file_exists(data));
    /* And when something of another length is there. */
    assert_int_equal(rename(data, in_store(SK_DATA_NEXT_FILE)), 0);
    sk_test_write(data, 3 * 4096);
    assert_records_are_there();
}

/* Whatever part of the old database was written over: until its beginning is new, `data.next`
 * counts. */
static void test_rolled_forward_again(void **state)
{
    size_t len = 0;
    (void)state;
    make_half_state();
    sk_auto_free char *data = sk_temp_path(at->path, SK_DATA_FILE);
    sk_auto_free uint8_t *next = sk_test_read(in_store(SK_DATA_NEXT_FILE), &len);
    sk_auto_file file = NULL;
    EXPECT_OK(sk_file_open_over(&file, data, &sk_test_err));
    EXPECT_OK(sk_file_seek(file, 8192, &sk_test_err));
    EXPECT_OK(sk_file_write(file, next + 8192, (len - 8192) / 2, &sk_test_err));
    assert_records_are_there();
}

/* A kill between the new beginning of `data` and its sync: `data` opens, maybe from the system's
 * memory alone. Its bytes are on the disk before those they came from go. */
static void test_durable_before_the_other_goes(void **state)
{
    (void)state;
    struct sk_rekey result;
    struct stat st;
    sk_auto_free char *data = sk_temp_path(at->path, SK_DATA_FILE);
    sk_test_open(at);
    EXPECT_OK(rekey(&result, &sk_test_err));
    sk_test_close(at);
    sk_temp_copy(data, in_store(SK_DATA_NEXT_FILE));
    assert_int_equal(stat(data, &st), 0);
    synced = (struct stat){0};
    next_removed = 0;
    sk_test_open(at);
    assert_int_equal(next_removed, 1);
    assert_int_equal(synced_before.st_ino, st.st_ino);
    assert_whole();
}

/* The same, and the sync fails: nothing goes. */
static void test_not_durable(void **state)
{
    (void)state;
    struct sk_store *store = NULL;
    struct sk_store_options options = sk_test_options(at->path, at->kind);
    sk_auto_free char *data = sk_temp_path(at->path, SK_DATA_FILE);
    sk_temp_copy(data, in_store(SK_DATA_NEXT_FILE));
    counted = 0;
    fails_with = EIO;
    stop_at = 1;
    enum sk_status status = sk_store_open(&store, &options, NULL);
    stop_at = 0;
    fails_with = 0;
    assert_int_equal(status, SK_IO);
    assert_true(sk_file_exists(in_store(SK_DATA_NEXT_FILE)));
    assert_records_are_there();
}

/* On a medium that is read only nothing is written: what needs that is told. */
static void test_half_a_state_that_is_read_only(void **state)
{
    (void)state;
    struct sk_store_options options = sk_test_options(at->path, at->kind);
    struct sk_store *store = NULL;
    sk_auto_free char *data = sk_temp_path(at->path, SK_DATA_FILE);
    make_half_state();
    counted = 0;
    stop_at = UINT_MAX;
    medium_is_read_only = true;
    assert_open_gives(SK_IO, "copy the whole folder to where it can be written");
    assert_int_equal(counted, 0);
    assert_true(sk_file_exists(in_store(SK_DATA_NEXT_FILE)));

    /* Both open. */
    sk_temp_copy(in_store(SK_DATA_NEXT_FILE), data);
    counted = 0;
    EXPECT_OK(sk_store_open(&store, &options, &sk_test_err));
    assert_true(sk_store_read_only(store));
    EXPECT_OK(sk_store_close(store, &sk_test_err));
    assert_int_equal(counted, 0);
    assert_true(sk_file_exists(in_store(SK_DATA_NEXT_FILE)));
    medium_is_read_only = false;
    stop_at = 0;
    assert_records_are_there();
}

static void test_nothing_is_taken_that_does_not_open(void **state)
{
    (void)state;
    make_half_state();
    sk_auto_free char *next = sk_temp_path(at->path, SK_DATA_NEXT_FILE);
    size_t len, keys_len;
    uint8_t *whole = sk_temp_read(next, &len);
    uint8_t *keys = sk_temp_read(in_store(SK_KEYS_FILE), &keys_len);

    /* Both copies of its beginning are damaged: neither file opens, and neither goes. */
    sk_test_flip(next, 10);
    sk_test_flip(next, PAGE + 10);
    assert_open_gives(SK_DAMAGED, "another `keys`");
    assert_true(sk_file_exists(next));
    sk_temp_write(next, whole, 100);
    assert_open_gives(SK_DAMAGED, NULL);
    assert_true(sk_file_exists(next));
    sk_temp_write(next, whole, len);

    /* The old keys put back: the old database counts, and holds the same. */
    sk_temp_copy(base(SK_KEYS_FILE), in_store(SK_KEYS_FILE));
    assert_records_are_there();
    sk_temp_write(next, whole, len);
    sk_temp_write(in_store(SK_KEYS_FILE), keys, keys_len);
    assert_records_are_there();
    free(whole);
    free(keys);
}

static void pass_over(void *context, uint64_t bytes)
{
    (void)context, (void)bytes;
}

struct twice {
    char *data;
    uint8_t *whole;
    size_t len;
};

/* A closed `data` of epochs 1 and 2 and the `data.next` it was written from, of the same key. */
static struct twice put_twice(void)
{
    uint8_t store_key[32];
    uint8_t store_id[SK_STORE_ID_LEN];
    struct twice f = {.data = sk_temp_path(at->path, SK_DATA_FILE)};
    sk_test_open(at);
    memcpy(store_key, sk_secret_view(at->store->store_key), sizeof(store_key));
    memcpy(store_id, sk_keys_store_id(&at->store->keys), sizeof(store_id));
    sk_test_close(at);
    const struct sk_db_options options = {
        .path = f.data, .store_key = store_key, .store_id = store_id};
    struct sk_db_options next = options;
    next.path = in_store(SK_DATA_NEXT_FILE);
    EXPECT_OK(sk_db_copy(&options, &next, pass_over, NULL, &sk_test_err));
    sk_temp_copy(next.path, f.data);
    f.whole = sk_temp_read(f.data, &f.len);
    return f;
}

static unsigned bad_pages(void)
{
    unsigned bad = 0;
    sk_test_open(at);
    EXPECT_OK(sk_db_check(sk_store_db(at->store), count_problem, &bad, &sk_test_err));
    assert_false(sk_file_exists(in_store(SK_DATA_NEXT_FILE)));
    sk_test_close(at);
    return bad;
}

/*
 * Killed before `data.next` was removed; then sectors of `data` go bad, or its end is lost: the one
 * whole copy of a page is not removed before it was used. Not so when `data` was written to since:
 * then the other is older.
 */
static void test_a_bad_page_is_in_the_other(void **state)
{
    (void)state;
    struct twice f = put_twice();
    const size_t pages = (f.len - PREAMBLE) / PAGE;
    const char *next = in_store(SK_DATA_NEXT_FILE);
    assert_true(pages > 12);
    for (size_t page = 0; page < pages; page += 3) {
        sk_temp_write(next, f.whole, f.len);
        sk_temp_write(f.data, f.whole, f.len);
        sk_test_flip(f.data, PREAMBLE + page * PAGE + 77);
        sk_test_flip(f.data, PREAMBLE + (pages - 1 - page / 2) * PAGE + 7);
        assert_int_equal(bad_pages(), 0);
    }
    sk_temp_write(next, f.whole, f.len);
    sk_temp_write(f.data, f.whole, f.len - 2 * PAGE - 100);
    assert_int_equal(bad_pages(), 0);

    /* One of its beginnings is damaged as well. */
    sk_temp_write(next, f.whole, f.len);
    sk_temp_write(f.data, f.whole, f.len);
    sk_test_flip(f.data, 10);
    sk_test_flip(f.data, PREAMBLE + 9 * PAGE + 7);
    assert_int_equal(bad_pages(), 0);

    /* In both: there is nothing to be had. */
    sk_temp_write(next, f.whole, f.len);
    sk_temp_write(f.data, f.whole, f.len);
    sk_test_flip(f.data, PREAMBLE + (pages - 1) * PAGE + 7);
    sk_test_flip(next, PREAMBLE + (pages - 1) * PAGE + 9);
    assert_int_equal(bad_pages(), 1);

    /* Written to since. */
    sk_temp_write(f.data, f.whole, f.len);
    sk_test_open(at);
    (void)sk_test_add(at->store, SK_TYPE_EVENT, "later");
    sk_test_close(at);
    sk_temp_write(next, f.whole, f.len);
    sk_test_flip(f.data, PREAMBLE + (pages - 1) * PAGE + 7);
    assert_int_equal(bad_pages(), 1);
    sk_temp_write(f.data, f.whole, f.len);
    free(f.data);
    free(f.whole);
}

static void test_a_leftover_is_removed(void **state)
{
    (void)state;
    for (size_t len = 0; len < 20000; len = 3 * len + 1) {
        sk_test_write(in_store(SK_DATA_NEXT_FILE), len);
        sk_test_open(at);
        assert_whole();
        sk_test_close(at);
    }
    sk_test_open(at);
}

/* ---- who may open it, and what is wanted ---- */

static const uint8_t twelve[] = "baba bebe bibi bobo bubu dada zuzu tata mimi lolo nono pepe";
static const struct sk_words words = {twelve, sizeof(twelve) - 1};
static const struct sk_unlock typed = {twelve, sizeof(twelve) - 1, NULL};

static void test_the_slot_that_opened_is_kept(void **state)
{
    (void)state;
    struct sk_slot slots[SK_SLOT_COUNT];
    struct sk_rekey result;
    unsigned number = 0;
    sk_test_open(at);
    EXPECT_OK(sk_slot_add(at->store, NULL, &words, &number, &sk_test_err));
    sk_test_close(at);

    struct sk_store_options options = sk_test_options(at->path, at->kind);
    const struct sk_unlock *own = options.unlock;
    options.unlock = &typed;
    options.words = &words;
    EXPECT_OK(sk_store_open(&at->store, &options, &sk_test_err));
    EXPECT_OK(sk_rekey(at->store, &typed, &words, NULL, &result, &sk_test_err));
    assert_int_equal(sk_slots(at->store, slots), 1);
    assert_int_equal(slots[0].kind, SK_SLOT_WORDS);
    assert_true(slots[0].opened);
    assert_whole();
    sk_test_close(at);
    assert_open_gives(SK_WRONG_KEY, NULL);
    EXPECT_OK(sk_store_open(&at->store, &options, &sk_test_err));
    EXPECT_OK(sk_slot_add(at->store, own, NULL, &number, &sk_test_err));
    sk_test_reopen(at);
    assert_whole();
}

static enum sk_status change(void)
{
    return sk_store_change_passphrase(at->store, &typed, NULL);
}

static enum sk_status add_words(void)
{
    unsigned number = 0;
    return sk_slot_add(at->store, NULL, &words, &number, NULL);
}

static enum sk_status remove_second(void)
{
    return sk_slot_remove(at->store, 2, NULL);
}

/* Opens by the passphrase of before, or by the one that it was changed to; how many slots there
 * are. */
static unsigned open_either(bool *changed)
{
    struct sk_slot slots[SK_SLOT_COUNT];
    struct sk_store_options options = sk_test_options(at->path, at->kind);
    enum sk_status status = sk_store_open(&at->store, &options, NULL);
    *changed = status == SK_WRONG_KEY;
    if (*changed) {
        options.unlock = &typed;
        status = sk_store_open(&at->store, &options, NULL);
    }
    assert_int_equal(status, SK_OK);
    return sk_slots(at->store, slots);
}

/* The file is the one before or the one after, and after the last call it is the latter. */
static void test_changes_of_slots_killed_at_every_call(void **state)
{
    (void)state;
    static work_fn *const works[] = {change, add_words, remove_second};
    unsigned number = 0;
    sk_test_open(at);
    EXPECT_OK(sk_slot_add(at->store, NULL, &words, &number, &sk_test_err));
    sk_test_close(at);
    sk_auto_free char *to = sk_temp_path(at->dir, "base");
    copy_store(at->path, to);
    for (size_t i = 0; i < sizeof(works) / sizeof(works[0]); i++) {
        const unsigned after = i == 0 ? 2 : i == 1 ? 3 : 1;
        unsigned call = 0, slots = 0;
        bool changed = false, killed = true;
        while (killed) {
            start_over();
            killed = killed_at(++call, works[i]);
            slots = open_either(&changed);
            assert_true(slots == 2 || slots == after);
            assert_true(!changed || i == 0);
            assert_whole();
            sk_test_close(at);
        }
        assert_true(call > 4 && slots == after && changed == (i == 0));
    }
    start_over();
    sk_test_open(at);
}

static void test_other_secrets_are_refused(void **state)
{
    (void)state;
    struct sk_rekey result;
    sk_test_open(at);
    EXPECT(SK_USAGE, sk_rekey(at->store, &typed, NULL, NULL, &result, &sk_test_err));
    EXPECT(SK_USAGE, sk_rekey(at->store, &typed, &words, NULL, &result, &sk_test_err));
    assert_whole();
}

static void test_room_is_looked_for_before(void **state)
{
    (void)state;
    struct sk_rekey result;
    size_t before, after;
    uint8_t *whole = sk_temp_read(in_store(SK_DATA_FILE), &before);
    sk_test_open(at);
    room_bytes = before + 1000;
    EXPECT(SK_FULL, rekey(&result, &sk_test_err));
    assert_non_null(strstr(sk_test_err.text, "MB of free space"));
    room_bytes = 0;
    sk_test_close(at);
    uint8_t *now = sk_temp_read(in_store(SK_DATA_FILE), &after);
    assert_int_equal(before, after);
    assert_memory_equal(whole, now, after);
    free(whole);
    free(now);
    sk_test_open(at);
    EXPECT_OK(rekey(&result, &sk_test_err));
    assert_int_equal(result.renewed, 4);
    assert_whole();
}

static enum sk_status damage_one(void *context, const char *name, struct sk_error *err)
{
    sk_auto_free char *path = NULL;
    uint64_t len = 0;
    SK_TRY(sk_path_join(&path, in_store("media"), name, err));
    SK_TRY(sk_file_length(path, &len, err));
    if (len > 200000) {
        sk_test_flip(path, 66000);
        ++*(unsigned *)context;
    }
    return SK_OK;
}

static enum sk_status remove_one(void *context, const char *name, struct sk_error *err)
{
    sk_auto_free char *path = NULL;
    uint64_t len = 0;
    (void)context;
    SK_TRY(sk_path_join(&path, in_store("media"), name, err));
    SK_TRY(sk_file_length(path, &len, err));
    return len > 200000 ? sk_file_remove(path, err) : SK_OK;
}

static void test_a_damaged_file_stays(void **state)
{
    (void)state;
    struct sk_rekey result;
    unsigned damaged = 0, problems = 0;
    EXPECT_OK(sk_dir_each(in_store("media"), damage_one, &damaged, &sk_test_err));
    assert_int_equal(damaged, 1);
    sk_test_open(at);
    EXPECT_OK(rekey(&result, &sk_test_err));
    assert_int_equal(result.renewed, 3);
    assert_int_equal(result.damaged, 1);
    assert_int_equal(result.unread, 0);
    assert_int_equal(left(), 0);
    sk_test_reopen(at);
    assert_int_equal(sk_test_count_files(in_store("media")), 4);
    EXPECT_OK(sk_verify(at->store, count_problem, &problems, NULL, &sk_test_err));
    assert_int_equal(problems, 1);
}

/* ---- media files that cannot be read, whose bytes may be whole ---- */

static unsigned media_opened; /* to be read, one after the other, since the store was closed */
static unsigned refused;      /* a bit for each of these: 2 is the first */
static int refused_with;
static int no_pread; /* the errno of each reading of a media file past its first chunk; 0: none */

static int open_some(const char *path, int flags, mode_t mode)
{
    bool media = strstr(path, "/media/") && (flags & O_ACCMODE) == O_RDONLY;
    if (media && !(flags & O_DIRECTORY) && (refused >> ++media_opened & 1) != 0) {
        errno = refused_with;
        return -1;
    }
    return sk_system_calls.open(path, flags, mode);
}

static ssize_t pread_some(int fd, void *out, size_t len, off_t offset)
{
    if (no_pread && len == 65536 && offset > 0) {
        errno = no_pread;
        return -1;
    }
    return sk_system_calls.pread(fd, out, len, offset);
}

/* Renews the closed store, which is closed again. */
static enum sk_status rekey_closed(struct sk_rekey *out, struct sk_error *err)
{
    struct sk_error why = SK_ERROR_INIT;
    sk_test_open(at);
    media_opened = 0;
    enum sk_status status = rekey(out, &why);
    sk_test_close(at);
    *err = why;
    return status;
}

static enum sk_status rekey_badly(unsigned opens, int number, int reading, struct sk_rekey *out,
                                  struct sk_error *err)
{
    struct sk_file_calls calls = sk_system_calls;
    calls.open = open_some;
    calls.pread = pread_some;
    refused = opens;
    refused_with = number;
    no_pread = reading;
    sk_file_use_calls(&calls);
    enum sk_status status = rekey_closed(out, err);
    sk_file_use_calls(NULL);
    return status;
}

static unsigned log_looks;

static int lstat_of_log_once(const char *path, struct stat *out)
{
    size_t len = strlen(path);
    if (len > 9 && strcmp(path + len - 9, "/data-wal") == 0 && log_looks++ == 0) {
        errno = EIO;
        return -1;
    }
    return sk_system_calls.lstat(path, out);
}

/* Files are left; nothing is damaged, and the next run ends the work. */
static void assert_goes_on(uint64_t files)
{
    struct sk_rekey result;
    sk_test_open(at);
    assert_whole();
    assert_int_equal(left(), files);
    sk_test_close(at);
    EXPECT_OK(rekey_closed(&result, &sk_test_err));
    assert_true(result.resumed);
    assert_int_equal(result.renewed, files);
    assert_int_equal(result.damaged + result.unread, 0);
    EXPECT_OK(sk_dir_each(in_store("media"), same_name, NULL, &sk_test_err));
    sk_test_open(at);
    assert_whole();
    assert_int_equal(left(), 0);
    sk_test_close(at);
    start_over();
}

static void test_a_file_that_does_not_open_now(void **state)
{
    (void)state;
    static const int numbers[] = {EMFILE, EIO, EACCES};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        for (unsigned which = 1; which <= 4; which++) {
            struct sk_rekey result;
            EXPECT(SK_IO, rekey_badly(1u << which, numbers[i], 0, &result, &sk_test_err));
            assert_int_equal(result.renewed, 3);
            assert_int_equal(result.unread, 1);
            assert_int_equal(result.damaged, 0);
            assert_true(strncmp(sk_test_err.text, "attachment ", 11) == 0 &&
                        strstr(sk_test_err.text, "/media/"));
            assert_goes_on(1);
        }
}

/* Those between them are renewed twice. */
static void test_several_that_do_not_open_now(void **state)
{
    (void)state;
    static const struct {
        unsigned which, left;
    } cases[] = {{2 | 8, 3}, {4 | 8, 2}, {2 | 16, 4}, {2 | 4 | 8 | 16, 4}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sk_rekey result;
        EXPECT(SK_IO, rekey_badly(cases[i].which, EMFILE, 0, &result, &sk_test_err));
        assert_int_equal(result.renewed + result.unread, 4);
        assert_goes_on(cases[i].left);
    }
}

/* A log that is still there holds what `data` lacks: nothing is changed. */
static void test_a_log_that_cannot_be_looked_at(void **state)
{
    (void)state;
    struct sk_rekey result;
    struct sk_error why = SK_ERROR_INIT;
    struct sk_file_calls calls = sk_system_calls;
    size_t len = 0, len_before = 0;
    sk_auto_free char *keys = sk_temp_path(at->path, SK_KEYS_FILE);
    sk_auto_free uint8_t *before = sk_temp_read(keys, &len_before);
    sk_test_open(at);
    calls.lstat = lstat_of_log_once;
    log_looks = 0;
    sk_file_use_calls(&calls);
    enum sk_status status = rekey(&result, &why);
    sk_file_use_calls(NULL);
    sk_test_close(at);
    assert_int_equal(status, SK_IO);
    assert_non_null(strstr(why.text, "data-wal cannot be looked at"));
    sk_auto_free uint8_t *after = sk_temp_read(keys, &len);
    assert_int_equal(len, len_before);
    assert_memory_equal(after, before, len);
    sk_test_open(at);
    assert_whole();
    assert_int_equal(left(), 0);
    sk_test_close(at);
    start_over();
}

static void test_no_memory_for_a_file(void **state)
{
    (void)state;
    struct sk_rekey result;
    EXPECT(SK_NOMEM, rekey_badly(4, ENOMEM, 0, &result, &sk_test_err));
    assert_goes_on(4);
}

/* A bad sector stays one: only what is on it keeps its key, however often it is tried, until the
 * attachment is gone. */
static void test_a_bad_sector(void **state)
{
    (void)state;
    struct sk_rekey result;
    EXPECT(SK_IO, rekey_badly(0, 0, EIO, &result, &sk_test_err));
    assert_int_equal(result.renewed, 2);
    assert_int_equal(result.unread, 2);
    for (unsigned again = 0; again < 2; again++) {
        EXPECT(SK_IO, rekey_badly(0, 0, EIO, &result, &sk_test_err));
        assert_true(result.resumed);
        assert_int_equal(result.renewed, 0);
        assert_int_equal(result.unread, 2);
    }
    assert_goes_on(2);

    struct sk_id id;
    char text[SK_ID_TEXT_LEN] = "";
    unsigned count = 0;
    EXPECT(SK_IO, rekey_badly(16, EIO, 0, &result, &sk_test_err));
    memcpy(text, sk_test_err.text + strlen("attachment "), SK_ID_TEXT_LEN - 1);
    EXPECT_OK(sk_id_parse(&id, text));
    sk_test_open(at);
    sk_auto_item item = sk_test_item(at->store, &id);
    sk_auto_store_txn txn = NULL;
    EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
    EXPECT_OK(sk_record_withdraw(at->store, &item, &count, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    assert_int_equal(left(), 0);
    EXPECT_OK(sk_verify(at->store, no_problem, NULL, NULL, &sk_test_err));
}

static void test_a_missing_file_is_left_behind(void **state)
{
    (void)state;
    struct sk_rekey result;
    unsigned problems = 0;
    EXPECT_OK(sk_dir_each(in_store("media"), remove_one, NULL, &sk_test_err));
    EXPECT_OK(rekey_closed(&result, &sk_test_err));
    assert_int_equal(result.renewed, 3);
    assert_int_equal(result.damaged, 1);
    assert_int_equal(result.unread, 0);
    sk_test_open(at);
    assert_int_equal(left(), 0);
    EXPECT_OK(sk_verify(at->store, count_problem, &problems, NULL, &sk_test_err));
    assert_int_equal(problems, 1);
}

static void test_a_damaged_page_stops_it(void **state)
{
    (void)state;
    struct sk_rekey result;
    size_t len, keys_len, now_len;
    sk_auto_free char *data = sk_temp_path(at->path, SK_DATA_FILE);
    uint8_t *keys = sk_temp_read(in_store(SK_KEYS_FILE), &keys_len);
    uint8_t *whole = sk_temp_read(data, &len);
    sk_test_open(at);
    sk_test_flip(data, len - PAGE / 2);
    EXPECT(SK_DAMAGED, rekey(&result, &sk_test_err));
    struct sk_store *store = at->store;
    at->store = NULL;
    (void)sk_store_close(store, NULL);
    uint8_t *now = sk_temp_read(in_store(SK_KEYS_FILE), &now_len);
    assert_memory_equal(keys, now, keys_len);
    free(now);
    sk_test_flip(data, len - PAGE / 2);
    sk_test_open(at);
    assert_whole();
    free(keys);
    free(whole);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, sk_test_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_all_is_new),
        TEST(test_an_old_log_is_not_replayed),
        TEST(test_killed_at_every_call),
        TEST(test_full_disk_at_a_call),
        TEST(test_failing_call),
        TEST(test_rolled_forward),
        TEST(test_rolled_forward_again),
        TEST(test_durable_before_the_other_goes),
        TEST(test_not_durable),
        TEST(test_half_a_state_that_is_read_only),
        TEST(test_nothing_is_taken_that_does_not_open),
        TEST(test_a_bad_page_is_in_the_other),
        TEST(test_a_leftover_is_removed),
        TEST(test_the_slot_that_opened_is_kept),
        TEST(test_changes_of_slots_killed_at_every_call),
        TEST(test_other_secrets_are_refused),
        TEST(test_room_is_looked_for_before),
        TEST(test_a_damaged_file_stays),
        TEST(test_a_missing_file_is_left_behind),
        TEST(test_a_file_that_does_not_open_now),
        TEST(test_several_that_do_not_open_now),
        TEST(test_a_log_that_cannot_be_looked_at),
        TEST(test_no_memory_for_a_file),
        TEST(test_a_bad_sector),
        TEST(test_a_damaged_page_stops_it),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
