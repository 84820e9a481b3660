/*
 * Goal of this test: the log in the database is the RFC 6962 tree of its entries at every size
 * (held against one written the simplest way), its head is signed at every commit, a rollback
 * leaves no trace of what was appended, gaps in an archive's copy close as they should, and every
 * change to an entry, a kept subtree, the peaks or the note is found.
 */
#include "core/log.h"
#include "core/store_internal.h"
#include "tests/support/stores.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define MANY 1100 /* past 1024, so that a subtree of level 10 is complete */

/* The tree in its definition: MTH of RFC 6962, 2.1. */
static void naive_root(uint8_t out[static SK_MERKLE_LEN], uint8_t (*leaves)[SK_MERKLE_LEN],
                       size_t count)
{
    uint8_t left[SK_MERKLE_LEN];
    uint8_t right[SK_MERKLE_LEN];
    size_t split = 1;
    struct sk_merkle empty;
    if (count == 0) {
        sk_merkle_init(&empty);
        sk_merkle_root(&empty, out);
        return;
    }
    if (count == 1) {
        memcpy(out, leaves[0], SK_MERKLE_LEN);
        return;
    }
    while (split * 2 < count)
        split *= 2;
    naive_root(left, leaves, split);
    naive_root(right, leaves + split, count - split);
    sk_merkle_node(out, left, right);
}

static uint8_t leaves[MANY][SK_MERKLE_LEN];

static void read_leaf(struct sk_store *store, int64_t log, uint64_t position)
{
    uint8_t bytes[SK_ENTRY_LEN];
    bool found = false;
    EXPECT_OK(sk_log_entry(store, log, position, bytes, &found, &sk_test_err));
    assert_true(found);
    sk_merkle_leaf(leaves[position], bytes, SK_ENTRY_LEN);
}

static void assert_tree(struct sk_store *store, int64_t log, uint64_t size)
{
    struct sk_merkle tree;
    uint8_t root[SK_MERKLE_LEN];
    uint8_t expected[SK_MERKLE_LEN];
    EXPECT_OK(sk_log_tree(store, log, size, &tree, &sk_test_err));
    assert_int_equal(tree.size, size);
    sk_merkle_root(&tree, root);
    naive_root(expected, leaves, size);
    assert_memory_equal(root, expected, SK_MERKLE_LEN);
}

/* An entry of a foreign log, the same for the same number. */
static struct sk_entry foreign_entry(uint64_t number)
{
    struct sk_entry entry = {.type = SK_TYPE_EVENT, .revision = 1, .day = 20000};
    memset(entry.id.bytes, 0x5a, SK_ID_LEN);
    memcpy(entry.id.bytes, &number, sizeof(number));
    memset(entry.commitment, 0x77, SK_HASH_LEN);
    return entry;
}

static enum sk_status put_foreign(struct sk_store *store, int64_t log, uint64_t position)
{
    struct sk_entry entry = foreign_entry(position);
    uint8_t bytes[SK_ENTRY_LEN];
    sk_entry_encode(bytes, &entry);
    sk_merkle_leaf(leaves[position], bytes, SK_ENTRY_LEN);
    return sk_log_put(store, log, position, bytes, 1, &sk_test_err);
}

/* A foreign log with keys made from `number`. */
static struct sk_log foreign_log(struct sk_store *store, uint8_t number)
{
    struct sk_log log = {.state = SK_LOG_STATE_ENROLLED, .alias = "Heron", .peer = 4};
    memset(log.sign_public, number, SK_SIGN_PUBLIC_LEN);
    memset(log.dh_public, number, SK_DH_LEN);
    sk_log_id(log.log_id, log.sign_public, log.dh_public);
    EXPECT_OK(sk_log_create(store, &log, &sk_test_err));
    return log;
}

static void assert_damaged(struct sk_store *store, int64_t id)
{
    struct sk_log log;
    EXPECT_OK(sk_log_get(store, id, &log, &sk_test_err));
    EXPECT(SK_DAMAGED, sk_log_verify(store, &log, NULL, &sk_test_err));
}

static void assert_verifies(struct sk_store *store, int64_t id)
{
    struct sk_log log;
    EXPECT_OK(sk_log_get(store, id, &log, &sk_test_err));
    EXPECT_OK(sk_log_verify(store, &log, NULL, &sk_test_err));
}

