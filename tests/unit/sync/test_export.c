/*
 * Goal of this test: an export carries what some archive lacks, from the lowest such position on;
 * number and keys are used up before the first byte leaves the program; and what fails, or is
 * killed at any write, leaves no file and counts nothing as sent.
 */
#include "core/file.h"
#include "core/file_calls.h"
#include "core/verify.h"
#include "tests/support/exchange.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define KILLED 9

/* This program's own write(): the process ends before the n-th one to a file that is being made. */
static unsigned writes_left;

static bool is_part(int fd)
{
    char link[64];
    char path[512];
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof(path) - 1);
    if (len < 0)
        return false;
    path[len] = '\0';
    return (len > 5 && strcmp(path + len - 5, ".part") == 0) || strstr(path, " (deleted)");
}

/* A file system on which each file has a name, as FAT. */
static int open_named(const char *path, int flags, mode_t mode)
{
    if ((flags & O_TMPFILE) != O_TMPFILE)
        return sk_system_calls.open(path, flags, mode);
    errno = EOPNOTSUPP;
    return -1;
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    if (writes_left > 0 && is_part(fd) && --writes_left == 0)
        _exit(KILLED);
    return syscall(SYS_write, fd, bytes, len);
}

static struct sk_store *device(const struct sk_world *world)
{
    return world->device[0].store;
}

static void add(struct sk_store *store, const char *title)
{
    (void)sk_test_add(store, SK_TYPE_SOURCE, title);
}

static int64_t sql(struct sk_store *store, const char *query)
{
    return sk_test_sql_int(store, query);
}

/* A record with an attachment that nothing compresses. */
static void add_film(struct sk_world *world, size_t len)
{
    struct sk_id attachment;
    uint8_t *bytes = malloc(len);
    assert_non_null(bytes);
    sk_random(bytes, len);
    sk_temp_write(sk_world_path(world, "film"), bytes, len);
    free(bytes);
    struct sk_id id = sk_test_add(device(world), SK_TYPE_SOURCE, "with a film");
    sk_auto_item item = sk_test_item(device(world), &id);
    EXPECT_OK(sk_attachment_add(device(world), &item, sk_world_path(world, "film"), NULL,
                                &attachment, &sk_test_err));
    EXPECT_OK(sk_file_remove(sk_world_path(world, "film"), &sk_test_err));
}

static struct sk_export_result export_from(struct sk_world *world, const char *name, uint64_t since)
{
    struct sk_export_result result;
    EXPECT_OK(
        sk_export(device(world), sk_world_path(world, name), since, NULL, &result, &sk_test_err));
    return result;
}

static char said[SK_ERROR_TEXT_MAX]; /* by the failure that was expected last */

/* Fails with that status, uses `keys` indexes, leaves no file, and counts nothing as sent. */
static void expect_failure(struct sk_world *world, const char *name, uint64_t since,
                           enum sk_status status, int64_t keys)
{
    struct sk_export_result result = {.number = 77};
    char before[600];
    unsigned files = sk_test_count_files(world->dir);
    int64_t next = sql(device(world), "SELECT next FROM chain WHERE id = 1");
    int64_t numbers = sql(device(world), "SELECT count(*) FROM export");
    int64_t done = sql(device(world), "SELECT count(*) FROM export WHERE done");
    (void)snprintf(before, sizeof(before), "%s", sk_world_status(device(world), 0));
    EXPECT(status, sk_export(device(world), sk_world_path(world, name), since, NULL, &result,
                             &sk_test_err));
    memcpy(said, sk_test_err.text, sizeof(said));
    assert_int_equal(result.number, 77);
    assert_int_equal(sk_test_count_files(world->dir), files);
    assert_string_equal(sk_world_status(device(world), 0), before);
    assert_int_equal(sql(device(world), "SELECT next FROM chain WHERE id = 1"), next + keys);
    assert_int_equal(sql(device(world), "SELECT count(*) FROM export"), numbers + keys);
    assert_int_equal(sql(device(world), "SELECT count(*) FROM export WHERE done"), done);
}

/* ---- from where ---- */

