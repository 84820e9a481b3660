/*
 * Goal of this test: media files give back what was written, in any pieces and of any size, and
 * only that; their sizes are rounded; none stays behind that an interrupted command left or that
 * was erased, and none goes that a `data` names, be it this one or a newer one.
 */
#include "core/media.h"

#include "core/folder.h"
#include "core/store_internal.h"
#include "tests/support/stores.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK 65536u
#define PLAIN 65520u

static unsigned files(const struct sk_test_store *at)
{
    return sk_test_count_files(sk_test_path(at, "store/media"));
}

static uint8_t byte_at(size_t i)
{
    return (uint8_t)(i * 131 + i / 251);
}

/* Writes in pieces of that size, up to the finished file. */
static void write_all(struct sk_media_writer *writer, size_t len, size_t piece)
{
    uint8_t bytes[5000];
    for (size_t done = 0; done < len;) {
        size_t now = len - done < piece ? len - done : piece;
        for (size_t i = 0; i < now; i++)
            bytes[i] = byte_at(done + i);
        EXPECT_OK(sk_media_write(writer, bytes, now, &sk_test_err));
        done += now;
    }
    EXPECT_OK(sk_media_finish(writer, &sk_test_err));
}

/* A file with its row, in the transaction that is open. */
static int64_t keep(struct sk_store *store, size_t len, size_t piece)
{
    int64_t row = 0;
    sk_auto_media_writer writer = NULL;
    EXPECT_OK(sk_media_create(store, &writer, &sk_test_err));
    write_all(writer, len, piece);
    EXPECT_OK(sk_media_keep(writer, &row, &sk_test_err));
    return row;
}

static int64_t add(struct sk_store *store, size_t len, size_t piece)
{
    struct sk_store *txn = NULL;
    EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
    int64_t row = keep(store, len, piece);
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    return row;
}

/* Of the file of a row, and of its mark. */
struct names {
    char file[33];
    char mark[38];
};

static struct names names_of(struct sk_store *store, int64_t row)
{
    struct names names;
    bool found = false;
    sk_auto_stmt stmt = NULL;
    EXPECT_OK(sk_db_prepare(sk_store_db(store), &stmt,
                            "SELECT lower(hex(name)) FROM media WHERE id = ?1", &sk_test_err));
    sk_bind_int(stmt, 1, row);
    EXPECT_OK(sk_step(stmt, &found, &sk_test_err));
    assert_true(found);
    (void)snprintf(names.file, sizeof(names.file), "%s", sk_column_text(stmt, 0));
    (void)snprintf(names.mark, sizeof(names.mark), "%s.mark", names.file);
    return names;
}

static const char *name_path(const struct sk_test_store *at, const char *name)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "store/media/%s", name);
    return sk_test_path(at, path);
}

static void assert_reads(struct sk_store *store, int64_t row, size_t len, size_t piece)
{
    uint8_t bytes[70000];
    size_t done = 0, got = 1;
    sk_auto_media_reader reader = NULL;
    EXPECT_OK(sk_media_open(store, row, &reader, &sk_test_err));
    assert_int_equal(sk_media_size(reader), len);
    while (got) {
        EXPECT_OK(sk_media_read(reader, bytes, piece, &got, &sk_test_err));
        assert_int_equal(got, len - done < piece ? len - done : piece);
        for (size_t i = 0; i < got; i++) {
            if (bytes[i] != byte_at(done + i))
                fail_msg("byte %zu is another", done + i);
        }
        done += got;
    }
    assert_int_equal(done, len);
}

static void test_sizes_and_pieces(void **state)
{
    struct sk_test_store *at = *state;
    static const size_t sizes[] = {0,         1,         PLAIN - 1,     PLAIN,
                                   PLAIN + 1, 2 * PLAIN, 9 * PLAIN + 7, 20 * PLAIN};
    static const size_t pieces[] = {1, 4999, 5000};
    static const size_t reads[] = {1, 65519, PLAIN, 70000};
    int64_t rows[8];
    for (size_t i = 0; i < 8; i++)
        rows[i] = add(at->store, sizes[i], pieces[i % 3]);
    sk_test_reopen(at);
    assert_int_equal(files(at), 8);
    for (size_t i = 0; i < 8; i++)
        assert_reads(at->store, rows[i], sizes[i], reads[i % 4]);
}

