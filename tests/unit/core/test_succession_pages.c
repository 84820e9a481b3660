/*
 * Goal of this test: whatever is lost of the files of a store, pages, frames of its log, the log's
 * own head or the signed one, a succession brings back what is left, as proven as kept nodes and
 * peaks allow, and tells the rest; old pages that are put back do not bring back what was
 * withdrawn, nor does anything bring back what no commit ended; a disk that cannot be read is not
 * taken for damage.
 */
#include "core/file_calls.h"
#include "core/store_internal.h"
#include "core/vfs_internal.h"
#include "tests/support/succeeded.h"
#include "tests/support/temp_dir.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define PAGE 4096
#define HEAD 8192
/* Of the write-ahead log (core/FORMAT.md): where frames begin, and how long one is. */
#define LOG_SHIFT (VFS_LOG_SHIFT + VFS_LOG_HEAD)
#define FRAME     (VFS_FRAME_HEAD + PAGE)

/* ---- pages and frames ---- */

static void put_page(const char *path, const uint8_t *from, size_t page)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, (long)(HEAD + page * PAGE), SEEK_SET), 0);
    assert_int_equal(fwrite(from + HEAD + page * PAGE, 1, PAGE, file), PAGE);
    assert_int_equal(fclose(file), 0);
}

/* Each page as it was before the withdrawal, put back alone: it is authentic, and brings nothing.
 */
static void old_pages_bring_nothing_back(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_test_heir heir;
    size_t old_len = 0, new_len = 0;
    (void)sk_test_add(at->store, SK_TYPE_SOURCE, "alpha");
    struct sk_id id = sk_test_add(at->store, SK_TYPE_SOURCE, "withdrawn");
    sk_test_close(at);
    char data[512];
    (void)snprintf(data, sizeof(data), "%s/data", at->path);
    uint8_t *old = sk_test_read(data, &old_len);
    sk_test_open(at);
    sk_test_withdraw(at->store, &id);
    (void)sk_test_add(at->store, SK_TYPE_SOURCE, "later");
    sk_test_close(at);
    uint8_t *new = sk_test_read(data, &new_len);
    unsigned made = 0;
    for (size_t page = 0; HEAD + (page + 1) * PAGE <= old_len; page++) {
        put_page(data, old, page);
        const char *to = sk_test_path(at, "heir");
        enum sk_status status = sk_test_inherit_status(at->path, to, &heir, &sk_test_err);
        if (status == SK_OK)
            check_heir(to, NULL);
        made += status == SK_OK;
        put_page(data, new, page);
    }
    assert_true(made > 10);
    free(old);
    free(new);
}

/*
 * A store whose program was killed: the database holds "alpha" and its head, the write-ahead log
 * three commits more, each with a head. Whatever frame of the log is damaged: what has a commit
 * behind it comes back, as proven as the heads that are left allow, and the rest is told.
 */
static void what_was_committed_last_outlives_its_head(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_test_heir heir;
    size_t data_len = 0, log_len = 0;
    unsigned uncovered = 0;
    (void)sk_test_add(at->store, SK_TYPE_SOURCE, "alpha");
    sk_test_close(at);
    sk_test_open(at);
    (void)sk_test_add(at->store, SK_TYPE_SOURCE, "beta");
    (void)sk_test_add(at->store, SK_TYPE_SOURCE, "gamma");
    (void)sk_test_add(at->store, SK_TYPE_SOURCE, "delta");
    sk_auto_free char *data = sk_temp_path(at->path, "data");
    sk_auto_free char *log = sk_temp_path(at->path, "data-wal");
    sk_auto_free uint8_t *old_data = sk_test_read(data, &data_len);
    sk_auto_free uint8_t *whole = sk_test_read(log, &log_len);
    sk_test_close(at);
    const char *to = sk_test_path(at, "heir");
    size_t frames = (log_len - LOG_SHIFT) / FRAME;
    assert_true(frames > 10);
    for (size_t frame = 0; frame < frames; frame++) {
        sk_temp_write(data, old_data, data_len);
        sk_temp_write(log, whole, log_len);
        sk_test_flip(log, LOG_SHIFT + frame * FRAME + 100);
        EXPECT_OK(sk_test_inherit_status(at->path, to, &heir, &sk_test_err));
        const struct sk_remains_facts *facts = &heir.facts;
        assert_true(facts->pages.log_doubtful);
        assert_int_equal(facts->refused, 0);
        /* Nothing of what is there is left out but what may have been undone. */
        assert_true(facts->beyond == 0 || frame + 1 == frames);
        assert_true(facts->proven + facts->unproven + facts->beyond >= 3);
        assert_true(heir.losses[0] != '\0' || facts->proven + facts->unproven == 4);
        uncovered += facts->uncovered > 0;
        check_heir(to, NULL);
    }
    assert_true(uncovered > 0);
    sk_temp_write(data, old_data, data_len);
    sk_temp_write(log, whole, log_len);
    sk_test_open(at);
}

