/*
 * Goal of this test: a succession brings back everything of a whole store and nothing that was not
 * signed: not what was altered behind the program's back, not what stands beyond the signed head,
 * not what was withdrawn; where entries are lost it says which of the others are proven, and marks
 * those that are not for ever.
 */
#include "core/store_internal.h"
#include "tests/support/succeeded.h"

#include <stdlib.h>

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

/* An export is refused then, and sends here. */
static void an_index_that_lies_is_left_behind(void **state)
{
    struct small small;
    struct sk_test_heir heir;
    fill(*state, &small);
    sk_test_belie_lengths(small.at->store);
    const char *to = sk_test_path(small.at, "heir");
    sk_test_close(small.at);
    EXPECT_OK(sk_test_inherit_status(small.at->path, to, &heir, &sk_test_err));
    assert_string_equal(heir.losses, "");
    assert_int_equal(heir.result.carried, POSITIONS);
    check_heir(to, "beta two alpha ");
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
        TEST(an_index_that_lies_is_left_behind),
        TEST(an_empty_store_is_succeeded),
        TEST(an_entry_of_an_unknown_kind_is_told),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
