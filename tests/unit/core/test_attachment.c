/*
 * Goal of this test: a file that is attached comes out again byte for byte, with its name, type,
 * size and SHA-256; nothing but regular files that hold still are taken; what fails leaves nothing
 * behind, neither in the store nor where a file was to be written.
 */
#include "core/item.h"
#include "core/record.h"
#include "tests/support/stores.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB (1024u * 1024)

static enum sk_status add(struct sk_test_store *at, const struct sk_id *record, const char *path,
                          const struct sk_progress *progress, struct sk_id *out)
{
    sk_auto_item item = sk_test_item(at->store, record);
    sk_error_clear(&sk_test_err);
    return sk_attachment_add(at->store, &item, path, progress, out, &sk_test_err);
}

static enum sk_status extract(struct sk_test_store *at, const struct sk_id *id, const char *path,
                              const struct sk_progress *progress)
{
    sk_auto_item item = sk_test_item(at->store, id);
    sk_error_clear(&sk_test_err);
    return sk_attachment_extract(at->store, &item, path, progress, &sk_test_err);
}

static void assert_status(enum sk_status got, enum sk_status expected)
{
    sk_test_expect(got, expected, "attaching or extracting", __FILE__, __LINE__);
}

/* Attaches a file of that many bytes. */
static struct sk_id attach(struct sk_test_store *at, const struct sk_id *record, const char *name,
                           size_t len)
{
    struct sk_id id;
    sk_test_write(sk_test_path(at, name), len);
    assert_status(add(at, record, sk_test_path(at, name), NULL, &id), SK_OK);
    return id;
}

struct found {
    unsigned count;
    struct sk_attachment last;
    char name[300], type[100];
};

static enum sk_status note(void *context, const struct sk_attachment *attachment,
                           struct sk_error *err)
{
    struct found *found = context;
    (void)err;
    found->count++;
    found->last = *attachment;
    (void)snprintf(found->name, sizeof(found->name), "%s", attachment->name);
    (void)snprintf(found->type, sizeof(found->type), "%s", attachment->type);
    return SK_OK;
}

static struct found list(struct sk_store *store, const struct sk_id *record)
{
    struct found found = {.count = 0};
    sk_auto_item item = sk_test_item(store, record);
    EXPECT_OK(sk_attachment_each(store, &item, note, &found, &sk_test_err));
    return found;
}

static unsigned media(const struct sk_test_store *at)
{
    unsigned files = sk_test_count_files(sk_test_path(at, "store/media"));
    assert_int_equal(sk_test_sql_int(at->store, "SELECT count(*) FROM media"), files);
    return files;
}

static void assert_same(const char *path, const char *other)
{
    size_t len, other_len;
    uint8_t *bytes = sk_test_read(path, &len);
    uint8_t *others = sk_test_read(other, &other_len);
    assert_int_equal(len, other_len);
    assert_int_equal(memcmp(bytes, others, len), 0);
    free(bytes);
    free(others);
}

/* There and back */

static void test_sizes(void **state)
{
    struct sk_test_store *at = *state;
    static const size_t sizes[] = {0, 1, 65520, 65521, MIB - 1, MIB, MIB + 1, 3 * MIB + 5};
    struct sk_id record = sk_test_add(at->store, SK_TYPE_SOURCE, "One");
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct stat st;
        uint8_t digest[32];
        size_t len;
        struct sk_id id = attach(at, &record, "in.bin", sizes[i]);
        struct found found = list(at->store, &record);
        uint8_t *bytes = sk_test_read(sk_test_path(at, "in.bin"), &len);
        crypto_hash_sha256(digest, bytes, len);
        free(bytes);
        assert_int_equal(found.count, i + 1);
        assert_memory_equal(&found.last.id, &id, sizeof(id));
        assert_memory_equal(&found.last.record, &record, sizeof(id));
        assert_int_equal(found.last.size, sizes[i]);
        assert_memory_equal(found.last.sha256, digest, sizeof(digest));
        assert_string_equal(found.name, "in.bin");
        assert_status(extract(at, &id, sk_test_path(at, "out.bin"), NULL), SK_OK);
        assert_same(sk_test_path(at, "in.bin"), sk_test_path(at, "out.bin"));
        assert_int_equal(stat(sk_test_path(at, "out.bin"), &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        assert_int_equal(unlink(sk_test_path(at, "out.bin")), 0);
    }
    assert_int_equal(media(at), sizeof(sizes) / sizeof(sizes[0]));
}

static void test_names_and_types(void **state)
{
    struct sk_test_store *at = *state;
    static const char *const names[][2] = {
        {"a.txt", "text/plain"},
        {"Прысуд.PDF", "application/pdf"},
        {"a.tar.zip", "application/zip"},
        {"photo.JpEg", "image/jpeg"},
        {"a.exe", "application/octet-stream"},
        {"a", "application/octet-stream"},
        {".txt", "text/plain"},
        {"a.", "application/octet-stream"},
        {"-rf *", "application/octet-stream"},
        {"a\n\x1b[31m.mp4", "video/mp4"},
    };
    struct sk_id record = sk_test_add(at->store, SK_TYPE_EVENT, "One");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)attach(at, &record, names[i][0], 1);
        struct found found = list(at->store, &record);
        assert_string_equal(found.name, names[i][0]);
        assert_string_equal(found.type, names[i][1]);
    }
}