/* The head of the log is damaged: the preamble names the log, and its frames open by that. */
static void a_log_that_lost_its_head(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_test_heir heir;
    size_t data_len = 0, log_len = 0;
    (void)sk_test_add(at->store, SK_TYPE_SOURCE, "alpha");
    sk_test_close(at);
    sk_test_open(at);
    struct sk_id id = sk_test_add(at->store, SK_TYPE_SOURCE, "withdrawn");
    (void)sk_test_add(at->store, SK_TYPE_SOURCE, "beta");
    sk_auto_free char *data = sk_temp_path(at->path, "data");
    sk_auto_free char *log = sk_temp_path(at->path, "data-wal");
    sk_auto_free uint8_t *whole = sk_test_read(data, &data_len);
    sk_auto_free uint8_t *frames = sk_test_read(log, &log_len);
    sk_test_withdraw(at->store, &id);
    sk_test_close(at);
    sk_temp_write(data, whole, data_len);
    sk_temp_write(log, frames, log_len);
    sk_test_flip(log, 5);
    const char *to = sk_test_path(at, "heir");
    EXPECT_OK(sk_test_inherit_status(at->path, to, &heir, &sk_test_err));
    assert_true(heir.facts.pages.log_doubtful);
    assert_int_equal(heir.facts.proven, 3);
    assert_int_equal(heir.facts.unproven, 0);
    assert_string_equal(heir.losses, "");
    sk_dir_discard(to);
    /* And one that is not even that long tells nothing. */
    sk_temp_write(log, frames, 50);
    EXPECT_OK(sk_test_inherit_status(at->path, to, &heir, &sk_test_err));
    assert_true(heir.facts.pages.log_doubtful);
    check_heir(to, "alpha ");
    sk_temp_write(log, frames, log_len);
    sk_test_open(at);
}

/*
 * A program was killed in a transaction of which a part was written to the log already: nothing of
 * it was saved, so nothing of it comes back, whatever page of the database is damaged besides; and
 * where none is, nothing is lost and nothing is told.
 */
static void what_no_commit_ended_does_not_come_back(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_test_heir heir;
    struct sk_store *txn = NULL;
    struct sk_id id;
    size_t data_len = 0, log_len = 0;
    uint64_t undone = 0;
    bool headless = false;
    (void)sk_test_add(at->store, SK_TYPE_SOURCE, "alpha");
    sk_test_close(at);
    sk_test_open(at);
    (void)sk_test_add(at->store, SK_TYPE_SOURCE, "beta");
    sk_test_sql(at->store, "PRAGMA cache_size = 10");
    EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
    for (unsigned i = 0; i < 300; i++) {
        json_t *fields = sk_test_fields("never saved");
        EXPECT_OK(sk_record_add(at->store, SK_TYPE_SOURCE, fields, &id, &sk_test_err));
        json_decref(fields);
    }
    sk_auto_free char *data = sk_temp_path(at->path, "data");
    sk_auto_free char *log = sk_temp_path(at->path, "data-wal");
    sk_auto_free uint8_t *whole = sk_test_read(data, &data_len);
    sk_auto_free uint8_t *frames = sk_test_read(log, &log_len);
    sk_store_rollback(at->store);
    sk_test_close(at);
    const char *to = sk_test_path(at, "heir");
    for (size_t page = 0; HEAD + page * PAGE <= data_len; page++) {
        sk_temp_write(data, whole, data_len);
        sk_temp_write(log, frames, log_len);
        if (page > 0)
            sk_test_flip(data, HEAD + (page - 1) * PAGE + 100);
        /* A second frame hides the head that the log holds. */
        for (size_t frame = 0; page % 2 == 1 && frame < 12; frame++)
            sk_test_flip(log, LOG_SHIFT + frame * FRAME + 100);
        enum sk_status status = sk_test_inherit_status(at->path, to, &heir, &sk_test_err);
        assert_true(heir.facts.proven + heir.facts.unproven <= 2);
        if (page == 0) {
            assert_int_equal(status, SK_OK);
            assert_string_equal(heir.losses, "");
            assert_false(heir.facts.pages.log_doubtful);
            assert_int_equal(heir.result.carried, 2);
        }
        undone += heir.facts.undone + heir.facts.beyond + heir.facts.refused;
        headless |= !heir.facts.head_known;
        if (status == SK_OK)
            sk_dir_discard(to);
    }
    assert_true(undone > 0 && headless);
    sk_temp_write(data, whole, data_len);
    sk_temp_write(log, frames, log_len);
    sk_test_open(at);
}

