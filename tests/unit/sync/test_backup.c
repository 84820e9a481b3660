/*
 * Goal of this test: a backup is uniform bytes that hold the whole store and open with what opened
 * it; one that is sealed as it should be and lies inside is refused, and leaves nothing behind; and
 * a medium that takes no file of its size is known before anything is written.
 */
#include "sync/backup_parts.h"

#include "core/file.h"
#include "core/file_calls.h"
#include "crypto/bytes.h"
#include "tests/support/stores.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const uint8_t phrase[] = "correct horse";
static const struct sk_unlock unlock_with = {phrase, sizeof(phrase) - 1, NULL};

static enum sk_status no_loss(void *context, const struct sk_loss *loss, struct sk_error *err)
{
    (void)context, (void)loss;
    return sk_fail(err, SK_INTERNAL, "something is lost");
}

static enum sk_status restore(const char *from, const char *to, struct sk_error *err)
{
    struct sk_store_options store = sk_test_options(to, SK_STORE_DEVICE);
    const struct sk_succession_options options = {.store = &store, .loss = no_loss};
    struct sk_succession_result result;
    return sk_restore(from, &options, NULL, NULL, NULL, &result, err);
}

static void back_up(struct sk_test_store *at, const char *path)
{
    uint64_t bytes = 0;
    EXPECT_OK(sk_backup(at->store, &unlock_with, path, NULL, &bytes, &sk_test_err));
    assert_true(bytes >= SK_BACKUP_MIN && bytes % SK_BACKUP_CHUNK == 0);
    sk_test_reopen(at);
}

static void it_is_uniform_and_whole(void **state)
{
    struct sk_test_store *at = *state;
    size_t len = 0, again_len = 0;
    struct sk_id id = sk_test_add(at->store, SK_TYPE_SOURCE, "in the backup");
    sk_auto_item item = sk_test_item(at->store, &id);
    sk_test_write(sk_test_path(at, "photo"), 500000);
    EXPECT_OK(
        sk_attachment_add(at->store, &item, sk_test_path(at, "photo"), NULL, &id, &sk_test_err));
    back_up(at, sk_test_path(at, "one"));
    back_up(at, sk_test_path(at, "two"));
    uint8_t *bytes = sk_test_read(sk_test_path(at, "one"), &len);
    uint8_t *again = sk_test_read(sk_test_path(at, "two"), &again_len);
    assert_int_equal(len, again_len);
    double chi = 0;
    unsigned counts[256] = {0};
    for (size_t i = 0; i < len; i++)
        counts[bytes[i]]++;
    for (unsigned i = 0; i < 256; i++) {
        double expected = (double)len / 256;
        chi += (counts[i] - expected) * (counts[i] - expected) / expected;
    }
    assert_true(chi > 130 && chi < 420); /* 255 degrees of freedom: one in a million and less */
    for (size_t i = 0; i + 16 <= len; i += 16)
        assert_memory_not_equal(bytes + i, again + i, 16);
    free(bytes);
    free(again);
    EXPECT_OK(restore(sk_test_path(at, "one"), sk_test_path(at, "new"), &sk_test_err));
    sk_dir_discard(sk_test_path(at, "new"));
}

/* ---- lies ---- */

/* Seals a header and a stream as a backup. */
static void forge(const char *path, const uint8_t *head, const uint8_t *stream, size_t len)
{
    uint8_t *header = calloc(1, SK_BACKUP_HEADER_LEN);
    uint8_t *plain = calloc(1, SK_BACKUP_CHUNK);
    uint8_t data_key[32];
    sk_auto_secret key = NULL;
    sk_auto_file file = NULL;
    assert_non_null(header);
    assert_non_null(plain);
    assert_int_equal(sk_backup_key(&key, &unlock_with, header, true), SK_OK);
    memcpy(header + SK_KDF_SALT_LEN, head, 128);
    sk_backup_data_key(data_key, head + SK_BACKUP_AT_FILE_KEY);
    sk_page_seal(header + SK_KDF_SALT_LEN, header + SK_KDF_SALT_LEN, SK_BACKUP_PLAIN_LEN, NULL, 0,
                 sk_secret_view(key));
    sk_ignore(sk_file_remove(path, NULL));
    EXPECT_OK(sk_file_create(&file, path, &sk_test_err));
    EXPECT_OK(sk_file_write(file, header, SK_BACKUP_HEADER_LEN, &sk_test_err));
    for (unsigned j = 0; j < 3; j++) {
        memset(plain, 0, SK_BACKUP_CHUNK);
        if (j == 0)
            memcpy(plain, stream, len);
        sk_chunk_seal(plain, plain, SK_BACKUP_CHUNK_LEN, j, j == 2, data_key);
        EXPECT_OK(sk_file_write(file, plain, SK_BACKUP_CHUNK, &sk_test_err));
    }
    free(header);
    free(plain);
}

static void honest_head(uint8_t head[static 128])
{
    memset(head, 0, 128);
    sk_put_u32(head, SK_BACKUP_FORMAT);
    sk_put_u32(head + SK_BACKUP_AT_KIND, SK_STORE_DEVICE);
}

