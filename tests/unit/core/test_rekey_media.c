/*
 * Goal of this test: a media file that is damaged or missing is left behind when keys are renewed,
 * and one that only could not be read is not: it keeps its key, is told, and waits for the next
 * run, which renews it, however many there are and however often that takes.
 */
#include "core/file_calls.h"
#include "tests/support/rekeyed.h"

#include <errno.h>
#include <fcntl.h>

/* ---- files that cannot be read, whose bytes may be whole ---- */

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

/* ---- files that are damaged or missing ---- */

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_damaged_file_stays),          TEST(test_a_missing_file_is_left_behind),
        TEST(test_a_file_that_does_not_open_now), TEST(test_several_that_do_not_open_now),
        TEST(test_no_memory_for_a_file),          TEST(test_a_bad_sector),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
