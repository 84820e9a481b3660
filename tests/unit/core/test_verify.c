/*
 * Goal of this test: verifying finds every kind of damage, says what and where, goes on after it,
 * and finds nothing in a store that is whole.
 */
#include "core/verify.h"

#include "core/file_calls.h"
#include "core/folder.h"
#include "core/media.h"
#include "tests/support/stores.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE      4096
#define FILE_SIZE 200000

/* The log of a documenter's store: what stands at which position. */
enum { ADDED, EDITED, SECOND, ERASED, ERASURE, LINKED, ATTACHED, POSITIONS };

struct problems {
    unsigned count;
    char text[16][512];
    uint64_t last_done;
};

static void note_problem(void *context, const char *sentence)
{
    struct problems *problems = context;
    assert_true(problems->count < 16);
    assert_true(strlen(sentence) > 0 && strlen(sentence) < sizeof(problems->text[0]));
    (void)snprintf(problems->text[problems->count++], sizeof(problems->text[0]), "%s", sentence);
}

static struct problems verify(struct sk_store *store)
{
    struct problems problems = {.count = 0};
    EXPECT_OK(sk_verify(store, note_problem, &problems, NULL, &sk_test_err));
    return problems;
}

static void print_all(const struct problems *problems, const char *what)
{
    print_error("%s:\n", what);
    for (unsigned i = 0; i < problems->count; i++)
        print_error("    %s\n", problems->text[i]);
}

/* Expects `count` problems, the first of them with these words. */
static void assert_problems(struct sk_store *store, const char *what, unsigned count,
                            const char *words)
{
    struct problems problems = verify(store);
    if (problems.count != count || (count && !strstr(problems.text[0], words))) {
        print_all(&problems, what);
        fail_msg("not %u problems, the first with \"%s\"", count, words);
    }
}

static void assert_whole(struct sk_store *store)
{
    assert_problems(store, "a whole store", 0, "");
}

static void attach(struct sk_test_store *at, const struct sk_id *id, size_t len)
{
    struct sk_id file;
    sk_auto_item item = sk_test_item(at->store, id);
    sk_test_write(sk_test_path(at, "a.bin"), len);
    EXPECT_OK(
        sk_attachment_add(at->store, &item, sk_test_path(at, "a.bin"), NULL, &file, &sk_test_err));
}