/* The own log */

static void add_many(struct sk_store *store, uint64_t from, uint64_t to)
{
    sk_auto_json fields = sk_test_fields("One of many");
    struct sk_store *txn = NULL;
    EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
    for (uint64_t i = from; i < to; i++) {
        struct sk_id id;
        EXPECT_OK(sk_record_add(store, SK_TYPE_EVENT, fields, &id, &sk_test_err));
        read_leaf(store, SK_LOG_OWN, i);
        if (i < 600 || i > 1020)
            assert_tree(store, SK_LOG_OWN, i + 1);
    }
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
}

static void assert_note(struct sk_store *store, uint64_t size)
{
    sk_auto_buf note = SK_BUF_INIT;
    struct sk_checkpoint checkpoint;
    uint8_t root[SK_MERKLE_LEN];
    EXPECT_OK(sk_log_note(store, SK_LOG_OWN, &note, &sk_test_err));
    EXPECT_OK(sk_log_check_note(sk_store_id(store), sk_store_sign_public(store), sk_buf_text(&note),
                                &checkpoint, &sk_test_err));
    naive_root(root, leaves, size);
    assert_int_equal(checkpoint.size, size);
    assert_memory_equal(checkpoint.root, root, SK_MERKLE_LEN);
}

static void assert_proof(struct sk_store *store, uint64_t from, uint64_t to)
{
    uint8_t proof[SK_MERKLE_PROOF_MAX][SK_MERKLE_LEN];
    uint8_t old_root[SK_MERKLE_LEN];
    uint8_t new_root[SK_MERKLE_LEN];
    size_t count = 0;
    EXPECT_OK(sk_log_prove(store, SK_LOG_OWN, from, to, proof, &count, &sk_test_err));
    naive_root(old_root, leaves, from);
    naive_root(new_root, leaves, to);
    assert_int_equal(sk_merkle_check_consistency((const uint8_t(*)[SK_MERKLE_LEN])proof, count,
                                                 from, old_root, to, new_root),
                     SK_OK);
}

static void test_trees_and_proofs(void **state)
{
    struct sk_test_store *at = *state;
    static const uint64_t sizes[] = {1,   2,   3,   127, 128, 129,  255,  256,  257,
                                     300, 511, 512, 513, 767, 1023, 1024, 1025, MANY};
    size_t count = sizeof(sizes) / sizeof(sizes[0]);

    assert_tree(at->store, SK_LOG_OWN, 0);
    assert_note(at->store, 0);
    add_many(at->store, 0, 255);
    assert_note(at->store, 255);
    add_many(at->store, 255, 256);
    assert_note(at->store, 256);
    sk_test_reopen(at); /* what follows stands on what was read back */
    add_many(at->store, 256, MANY);
    assert_note(at->store, MANY);
    for (uint64_t size = 0; size <= MANY; size += 7)
        assert_tree(at->store, SK_LOG_OWN, size);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i; j < count; j++)
            assert_proof(at->store, sizes[i], sizes[j]);
    }
    /* Four of level 8, two of level 9, one of level 10. */
    assert_int_equal(sk_test_sql_int(at->store, "SELECT count(*) FROM node"), 7);
    assert_verifies(at->store, SK_LOG_OWN);
}

static void test_bounds(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_merkle tree;
    uint8_t proof[SK_MERKLE_PROOF_MAX][SK_MERKLE_LEN];
    uint8_t bytes[SK_ENTRY_LEN];
    size_t count = 0;
    bool found = true;
    struct sk_log log;

    add_many(at->store, 0, 5);
    EXPECT(SK_USAGE, sk_log_tree(at->store, SK_LOG_OWN, 6, &tree, &sk_test_err));
    EXPECT(SK_USAGE, sk_log_prove(at->store, SK_LOG_OWN, 0, 5, proof, &count, &sk_test_err));
    EXPECT(SK_USAGE, sk_log_prove(at->store, SK_LOG_OWN, 4, 3, proof, &count, &sk_test_err));
    EXPECT(SK_USAGE, sk_log_prove(at->store, SK_LOG_OWN, 1, 6, proof, &count, &sk_test_err));
    EXPECT_OK(sk_log_entry(at->store, SK_LOG_OWN, 5, bytes, &found, &sk_test_err));
    assert_false(found);
    EXPECT(SK_MISSING, sk_log_get(at->store, 2, &log, &sk_test_err));
    EXPECT(SK_DAMAGED, sk_log_tree(at->store, 2, 0, &tree, &sk_test_err));
    sk_auto_buf note = SK_BUF_INIT;
    EXPECT(SK_MISSING, sk_log_note(at->store, 2, &note, &sk_test_err));
}