/* The folders of the documenter's machine do not reach the store. */
static void test_no_folders_in_names(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_id id;
    struct sk_id record = sk_test_add(at->store, SK_TYPE_EVENT, "One");
    assert_int_equal(mkdir(sk_test_path(at, "secret-folder"), 0700), 0);
    (void)attach(at, &record, "secret-folder/a.txt", 1);
    assert_string_equal(list(at->store, &record).name, "a.txt");
    assert_int_equal(chdir(at->dir), 0);
    sk_test_write("b.txt", 1);
    assert_status(add(at, &record, "b.txt", NULL, &id), SK_OK);
    assert_string_equal(list(at->store, &record).name, "b.txt");
    assert_int_equal(chdir("/"), 0);
}

struct seen {
    uint64_t done, total;
    const char *path;
    off_t change;
};

static void note_progress(void *context, uint64_t done, uint64_t total)
{
    struct seen *seen = context;
    assert_true(done > seen->done && done <= total);
    seen->done = done;
    seen->total = total;
    if (seen->path)
        assert_int_equal(truncate(seen->path, seen->change), 0);
}

static void test_progress(void **state)
{
    struct sk_test_store *at = *state;
    struct seen seen = {.done = 0};
    struct sk_progress progress = {note_progress, &seen};
    struct sk_id id, record = sk_test_add(at->store, SK_TYPE_EVENT, "One");
    sk_test_write(sk_test_path(at, "a"), 2 * MIB + 1);
    assert_status(add(at, &record, sk_test_path(at, "a"), &progress, &id), SK_OK);
    assert_int_equal(seen.done, 2 * MIB + 1);
    assert_int_equal(seen.total, 2 * MIB + 1);
    seen = (struct seen){.done = 0};
    assert_status(extract(at, &id, sk_test_path(at, "b"), &progress), SK_OK);
    assert_int_equal(seen.done, 2 * MIB + 1);
    assert_int_equal(seen.total, 2 * MIB + 1);
}

/* Two records, two attachments of the same file, one withdrawn: the other is not touched. */
static void test_withdraw_one(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_id first = sk_test_add(at->store, SK_TYPE_EVENT, "One");
    struct sk_id second = sk_test_add(at->store, SK_TYPE_EVENT, "Two");
    struct sk_id a = attach(at, &first, "a.txt", 10);
    struct sk_id b = attach(at, &second, "a.txt", 10);
    assert_int_equal(media(at), 2);
    assert_int_equal(sk_test_withdraw(at->store, &a), 1);
    assert_int_equal(media(at), 1);
    assert_int_equal(list(at->store, &first).count, 0);
    assert_int_equal(list(at->store, &second).count, 1);
    assert_status(extract(at, &a, sk_test_path(at, "out"), NULL), SK_REFUSED);
    assert_status(extract(at, &b, sk_test_path(at, "out"), NULL), SK_OK);
    assert_same(sk_test_path(at, "a.txt"), sk_test_path(at, "out"));
    assert_int_equal(sk_test_withdraw(at->store, &second), 2);
    assert_int_equal(media(at), 0);
}

/* What is not taken */