static void add_link(struct sk_store *store, const struct sk_id *from, const struct sk_id *to)
{
    struct sk_id link;
    struct sk_store *txn = NULL;
    sk_auto_item source = sk_test_item(store, from);
    sk_auto_item target = sk_test_item(store, to);
    EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
    EXPECT_OK(sk_link_add(store, &source, "part-of", &target, &link, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
}

static int filled_device(void **state)
{
    if (sk_test_device(state) != 0)
        return -1;
    struct sk_test_store *at = *state;
    struct sk_id first = sk_test_add(at->store, SK_TYPE_EVENT, "MARKER one");
    sk_test_edit(at->store, &first, "MARKER two");
    struct sk_id second = sk_test_add(at->store, SK_TYPE_PERSON, "MARKER person");
    struct sk_id gone = sk_test_add(at->store, SK_TYPE_EVENT, "MARKER gone");
    (void)sk_test_withdraw(at->store, &gone);
    add_link(at->store, &first, &second);
    attach(at, &first, FILE_SIZE);
    assert_int_equal(sk_test_sql_int(at->store, "SELECT count(*) FROM entry"), POSITIONS);
    return 0;
}

static void test_whole(void **state)
{
    struct sk_test_store *at = *state;
    assert_whole(at->store);
    sk_test_reopen(at);
    assert_whole(at->store);
}

static void note_progress(void *context, uint64_t done, uint64_t total)
{
    struct problems *problems = context;
    assert_true(done > problems->last_done && done <= total);
    problems->last_done = done;
}

static void test_progress(void **state)
{
    struct sk_test_store *at = *state;
    struct problems problems = {.count = 0};
    const struct sk_progress progress = {note_progress, &problems};
    for (unsigned i = 0; i < 130; i++)
        (void)sk_test_add(at->store, SK_TYPE_EVENT, "One");
    EXPECT_OK(sk_verify(at->store, note_problem, &problems, &progress, &sk_test_err));
    assert_int_equal(problems.count, 0);
    assert_int_equal(problems.last_done, 128);
}

/* Rows that are not what they were: as after single old pages were put back. */

#define ENTRY(position) "(SELECT id FROM entry ORDER BY id LIMIT 1 OFFSET " #position ")"
#define ITEM(position)  "(SELECT item FROM entry ORDER BY id LIMIT 1 OFFSET " #position ")"

static const struct {
    const char *sql;
    unsigned count;
    const char *words;
} damages[] = {
    /* Payloads */
    {"UPDATE payload SET text = CAST(replace(CAST(text AS TEXT), 'one', 'two') AS BLOB) "
     "WHERE id = " ENTRY(0),
     1, "entry 0 of the log of \"own\": what is stored is not what was signed"},
    {"UPDATE payload SET salt = randomblob(32) WHERE id = " ENTRY(1), 1,
     "entry 1 of the log of \"own\": what is stored is not what was signed"},
    {"UPDATE payload SET hashes = randomblob(32) WHERE id = " ENTRY(1), 1,
     "entry 1 of the log of \"own\": what is stored is not what was signed"},
    {"UPDATE payload SET hashes = randomblob(64) WHERE id = " ENTRY(6), 1,
     "entry 6 of the log of \"own\": what is stored is not what was signed"},
    {"UPDATE payload SET hashes = zeroblob(31) WHERE id = " ENTRY(1), 1,
     "entry 1 of the log of \"own\": a payload and its block hashes do not agree"},
    {"UPDATE payload SET salt = x'' WHERE id = " ENTRY(1), 1, "entry 1 of the log of \"own\": "},
    {"DELETE FROM payload WHERE id = " ENTRY(0), 1,
     "entry 0 of the log of \"own\": what it commits to is gone"},
    {"DELETE FROM payload WHERE id = " ENTRY(1), 1,
     "entry 1 of the log of \"own\": what it commits to is gone"},
    {"INSERT INTO payload SELECT " ENTRY(3) ", salt, hashes, body_len, media, text FROM payload "
                                            "WHERE id = " ENTRY(0),
     2, "entry 3 of the log of \"own\": it was withdrawn and is still here"},
    /* Items */
    {"DELETE FROM item WHERE id = " ITEM(0), 2,
     "entry 0 of the log of \"own\": the database lacks what it belongs to"},
    {"UPDATE item SET entry = " ENTRY(0) " WHERE id = " ITEM(0), 1,
     "entry 1 of the log of \"own\": the database takes an older revision for the newest"},
    {"UPDATE item SET shown = " ENTRY(0) ", title = 'MARKER one' WHERE id = " ITEM(0), 1,
     "entry 1 of the log of \"own\": an older revision is shown in its place"},
    {"UPDATE item SET title = 'MARKER one' WHERE id = " ITEM(0), 1,
     "entry 1 of the log of \"own\": it is not shown as it was signed"},
    {"UPDATE item SET erased = 0 WHERE id = " ITEM(3), 2,
     "entry 3 of the log of \"own\": what it commits to is gone"},
    {"UPDATE item SET erased = 1 WHERE id = " ITEM(2), 1,
     "entry 2 of the log of \"own\": it was withdrawn and is still here"},
    {"UPDATE item SET erased = 3 WHERE id = " ITEM(2), 1,
     "entry 2 of the log of \"own\": it is taken for withdrawn and is still here"},
    {"UPDATE item SET erased = 3, shown = 0, title = '' WHERE id = " ITEM(2), 1,
     "entry 2 of the log of \"own\": it is taken for withdrawn and is still here"},
    {"DELETE FROM link", 1, "entry 5 of the log of \"own\": it is not shown as it was signed"},
    {"UPDATE link SET role = 'same-as'", 1,
     "entry 5 of the log of \"own\": it is not shown as it was signed"},
    {"UPDATE attachment SET sha256 = randomblob(32)", 1,
     "entry 6 of the log of \"own\": it is not shown as it was signed"},
    {"UPDATE attachment SET name = 'b.bin'", 1,
     "entry 6 of the log of \"own\": it is not shown as it was signed"},
    /* The log */
    {"UPDATE log SET note = ''", 1, "the log and its signed head are not of one size"},
    {"UPDATE log SET peaks = randomblob(length(peaks))", 1,
     "the entries of the log of \"own\" and its peaks differ"},
    {"UPDATE entry SET bytes = randomblob(96) WHERE id = " ENTRY(0), 2, "log of \"own\""},
    {"UPDATE entry SET bytes = x'00' WHERE id = " ENTRY(0), 2, ""},
    {"DELETE FROM entry WHERE id = " ENTRY(0), 1, "log of \"own\""},
    /* Attachments */
    {"UPDATE media SET key = randomblob(32)", 1, "entry 6 of the log of \"own\": "},
    {"UPDATE media SET key = x''", 1, "entry 6 of the log of \"own\": "},
    {"UPDATE media SET name = x'00'", 2, "entry 6 of the log of \"own\": "},
    {"UPDATE media SET size = size - 1", 1,
     "entry 6 of the log of \"own\": the attachment is not what was signed"},
    {"DELETE FROM media", 2,
     "entry 6 of the log of \"own\": the database lacks the key of a media file"},
    {"UPDATE payload SET media = NULL WHERE media IS NOT NULL", 2,
     "entry 6 of the log of \"own\": the database lacks the key of a media file"},
};

static void test_damaged_rows(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_db *db = sk_store_db(at->store);
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        EXPECT_OK(sk_db_begin(db, &sk_test_err));
        EXPECT_OK(sk_db_exec(db, damages[i].sql, &sk_test_err));
        assert_problems(at->store, damages[i].sql, damages[i].count, damages[i].words);
        sk_db_rollback(db);
    }
    assert_whole(at->store);
}

/* No sentence holds what a record says. */
static void test_no_text_in_sentences(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_db *db = sk_store_db(at->store);
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        EXPECT_OK(sk_db_begin(db, &sk_test_err));
        EXPECT_OK(sk_db_exec(db, damages[i].sql, &sk_test_err));
        struct problems problems = verify(at->store);
        for (unsigned j = 0; j < problems.count; j++)
            assert_null(strstr(problems.text[j], "MARKER"));
        sk_db_rollback(db);
    }
}