static void nothing_new_costs_nothing(void **state)
{
    struct sk_world *world = *state;
    uint8_t before[32], after[32];
    sk_world_pair(world);
    sk_world_dump(device(world), before);
    struct sk_export_result result = export_from(world, "b", SK_EXPORT_NEW);
    assert_true(result.nothing);
    result = export_from(world, "b", 0); /* all of an empty log */
    assert_true(result.nothing);
    sk_world_dump(device(world), after);
    assert_memory_equal(before, after, sizeof(before));

    add(device(world), "one");
    (void)sk_world_export(world, 0, "b1");
    sk_world_dump(device(world), before);
    result = export_from(world, "b", SK_EXPORT_NEW);
    assert_true(result.nothing);
    assert_int_equal(result.n0, 1);
    assert_int_equal(result.n1, 1);
    result = export_from(world, "b", 1); /* from the end on */
    assert_true(result.nothing);
    sk_world_dump(device(world), after);
    assert_memory_equal(before, after, sizeof(before));
    assert_false(sk_file_exists(sk_world_path(world, "b")));
}

static void it_starts_where_it_is_told(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    for (unsigned i = 0; i < 4; i++)
        add(device(world), "entry");
    struct sk_export_result result = export_from(world, "tail", 3);
    assert_int_equal(result.number, 1);
    assert_int_equal(result.n0, 3);
    assert_int_equal(result.n1, 4);
    assert_string_equal(sk_world_status(device(world), 0), "|3-4|0-3|");
    result = export_from(world, "new", SK_EXPORT_NEW);
    assert_int_equal(result.number, 2);
    assert_int_equal(result.n0, 0);
    assert_int_equal(result.n1, 3); /* to the end of what never left */
    assert_string_equal(sk_world_status(device(world), 0), "|0-4||");
    result = export_from(world, "all", 0);
    assert_int_equal(result.number, 3);
    assert_int_equal(result.n0, 0);
    expect_failure(world, "beyond", 5, SK_USAGE, 0);
    assert_non_null(strstr(said, "the last position is 3"));
    struct sk_import_result got = sk_world_import(world, 0, "new");
    assert_int_equal(got.entries_new, 3);
    got = sk_world_import(world, 0, "tail");
    assert_int_equal(got.entries_new, 1);
}

/* What one archive lacks starts the bundle, and every archive gets all of it. */
static void the_lowest_position_that_an_archive_lacks_counts(void **state)
{
    struct sk_world *world = *state;
    sk_world_devices(world, 1);
    sk_world_archives(world, 3);
    EXPECT(SK_CONFIG, sk_export(device(world), sk_world_path(world, "b"), SK_EXPORT_NEW, NULL, NULL,
                                &sk_test_err));
    assert_non_null(strstr(sk_test_err.text, "no archive has invited"));
    for (unsigned i = 0; i < 2; i++) {
        add(device(world), "entry");
        sk_world_invite(world, i, "lark", i ? "i1" : "i0");
        sk_world_accept(world, 0, i ? "i1" : "i0");
        struct sk_export_result result = export_from(world, i ? "b1" : "b0", SK_EXPORT_NEW);
        assert_int_equal(result.n0, 0);
        assert_int_equal(result.n1, i + 1);
    }
    (void)sk_world_import(world, 0, "b1");
    (void)sk_world_import(world, 1, "b1");
    sk_world_import_fails(world, 2, "b1", SK_REFUSED, "no bundle for this archive", true);
    sk_world_import_fails(world, 1, "b0", SK_REFUSED, NULL, true); /* came before its invite */
    add(device(world), "entry");
    struct sk_export_result result = export_from(world, "b2", SK_EXPORT_NEW);
    assert_int_equal(result.n0, 2);
    /* Row 1 took an index for each of the three, row 2 since it is there. */
    assert_int_equal(sql(device(world), "SELECT sum(next) FROM chain"), 3 + 2);
}

/* ---- what fails ---- */