static void test_only_grows_at_its_end(void **state)
{
    struct sk_test_store *at = *state;
    static const uint64_t wrong[] = {0, 4, 6, 1000};
    add_many(at->store, 0, 5);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct sk_store *txn = NULL;
        struct sk_entry entry = foreign_entry(9);
        uint8_t bytes[SK_ENTRY_LEN];
        sk_entry_encode(bytes, &entry);
        EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
        EXPECT(SK_REFUSED, sk_log_put(at->store, SK_LOG_OWN, wrong[i], bytes, 1, &sk_test_err));
        sk_store_rollback(txn);
    }
    assert_verifies(at->store, SK_LOG_OWN);
}

static void test_rollback_forgets(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_store *txn = NULL;
    sk_auto_json fields = sk_test_fields("Undone");
    add_many(at->store, 0, 250);
    EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
    for (int i = 0; i < 20; i++) { /* over the border of level 8 */
        struct sk_id id;
        EXPECT_OK(sk_record_add(at->store, SK_TYPE_EVENT, fields, &id, &sk_test_err));
    }
    sk_store_rollback(txn);
    assert_note(at->store, 250);
    assert_tree(at->store, SK_LOG_OWN, 250);
    assert_verifies(at->store, SK_LOG_OWN);
    add_many(at->store, 250, 260);
    assert_note(at->store, 260);
    assert_verifies(at->store, SK_LOG_OWN);
}

/* Notes */

static void test_notes(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_merkle tree;
    struct sk_checkpoint checkpoint = {.size = 99};
    char note[SK_CHECKPOINT_NOTE_MAX];
    uint8_t id[SK_HASH_LEN];
    uint8_t key[SK_SIGN_PUBLIC_LEN];

    sk_merkle_init(&tree);
    EXPECT_OK(sk_log_sign_note(at->store, note, &tree, &sk_test_err));
    memcpy(id, sk_store_id(at->store), sizeof(id));
    memcpy(key, sk_store_sign_public(at->store), sizeof(key));
    id[0] ^= 1;
    EXPECT(SK_DAMAGED, sk_log_check_note(id, key, note, &checkpoint, &sk_test_err));
    id[0] ^= 1;
    key[0] ^= 1;
    EXPECT(SK_DAMAGED, sk_log_check_note(id, key, note, &checkpoint, &sk_test_err));
    key[0] ^= 1;
    EXPECT(SK_DAMAGED, sk_log_check_note(id, key, "", &checkpoint, &sk_test_err));
    assert_int_equal(checkpoint.size, 99);
    for (size_t i = 0; note[i]; i++) {
        char was = note[i];
        note[i] = was == 'A' ? 'B' : 'A';
        EXPECT(SK_DAMAGED, sk_log_check_note(id, key, note, &checkpoint, &sk_test_err));
        note[i] = was;
    }
    EXPECT_OK(sk_log_check_note(id, key, note, &checkpoint, &sk_test_err));
    assert_int_equal(checkpoint.size, 0);
}

static void test_origin(void **state)
{
    char origin[SK_ORIGIN_LEN];
    uint8_t id[SK_HASH_LEN] = {0xab, 1};
    (void)state;
    sk_log_origin(origin, id);
    assert_int_equal(strlen(origin), SK_ORIGIN_LEN - 1);
    assert_memory_equal(origin, "skrynia/ab010000", 16);
}