/* PADME: the length keeps as many significant bits as the length of its length has. */
static void test_rounding(void **state)
{
    (void)state;
    static const uint64_t known[][2] = {
        {0, 0},   {1, 1},   {2, 2},    {8, 8},       {9, 10},        {15, 16},
        {16, 16}, {17, 18}, {99, 104}, {1000, 1024}, {65537, 67584}, {1000000, 1015808}};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        assert_int_equal(sk_padme(known[i][0]), known[i][1]);
    uint64_t before = 0;
    for (uint64_t len = 2; len < 3000000; len += 1 + len / 97) {
        uint64_t padded = sk_padme(len);
        assert_true(padded >= len && padded >= before);
        assert_true(padded - len <= len * 12 / 100 + 1);
        assert_int_equal(sk_padme(padded), padded);
        before = padded;
    }
    assert_true(sk_padme(UINT64_C(1) << 62) == UINT64_C(1) << 62);
}

static enum sk_status add_length(void *context, const char *name, struct sk_error *err)
{
    char path[600];
    struct stat st;
    (void)err;
    (void)snprintf(path, sizeof(path), "%s/store/media/%s",
                   ((struct sk_test_store **)context)[0]->dir, name);
    assert_int_equal(strlen(name), 32);
    assert_int_equal(strspn(name, "0123456789abcdef"), 32);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    *((size_t **)context)[1] = (size_t)st.st_size;
    return SK_OK;
}

/* The length of a file tells the rounded number of chunks and nothing else. */
static void test_file_lengths(void **state)
{
    struct sk_test_store *at = *state;
    static const size_t cases[][2] = {
        {0, 1},           {1, 1},           {PLAIN, 1},          {PLAIN + 1, 2},
        {17 * PLAIN, 17}, {64 * PLAIN, 64}, {64 * PLAIN + 1, 66}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t len = 0;
        void *context[] = {at, &len};
        struct sk_store *txn = NULL;
        int64_t row = add(at->store, cases[i][0], 5000);
        EXPECT_OK(sk_dir_each(sk_test_path(at, "store/media"), add_length, context, &sk_test_err));
        assert_int_equal(len, cases[i][1] * CHUNK);
        EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
        EXPECT_OK(sk_media_erase(at->store, row, &sk_test_err));
        EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
        assert_int_equal(files(at), 0);
    }
}

/* The same bytes twice have nothing in common on disk, and are not there in the clear. */
static void test_nothing_in_common(void **state)
{
    struct sk_test_store *at = *state;
    uint8_t plain[64];
    for (size_t i = 0; i < sizeof(plain); i++)
        plain[i] = byte_at(i);
    (void)add(at->store, 1000, 1000);
    (void)add(at->store, 1000, 1000);
    char names[2][64] = {"", ""};
    sk_auto_stmt stmt = NULL;
    EXPECT_OK(sk_db_prepare(sk_store_db(at->store), &stmt, "SELECT lower(hex(name)) FROM media",
                            &sk_test_err));
    for (int i = 0; i < 2; i++) {
        bool row = false;
        EXPECT_OK(sk_step(stmt, &row, &sk_test_err));
        (void)snprintf(names[i], sizeof(names[i]), "store/media/%s", sk_column_text(stmt, 0));
        assert_false(sk_temp_contains(sk_test_path(at, names[i]), plain, 16));
    }
    size_t len;
    uint8_t *first = sk_test_read(sk_test_path(at, names[0]), &len);
    for (size_t i = 0; i < len; i += 512)
        assert_false(sk_temp_contains(sk_test_path(at, names[1]), first + i, 16));
    free(first);
}