static void a_path_that_cannot_be_used_costs_no_key(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    add(device(world), "one");
    sk_temp_write(sk_world_path(world, "taken"), "mine", 4);
    expect_failure(world, "taken", 0, SK_CREATE, 0);
    expect_failure(world, "no/such/folder", 0, SK_CREATE, 0);
    expect_failure(world, "taken/inside", 0, SK_CREATE, 0);
    expect_failure(world, "device0", 0, SK_CREATE, 0); /* a folder */
    assert_int_equal(symlink("nowhere", sk_world_path(world, "link")), 0);
    expect_failure(world, "link", 0, SK_CREATE, 0);
    EXPECT_OK(sk_dir_create(sk_world_path(world, "closed"), &sk_test_err));
    assert_int_equal(chmod(sk_world_path(world, "closed"), 0500), 0);
    if (geteuid() != 0) /* the superuser may write there all the same */
        expect_failure(world, "closed/b", 0, SK_CREATE, 0);
    size_t len = 0;
    uint8_t *there = sk_temp_read(sk_world_path(world, "taken"), &len);
    assert_int_equal(len, 4);
    free(there);
}

static void limit_files(rlim_t most)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = most < limit.rlim_max ? most : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Space that ends in the header, in a chunk, in the padding: one index each, and the next works. */
static void a_full_disk_leaves_no_file(void **state)
{
    struct sk_world *world = *state;
    static const rlim_t most[] = {1000000, 1500000, 2031616, 2031617, 2097151};
    (void)signal(SIGXFSZ, SIG_IGN);
    sk_world_pair(world);
    add_film(world, 2000000);
    for (size_t i = 0; i < sizeof(most) / sizeof(most[0]); i++) {
        limit_files(most[i]);
        expect_failure(world, "b", SK_EXPORT_NEW, SK_FULL, 1);
        limit_files(RLIM_INFINITY);
    }
    struct sk_export_result result = sk_world_export(world, 0, "b");
    assert_int_equal(result.bytes, 2097152);
    assert_int_equal(result.number, 1 + sizeof(most) / sizeof(most[0]));
    struct sk_import_result got = sk_world_import(world, 0, "b");
    assert_int_equal(got.entries_new, 2);
}

/* A store that is damaged says what is wrong with it, and sends nothing. */
static void what_is_damaged_is_not_sent(void **state)
{
    struct sk_world *world = *state;
    static const struct {
        const char *damage, *repair, *words;
    } damages[] = {
        {"UPDATE payload SET hashes = x'' WHERE id = (SELECT min(id) FROM payload)",
         "UPDATE payload SET hashes = (SELECT hashes FROM saved WHERE saved.id = payload.id)",
         "block hashes do not agree"},
        {"UPDATE payload SET body_len = body_len + 1 WHERE body_len > 0",
         "UPDATE payload SET body_len = body_len - 1 WHERE body_len > 0", "length it was signed"},
        {"UPDATE payload SET salt = x'00'",
         "UPDATE payload SET salt = (SELECT salt FROM saved WHERE saved.id = payload.id)", ""},
        {"UPDATE payload SET media = media + 1 WHERE body_len > 0",
         "UPDATE payload SET media = media - 1 WHERE body_len > 0", ""},
        {"UPDATE entry SET bytes = x'00' WHERE id = (SELECT max(id) FROM entry)",
         "UPDATE entry SET bytes = (SELECT bytes FROM kept WHERE kept.id = entry.id)", ""},
        {"UPDATE entry SET id = id + 1 WHERE id = (SELECT max(id) FROM entry)",
         "UPDATE entry SET id = id - 1 WHERE id = (SELECT max(id) FROM entry)", "lacks an entry"},
    };
    sk_world_pair(world);
    add_film(world, 100000);
    add(device(world), "one");
    sk_test_sql(device(world), "CREATE TEMP TABLE saved AS SELECT * FROM payload;"
                               "CREATE TEMP TABLE kept AS SELECT * FROM entry");
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        sk_test_sql(device(world), damages[i].damage);
        enum sk_status status = sk_export(device(world), sk_world_path(world, "b"), SK_EXPORT_NEW,
                                          NULL, NULL, &sk_test_err);
        if ((status != SK_DAMAGED && status != SK_MISSING) ||
            !strstr(sk_test_err.text, damages[i].words))
            fail_msg("%s: %s (%s)", damages[i].damage, sk_status_name(status), sk_test_err.text);
        sk_error_clear(&sk_test_err);
        assert_false(sk_file_exists(sk_world_path(world, "b")));
        sk_test_sql(device(world), damages[i].repair);
    }
    assert_string_equal(sk_world_status(device(world), 0), "||0-3|");
    (void)sk_world_export(world, 0, "b");
    struct sk_import_result got = sk_world_import(world, 0, "b");
    assert_int_equal(got.entries_new, 3);
    assert_int_equal(got.quarantined, 0);
}