static void test_refused_files(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_id id, record = sk_test_add(at->store, SK_TYPE_EVENT, "One");
    assert_status(add(at, &record, sk_test_path(at, "nowhere"), NULL, &id), SK_MISSING);
    assert_status(add(at, &record, sk_test_path(at, "store/"), NULL, &id), SK_REFUSED);
    assert_int_not_equal(add(at, &record, sk_test_path(at, "store"), NULL, &id), SK_OK);
    assert_int_not_equal(add(at, &record, sk_test_path(at, "store/.."), NULL, &id), SK_OK);
    assert_status(add(at, &record, "/dev/zero", NULL, &id), SK_REFUSED);
    assert_status(add(at, &record, "", NULL, &id), SK_REFUSED);
    sk_test_write(sk_test_path(at, "\xff"), 1);
    assert_status(add(at, &record, sk_test_path(at, "\xff"), NULL, &id), SK_REFUSED);
    assert_non_null(strstr(sk_test_err.text, "UTF-8"));
    sk_test_write(sk_test_path(at, "sparse"), 1);
    assert_int_equal(truncate(sk_test_path(at, "sparse"), (off_t)SK_BODY_MAX + 1), 0);
    assert_status(add(at, &record, sk_test_path(at, "sparse"), NULL, &id), SK_LIMIT);
    assert_int_equal(media(at), 0);
    assert_int_equal(list(at->store, &record).count, 0);
    assert_int_equal(sk_test_sql_int(at->store, "SELECT count(*) FROM entry"), 1);
}

static void test_refused_records(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_id id, record = sk_test_add(at->store, SK_TYPE_EVENT, "One");
    struct sk_id gone = sk_test_add(at->store, SK_TYPE_EVENT, "Gone");
    struct sk_id attachment = attach(at, &record, "a", 1);
    (void)sk_test_withdraw(at->store, &gone);
    assert_status(add(at, &gone, sk_test_path(at, "a"), NULL, &id), SK_REFUSED);
    assert_status(add(at, &attachment, sk_test_path(at, "a"), NULL, &id), SK_REFUSED);
    assert_int_equal(media(at), 1);
}

/* A file that changes while it is read is not recorded half. */
static void test_file_changes(void **state)
{
    struct sk_test_store *at = *state;
    static const off_t changes[] = {MIB, MIB + 1, 3 * MIB + 1};
    struct sk_id id, record = sk_test_add(at->store, SK_TYPE_EVENT, "One");
    for (size_t i = 0; i < 3; i++) {
        struct seen seen = {.path = sk_test_path(at, "a"), .change = changes[i]};
        struct sk_progress progress = {note_progress, &seen};
        sk_test_write(seen.path, 3 * MIB);
        assert_status(add(at, &record, seen.path, &progress, &id), SK_REFUSED);
        assert_non_null(strstr(sk_test_err.text, "while it was read"));
        assert_int_equal(media(at), 0);
    }
}

/* An archive cannot record: its item is that of a log it holds. */
static void test_an_archive_attaches_nothing(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_id id;
    struct sk_item item = {.type = SK_TYPE_EVENT, .log = 1, .revision = 1};
    sk_test_write(sk_test_path(at, "a"), 10);
    EXPECT(SK_CONFIG,
           sk_attachment_add(at->store, &item, sk_test_path(at, "a"), NULL, &id, &sk_test_err));
    assert_int_equal(media(at), 0);
}

static void limit_file_size(rlim_t most)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = most < limit.rlim_max ? most : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_no_space(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_id id, record = sk_test_add(at->store, SK_TYPE_EVENT, "One");
    sk_test_write(sk_test_path(at, "a"), MIB);
    signal(SIGXFSZ, SIG_IGN);
    limit_file_size(MIB / 2);
    enum sk_status status = add(at, &record, sk_test_path(at, "a"), NULL, &id);
    limit_file_size(RLIM_INFINITY);
    assert_status(status, SK_FULL);
    assert_int_equal(media(at), 0);
    assert_status(add(at, &record, sk_test_path(at, "a"), NULL, &id), SK_OK);

    unsigned before = sk_test_count_files(at->dir);
    limit_file_size(MIB / 2);
    status = extract(at, &id, sk_test_path(at, "out"), NULL);
    limit_file_size(RLIM_INFINITY);
    assert_status(status, SK_FULL);
    assert_int_equal(sk_test_count_files(at->dir), before);
}

/* Extracting */

static void test_extract_refused(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_id record = sk_test_add(at->store, SK_TYPE_EVENT, "One");
    struct sk_id id = attach(at, &record, "a", 10);
    unsigned before = sk_test_count_files(at->dir);
    assert_status(extract(at, &record, sk_test_path(at, "out"), NULL), SK_REFUSED);
    assert_status(extract(at, &id, sk_test_path(at, "no/out"), NULL), SK_CREATE);
    assert_int_equal(sk_test_count_files(at->dir), before);
    sk_test_write(sk_test_path(at, "out"), 3);
    assert_status(extract(at, &id, sk_test_path(at, "out"), NULL), SK_CREATE);
    size_t len;
    free(sk_test_read(sk_test_path(at, "out"), &len));
    assert_int_equal(len, 3);
    assert_status(extract(at, &id, at->dir, NULL), SK_CREATE);
}