/* What stays and what goes */

static void test_not_finished(void **state)
{
    struct sk_test_store *at = *state;
    int64_t row = 0;
    struct sk_media_writer *writer = NULL;
    EXPECT_OK(sk_media_create(at->store, &writer, &sk_test_err));
    EXPECT_OK(sk_media_write(writer, "a", 1, &sk_test_err));
    EXPECT(SK_INTERNAL, sk_media_keep(writer, &row, &sk_test_err));
    assert_int_equal(files(at), 2); /* with its mark */
    sk_media_writer_free(writer);
    assert_int_equal(files(at), 0);

    EXPECT_OK(sk_media_create(at->store, &writer, &sk_test_err));
    EXPECT_OK(sk_media_finish(writer, &sk_test_err));
    sk_media_writer_free(writer);
    assert_int_equal(files(at), 0);
    sk_media_writer_free(NULL);
    sk_media_reader_free(NULL);
}

static void test_rolled_back(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_store *txn = NULL;
    int64_t kept = add(at->store, 10, 10);
    EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
    (void)keep(at->store, 10, 10);
    (void)keep(at->store, 10, 10);
    assert_int_equal(files(at), 5); /* two of them with marks */
    sk_store_rollback(at->store);
    assert_int_equal(files(at), 1);
    assert_reads(at->store, kept, 10, 10);
    sk_store_rollback(at->store);
    assert_int_equal(files(at), 1);
}

static void test_erase(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_store *txn = NULL;
    sk_auto_media_reader reader = NULL;
    int64_t first = add(at->store, 10, 10);
    int64_t second = add(at->store, 20, 10);
    EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
    EXPECT_OK(sk_media_erase(at->store, first, &sk_test_err));
    assert_int_equal(files(at), 2);
    sk_store_rollback(at->store);
    assert_reads(at->store, first, 10, 10);

    EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
    EXPECT_OK(sk_media_erase(at->store, first, &sk_test_err));
    EXPECT_OK(sk_media_erase(at->store, first, &sk_test_err)); /* nothing is there any more */
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    assert_int_equal(files(at), 1);
    EXPECT(SK_DAMAGED, sk_media_open(at->store, first, &reader, &sk_test_err));
    assert_reads(at->store, second, 20, 10);
    sk_test_reopen(at);
    assert_reads(at->store, second, 20, 10);
}

/* The key is gone with the commit, even where the file cannot be removed. */
static void test_erase_what_cannot_be_removed(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_store *txn = NULL;
    int64_t row = add(at->store, 10, 10);
    assert_int_equal(rename(sk_test_path(at, "store/media"), sk_test_path(at, "elsewhere")), 0);
    sk_test_write(sk_test_path(at, "store/media"), 1);
    EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
    EXPECT_OK(sk_media_erase(at->store, row, &sk_test_err));
    EXPECT(SK_IO, sk_store_commit(&txn, &sk_test_err));
    assert_non_null(strstr(sk_test_err.text, "it was saved"));
    assert_int_equal(unlink(sk_test_path(at, "store/media")), 0);
    assert_int_equal(rename(sk_test_path(at, "elsewhere"), sk_test_path(at, "store/media")), 0);
    assert_int_equal(sk_test_sql_int(at->store, "SELECT count(*) FROM media"), 0);
    assert_int_equal(files(at), 1);
    sk_test_reopen(at); /* nothing tells it from a file that a newer `data` names */
    assert_int_equal(files(at), 1);
}

/* Names */

static void assert_file(const struct sk_test_store *at, const char *name, bool there)
{
    bool found = access(name_path(at, name), F_OK) == 0;
    if (found != there)
        fail_msg("%s is %s", name, found ? "there" : "not there");
}

static void make_mark(const struct sk_test_store *at, const char *name)
{
    sk_temp_write(name_path(at, name), "", 0);
}

