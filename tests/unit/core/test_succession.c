/*
 * Goal of this test: a succession brings back everything of a whole store and nothing that was not
 * signed: not what was altered behind the program's back, not what stands beyond the signed head,
 * not what was withdrawn, also when old pages are put back, and not what no commit ended; where
 * entries are lost it says which of the others are proven, and marks those that are not for ever;
 * a disk that cannot be read is not taken for damage.
 */
#include "core/succession.h"

#include "core/file.h"
#include "core/file_calls.h"
#include "core/store_internal.h"
#include "core/verify.h"
#include "core/vfs_internal.h"
#include "tests/support/heir.h"
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

#define PAGE 4096
#define HEAD 8192
/* Of the write-ahead log (core/FORMAT.md): where frames begin, and how long one is. */
#define LOG_SHIFT (VFS_LOG_SHIFT + VFS_LOG_HEAD)
#define FRAME     (VFS_FRAME_HEAD + PAGE)

/* Positions in the log of the small store. */
enum { A, B, B2, GONE, ERASURE, LINK, PHOTO, POSITIONS };

struct small {
    struct sk_test_store *at;
    struct sk_id a, b, gone;
};

static void fill(struct sk_test_store *at, struct small *small)
{
    struct sk_store *store = at->store;
    struct sk_store *txn = NULL;
    struct sk_id id;
    small->at = at;
    small->a = sk_test_add(store, SK_TYPE_SOURCE, "alpha");
    small->b = sk_test_add(store, SK_TYPE_SOURCE, "beta");
    sk_test_edit(store, &small->b, "beta two");
    small->gone = sk_test_add(store, SK_TYPE_SOURCE, "withdrawn");
    assert_int_equal(sk_test_withdraw(store, &small->gone), 1);
    sk_auto_item a = sk_test_item(store, &small->a);
    sk_auto_item b = sk_test_item(store, &small->b);
    EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
    EXPECT_OK(sk_link_add(store, &a, "same-as", &b, &id, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    sk_test_write(sk_test_path(at, "photo"), 3000000);
    EXPECT_OK(sk_attachment_add(store, &a, sk_test_path(at, "photo"), NULL, &id, &sk_test_err));
}

static void count_problem(void *context, const char *sentence)
{
    print_error("verify: %s\n", sentence);
    ++*(unsigned *)context;
}

static enum sk_status add_title(void *context, const struct sk_item *item, struct sk_error *err)
{
    char *out = context;
    (void)err;
    (void)snprintf(out + strlen(out), 512 - strlen(out), "%s ", item->title);
    return SK_OK;
}

/* Looks at the heir: it verifies, and lists these titles. Removes it. */
static void check_heir(const char *path, const char *titles)
{
    struct sk_store_options options = sk_test_options(path, SK_STORE_DEVICE);
    struct sk_store *store = NULL;
    unsigned problems = 0;
    char list[512] = "";
    EXPECT_OK(sk_store_open(&store, &options, &sk_test_err));
    EXPECT_OK(sk_verify(store, count_problem, &problems, NULL, &sk_test_err));
    EXPECT_OK(sk_item_each(store, 0, add_title, list, &sk_test_err));
    if (titles)
        assert_string_equal(list, titles);
    assert_null(strstr(list, "withdrawn"));
    assert_int_equal(problems, 0);
    EXPECT_OK(sk_store_close(store, &sk_test_err));
    sk_dir_discard(path);
}

static void a_whole_store_comes_whole(void **state)
{
    struct small small;
    struct sk_test_heir heir;
    fill(*state, &small);
    const char *to = sk_test_path(small.at, "heir");
    sk_test_inherit(small.at, to, &heir);
    assert_string_equal(heir.losses, "");
    assert_true(heir.facts.head_known && heir.result.continues);
    assert_int_equal(heir.facts.proven, POSITIONS);
    assert_int_equal(heir.result.carried, POSITIONS);
    assert_int_equal(heir.result.unproven, 0);

    /* Entries and payloads are the same bytes, one place further on. */
    struct sk_store_options options = sk_test_options(to, SK_STORE_DEVICE);
    struct sk_store *store = NULL;
    EXPECT_OK(sk_store_open(&store, &options, &sk_test_err));
    for (uint64_t i = 0; i < POSITIONS; i++) {
        uint8_t old[SK_ENTRY_LEN], new[SK_ENTRY_LEN];
        sk_auto_payload before = SK_PAYLOAD_INIT, after = SK_PAYLOAD_INIT;
        bool found = false, there = false;
        EXPECT_OK(sk_log_entry(small.at->store, SK_LOG_OWN, i, old, &found, &sk_test_err));
        EXPECT_OK(sk_log_entry(store, SK_LOG_OWN, i + 1, new, &found, &sk_test_err));
        assert_memory_equal(old, new, SK_ENTRY_LEN);
        EXPECT_OK(sk_payload_load(small.at->store, SK_LOG_OWN, i, &before, &found, &sk_test_err));
        EXPECT_OK(sk_payload_load(store, SK_LOG_OWN, i + 1, &after, &there, &sk_test_err));
        assert_int_equal(found, there);
        assert_int_equal(before.text.len, after.text.len);
        if (found)
            assert_memory_equal(before.text.bytes, after.text.bytes, before.text.len);
    }
    assert_memory_not_equal(sk_store_id(store), sk_store_id(small.at->store), SK_HASH_LEN);
    assert_int_equal(sk_test_sql_int(store, "SELECT count(*) FROM chain"), 0);
    EXPECT_OK(sk_store_close(store, &sk_test_err));
    check_heir(to, "beta two alpha ");
}

/* What is done behind the program's back, and what comes of it. NULL: no store is made. */
static void altered(void **state, const char *sql, const char *titles, const char *losses,
                    uint64_t unproven)
{
    struct small small;
    struct sk_test_heir heir;
    fill(*state, &small);
    sk_test_sql(small.at->store, sql);
    const char *to = sk_test_path(small.at, "heir");
    sk_test_close(small.at);
    enum sk_status status = sk_test_inherit_status(small.at->path, to, &heir, &sk_test_err);
    assert_int_equal(status, titles ? SK_OK : SK_DAMAGED);
    if (!titles) {
        assert_false(sk_file_exists(to));
        return;
    }
    assert_string_equal(heir.losses, losses);
    assert_int_equal(heir.result.unproven, unproven);
    check_heir(to, titles);
}

#define ENTRY(position) "id = (1 << 40) + " #position

static void an_altered_text_does_not_come_back(void **state)
{
    altered(
        state,
        "UPDATE payload SET text = CAST(replace(text, 'alpha', 'omega') AS BLOB) WHERE " ENTRY(0),
        "beta two ", "payload 0-1 ;", 0);
}

static void an_altered_commitment_does_not_come_back(void **state)
{
    altered(state,
            "UPDATE entry SET bytes = CAST(substr(bytes, 1, 32) || zeroblob(32) || "
            "substr(bytes, 65) AS BLOB) WHERE " ENTRY(0),
            NULL, NULL, 0);
}

/* Nothing tells which of them it is. */
static void an_altered_day_brings_nothing_back(void **state)
{
    altered(state,
            "UPDATE entry SET bytes = CAST(substr(bytes, 1, 8) || x'01020304' || "
            "substr(bytes, 13) AS BLOB) WHERE " ENTRY(0),
            NULL, NULL, 0);
}

static void an_entry_beyond_the_head_does_not_come_back(void **state)
{
    altered(state,
            "INSERT INTO entry SELECT (1 << 40) + 7, item, bytes FROM entry WHERE " ENTRY(
                0) ";"
                   "INSERT INTO payload SELECT (1 << 40) + 7, salt, hashes, body_len, media, text "
                   "FROM payload WHERE " ENTRY(0),
            "beta two alpha ", "refused 7-8 ;", 0);
}

/* A text that was never signed, and an entry that fits it: made by somebody who can seal pages. */
static void forge(struct sk_store *store, uint64_t position)
{
    uint8_t bytes[SK_ENTRY_LEN];
    struct sk_entry entry;
    sk_auto_payload payload = SK_PAYLOAD_INIT;
    bool found = false;
    char sql[1024], text[2 * 256 + 1], hashes[65], whole[2 * SK_ENTRY_LEN + 1];
    EXPECT_OK(sk_log_entry(store, SK_LOG_OWN, position, bytes, &found, &sk_test_err));
    assert_int_equal(sk_entry_decode(&entry, bytes), SK_OK);
    EXPECT_OK(sk_payload_load(store, SK_LOG_OWN, position, &payload, &found, &sk_test_err));
    char *title = strstr(sk_buf_text(&payload.text), "alpha");
    assert_non_null(title);
    memcpy(title, "forge", 5);
    sk_block_hash(payload.hashes.bytes, payload.salt, 0, payload.text.bytes, payload.text.len);
    sk_commitment(entry.commitment, &entry.id, entry.revision, payload.salt, payload.text.len, 0,
                  payload.hashes.bytes);
    sk_entry_encode(bytes, &entry);
    assert_true(payload.text.len <= 256);
    sk_hex(text, payload.text.bytes, payload.text.len);
    sk_hex(hashes, payload.hashes.bytes, SK_HASH_LEN);
    sk_hex(whole, bytes, sizeof(bytes));
    (void)snprintf(sql, sizeof(sql),
                   "UPDATE payload SET text = x'%s', hashes = x'%s' WHERE id = (1 << 40) + %llu; "
                   "UPDATE entry SET bytes = x'%s' WHERE id = (1 << 40) + %llu",
                   text, hashes, (unsigned long long)position, whole, (unsigned long long)position);
    sk_test_sql(store, sql);
}

/* A second one that is no entry's text does not make the first a neighbour of what was lost. */
static void a_forged_entry_does_not_come_back_beside_another(void **state)
{
    struct small small;
    struct sk_test_heir heir;
    fill(*state, &small);
    forge(small.at->store, A);
    sk_test_sql(small.at->store, "UPDATE payload SET salt = zeroblob(32) WHERE " ENTRY(5));
    const char *to = sk_test_path(small.at, "heir");
    sk_test_close(small.at);
    EXPECT(SK_DAMAGED, sk_test_inherit_status(small.at->path, to, &heir, &sk_test_err));
    assert_int_equal(heir.facts.refused, POSITIONS);
    assert_false(sk_file_exists(to));
    sk_test_open(small.at);
}

/* How many entries of a store bear the mark, by their bytes. */
static uint64_t marked(struct sk_store *store)
{
    uint64_t size = 0, count = 0;
    EXPECT_OK(sk_log_size(store, SK_LOG_OWN, &size, &sk_test_err));
    for (uint64_t i = 0; i < size; i++) {
        uint8_t bytes[SK_ENTRY_LEN];
        struct sk_entry entry;
        bool found = false;
        EXPECT_OK(sk_log_entry(store, SK_LOG_OWN, i, bytes, &found, &sk_test_err));
        assert_int_equal(sk_entry_decode(&entry, bytes), SK_OK);
        count += entry.unproven;
    }
    return count;
}

/*
 * Beside a lost entry a forged one cannot be told from the others that lost their proof: each of
 * them is told and marked, the new log's signature does not wash it off, nor does another repair,
 * and a later revision has none.
 */
static void what_is_not_proven_is_marked_for_ever(void **state)
{
    struct small small;
    struct sk_test_heir heir;
    struct sk_store *store = NULL;
    uint64_t count = 0;
    fill(*state, &small);
    forge(small.at->store, A);
    sk_test_sql(small.at->store, "DELETE FROM entry WHERE " ENTRY(6));
    sk_auto_free char *first = strdup(sk_test_path(small.at, "heir"));
    sk_auto_free char *second = strdup(sk_test_path(small.at, "heir2"));
    sk_test_inherit(small.at, first, &heir);
    assert_int_equal(heir.result.unproven, POSITIONS - 1);
    assert_int_equal(heir.unproven, POSITIONS - 1);
    struct sk_store_options options = sk_test_options(first, SK_STORE_DEVICE);
    EXPECT_OK(sk_store_open(&store, &options, &sk_test_err));
    assert_int_equal(marked(store), POSITIONS - 1);
    EXPECT_OK(sk_verify_unproven(store, &count, &sk_test_err));
    assert_int_equal(count, POSITIONS - 1);
    sk_test_edit(store, &small.a, "alpha, looked at");
    assert_int_equal(marked(store), POSITIONS - 1);
    EXPECT_OK(sk_store_close(store, &sk_test_err));

    EXPECT_OK(sk_test_inherit_status(first, second, &heir, &sk_test_err));
    assert_int_equal(heir.result.unproven, 0);
    options = sk_test_options(second, SK_STORE_DEVICE);
    EXPECT_OK(sk_store_open(&store, &options, &sk_test_err));
    assert_int_equal(marked(store), POSITIONS - 1);
    EXPECT_OK(sk_store_close(store, &sk_test_err));
    check_heir(second, "beta two alpha, looked at ");
    sk_dir_discard(first);
}

static void an_entry_in_another_place_does_not_come_back(void **state)
{
    altered(state,
            "UPDATE entry SET bytes = (SELECT bytes FROM entry WHERE " ENTRY(0) ") WHERE " ENTRY(3),
            NULL, NULL, 0);
}

/* Those of its subtree: the peaks of seven entries are of four, two and one. */
static void a_lost_entry_leaves_its_neighbours_unproven(void **state)
{
    altered(state, "DELETE FROM entry WHERE " ENTRY(0), "beta two ",
            "revision 0-1 alpha;entries 0-1 ;", 3);
}

static void without_peaks_it_leaves_all_unproven(void **state)
{
    altered(state, "DELETE FROM entry WHERE " ENTRY(0) "; UPDATE log SET peaks = x''", "beta two ",
            "revision 0-1 alpha;entries 0-1 ;", POSITIONS - 1);
}

/* Nor do peaks that are not those of the head. */
static void false_peaks_prove_nothing(void **state)
{
    altered(state,
            "DELETE FROM entry WHERE " ENTRY(0) "; UPDATE log SET peaks = zeroblob(length(peaks))",
            "beta two ", "revision 0-1 alpha;entries 0-1 ;", POSITIONS - 1);
}

static void a_lost_erasure_is_told_by_the_list(void **state)
{
    altered(state, "DELETE FROM entry WHERE " ENTRY(4), "beta two alpha ", "entries 4-5 ;", 1);
}

static void what_was_withdrawn_stays_away(void **state)
{
    altered(state,
            "INSERT INTO payload SELECT (1 << 40) + 3, salt, hashes, body_len, media, text "
            "FROM payload WHERE " ENTRY(0),
            "beta two alpha ", "", 0);
}

static void a_head_that_is_not_signed_proves_nothing(void **state)
{
    altered(state,
            "UPDATE log SET note = replace(note, char(10) || '7' || char(10), char(10) || "
            "'6' || char(10))",
            "beta two alpha ", "", POSITIONS);
}

/* ---- pages ---- */

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

static void an_empty_store_is_succeeded(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_test_heir heir;
    const char *to = sk_test_path(at, "heir");
    sk_test_inherit(at, to, &heir);
    assert_true(heir.facts.head_known && heir.facts.size == 0);
    assert_int_equal(heir.result.carried, 0);
    check_heir(to, "");
}

/* An entry that is signed, and is none that this version knows: it is left out and told. */
static void an_entry_of_an_unknown_kind_is_told(void **state)
{
    struct small small;
    struct sk_test_heir heir;
    struct sk_store *txn = NULL;
    uint8_t bytes[SK_ENTRY_LEN];
    bool found = false;
    fill(*state, &small);
    EXPECT_OK(sk_log_entry(small.at->store, SK_LOG_OWN, A, bytes, &found, &sk_test_err));
    bytes[2] = 99; /* the type */
    EXPECT_OK(sk_store_begin(&txn, small.at->store, &sk_test_err));
    EXPECT_OK(sk_log_put(small.at->store, SK_LOG_OWN, POSITIONS, bytes, 0, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    (void)sk_test_add(small.at->store, SK_TYPE_SOURCE, "gamma");
    const char *to = sk_test_path(small.at, "heir");
    sk_test_inherit(small.at, to, &heir);
    assert_string_equal(heir.losses, "unknown 7-8 ;");
    assert_true(heir.facts.head_known);
    assert_int_equal(heir.facts.size, POSITIONS + 2);
    assert_int_equal(heir.facts.proven, POSITIONS + 1);
    assert_int_equal(heir.facts.unknown, 1);
    assert_int_equal(heir.result.carried, POSITIONS + 1);
    check_heir(to, "gamma beta two alpha ");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sk_test_device, sk_test_remove)
    const struct CMUnitTest tests[] = {
        TEST(a_whole_store_comes_whole),
        TEST(an_altered_text_does_not_come_back),
        TEST(an_altered_commitment_does_not_come_back),
        TEST(an_altered_day_brings_nothing_back),
        TEST(an_entry_beyond_the_head_does_not_come_back),
        TEST(a_forged_entry_does_not_come_back_beside_another),
        TEST(what_is_not_proven_is_marked_for_ever),
        TEST(an_entry_in_another_place_does_not_come_back),
        TEST(a_lost_entry_leaves_its_neighbours_unproven),
        TEST(without_peaks_it_leaves_all_unproven),
        TEST(false_peaks_prove_nothing),
        TEST(a_lost_erasure_is_told_by_the_list),
        TEST(what_was_withdrawn_stays_away),
        TEST(a_head_that_is_not_signed_proves_nothing),
        TEST(old_pages_bring_nothing_back),
        TEST(what_was_committed_last_outlives_its_head),
        TEST(a_log_that_lost_its_head),
        TEST(what_no_commit_ended_does_not_come_back),
        TEST(a_log_that_is_not_used_is_told),
        TEST(a_read_that_fails_is_no_damage),
        TEST(nodes_prove_the_rest),
        TEST(peaks_prove_what_is_older),
        TEST(a_store_without_an_entry_left_is_refused),
        TEST(an_empty_store_is_succeeded),
        TEST(an_entry_of_an_unknown_kind_is_told),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
