/*
 * Goal of this test: a file counts as delivered only when its medium gives back what was written.
 * What comes back otherwise is removed, and nothing counts as sent.
 *
 * The medium is a bad one by functions of the system that this program puts in place of libc's.
 */
#include "sync/deliver.h"
#include "tests/support/exchange.h"
#include "tests/support/temp_dir.h"
#include "tests/support/volume.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CONTENT_LEN 300000u
#define LONG_LEN    (5u * 1024 * 1024) /* more than goes without a second thread */

enum medium {
    GOOD,
    KEEPS_OTHER_BYTES,
    LOSES_THE_END,
    KEEPS_MORE,
    LOSES_THE_FILE,
    FAILS_TO_SYNC,
    FAILS_TO_SYNC_FOLDERS,
};
static enum medium medium;
static size_t other_byte; /* which one, from the end if it is LAST_BYTE */
#define LAST_BYTE SIZE_MAX

static void path_of(int fd, char out[static 512])
{
    char link[64];
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, out, 511);
    assert_true(len > 0);
    out[len] = '\0';
}

/* Once the system's own copy is dropped, the medium shows what it has. */
int posix_fadvise(int fd, off_t offset, off_t len, int advice)
{
    char path[512];
    struct stat st;
    (void)offset;
    (void)len;
    assert_int_equal(advice, POSIX_FADV_DONTNEED);
    if (medium != KEEPS_OTHER_BYTES && medium != LOSES_THE_END && medium != KEEPS_MORE)
        return 0;
    path_of(fd, path);
    assert_int_equal(stat(path, &st), 0);
    if (medium == KEEPS_OTHER_BYTES)
        sk_test_flip(path, other_byte == LAST_BYTE ? (size_t)st.st_size - 1 : other_byte);
    else if (medium == KEEPS_MORE)
        assert_int_equal(truncate(path, st.st_size + SK_CHUNK_LEN), 0);
    else
        assert_int_equal(truncate(path, st.st_size - SK_CHUNK_LEN), 0);
    return 0;
}

int fsync(int fd)
{
    struct stat st;
    char path[512];
    assert_int_equal(fstat(fd, &st), 0);
    bool folder = S_ISDIR(st.st_mode);
    if ((medium == FAILS_TO_SYNC && !folder) || (medium == FAILS_TO_SYNC_FOLDERS && folder)) {
        errno = EIO;
        return -1;
    }
    if (medium == LOSES_THE_FILE && folder) {
        path_of(fd, path);
        char *name = sk_temp_path(path, "bundle");
        assert_int_equal(unlink(name), 0);
        free(name);
    }
    return (int)syscall(SYS_fsync, fd);
}

/* ---- one file ---- */

static char *folder;
static size_t content_len;

static int setup(void **state)
{
    medium = GOOD;
    other_byte = LAST_BYTE;
    content_len = CONTENT_LEN;
    folder = sk_temp_dir_make();
    *state = sk_temp_path(folder, "bundle");
    return folder && *state ? 0 : -1;
}

static int teardown(void **state)
{
    medium = GOOD;
    free(*state);
    sk_temp_dir_remove(folder);
    return 0;
}

static enum sk_status deliver(const char *path, uint8_t hash[32], uint64_t *bytes)
{
    sk_auto_envelope_writer writer = NULL;
    struct sk_file *file = NULL;
    uint8_t *content = sk_test_content(content_len);
    EXPECT_OK(sk_file_create_beside(&file, path, &sk_test_err));
    EXPECT_OK(sk_envelope_create(&writer, file, &sk_alice.recipient, 1, &sk_test_err));
    EXPECT_OK(sk_envelope_write(writer, content, content_len, &sk_test_err));
    free(content);
    sk_error_clear(&sk_test_err);
    struct sk_delivered delivered = {.bytes = *bytes};
    enum sk_status status = sk_deliver(writer, &file, path, hash, &delivered, &sk_test_err);
    *bytes = delivered.bytes;
    assert_null(file);
    return status;
}

static void a_good_medium_has_the_file(void **state)
{
    const char *path = *state;
    sk_auto_file file = NULL;
    uint8_t hash[32], want[32];
    uint64_t bytes = 0;
    uint64_t size = 0;
    bool regular = false;
    EXPECT_OK(deliver(path, hash, &bytes));
    EXPECT_OK(sk_file_open(&file, path, &sk_test_err));
    EXPECT_OK(sk_file_size(file, &size, &regular, &sk_test_err));
    EXPECT_OK(sk_file_hash(file, want, NULL, &sk_test_err));
    assert_memory_equal(hash, want, sizeof(hash));
    assert_true(regular && bytes == size);
    assert_int_equal(size, 6 * SK_CHUNK_LEN);
    assert_int_equal(sk_test_count_files(folder), 1);
}

/* Nothing under the name, nothing beside it, and nothing said about a file that is not there. */
static void expect_nothing(const char *path, enum medium bad, enum sk_status status,
                           const char *words)
{
    static const uint8_t untouched[32] = {7};
    uint8_t hash[32] = {7};
    uint64_t bytes = 77;
    medium = bad;
    EXPECT(status, deliver(path, hash, &bytes));
    medium = GOOD;
    assert_non_null(strstr(sk_test_err.text, words));
    assert_memory_equal(hash, untouched, sizeof(hash));
    assert_int_equal(bytes, 77);
    assert_int_equal(sk_test_count_files(folder), 0);
}

static void other_bytes_are_removed(void **state)
{
    expect_nothing(*state, KEEPS_OTHER_BYTES, SK_IO, "medium may be failing");
}