/* Every problem of several is named. */
static void test_goes_on(void **state)
{
    struct sk_test_store *at = *state;
    sk_test_sql(at->store, "UPDATE payload SET salt = randomblob(32); UPDATE log SET note = ''");
    assert_problems(at->store, "all payloads", 1 + 5, "signed head");
}

/* Pages */

/* Whatever page is damaged: opening says so, or verifying names it. */
static void test_damaged_pages(void **state)
{
    struct sk_test_store *at = *state;
    size_t len;
    unsigned entries = 0;
    sk_test_close(at);
    const char *path = sk_test_path(at, "store/data");
    struct sk_store_options options = sk_test_options(at->path, at->kind);
    free(sk_test_read(path, &len));
    assert_true(len > 20 * (size_t)PAGE);
    for (size_t page = 2; page < len / PAGE; page++) {
        char words[64];
        sk_test_flip(path, page * PAGE + PAGE / 2);
        sk_error_clear(&sk_test_err);
        enum sk_status status = sk_store_open(&at->store, &options, &sk_test_err);
        if (status == SK_OK) {
            (void)snprintf(words, sizeof(words), "data: page %zu is damaged", page - 1);
            struct problems problems = verify(at->store);
            assert_true(problems.count > 0);
            assert_string_equal(problems.text[0], words);
            entries += problems.count > 1 && strstr(problems.text[1], "entry ") != NULL;
            (void)sk_store_close(at->store, NULL);
            at->store = NULL;
        } else {
            assert_int_equal(status, SK_DAMAGED);
            assert_non_null(strstr(sk_test_err.text, "data: page "));
        }
        sk_test_flip(path, page * PAGE + PAGE / 2);
    }
    assert_int_not_equal(entries, 0);
    sk_test_open(at);
    assert_whole(at->store);
}

/* Media files */

/* The path of the only media file. */
static enum sk_status note_name(void *context, const char *name, struct sk_error *err)
{
    (void)err;
    (void)snprintf(context, 64, "store/media/%s", name);
    return SK_OK;
}

static const char *media_path(const struct sk_test_store *at)
{
    char name[64] = "";
    EXPECT_OK(sk_dir_each(sk_test_path(at, "store/media"), note_name, name, &sk_test_err));
    assert_string_not_equal(name, "");
    return sk_test_path(at, name);
}

static void test_media_missing(void **state)
{
    struct sk_test_store *at = *state;
    const char *path = media_path(at);
    assert_int_equal(unlink(path), 0);
    assert_problems(at->store, "no media file", 1, "entry 6 of the log of \"own\": ");
    assert_non_null(strstr(verify(at->store).text[0], strrchr(path, '/') + 1));
}

static void test_media_flipped(void **state)
{
    struct sk_test_store *at = *state;
    static const size_t places[] = {0, 65535, 65536, 65536 * 3 + 1};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        sk_test_flip(media_path(at), places[i]);
        assert_problems(at->store, "a flipped bit", 1, "the file is damaged at byte ");
        sk_test_flip(media_path(at), places[i]);
    }
    assert_whole(at->store);
}