/* The log keeps hashes of its old parts, so that only the bundle itself notices what is gone. */
static void an_old_entry_that_is_gone_is_noticed(void **state)
{
    struct sk_world *world = *state;
    const uint8_t strange[SK_ENTRY_LEN] = {9, 9};
    struct sk_store *txn = NULL;
    sk_world_pair(world);
    EXPECT_OK(sk_store_begin(&txn, device(world), &sk_test_err));
    for (uint64_t i = 0; i < 300; i++)
        EXPECT_OK(sk_log_put(device(world), SK_LOG_OWN, i, strange, 0, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    sk_test_sql(device(world), "DELETE FROM entry WHERE id = (1 << 40) + 5");
    expect_failure(world, "b", SK_EXPORT_NEW, SK_DAMAGED, 1);
    assert_non_null(strstr(said, "entry 5 of the log is gone"));
    struct sk_export_result result = export_from(world, "rest", 256);
    assert_int_equal(result.n1, 300);
}

static void count_problem(void *context, const char *sentence)
{
    (void)sentence;
    ++*(unsigned *)context;
}

/* The manifest says beforehand what an index of the store says: where that is wrong, nothing goes
 * out that every archive would refuse. */
static void an_index_that_lies_is_noticed(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    add(device(world), "one");
    sk_test_belie_lengths(device(world));
    expect_failure(world, "b", SK_EXPORT_NEW, SK_DAMAGED, 1);
    assert_non_null(strstr(said, "'verify' names what is wrong"));
    unsigned problems = 0;
    EXPECT_OK(sk_verify(device(world), count_problem, &problems, NULL, &sk_test_err));
    assert_true(problems > 0);
    sk_test_sql(device(world), "REINDEX payload_length");
    assert_int_equal(export_from(world, "b", SK_EXPORT_NEW).n1, 1);
}

/* ---- what is killed ---- */

static void export_until_killed(struct sk_world *world, unsigned write_number, bool *killed)
{
    int status = 0;
    sk_test_close(&world->device[0]);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct sk_export_result result;
        sk_test_open(&world->device[0]);
        writes_left = write_number;
        _exit(sk_export(device(world), sk_world_path(world, "killed"), SK_EXPORT_NEW, NULL, &result,
                        NULL));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == KILLED);
    *killed = WEXITSTATUS(status) == KILLED;
    sk_test_open(&world->device[0]);
}

static void export_killed_everywhere(struct sk_world *world, bool named)
{
    bool killed = true;
    unsigned n = 1;
    sk_world_pair(world);
    add_film(world, 5000000);
    for (; killed; n++) {
        unsigned files = sk_test_count_files(world->dir);
        export_until_killed(world, n, &killed);
        assert_int_equal(sql(device(world), "SELECT next FROM chain WHERE id = 1"), n);
        assert_int_equal(sql(device(world), "SELECT max(number) FROM export"), n);
        assert_int_equal(sql(device(world), "SELECT count(*) FROM export WHERE done"), !killed);
        assert_string_equal(sk_world_status(device(world), 0), killed ? "||0-2|" : "|0-2||");
        assert_int_equal(sk_file_exists(sk_world_path(world, "killed")), !killed);
        assert_int_equal(sk_test_count_files(world->dir),
                         files + (named || !killed)); /* .part, or the bundle */
        sk_world_verify(device(world));
    }
    assert_true(n > 5);
    struct sk_import_result got = sk_world_import(world, 0, "killed");
    assert_int_equal(got.bundle, n - 1);
    assert_int_equal(got.entries_new, 2);
}

static void number_and_key_are_used_up_before_the_first_byte(void **state)
{
    export_killed_everywhere(*state, false);
}

/* What is left there has no name that was asked for. */
static void and_on_a_simple_file_system(void **state)
{
    struct sk_file_calls calls = sk_system_calls;
    calls.open = open_named;
    sk_file_use_calls(&calls);
    export_killed_everywhere(*state, true);
    sk_file_use_calls(NULL);
}

/* ---- progress ---- */

struct heard {
    uint64_t last;
    uint64_t total;
    unsigned count;
};

static void hear(void *context, uint64_t done, uint64_t total)
{
    struct heard *heard = context;
    assert_true(done >= heard->last && done <= total);
    heard->last = done;
    heard->total = total;
    heard->count++;
}

static void progress_ends_at_its_total(void **state)
{
    struct sk_world *world = *state;
    struct heard heard = {0};
    const struct sk_progress progress = {hear, &heard};
    struct sk_export_result result;
    sk_world_pair(world);
    add_film(world, 2500000);
    EXPECT_OK(sk_export(device(world), sk_world_path(world, "b"), SK_EXPORT_NEW, &progress, &result,
                        &sk_test_err));
    assert_true(heard.count >= 4 && heard.last == heard.total && heard.total > 2500000);
}

/* ---- in fewer bytes ---- */

/* Words in no order, of which a deflater finds more the longer it looks. */
static void add_story(struct sk_store *store)
{
    static const char *const words[] = {"river ",     "night ",    "of the ", "soldiers ",
                                        "was taken ", "and ",      "road ",   "Kalynivka ",
                                        "they said ", "in spring "};
    char *text = malloc(60001);
    size_t len = 0;
    assert_non_null(text);
    while (len + 16 < 60000) {
        const char *word = words[sk_random_below(sizeof(words) / sizeof(words[0]))];
        memcpy(text + len, word, strlen(word));
        len += strlen(word);
    }
    text[len] = '\0';
    (void)sk_test_add_fields(store, SK_TYPE_TESTIMONY,
                             json_pack("{s:s, s:s}", "title", "A story", "text", text));
    free(text);
}

static size_t length_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return (size_t)st.st_size;
}

