/*
 * Goal of this test: new keys reach every page and every media file, and the old ones open nothing
 * of them; whichever call that changes a file is the last before the program dies, or fails, the
 * store opens with the same passphrase, holds everything, and the next run completes the work; so
 * it is with changes of who may open it; what can be seen not to work stops it before anything is
 * changed; files of two states of a store are never mixed.
 */
#include "core/file_calls.h"
#include "core/slots.h"
#include "tests/support/effort.h"
#include "tests/support/last_call.h"
#include "tests/support/rekeyed.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>

/* ---- what it does ---- */

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

/* ---- who may open it ---- */

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

/* ---- what stops it before anything is changed ---- */

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_all_is_new),
        TEST(test_an_old_log_is_not_replayed),
        TEST(test_killed_at_every_call),
        TEST(test_full_disk_at_a_call),
        TEST(test_failing_call),
        TEST(test_the_slot_that_opened_is_kept),
        TEST(test_changes_of_slots_killed_at_every_call),
        TEST(test_other_secrets_are_refused),
        TEST(test_room_is_looked_for_before),
        TEST(test_a_log_that_cannot_be_looked_at),
        TEST(test_a_damaged_page_stops_it),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