static void test_media_cut_and_grown(void **state)
{
    struct sk_test_store *at = *state;
    const char *path = media_path(at);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    static const off_t changes[] = {-1, 1, -65536, 65536};
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        assert_int_equal(truncate(path, st.st_size + changes[i]), 0);
        assert_problems(at->store, "another length", 1, "has not the length it should have");
    }
    assert_int_equal(truncate(path, 0), 0);
    assert_problems(at->store, "nothing in it", 1, "has not the length it should have");
}

/* Chunks that belong elsewhere: exchanged within the file, and put there from another file. */
static void test_media_swapped(void **state)
{
    struct sk_test_store *at = *state;
    size_t len;
    char name[512];
    (void)snprintf(name, sizeof(name), "%s", media_path(at));
    uint8_t *bytes = sk_test_read(name, &len);
    uint8_t *other = sk_test_read(name, &len);
    memcpy(other, bytes + 65536, 65536);
    memcpy(other + 65536, bytes, 65536);
    sk_temp_write(name, other, len);
    assert_problems(at->store, "chunks exchanged", 1, "damaged at byte 0");
    sk_temp_write(name, bytes, len);
    assert_whole(at->store);

    struct sk_id id = sk_test_add(at->store, SK_TYPE_EVENT, "Another");
    attach(at, &id, FILE_SIZE);
    uint8_t first[16], second[16];
    sk_auto_stmt stmt = NULL;
    bool row = false;
    EXPECT_OK(sk_db_prepare(sk_store_db(at->store), &stmt, "SELECT name FROM media ORDER BY id",
                            &sk_test_err));
    EXPECT_OK(sk_step(stmt, &row, &sk_test_err));
    EXPECT_OK(sk_column_copy(stmt, 0, first, sizeof(first), &sk_test_err));
    EXPECT_OK(sk_step(stmt, &row, &sk_test_err));
    EXPECT_OK(sk_column_copy(stmt, 0, second, sizeof(second), &sk_test_err));
    sk_stmt_reset(stmt);
    char hex[2][33], path[64];
    sk_hex(hex[0], first, sizeof(first));
    sk_hex(hex[1], second, sizeof(second));
    (void)snprintf(path, sizeof(path), "store/media/%s", hex[0]);
    assert_string_equal(sk_test_path(at, path), name);
    (void)snprintf(path, sizeof(path), "store/media/%s", hex[1]);
    assert_int_equal(rename(sk_test_path(at, path), name), 0);
    sk_temp_write(sk_test_path(at, path), bytes, len);
    assert_problems(at->store, "files exchanged", 2, "damaged at byte 0");
    free(bytes);
    free(other);
}

/* Files that are not the store's */

static void test_strays(void **state)
{
    struct sk_test_store *at = *state;
    static const struct {
        const char *path, *words;
    } strays[] = {
        {"store/notes.txt", "notes.txt: this file does not belong to the store"},
        {"store/data-journal", "data-journal: this file does not"},
        {"store/media/notes.txt", "media/notes.txt: this file does not belong to the store"},
        {"store/media/00112233445566778899AABBCCDDEEFF", "media/0011"},
        {"store/media/keys", "media/keys: this file does not"},
        {"store/media/\x1b[31m\n\xff", "media/<U+001B>[31m<U+000A><0xff>: this file does not"},
    };
    for (size_t i = 0; i < sizeof(strays) / sizeof(strays[0]); i++) {
        sk_test_write(sk_test_path(at, strays[i].path), 10);
        assert_problems(at->store, strays[i].path, 1, strays[i].words);
        /* Somebody else's file stays where it is. */
        sk_test_reopen(at);
        assert_problems(at->store, strays[i].path, 1, strays[i].words);
        assert_int_equal(unlink(sk_test_path(at, strays[i].path)), 0);
    }
    assert_whole(at->store);
}

static int lstat_of_media_fails(const char *path, struct stat *out)
{
    size_t len = strlen(path);
    if (len < 6 || strcmp(path + len - 6, "/media") != 0)
        return sk_system_calls.lstat(path, out);
    errno = EIO;
    return -1;
}

static enum sk_status ignore_stray(void *context, const char *name, bool unknown,
                                   struct sk_error *err)
{
    (void)context, (void)name, (void)unknown, (void)err;
    return SK_OK;
}

/* A folder that cannot be looked at is not one that a copy left out. */
static void test_strays_that_cannot_be_looked_for(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_file_calls calls = sk_system_calls;
    calls.lstat = lstat_of_media_fails;
    sk_file_use_calls(&calls);
    enum sk_status status = sk_folder_strays(at->store, ignore_stray, NULL, &sk_test_err);
    sk_file_use_calls(NULL);
    assert_int_equal(status, SK_IO);
    assert_non_null(strstr(sk_test_err.text, "cannot be looked at"));
}