static void a_small_one_says_the_same(void **state)
{
    struct sk_world *world = *state;
    struct sk_export_result small;
    uint8_t meant[2][32];
    sk_world_devices(world, 1);
    sk_world_archives(world, 2);
    for (unsigned i = 0; i < 2; i++) {
        sk_world_invite(world, i, "lark", "invite");
        sk_world_accept(world, 0, "invite");
    }
    for (unsigned i = 0; i < 20; i++)
        add_story(device(world));
    add_film(world, 100000);

    struct sk_export_result fast = export_from(world, "fast", 0);
    EXPECT_OK(sk_export_small(device(world), sk_world_path(world, "small"), 0, NULL, &small,
                              &sk_test_err));
    assert_true(small.n0 == fast.n0 && small.n1 == fast.n1 && small.left == 0);
    assert_true(length_of(sk_world_path(world, "small")) < length_of(sk_world_path(world, "fast")));
    (void)sk_world_import(world, 0, "fast");
    (void)sk_world_import(world, 1, "small");
    for (unsigned i = 0; i < 2; i++) {
        sk_world_verify(world->archive[i].store);
        sk_world_meaning(world->archive[i].store, meant[i]);
        assert_int_equal(sk_test_sql_int(world->archive[i].store, "SELECT count(*) FROM payload"),
                         22);
    }
    assert_memory_equal(meant[0], meant[1], sizeof(meant[0]));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sk_world_setup, sk_world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(nothing_new_costs_nothing),
        TEST(it_starts_where_it_is_told),
        TEST(the_lowest_position_that_an_archive_lacks_counts),
        TEST(a_path_that_cannot_be_used_costs_no_key),
        TEST(a_full_disk_leaves_no_file),
        TEST(what_is_damaged_is_not_sent),
        TEST(an_old_entry_that_is_gone_is_noticed),
        TEST(an_index_that_lies_is_noticed),
        TEST(number_and_key_are_used_up_before_the_first_byte),
        TEST(and_on_a_simple_file_system),
        TEST(progress_ends_at_its_total),
        TEST(a_small_one_says_the_same),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