/* One file of a stream; returns where the next begins. */
static size_t put_file(uint8_t *stream, size_t at, const char *name, size_t name_len, uint64_t len)
{
    sk_put_u16(stream + at, (uint16_t)name_len);
    memcpy(stream + at + 2, name, name_len);
    sk_put_u64(stream + at + 2 + name_len, len);
    return at + 10 + name_len + (size_t)(len < 100 ? len : 0);
}

static void refused(struct sk_test_store *at, const uint8_t *head, const uint8_t *stream,
                    size_t len, enum sk_status status)
{
    const char *path = sk_test_path(at, "forged");
    forge(path, head, stream, len);
    EXPECT(status, restore(path, sk_test_path(at, "new"), &sk_test_err));
    /* The store, and the forged file. */
    assert_int_equal(sk_test_count_files(at->dir), 2);
}

static void lies_inside_are_refused(void **state)
{
    struct sk_test_store *at = *state;
    static const char *const names[] = {"../escaped",
                                        "/tmp/escaped",
                                        "media/../../escaped",
                                        "media",
                                        "media/",
                                        "Keys",
                                        "data ",
                                        "media/0123456789abcdef0123456789abcdeF",
                                        "media/0123456789abcdef0123456789abcdef0",
                                        "data.next",
                                        ".",
                                        "x"};
    uint8_t head[128];
    uint8_t stream[4096] = {0};
    honest_head(head);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t end = put_file(stream, 0, names[i], strlen(names[i]), 3);
        refused(at, head, stream, end + 2, SK_DAMAGED);
    }
    memset(stream, 0, sizeof(stream));
    refused(at, head, stream, 2, SK_MISSING); /* no file at all */
    size_t end = put_file(stream, 0, "da\0ta", 5, 3);
    refused(at, head, stream, end + 2, SK_DAMAGED);
    memset(stream, 0, sizeof(stream));
    end = put_file(stream, 0, "data", 4, 3);
    end = put_file(stream, end, "data", 4, 3); /* twice */
    refused(at, head, stream, end + 2, SK_DAMAGED);
    memset(stream, 0, sizeof(stream));
    (void)put_file(stream, 0, "data", 4, UINT64_MAX); /* longer than the file */
    refused(at, head, stream, 100, SK_DAMAGED);
    memset(stream, 0, sizeof(stream));
    sk_put_u16(stream, 65535); /* a name that is too long */
    refused(at, head, stream, 100, SK_DAMAGED);
    memset(stream, 0, sizeof(stream));
    end = put_file(stream, 0, "data", 4, 3);
    stream[end + 2 + 700] = 1; /* behind the end */
    refused(at, head, stream, 2048, SK_DAMAGED);
    memset(stream, 0, sizeof(stream));
    end = put_file(stream, 0, "data", 4, 3); /* no database */
    refused(at, head, stream, end + 2, SK_DAMAGED);

    sk_put_u32(head, SK_BACKUP_FORMAT + 1);
    refused(at, head, stream, end + 2, SK_CONFIG);
    honest_head(head);
    sk_put_u32(head + SK_BACKUP_AT_KIND, SK_STORE_ARCHIVE);
    refused(at, head, stream, end + 2, SK_DAMAGED);
    honest_head(head);
    head[SK_BACKUP_AT_ZEROS] = 1;
    refused(at, head, stream, end + 2, SK_DAMAGED);
}

/* ---- the medium ---- */

static off_t small_medium(int fd, off_t offset, int whence)
{
    if (whence == SEEK_SET && offset > 100000) {
        errno = EINVAL;
        return -1;
    }
    return sk_system_calls.lseek(fd, offset, whence);
}

static void a_medium_of_small_files_is_known_before(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_file_calls calls = sk_system_calls;
    uint64_t bytes = 0;
    calls.lseek = small_medium;
    sk_file_use_calls(&calls);
    EXPECT(SK_LIMIT, sk_backup(at->store, &unlock_with, sk_test_path(at, "backup"), NULL, &bytes,
                               &sk_test_err));
    sk_file_use_calls(NULL);
    assert_non_null(strstr(sk_test_err.text, "FAT ends at 4 GiB"));
    assert_int_equal(sk_test_count_files(at->dir), 1);
}

static int lstat_of_log_fails(const char *path, struct stat *out)
{
    size_t len = strlen(path);
    if (len < 9 || strcmp(path + len - 9, "/data-wal") != 0)
        return sk_system_calls.lstat(path, out);
    errno = EIO;
    return -1;
}

/* It holds what a full disk kept from being moved into `data`. */
static void a_log_that_cannot_be_looked_at_is_not_left_out(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_file_calls calls = sk_system_calls;
    uint64_t bytes = 0;
    calls.lstat = lstat_of_log_fails;
    sk_file_use_calls(&calls);
    enum sk_status status =
        sk_backup(at->store, &unlock_with, sk_test_path(at, "backup"), NULL, &bytes, &sk_test_err);
    sk_file_use_calls(NULL);
    assert_int_equal(status, SK_IO);
    assert_non_null(strstr(sk_test_err.text, "data-wal cannot be looked at"));
    assert_int_equal(sk_test_count_files(at->dir), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sk_test_device, sk_test_remove)
    const struct CMUnitTest tests[] = {
        TEST(it_is_uniform_and_whole),
        TEST(lies_inside_are_refused),
        TEST(a_medium_of_small_files_is_known_before),
        TEST(a_log_that_cannot_be_looked_at_is_not_left_out),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