/* What an interrupted program left is not a problem: opening has removed it. */
static void test_leftovers_are_swept(void **state)
{
    struct sk_test_store *at = *state;
    static const char *const left[] = {"store/.0011223344556677.part",
                                       "store/media/.0011223344556677.part",
                                       "store/media/00112233445566778899aabbccddeeff.mark"};
    for (size_t i = 0; i < 3; i++)
        sk_test_write(sk_test_path(at, left[i]), 10);
    assert_problems(at->store, "files left", 3, "this file does not belong to the store");
    sk_test_reopen(at);
    assert_whole(at->store);
    for (size_t i = 0; i < 3; i++)
        assert_int_not_equal(access(sk_test_path(at, left[i]), F_OK), 0);
}

/* A media file that `data` does not name may be one that a newer `data` names: it is told of, and
 * stays. */
static void test_unknown_media(void **state)
{
    struct sk_test_store *at = *state;
    const char *path = "store/media/00112233445566778899aabbccddeeff";
    sk_test_write(sk_test_path(at, path), 10);
    for (unsigned i = 0; i < 2; i++) {
        assert_problems(at->store, "an unknown file", 1,
                        "media/00112233445566778899aabbccddeeff: 'data' does not know this file");
        sk_test_reopen(at);
    }
    assert_int_equal(unlink(sk_test_path(at, path)), 0);
    assert_whole(at->store);
}

/* An archive */

static void put_unknown_entry(struct sk_store *store)
{
    uint8_t bytes[SK_ENTRY_LEN] = {9};
    struct sk_log log = {.state = SK_LOG_STATE_ENROLLED, .alias = "Heron"};
    struct sk_store *txn = NULL;
    memset(log.log_id, 1, sizeof(log.log_id));
    EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
    EXPECT_OK(sk_log_create(store, &log, &sk_test_err));
    EXPECT_OK(sk_log_put(store, log.id, 0, bytes, 0, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
}

/* What this program does not know is kept, and no damage. */
static void test_unknown_entry(void **state)
{
    struct sk_test_store *at = *state;
    put_unknown_entry(at->store);
    assert_whole(at->store);
}

static void test_quarantine(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_store *txn = NULL;
    int64_t media = 0;
    sk_auto_media_writer writer = NULL;
    EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
    EXPECT_OK(sk_media_create(at->store, &writer, &sk_test_err));
    EXPECT_OK(sk_media_write(writer, "a", 1, &sk_test_err));
    EXPECT_OK(sk_media_finish(writer, &sk_test_err));
    EXPECT_OK(sk_media_keep(writer, &media, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    assert_problems(at->store, "a row too many", 1, "belongs to nothing");
    sk_test_sql(at->store, "INSERT INTO quarantine(log, peer, number, n0, n1, reason, header_hash, "
                           "media) SELECT 1, 1, 1, 0, 1, '', x'', id FROM media");
    assert_whole(at->store);
    sk_test_flip(media_path(at), 65535);
    assert_problems(at->store, "a damaged bundle", 1, "the file is damaged at byte 0");
    assert_int_equal(unlink(media_path(at)), 0);
    assert_problems(at->store, "a missing bundle", 1,
                    "is not there: it was erased after this copy");
}

/* A body of nothing, as it comes to an archive: without a file. */
static void test_empty_attachment(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_id id = sk_test_add(at->store, SK_TYPE_EVENT, "One");
    attach(at, &id, 0);
    assert_whole(at->store);
    sk_test_sql(at->store, "UPDATE payload SET media = NULL; DELETE FROM media");
    assert_int_equal(unlink(media_path(at)), 0);
    assert_whole(at->store);
}

#define TEST(name)    cmocka_unit_test_setup_teardown(name, filled_device, sk_test_remove)
#define EMPTY(name)   cmocka_unit_test_setup_teardown(name, sk_test_device, sk_test_remove)
#define ARCHIVE(name) cmocka_unit_test_setup_teardown(name, sk_test_archive, sk_test_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_whole),
        EMPTY(test_progress),
        TEST(test_damaged_rows),
        TEST(test_no_text_in_sentences),
        TEST(test_goes_on),
        TEST(test_damaged_pages),
        TEST(test_media_missing),
        TEST(test_media_flipped),
        TEST(test_media_cut_and_grown),
        TEST(test_media_swapped),
        TEST(test_strays),
        TEST(test_strays_that_cannot_be_looked_for),
        TEST(test_leftovers_are_swept),
        TEST(test_unknown_media),
        ARCHIVE(test_unknown_entry),
        ARCHIVE(test_quarantine),
        EMPTY(test_empty_attachment),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