/* A new file has a mark until its row is committed. */
static void test_mark_goes_with_the_commit(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_store *txn = NULL;
    EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
    int64_t row = keep(at->store, 10, 10);
    struct names names = names_of(at->store, row);
    assert_file(at, names.mark, true);
    assert_file(at, names.file, true);
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    assert_file(at, names.mark, false);
    assert_reads(at->store, row, 10, 10);
}

/* The first half of a commit, and then no more. */
static void test_erased_is_marked_before_the_commit(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_store *txn = NULL;
    int64_t row = add(at->store, 10, 10);
    struct names names = names_of(at->store, row);
    EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
    EXPECT_OK(sk_media_erase(at->store, row, &sk_test_err));
    EXPECT_OK(sk_media_mark_erased(at->store, &sk_test_err));
    assert_file(at, names.mark, true);
    assert_file(at, names.file, true);
    sk_store_rollback(at->store);
    assert_reads(at->store, row, 10, 10);
    sk_test_reopen(at);
    assert_file(at, names.mark, false);
    assert_reads(at->store, row, 10, 10);
}

/* Interrupted after the commit of a new file, or before that of an erasure. */
static void test_opening_keeps_what_a_row_names(void **state)
{
    struct sk_test_store *at = *state;
    int64_t row = add(at->store, 10, 10);
    struct names names = names_of(at->store, row);
    make_mark(at, names.mark);
    sk_test_reopen(at);
    assert_file(at, names.mark, false);
    assert_reads(at->store, row, 10, 10);
}