static void test_rows(void **state)
{
    static const uint64_t positions[] = {0, 1, SK_POSITION_MAX - 1};
    (void)state;
    for (int64_t log = 1; log < 300; log += 99) {
        for (size_t i = 0; i < 3; i++) {
            int64_t row = sk_entry_row(log, positions[i]);
            assert_int_equal(sk_entry_row_log(row), log);
            assert_int_equal(sk_entry_row_position(row), positions[i]);
        }
    }
    assert_string_equal(sk_log_state_name(SK_LOG_STATE_OWN), "own");
    assert_string_equal(sk_log_state_name(SK_LOG_STATE_FROZEN), "frozen");
    assert_string_equal(sk_log_state_name((enum sk_log_state)4), "unknown");
}

/* Foreign logs */

static enum sk_status count_logs(void *context, const struct sk_log *log, struct sk_error *err)
{
    unsigned *count = context;
    (void)err;
    assert_int_equal(log->id, ++*count);
    return *count == 3 ? SK_LIMIT : SK_OK;
}

static void test_foreign_logs(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_log first = foreign_log(at->store, 1);
    struct sk_log second = foreign_log(at->store, 2);
    struct sk_log log;
    bool found = false;
    unsigned count = 0;

    EXPECT_OK(sk_log_find(at->store, second.log_id, &log, &found, &sk_test_err));
    assert_true(found);
    assert_int_equal(log.id, second.id);
    assert_string_equal(log.alias, "Heron");
    assert_int_equal(log.peer, 4);
    assert_memory_equal(log.dh_public, second.dh_public, SK_DH_LEN);
    EXPECT_OK(sk_log_find(at->store, log.dh_public, &log, &found, &sk_test_err));
    assert_false(found);

    EXPECT_OK(sk_log_set_state(at->store, first.id, SK_LOG_STATE_FROZEN, &sk_test_err));
    EXPECT_OK(sk_log_get(at->store, first.id, &log, &sk_test_err));
    assert_int_equal(log.state, SK_LOG_STATE_FROZEN);
    EXPECT_OK(sk_log_each(at->store, count_logs, &count, &sk_test_err));
    assert_int_equal(count, 2);
    (void)foreign_log(at->store, 3);
    count = 0;
    assert_int_equal(sk_log_each(at->store, count_logs, &count, NULL), SK_LIMIT);
}

static void test_join(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_store *txn = NULL;
    uint64_t size = 0;
    EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
    struct sk_log log = foreign_log(at->store, 1);
    for (uint64_t i = 700; i > 300; i--) /* backwards, behind a gap */
        assert_int_equal(put_foreign(at->store, log.id, i), SK_OK);
    EXPECT_OK(sk_log_join(at->store, log.id, 1000, &size, &sk_test_err));
    assert_int_equal(size, 0);
    for (uint64_t i = 0; i < 300; i++)
        assert_int_equal(put_foreign(at->store, log.id, i), SK_OK);
    EXPECT_OK(sk_log_join(at->store, log.id, 1000, &size, &sk_test_err));
    assert_int_equal(size, 300);
    assert_int_equal(put_foreign(at->store, log.id, 300), SK_OK);
    EXPECT_OK(sk_log_size(at->store, log.id, &size, &sk_test_err));
    assert_int_equal(size, 301);
    EXPECT_OK(sk_log_join(at->store, log.id, 600, &size, &sk_test_err));
    assert_int_equal(size, 600);
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    assert_verifies(at->store, log.id);

    EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
    EXPECT_OK(sk_log_join(at->store, log.id, 1000, &size, &sk_test_err));
    assert_int_equal(size, 701);
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    sk_test_reopen(at);
    for (uint64_t i = 0; i <= 701; i += 50)
        assert_tree(at->store, log.id, i);
    assert_verifies(at->store, log.id);
}

static void test_two_logs_at_once(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_store *txn = NULL;
    EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
    struct sk_log first = foreign_log(at->store, 1);
    struct sk_log second = foreign_log(at->store, 2);
    for (uint64_t i = 0; i < 300; i++) {
        assert_int_equal(put_foreign(at->store, first.id, i), SK_OK);
        if (i % 3 == 0)
            assert_int_equal(put_foreign(at->store, second.id, i / 3), SK_OK);
    }
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    assert_tree(at->store, first.id, 300);
    assert_tree(at->store, second.id, 100);
    sk_test_reopen(at);
    assert_verifies(at->store, first.id);
    assert_verifies(at->store, second.id);
}