/* The header with its padding, the first chunk, its tag, one in the middle, what fills it up. */
static void any_other_byte_is_noticed(void **state)
{
    static const size_t places[] = {
        0,
        SK_VOLUME_HEADER_LEN / 2,
        SK_VOLUME_HEADER_LEN - 1,
        SK_VOLUME_HEADER_LEN,
        SK_VOLUME_HEADER_LEN + SK_CHUNK_LEN - 1,
        SK_VOLUME_HEADER_LEN + 40 * SK_CHUNK_LEN + 100,
        SK_VOLUME_HEADER_LEN + LONG_LEN + 30000,
    };
    content_len = LONG_LEN;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        other_byte = places[i];
        expect_nothing(*state, KEEPS_OTHER_BYTES, SK_IO, "medium may be failing");
    }
}

static void a_file_of_another_length_is_removed(void **state)
{
    expect_nothing(*state, LOSES_THE_END, SK_IO, "medium may be failing");
    expect_nothing(*state, KEEPS_MORE, SK_IO, "medium may be failing");
}

/* Written and read back by two threads. */
static void a_long_file_is_what_its_hash_says(void **state)
{
    const char *path = *state;
    sk_auto_file file = NULL;
    uint8_t hash[32], want[32];
    uint64_t bytes = 0;
    content_len = LONG_LEN;
    EXPECT_OK(deliver(path, hash, &bytes));
    assert_true(bytes > LONG_LEN);
    EXPECT_OK(sk_file_open(&file, path, &sk_test_err));
    EXPECT_OK(sk_file_hash(file, want, NULL, &sk_test_err));
    assert_memory_equal(hash, want, sizeof(hash));
}

static void a_file_that_went_away_is_an_error(void **state)
{
    expect_nothing(*state, LOSES_THE_FILE, SK_IO, "cannot be opened");
}

static void what_cannot_be_synced_gets_no_name(void **state)
{
    expect_nothing(*state, FAILS_TO_SYNC, SK_IO, "was not saved");
}

/* A name that may get lost is taken back. */
static void a_folder_that_cannot_be_synced_is_an_error(void **state)
{
    expect_nothing(*state, FAILS_TO_SYNC_FOLDERS, SK_IO, "was not saved");
}

static void a_name_that_was_taken_meanwhile_is_left_alone(void **state)
{
    uint8_t hash[32];
    uint64_t bytes = 0;
    size_t len = 0;
    sk_temp_write(*state, "mine", 4);
    EXPECT(SK_CREATE, deliver(*state, hash, &bytes));
    uint8_t *there = sk_temp_read(*state, &len);
    assert_int_equal(len, 4);
    assert_memory_equal(there, "mine", 4);
    free(there);
    assert_int_equal(sk_test_count_files(folder), 1);
}

/* ---- a bundle and a receipt ---- */

static void what_did_not_come_back_was_not_sent(void **state)
{
    struct sk_world *world = *state;
    struct sk_export_result sent = {.number = 77};
    struct sk_import_result result;
    char code[SK_CODE_LEN] = "untouched";
    medium = GOOD;
    sk_world_pair(world);
    struct sk_store *device = world->device[0].store;
    (void)sk_test_add(device, SK_TYPE_SOURCE, "one");
    medium = KEEPS_OTHER_BYTES;
    EXPECT(SK_IO,
           sk_export(device, sk_world_path(world, "b1"), SK_EXPORT_NEW, NULL, &sent, &sk_test_err));
    medium = GOOD;
    assert_int_equal(sent.number, 77);
    assert_false(sk_file_exists(sk_world_path(world, "b1")));
    assert_string_equal(sk_world_status(device, 0), "||0-1|");
    sent = sk_world_export(world, 0, "b2");
    assert_int_equal(sent.number, 2);
    assert_int_equal(sent.n0, 0);
    result = sk_world_import(world, 0, "b2");
    assert_int_equal(result.entries_new, 1);

    medium = KEEPS_OTHER_BYTES;
    EXPECT(SK_IO, sk_receipt_write(world->archive[0].store, 1, sk_world_path(world, "r1"), code,
                                   &sk_test_err));
    medium = GOOD;
    assert_string_equal(code, "untouched");
    assert_false(sk_file_exists(sk_world_path(world, "r1")));
    struct sk_receipt_result receipt = sk_world_receipt(world, 0, 1, 0, "r2");
    assert_int_equal(receipt.number, 2);
    sk_receipt_result_clear(&receipt);
}

static int begin(void **state)
{
    return sk_test_begin(state) || sk_volume_setup(state) ? -1 : 0;
}

static int end(void **state)
{
    return sk_volume_teardown(state) || sk_test_end(state) ? -1 : 0;
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_good_medium_has_the_file),
        IN_FOLDER(other_bytes_are_removed),
        IN_FOLDER(any_other_byte_is_noticed),
        IN_FOLDER(a_file_of_another_length_is_removed),
        IN_FOLDER(a_long_file_is_what_its_hash_says),
        IN_FOLDER(a_file_that_went_away_is_an_error),
        IN_FOLDER(what_cannot_be_synced_gets_no_name),
        IN_FOLDER(a_folder_that_cannot_be_synced_is_an_error),
        IN_FOLDER(a_name_that_was_taken_meanwhile_is_left_alone),
        cmocka_unit_test_setup_teardown(what_did_not_come_back_was_not_sent, sk_world_setup,
                                        sk_world_teardown),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