/* Interrupted before the commit of a new file, or after that of an erasure. */
static void test_opening_removes_what_is_marked(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_store *txn = NULL;
    int64_t row = add(at->store, 10, 10);
    struct names names = names_of(at->store, row);
    sk_temp_copy(name_path(at, names.file), sk_test_path(at, "copy"));
    EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
    EXPECT_OK(sk_media_erase(at->store, row, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    assert_int_equal(files(at), 0);
    sk_temp_copy(sk_test_path(at, "copy"), name_path(at, names.file));
    make_mark(at, names.mark);
    sk_test_reopen(at);
    assert_int_equal(files(at), 0);
}

/* What cannot be removed keeps its mark, and goes when it can. */
static void test_mark_stays_with_its_file(void **state)
{
    struct sk_test_store *at = *state;
    static const char file[] = "0123456789abcdef0123456789abcdef";
    static const char mark[] = "0123456789abcdef0123456789abcdef.mark";
    assert_int_equal(mkdir(name_path(at, file), 0700), 0);
    make_mark(at, mark);
    sk_test_reopen(at);
    assert_file(at, file, true);
    assert_file(at, mark, true);
    assert_int_equal(rmdir(name_path(at, file)), 0);
    sk_test_reopen(at);
    assert_int_equal(files(at), 0);
}

/* What a savepoint takes back is taken back for the files as well. */
static void test_savepoint(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_db *db = sk_store_db(at->store);
    struct sk_store *txn = NULL;
    int64_t row = add(at->store, 10, 10);
    EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
    EXPECT_OK(sk_db_savepoint(db, &sk_test_err));
    (void)keep(at->store, 20, 10);
    EXPECT_OK(sk_media_erase(at->store, row, &sk_test_err));
    sk_db_savepoint_undo(db);
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    assert_int_equal(files(at), 1);
    assert_file(at, names_of(at->store, row).file, true);
    assert_reads(at->store, row, 10, 10);
}

/* Older data */

static void put_data(struct sk_test_store *at, const char *from)
{
    sk_test_close(at);
    sk_temp_copy(sk_test_path(at, from), sk_test_path(at, "store/data"));
    sk_test_open(at);
}

static void keep_data(struct sk_test_store *at, const char *to)
{
    sk_test_close(at);
    assert_int_not_equal(access(sk_test_path(at, "store/data-wal"), F_OK), 0);
    sk_temp_copy(sk_test_path(at, "store/data"), sk_test_path(at, to));
    sk_test_open(at);
}

/* An older `data` is opened and used: what came after it is there when the newer one is back. */
static void test_older_data_loses_no_file(void **state)
{
    struct sk_test_store *at = *state;
    int64_t first = add(at->store, 10, 10);
    keep_data(at, "older");
    int64_t second = add(at->store, 20, 10);
    keep_data(at, "newer");
    put_data(at, "older");
    sk_test_reopen(at);
    assert_int_equal(files(at), 2);
    assert_reads(at->store, first, 10, 10);
    (void)add(at->store, 30, 10);
    assert_int_equal(files(at), 3);
    put_data(at, "newer");
    assert_reads(at->store, second, 20, 10);
    assert_int_equal(files(at), 3);
}

/* What was erased after it is not there any more: that is said, and hinders nothing else. */
static void test_older_data_names_what_was_erased(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_store *txn = NULL;
    sk_auto_media_reader reader = NULL;
    int64_t first = add(at->store, 10, 10);
    int64_t second = add(at->store, 20, 10);
    keep_data(at, "older");
    EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
    EXPECT_OK(sk_media_erase(at->store, first, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    put_data(at, "older");
    EXPECT(SK_MISSING, sk_media_open(at->store, first, &reader, &sk_test_err));
    assert_non_null(strstr(sk_test_err.text, "it was erased after this copy of 'data' was made"));
    assert_reads(at->store, second, 20, 10);
    EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
    EXPECT_OK(sk_media_erase(at->store, first, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    assert_int_equal(files(at), 1);
}

/* Faults */

static void test_damaged_rows(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_db *db = sk_store_db(at->store);
    static const char *const damages[] = {
        "UPDATE media SET name = x'00'",
        "UPDATE media SET key = zeroblob(31)",
        "UPDATE media SET size = 65521",
        "UPDATE media SET size = -1",
        "DELETE FROM media",
    };
    int64_t row = add(at->store, 10, 10);
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        sk_auto_media_reader reader = NULL;
        EXPECT_OK(sk_db_begin(db, &sk_test_err));
        EXPECT_OK(sk_db_exec(db, damages[i], &sk_test_err));
        EXPECT(SK_DAMAGED, sk_media_open(at->store, row, &reader, &sk_test_err));
        assert_null(reader);
        if (i == 0)
            EXPECT(SK_DAMAGED, sk_media_erase(at->store, row, &sk_test_err));
        sk_db_rollback(db);
    }
    assert_reads(at->store, row, 10, 10);
}

static void test_no_folder(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_media_writer *writer = NULL;
    sk_auto_media_reader reader = NULL;
    int64_t row = add(at->store, 10, 10);
    assert_int_equal(rename(sk_test_path(at, "store/media"), sk_test_path(at, "elsewhere")), 0);
    EXPECT(SK_CREATE, sk_media_create(at->store, &writer, &sk_test_err));
    assert_null(writer);
    EXPECT(SK_MISSING, sk_media_open(at->store, row, &reader, &sk_test_err));
    assert_null(reader);
    EXPECT_OK(sk_folder_sweep(at->store, &sk_test_err)); /* makes it */
    assert_int_equal(files(at), 0);
}

static void limit_file_size(rlim_t most)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = most < limit.rlim_max ? most : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* No space while the chunks are written, and for the last of them. */
static void test_no_space(void **state)
{
    struct sk_test_store *at = *state;
    static uint8_t bytes[3 * PLAIN];
    signal(SIGXFSZ, SIG_IGN);
    for (rlim_t chunks = 0; chunks < 3; chunks++) {
        struct sk_media_writer *writer = NULL;
        EXPECT_OK(sk_media_create(at->store, &writer, &sk_test_err));
        limit_file_size(chunks * CHUNK + 100);
        sk_error_clear(&sk_test_err);
        enum sk_status status = sk_media_write(writer, bytes, sizeof(bytes), &sk_test_err);
        if (status == SK_OK)
            status = sk_media_finish(writer, &sk_test_err);
        limit_file_size(RLIM_INFINITY);
        assert_int_equal(status, SK_FULL);
        sk_media_writer_free(writer);
        assert_int_equal(files(at), 0);
    }
}

/* Folders: what an interrupted program left is swept, what is somebody else's stays. */

static void test_sweep(void **state)
{
    struct sk_test_store *at = *state;
    static const char *const left[] = {".0123456789abcdef.part",
                                       "fedcba9876543210fedcba9876543210.mark"};
    static const char *const others[] = {
        "notes.txt",
        "0123456789abcdef0123456789abcdef", /* perhaps of a newer `data` */
        "0123456789abcdef0123456789abcdef.mark2",
        "0123456789ABCDEF0123456789ABCDEF.mark",
        ".0123456789abcdef0123456789abcde.mark",
        "0123456789ABCDEF0123456789ABCDEF",
        "0123456789abcdef0123456789abcde",
        "0123456789abcdef0123456789abcdef0",
        ".0123456789abcdef.part2",
        ".0123456789abcde.part",
        ".0123456789ABCDEF.part",
        "0123456789abcdef.part",
        ".part",
    };
    char path[128];
    int64_t row = add(at->store, 10, 10);
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof(path), "store/media/%s", left[i]);
        sk_test_write(sk_test_path(at, path), 1);
    }
    sk_test_write(sk_test_path(at, "store/.0123456789abcdef.part"), 1);
    /* In the store's own folder, this is no media file. */
    sk_test_write(sk_test_path(at, "store/0123456789abcdef0123456789abcdef"), 1);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        (void)snprintf(path, sizeof(path), "store/media/%s", others[i]);
        sk_test_write(sk_test_path(at, path), 1);
    }
    sk_test_reopen(at);
    assert_int_equal(files(at), 1 + sizeof(others) / sizeof(others[0]));
    assert_int_equal(access(sk_test_path(at, "store/0123456789abcdef0123456789abcdef"), F_OK), 0);
    assert_int_not_equal(access(sk_test_path(at, "store/.0123456789abcdef.part"), F_OK), 0);
    assert_reads(at->store, row, 10, 10);
}

/* A folder with the name of what would be swept keeps nobody from opening the store. */
static void test_sweep_what_cannot_be_removed(void **state)
{
    struct sk_test_store *at = *state;
    assert_int_equal(mkdir(sk_test_path(at, "store/media/.0123456789abcdef.part"), 0700), 0);
    sk_test_reopen(at);
    assert_int_equal(files(at), 1);
    assert_int_equal(rmdir(sk_test_path(at, "store/media/.0123456789abcdef.part")), 0);
    assert_int_equal(rmdir(sk_test_path(at, "store/media")), 0);
    sk_test_write(sk_test_path(at, "store/media"), 1);
    sk_test_close(at);
    struct sk_store_options options = sk_test_options(at->path, at->kind);
    EXPECT(SK_DAMAGED, sk_store_open(&at->store, &options, &sk_test_err));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, sk_test_device, sk_test_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_sizes_and_pieces),
        cmocka_unit_test(test_rounding),
        TEST(test_file_lengths),
        TEST(test_nothing_in_common),
        TEST(test_not_finished),
        TEST(test_rolled_back),
        TEST(test_erase),
        TEST(test_erase_what_cannot_be_removed),
        TEST(test_mark_goes_with_the_commit),
        TEST(test_erased_is_marked_before_the_commit),
        TEST(test_opening_keeps_what_a_row_names),
        TEST(test_opening_removes_what_is_marked),
        TEST(test_mark_stays_with_its_file),
        TEST(test_savepoint),
        TEST(test_older_data_loses_no_file),
        TEST(test_older_data_names_what_was_erased),
        TEST(test_damaged_rows),
        TEST(test_no_folder),
        TEST(test_no_space),
        TEST(test_sweep),
        TEST(test_sweep_what_cannot_be_removed),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
