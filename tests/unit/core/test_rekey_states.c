/*
 * Goal of this test: whatever a rekey left that was interrupted, opening the store puts in order:
 * the database that fits `keys` counts, and takes from the other one a page that is bad; what the
 * new keys came from goes only once they are on the disk, and stays on a medium that is read only;
 * what does not open takes no place, and takes nothing with it.
 */
#include "tests/support/last_call.h"
#include "tests/support/rekeyed.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_rolled_forward),
        TEST(test_rolled_forward_again),
        TEST(test_durable_before_the_other_goes),
        TEST(test_not_durable),
        TEST(test_half_a_state_that_is_read_only),
        TEST(test_nothing_is_taken_that_does_not_open),
        TEST(test_a_bad_page_is_in_the_other),
        TEST(test_a_leftover_is_removed),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