/* An older `data`, closed as it should be, lies over a log of later work: that is told. */
static void a_log_that_is_not_used_is_told(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_test_heir heir;
    size_t old_len = 0, log_len = 0, new_len = 0;
    (void)sk_test_add(at->store, SK_TYPE_SOURCE, "alpha");
    sk_test_close(at);
    sk_auto_free char *data = sk_temp_path(at->path, "data");
    sk_auto_free char *log = sk_temp_path(at->path, "data-wal");
    sk_auto_free uint8_t *old = sk_test_read(data, &old_len);
    sk_test_open(at);
    (void)sk_test_add(at->store, SK_TYPE_SOURCE, "beta");
    sk_auto_free uint8_t *new = sk_test_read(data, &new_len);
    sk_auto_free uint8_t *frames = sk_test_read(log, &log_len);
    sk_test_close(at);
    sk_temp_write(data, old, old_len);
    const char *to = sk_test_path(at, "heir");
    EXPECT_OK(sk_test_inherit_status(at->path, to, &heir, &sk_test_err));
    assert_false(heir.facts.pages.log_doubtful);
    check_heir(to, "alpha ");
    sk_temp_write(log, frames, log_len);
    EXPECT_OK(sk_test_inherit_status(at->path, to, &heir, &sk_test_err));
    assert_true(heir.facts.pages.log_doubtful);
    check_heir(to, "alpha ");
    sk_temp_write(data, new, new_len);
    sk_test_open(at);
}

/* Cut so short that the key is left and no entry and no head: an empty store in its place would
 * pass for all that there was. */
static void a_store_without_an_entry_left_is_refused(void **state)
{
    struct small small;
    struct sk_test_heir heir;
    unsigned keys = 0;
    fill(*state, &small);
    sk_test_close(small.at);
    const char *to = sk_test_path(small.at, "heir");
    sk_auto_free char *data = sk_temp_path(small.at->path, "data");
    size_t len = 0;
    sk_auto_free uint8_t *whole = sk_test_read(data, &len);
    for (size_t pages = 1; pages < 12; pages++) {
        assert_int_equal(truncate(data, (off_t)(HEAD + pages * PAGE)), 0);
        enum sk_status status = sk_test_inherit_status(small.at->path, to, &heir, &sk_test_err);
        if (heir.facts.proven + heir.facts.unproven > 0)
            break;
        keys += heir.facts.key_known;
        assert_int_equal(status, SK_DAMAGED);
        assert_non_null(strstr(sk_test_err.text, "left"));
        assert_false(sk_file_exists(to));
        sk_temp_write(data, whole, len);
    }
    assert_true(keys > 0);
    sk_temp_write(data, whole, len);
    sk_test_open(small.at);
}

/* ---- what proves the rest ---- */

/* In a larger log kept nodes prove what stands away from a lost page. */
static void nodes_prove_the_rest(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_test_heir heir;
    struct sk_store *txn = NULL;
    size_t len = 0;
    bool proved = false;
    EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
    for (unsigned i = 0; i < 1100; i++) {
        struct sk_id id;
        json_t *fields = sk_test_fields("one of many");
        EXPECT_OK(sk_record_add(at->store, SK_TYPE_SOURCE, fields, &id, &sk_test_err));
        json_decref(fields);
    }
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    sk_test_close(at);
    char data[512];
    (void)snprintf(data, sizeof(data), "%s/data", at->path);
    uint8_t *whole = sk_test_read(data, &len);
    size_t pages = (len - HEAD) / PAGE;
    for (size_t page = 10; page < pages && !proved; page += 7) {
        sk_test_flip(data, HEAD + page * PAGE + 200);
        const char *to = sk_test_path(at, "heir");
        EXPECT_OK(sk_test_inherit_status(at->path, to, &heir, &sk_test_err));
        uint64_t there = heir.facts.proven + heir.facts.unproven;
        assert_int_equal(heir.facts.size, 1100);
        assert_int_equal(heir.facts.refused, 0);
        assert_int_equal(heir.facts.bad_pages, 1);
        assert_true(there >= 1100 - 45);
        if (there < 1100) {
            assert_true(heir.facts.unproven <= 512 && heir.facts.proven >= 550);
            proved = true;
        }
        sk_dir_discard(to);
        put_page(data, whole, page);
    }
    assert_true(proved);
    free(whole);
}