static void test_taken_positions(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_store *txn = NULL;
    EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
    struct sk_log log = foreign_log(at->store, 1);
    assert_int_equal(put_foreign(at->store, log.id, 0), SK_OK);
    assert_int_equal(put_foreign(at->store, log.id, 7), SK_OK);
    EXPECT(SK_REFUSED, put_foreign(at->store, log.id, 0));
    EXPECT(SK_REFUSED, put_foreign(at->store, log.id, 7));
    struct sk_entry entry = foreign_entry(1);
    uint8_t bytes[SK_ENTRY_LEN];
    sk_entry_encode(bytes, &entry);
    EXPECT(SK_LIMIT, sk_log_put(at->store, log.id, SK_POSITION_MAX - 1, bytes, 1, &sk_test_err));
    EXPECT(SK_LIMIT, sk_log_put(at->store, log.id, UINT64_MAX, bytes, 1, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    assert_verifies(at->store, log.id);
}

static void test_ranges(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_log log = foreign_log(at->store, 1);
    sk_auto_ranges ranges = SK_RANGES_INIT;
    EXPECT_OK(sk_log_ranges(at->store, log.id, &ranges, &sk_test_err));
    assert_int_equal(ranges.count, 0);

    struct sk_store *txn = NULL;
    EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
    for (uint64_t i = 0; i < 5; i++)
        assert_int_equal(put_foreign(at->store, log.id, i), SK_OK);
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    sk_test_sql(at->store,
                "INSERT INTO segment(log, n0, n1, peaks, note, joined, number, header_hash) VALUES"
                "(1, 20, 30, x'', '', 0, 3, x''), (1, 8, 10, x'', '', 0, 2, x''),"
                "(1, 0, 5, x'', '', 1, 1, x''), (2, 40, 50, x'', '', 0, 1, x'')");
    EXPECT_OK(sk_log_ranges(at->store, log.id, &ranges, &sk_test_err));
    assert_int_equal(ranges.count, 3);
    assert_int_equal(ranges.items[0].to, 5);
    assert_int_equal(ranges.items[1].from, 8);
    assert_int_equal(ranges.items[1].to, 10);
    assert_int_equal(ranges.items[2].from, 20);
    assert_int_equal(ranges.items[2].to, 30);
}

/* Tampering */

static void assert_found_after(struct sk_test_store *at, const char *sql)
{
    add_many(at->store, 0, 600);
    sk_test_reopen(at);
    sk_test_sql(at->store, sql);
    assert_damaged(at->store, SK_LOG_OWN);
}

#define OWN_ENTRY(n) "(SELECT id FROM entry ORDER BY id LIMIT 1 OFFSET " #n ")"

/* What does not even look like a log is not computed with. */
static void test_impossible_sizes(void **state)
{
    struct sk_test_store *at = *state;
    static const char *const damages[] = {"UPDATE log SET size = -1", "UPDATE log SET size = 601",
                                          "UPDATE log SET peaks = x''", "DELETE FROM log"};
    struct sk_merkle tree;
    add_many(at->store, 0, 600);
    sk_test_reopen(at);
    struct sk_db *db = sk_store_db(at->store);
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        EXPECT_OK(sk_db_begin(db, &sk_test_err));
        EXPECT_OK(sk_db_exec(db, damages[i], &sk_test_err));
        EXPECT(SK_DAMAGED, sk_log_tree(at->store, SK_LOG_OWN, 600, &tree, &sk_test_err));
        sk_store_rollback(at->store);
    }
    sk_test_sql(at->store, "DELETE FROM entry WHERE id = (SELECT max(id) FROM entry)");
    EXPECT(SK_DAMAGED, sk_log_tree(at->store, SK_LOG_OWN, 600, &tree, &sk_test_err));
}

static void test_changed_entry(void **state)
{
    assert_found_after(*state, "UPDATE entry SET bytes = (SELECT bytes FROM entry WHERE id = "
                               "" OWN_ENTRY(2) ") WHERE id = " OWN_ENTRY(300));
}

static void test_changed_newest_entry(void **state)
{
    assert_found_after(*state, "UPDATE entry SET bytes = zeroblob(96) WHERE id = " OWN_ENTRY(599));
}

static void test_missing_entry(void **state)
{
    assert_found_after(*state, "DELETE FROM entry WHERE id = " OWN_ENTRY(300));
}

static void test_missing_first_entry(void **state)
{
    assert_found_after(*state, "DELETE FROM entry WHERE id = " OWN_ENTRY(0));
}

static void test_missing_newest_entry(void **state)
{
    assert_found_after(*state, "DELETE FROM entry WHERE id = " OWN_ENTRY(599));
}

static void test_cut_entry(void **state)
{
    assert_found_after(*state, "UPDATE entry SET bytes = x'01' WHERE id = " OWN_ENTRY(3));
}

static void test_no_note(void **state)
{
    assert_found_after(*state, "UPDATE log SET note = ''");
}

static void test_wrong_note(void **state)
{
    assert_found_after(*state, "UPDATE log SET note = replace(note, char(10) || '600' || char(10), "
                               "char(10) || '599' || char(10))");
}

static void test_wrong_size(void **state)
{
    assert_found_after(*state, "UPDATE log SET size = 599");
}

static void test_wrong_peaks(void **state)
{
    assert_found_after(*state, "UPDATE log SET peaks = zeroblob(length(peaks))");
}

static void test_wrong_node(void **state)
{
    assert_found_after(*state, "UPDATE node SET hash = zeroblob(32) WHERE level = 9");
}

static void test_missing_node(void **state)
{
    struct sk_test_store *at = *state;
    uint8_t proof[SK_MERKLE_PROOF_MAX][SK_MERKLE_LEN];
    size_t count = 0;
    assert_found_after(at, "DELETE FROM node WHERE level = 8");
    EXPECT(SK_DAMAGED, sk_log_prove(at->store, SK_LOG_OWN, 256, 600, proof, &count, &sk_test_err));
}

/* An older note of the same key: entries were added behind the program's back, or taken away. */
static void test_old_note(void **state)
{
    struct sk_test_store *at = *state;
    sk_auto_buf note = SK_BUF_INIT;
    add_many(at->store, 0, 3);
    EXPECT_OK(sk_log_note(at->store, SK_LOG_OWN, &note, &sk_test_err));
    add_many(at->store, 3, 5);
    EXPECT_OK(sk_log_set_note(at->store, SK_LOG_OWN, sk_buf_text(&note), &sk_test_err));
    assert_damaged(at->store, SK_LOG_OWN);
}

/* A note by the right key over another tree of the same size. */
static void test_note_of_another_tree(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_merkle tree;
    char note[SK_CHECKPOINT_NOTE_MAX];
    add_many(at->store, 0, 3);
    EXPECT_OK(sk_log_tree(at->store, SK_LOG_OWN, 3, &tree, &sk_test_err));
    tree.peaks[0][0] ^= 1;
    EXPECT_OK(sk_log_sign_note(at->store, note, &tree, &sk_test_err));
    EXPECT_OK(sk_log_set_note(at->store, SK_LOG_OWN, note, &sk_test_err));
    assert_damaged(at->store, SK_LOG_OWN);
}

#define PLAIN(name)   cmocka_unit_test(name)
#define TEST(name)    cmocka_unit_test_setup_teardown(name, sk_test_device, sk_test_remove)
#define ARCHIVE(name) cmocka_unit_test_setup_teardown(name, sk_test_archive, sk_test_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_trees_and_proofs),
        TEST(test_bounds),
        TEST(test_only_grows_at_its_end),
        TEST(test_rollback_forgets),
        TEST(test_notes),
        PLAIN(test_origin),
        PLAIN(test_rows),
        ARCHIVE(test_foreign_logs),
        ARCHIVE(test_join),
        ARCHIVE(test_two_logs_at_once),
        ARCHIVE(test_taken_positions),
        ARCHIVE(test_ranges),
        TEST(test_impossible_sizes),
        TEST(test_changed_entry),
        TEST(test_changed_newest_entry),
        TEST(test_missing_entry),
        TEST(test_missing_first_entry),
        TEST(test_missing_newest_entry),
        TEST(test_cut_entry),
        TEST(test_no_note),
        TEST(test_wrong_note),
        TEST(test_wrong_size),
        TEST(test_wrong_peaks),
        TEST(test_wrong_node),
        TEST(test_missing_node),
        TEST(test_old_note),
        TEST(test_note_of_another_tree),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