/* Somebody takes the name while the bytes are written. */
static void make_file(void *context, uint64_t done, uint64_t total)
{
    (void)done, (void)total;
    sk_test_write(context, 3);
}

static void test_name_is_taken_meanwhile(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_id record = sk_test_add(at->store, SK_TYPE_EVENT, "One");
    struct sk_id id = attach(at, &record, "a", 10);
    char out[512];
    size_t len;
    (void)snprintf(out, sizeof(out), "%s", sk_test_path(at, "out"));
    struct sk_progress progress = {make_file, out};
    assert_status(extract(at, &id, out, &progress), SK_CREATE);
    free(sk_test_read(out, &len));
    assert_int_equal(len, 3);
}

static const struct {
    const char *sql;
    enum sk_status status;
} damages[] = {
    {"DELETE FROM payload WHERE media IS NOT NULL", SK_MISSING},
    {"DELETE FROM media", SK_DAMAGED},
    {"UPDATE payload SET media = NULL", SK_DAMAGED},
    {"UPDATE media SET key = randomblob(32)", SK_DAMAGED},
    {"UPDATE media SET size = 9", SK_DAMAGED},
    {"UPDATE payload SET salt = randomblob(32)", SK_DAMAGED},
    {"UPDATE payload SET hashes = randomblob(64) WHERE media IS NOT NULL", SK_DAMAGED},
    {"UPDATE payload SET text = x'' WHERE media IS NOT NULL", SK_REFUSED},
    {"UPDATE payload SET body_len = 9 WHERE media IS NOT NULL", SK_REFUSED},
};

/* Nothing of a damaged attachment gets the name that was asked for, nor stays under another. */
static void test_extract_damaged(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_db *db = sk_store_db(at->store);
    struct sk_id record = sk_test_add(at->store, SK_TYPE_EVENT, "One");
    struct sk_id id = attach(at, &record, "a", 10);
    unsigned before = sk_test_count_files(at->dir);
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        EXPECT_OK(sk_db_begin(db, &sk_test_err));
        EXPECT_OK(sk_db_exec(db, damages[i].sql, &sk_test_err));
        enum sk_status status = extract(at, &id, sk_test_path(at, "out"), NULL);
        sk_test_expect(status, damages[i].status, damages[i].sql, __FILE__, __LINE__);
        sk_db_rollback(db);
        assert_int_equal(sk_test_count_files(at->dir), before);
    }
}

/* A device that signed one SHA-256 and sent other bytes. */
static void test_wrong_digest(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_id record = sk_test_add(at->store, SK_TYPE_EVENT, "One");
    struct sk_id id = attach(at, &record, "a", 10);
    sk_test_sql(at->store,
                "UPDATE payload SET text = CAST(substr(CAST(text AS TEXT), 1, length(text) - 3) || "
                "CASE substr(text, -3, 1) WHEN '0' THEN '1' ELSE '0' END || "
                "substr(CAST(text AS TEXT), -2) AS BLOB) WHERE media IS NOT NULL");
    assert_status(extract(at, &id, sk_test_path(at, "out"), NULL), SK_DAMAGED);
    assert_non_null(strstr(sk_test_err.text, "SHA-256"));
}

static void test_damaged_list(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_id record = sk_test_add(at->store, SK_TYPE_EVENT, "One");
    struct found found = {.count = 0};
    (void)attach(at, &record, "a", 10);
    sk_test_sql(at->store, "UPDATE attachment SET sha256 = x'00'");
    sk_auto_item item = sk_test_item(at->store, &record);
    EXPECT(SK_DAMAGED, sk_attachment_each(at->store, &item, note, &found, &sk_test_err));
    assert_int_equal(found.count, 0);
}

#define TEST(name)    cmocka_unit_test_setup_teardown(name, sk_test_device, sk_test_remove)
#define ARCHIVE(name) cmocka_unit_test_setup_teardown(name, sk_test_archive, sk_test_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_sizes),
        TEST(test_names_and_types),
        TEST(test_no_folders_in_names),
        TEST(test_progress),
        TEST(test_withdraw_one),
        TEST(test_refused_files),
        TEST(test_refused_records),
        TEST(test_file_changes),
        ARCHIVE(test_an_archive_attaches_nothing),
        TEST(test_no_space),
        TEST(test_extract_refused),
        TEST(test_name_is_taken_meanwhile),
        TEST(test_extract_damaged),
        TEST(test_wrong_digest),
        TEST(test_damaged_list),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