/* The newest entries are lost and the head is there: the peaks beside it stand in for them, so that
 * what is older is proven. */
static void peaks_prove_what_is_older(void **state)
{
    enum { COUNT = 700 }; /* peaks of levels 9, 7, 5, 4, 3 and 2 */
    struct sk_test_store *at = *state;
    struct sk_test_heir heir;
    struct sk_store *txn = NULL;
    size_t len = 0;
    bool proved = false;
    EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
    for (unsigned i = 0; i < COUNT; i++) {
        struct sk_id id;
        json_t *fields = sk_test_fields("one of many");
        EXPECT_OK(sk_record_add(at->store, SK_TYPE_SOURCE, fields, &id, &sk_test_err));
        json_decref(fields);
    }
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    sk_test_close(at);
    sk_auto_free char *data = sk_temp_path(at->path, "data");
    sk_auto_free uint8_t *whole = sk_test_read(data, &len);
    const char *to = sk_test_path(at, "heir");
    for (size_t page = (len - HEAD) / PAGE; page-- > 0 && !proved;) {
        sk_test_flip(data, HEAD + page * PAGE + 200);
        EXPECT_OK(sk_test_inherit_status(at->path, to, &heir, &sk_test_err));
        sk_dir_discard(to);
        put_page(data, whole, page);
        uint64_t there = heir.facts.proven + heir.facts.unproven;
        if (!heir.facts.head_known || there == COUNT || !strstr(heir.losses, "-700 "))
            continue;
        assert_int_equal(heir.facts.size, COUNT);
        assert_true(heir.facts.proven >= 512 && heir.facts.unproven <= 128 + 32 + 16 + 8 + 4);
        proved = true;
    }
    assert_true(proved);
    sk_test_open(at);
}

/* ---- a disk that cannot be read ---- */

static unsigned preads, fails_at;
static bool fails_for_good;

static ssize_t pread_fails_once(int fd, void *out, size_t len, off_t offset)
{
    if (++preads == fails_at || (fails_for_good && preads > fails_at)) {
        errno = EIO;
        return -1;
    }
    return sk_system_calls.pread(fd, out, len, offset);
}

/* Each read fails once, or with all after it: it is counted, and who says that all must be readable
 * gets no store. */
static void a_read_that_fails_is_no_damage(void **state)
{
    struct small small;
    struct sk_file_calls calls = sk_system_calls;
    unsigned failed = 0;
    calls.pread = pread_fails_once;
    fill(*state, &small);
    sk_test_close(small.at);
    const char *to = sk_test_path(small.at, "heir");
    for (fails_at = 1; fails_at < 200; fails_at++) {
        struct sk_test_heir heir;
        sk_test_readable = fails_at % 2 == 0;
        fails_for_good = fails_at % 4 > 1;
        preads = 0;
        sk_file_use_calls(&calls);
        enum sk_status status = sk_test_inherit_status(small.at->path, to, &heir, &sk_test_err);
        sk_file_use_calls(NULL);
        bool reached = preads >= fails_at;
        if (status == SK_OK) {
            assert_true(heir.result.unread > 0 || heir.losses[0] == '\0');
            assert_true(!sk_test_readable || heir.result.unread == 0);
            failed += heir.result.unread > 0;
            sk_dir_discard(to);
        } else {
            assert_int_equal(status, SK_IO);
            assert_false(sk_file_exists(to));
        }
        if (!reached)
            break;
    }
    sk_test_readable = false;
    assert_true(fails_at > 20 && failed > 10);
    sk_test_open(small.at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(old_pages_bring_nothing_back),
        TEST(what_was_committed_last_outlives_its_head),
        TEST(a_log_that_lost_its_head),
        TEST(what_no_commit_ended_does_not_come_back),
        TEST(a_log_that_is_not_used_is_told),
        TEST(a_read_that_fails_is_no_damage),
        TEST(nodes_prove_the_rest),
        TEST(peaks_prove_what_is_older),
        TEST(a_store_without_an_entry_left_is_refused),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
