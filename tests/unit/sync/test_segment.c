/*
 * Goal of this test: what a device signed about a part of its log behind a gap gives the log's root
 * at every position of that part, and at no other; a database that lost some of it says so, and
 * verifying names each part that is not what was signed.
 */
#include "core/verify.h"
#include "sync/import_parts.h"
#include "tests/support/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define ENTRIES 12

static struct sk_store *device(const struct sk_world *world)
{
    return world->device[0].store;
}

static struct sk_store *archive(const struct sk_world *world)
{
    return world->archive[0].store;
}

/* Of 12 entries the archive gets [3, 6) and [8, 11), each in one bundle. */
static void make_islands(struct sk_world *world)
{
    struct sk_export_result sent;
    struct sk_import_result got;
    sk_world_pair(world);
    for (unsigned i = 0; i < ENTRIES; i++) {
        (void)sk_test_add(device(world), SK_TYPE_SOURCE, "entry");
        if (i == 5)
            EXPECT_OK(
                sk_export(device(world), sk_world_path(world, "a"), 3, NULL, &sent, &sk_test_err));
        if (i == 10)
            EXPECT_OK(
                sk_export(device(world), sk_world_path(world, "b"), 8, NULL, &sent, &sk_test_err));
    }
    got = sk_world_import(world, 0, "b");
    sk_import_result_clear(&got);
    got = sk_world_import(world, 0, "a");
    assert_string_equal(sk_world_ranges(&got.gaps), "0-3 6-8");
    sk_import_result_clear(&got);
}

static void own_root(struct sk_world *world, uint64_t size, uint8_t root[SK_MERKLE_LEN])
{
    struct sk_merkle tree;
    EXPECT_OK(sk_log_tree(device(world), SK_LOG_OWN, size, &tree, &sk_test_err));
    sk_merkle_root(&tree, root);
}

static void every_position_of_a_part_has_its_root(void **state)
{
    struct sk_world *world = *state;
    make_islands(world);
    for (uint64_t at = 0; at <= ENTRIES; at++) {
        bool inside = (at >= 3 && at <= 6) || (at >= 8 && at <= 11);
        struct sk_merkle tree;
        uint8_t root[SK_MERKLE_LEN], want[SK_MERKLE_LEN];
        bool found = !inside;
        EXPECT_OK(sk_segment_tree(archive(world), 1, at, &tree, &found, &sk_test_err));
        assert_int_equal(found, inside);
        if (!inside)
            continue;
        sk_merkle_root(&tree, root);
        own_root(world, at, want);
        assert_int_equal(tree.size, at);
        assert_memory_equal(root, want, sizeof(root));
    }
    bool found = true;
    struct sk_merkle tree;
    EXPECT_OK(sk_segment_tree(archive(world), 2, 4, &tree, &found, &sk_test_err));
    assert_false(found);
}

static void the_next_part_is_found(void **state)
{
    struct sk_world *world = *state;
    make_islands(world);
    for (uint64_t from = 0; from <= ENTRIES; from++) {
        uint8_t root[SK_MERKLE_LEN], want[SK_MERKLE_LEN];
        uint64_t n0 = 77;
        uint64_t expected = from <= 3 ? 3 : from <= 8 ? 8 : UINT64_MAX;
        EXPECT_OK(sk_segment_next(archive(world), 1, from, &n0, root, &sk_test_err));
        assert_true(n0 == expected);
        if (n0 == UINT64_MAX)
            continue;
        own_root(world, n0, want);
        assert_memory_equal(root, want, sizeof(root));
    }
}

static void the_newest_note_of_a_size_is_found(void **state)
{
    struct sk_world *world = *state;
    make_islands(world);
    for (uint64_t most = 0; most <= ENTRIES; most++) {
        sk_auto_buf note = SK_BUF_INIT;
        struct sk_checkpoint head = {.size = 0};
        EXPECT_OK(sk_segment_note(archive(world), 1, most, &note, &sk_test_err));
        if (note.len > 0)
            EXPECT_OK(sk_log_check_note(sk_store_id(device(world)),
                                        sk_store_sign_public(device(world)), sk_buf_text(&note),
                                        &head, &sk_test_err));
        assert_int_equal(head.size, most < 6 ? 0 : most < 11 ? 6 : 11);
    }
}

static void malformed_entries_are_counted_where_they_stand(void **state)
{
    struct sk_world *world = *state;
    static const struct {
        uint64_t n0, n1, count;
    } cases[] = {{0, 12, 3}, {0, 3, 0}, {3, 4, 1}, {4, 5, 1}, {3, 5, 2}, {5, 10, 0}, {10, 11, 1}};
    uint64_t count = 0;
    make_islands(world);
    sk_test_sql(archive(world), "INSERT INTO malformed(entry, reason) SELECT id, 'r' FROM entry "
                                "WHERE id & 15 IN (3, 4, 10)");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        EXPECT_OK(
            sk_malformed_count(archive(world), 1, cases[i].n0, cases[i].n1, &count, &sk_test_err));
        assert_int_equal(count, cases[i].count);
    }
    EXPECT_OK(sk_malformed_count(archive(world), 2, 0, 12, &count, &sk_test_err));
    assert_int_equal(count, 0);
}

static void what_the_database_lost_is_named(void **state)
{
    struct sk_world *world = *state;
    struct sk_merkle tree = {.size = 77};
    uint8_t root[SK_MERKLE_LEN];
    uint64_t n0 = 77;
    bool found = true;
    make_islands(world);
    sk_test_sql(archive(world), "DELETE FROM entry WHERE id & 15 = 4");
    EXPECT(SK_DAMAGED, sk_segment_tree(archive(world), 1, 6, &tree, &found, &sk_test_err));
    assert_non_null(strstr(sk_test_err.text, "entry 4 of a log is gone"));
    EXPECT_OK(sk_segment_tree(archive(world), 1, 4, &tree, &found, &sk_test_err));
    sk_test_sql(archive(world), "DELETE FROM entry WHERE id & 15 = 10");
    EXPECT(SK_DAMAGED, sk_segment_tree(archive(world), 1, 11, &tree, &found, &sk_test_err));
    assert_non_null(strstr(sk_test_err.text, "entry 10"));
    sk_test_sql(archive(world), "UPDATE segment SET peaks = x'00'");
    EXPECT(SK_DAMAGED, sk_segment_tree(archive(world), 1, 4, &tree, &found, &sk_test_err));
    EXPECT(SK_DAMAGED, sk_segment_next(archive(world), 1, 0, &n0, root, &sk_test_err));
}

/* A receipt names every part; when the archive lost an entry of one, none is written. */
static void a_receipt_names_every_part(void **state)
{
    struct sk_world *world = *state;
    char code[36];
    make_islands(world);
    struct sk_receipt_result got = sk_world_receipt(world, 0, 1, 0, "r");
    assert_int_equal(got.size, 0);
    assert_false(got.rollback);
    sk_receipt_result_clear(&got);
    assert_string_equal(sk_world_status(device(world), 0), "3-6 8-11||0-3 6-8 11-12|0-3 6-8");
    sk_test_sql(archive(world), "DELETE FROM entry WHERE id & 15 = 9");
    EXPECT(SK_DAMAGED,
           sk_receipt_write(archive(world), 1, sk_world_path(world, "r2"), code, &sk_test_err));
    assert_non_null(strstr(sk_test_err.text, "entry 9 of a log is gone"));
}

/* ---- verifying ---- */

struct problems {
    unsigned count;
    char text[16][512];
};

static void note_problem(void *context, const char *sentence)
{
    struct problems *problems = context;
    assert_true(problems->count < 16);
    (void)snprintf(problems->text[problems->count++], sizeof(problems->text[0]), "%s", sentence);
}

/* What somebody did to the database, and what verifying has to say of it, in this order. */
struct damage {
    const char *sql;
    const char *words[3];
};

static void assert_damage(struct sk_store *store, const struct damage *damage)
{
    struct problems found = {.count = 0};
    unsigned wanted = 0;
    bool same = true;
    struct sk_db *db = sk_store_db(store);
    EXPECT_OK(sk_db_begin(db, &sk_test_err));
    EXPECT_OK(sk_db_exec(db, damage->sql, &sk_test_err));
    EXPECT_OK(sk_verify(store, note_problem, &found, NULL, &sk_test_err));
    sk_db_rollback(db);
    while (wanted < 3 && damage->words[wanted])
        wanted++;
    for (unsigned i = 0; i < found.count && i < wanted; i++)
        same = same && strstr(found.text[i], damage->words[i]);
    if (same && found.count == wanted)
        return;
    for (unsigned i = 0; i < found.count; i++)
        print_error("    %s\n", found.text[i]);
    fail_msg("not what has to be said of: %s", damage->sql);
}

#define OF(part)  "entries " part " of the log of \"lark\", as they came in a bundle: "
#define OTHER     "they are not those that their head was signed for"
#define UNSIGNED  "a checkpoint is not signed by its log's key"
#define SIZE      "the head that is kept with them is of another size"
#define TREE      "the tree that they were signed to follow is another one"
#define MISSING   "whether entries before them are missing is noted wrongly"
#define BARE(n)   "entry " n " of the log of \"lark\": what its device signed about it is gone"
#define GONE(n)   "entry " n " of the log of \"lark\" is gone"
#define RANGE     "data: which entries of the log of \"lark\" came in a bundle is noted wrongly"
#define PART(n0)  " WHERE n0 = " #n0
#define AT(place) " WHERE id & 15 = " #place

static void verify_names_a_part_behind_a_gap(void **state)
{
    static const struct damage damages[] = {
        {"UPDATE segment SET peaks = randomblob(64)" PART(3), {OF("3 to 5") OTHER}},
        {"UPDATE segment SET peaks = x'00'" PART(3), {OF("3 to 5") TREE}},
        {"UPDATE segment SET peaks = x''", {OF("3 to 5") TREE, OF("8 to 10") TREE}},
        {"UPDATE segment SET note = ''" PART(8), {OF("8 to 10") UNSIGNED}},
        {"UPDATE segment SET note = replace(note, '/', '+')" PART(8), {OF("8 to 10") UNSIGNED}},
        {"UPDATE segment SET note = (SELECT note FROM segment" PART(8) ")" PART(3),
         {OF("3 to 5") SIZE}},
        {"UPDATE segment SET joined = 1" PART(3), {OF("3 to 5") MISSING}},
        {"UPDATE segment SET n0 = 4" PART(3), {BARE("3"), OF("4 to 5") TREE}},
        {"UPDATE segment SET n0 = 2" PART(3), {GONE("2")}},
        {"UPDATE segment SET n1 = 5" PART(3), {OF("3 to 4") SIZE, BARE("5")}},
        {"UPDATE segment SET n1 = 7" PART(3), {GONE("6"), OF("3 to 6") SIZE}},
        {"UPDATE segment SET n1 = 12" PART(8), {GONE("11"), OF("8 to 11") SIZE}},
        {"UPDATE segment SET n1 = 2" PART(3), {RANGE, BARE("3")}},
        {"UPDATE segment SET n0 = -3" PART(3), {RANGE, BARE("3")}},
        {"UPDATE segment SET n1 = 1 << 40" PART(8), {RANGE, BARE("8")}},
        {"DELETE FROM segment" PART(3), {BARE("3")}},
        {"DELETE FROM segment", {BARE("3"), BARE("8")}},
        {"DELETE FROM entry" AT(3), {GONE("3")}},
        {"DELETE FROM entry" AT(4), {GONE("4")}},
        {"DELETE FROM entry" AT(5), {GONE("5")}},
        {"DELETE FROM entry WHERE id & 15 < 8", {GONE("3")}},
        {"DELETE FROM entry", {GONE("3")}},
        {"UPDATE entry SET bytes = (SELECT bytes FROM entry" AT(4) ")" AT(10),
         {OF("8 to 10") OTHER, "entry 10 of the log"}},
        /* Each is told, and those that are whole are not. */
        {"UPDATE segment SET joined = 1, note = ''" PART(3),
         {OF("3 to 5") MISSING, OF("3 to 5") UNSIGNED}},
        {"UPDATE segment SET peaks = randomblob(64)" PART(3) "; UPDATE segment SET note = ''" PART(
             8),
         {OF("3 to 5") OTHER, OF("8 to 10") UNSIGNED}},
    };
    struct sk_world *world = *state;
    make_islands(world);
    sk_world_verify(archive(world));
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++)
        assert_damage(archive(world), &damages[i]);
    sk_world_verify(archive(world));
}

/* What the archive holds without a gap came as [3, 6), [8, 11), [0, 12) and [12, 14); behind a gap
 * stand [15, 16), [16, 18) and, of what was sent again, [15, 19). */
static void make_joined(struct sk_world *world)
{
    static const struct {
        uint64_t from, to;
        const char *name;
    } parts[] = {{0, 12, "c"}, {12, 14, "d"}, {15, 16, "e"}, {16, 18, "f"}, {15, 19, "g"}};
    struct sk_export_result sent;
    uint64_t size = ENTRIES;
    make_islands(world);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        for (; size < parts[i].to; size++)
            (void)sk_test_add(device(world), SK_TYPE_SOURCE, "entry");
        EXPECT_OK(sk_export(device(world), sk_world_path(world, parts[i].name), parts[i].from, NULL,
                            &sent, &sk_test_err));
        assert_true(sent.n0 == parts[i].from && sent.n1 == parts[i].to);
        struct sk_import_result got = sk_world_import(world, 0, parts[i].name);
        sk_import_result_clear(&got);
    }
    assert_int_equal(sk_test_sql_int(archive(world), "SELECT size FROM log"), 14);
}

static void verify_names_a_part_of_the_log(void **state)
{
    static const struct damage damages[] = {
        {"UPDATE segment SET peaks = randomblob(64)" PART(3), {OF("3 to 5") TREE}},
        {"UPDATE segment SET peaks = randomblob(32)" PART(8), {OF("8 to 10") TREE}},
        {"UPDATE segment SET peaks = randomblob(32)" PART(0), {OF("0 to 11") TREE}},
        {"UPDATE segment SET note = ''" PART(0), {OF("0 to 11") UNSIGNED}},
        {"UPDATE segment SET note = (SELECT note FROM segment" PART(3) ")" PART(12),
         {OF("12 to 13") SIZE}},
        {"UPDATE segment SET joined = 0" PART(8), {OF("8 to 10") MISSING}},
        {"UPDATE segment SET peaks = zeroblob(128)" PART(15), {OF("15 to 15") OTHER}},
        {"UPDATE segment SET peaks = zeroblob(128) WHERE n1 = 19", {OF("15 to 18") TREE}},
        {"UPDATE segment SET peaks = randomblob(32)" PART(16), {OF("16 to 17") TREE}},
        {"DELETE FROM segment WHERE n1 = 19", {BARE("18")}},
        {"DELETE FROM segment WHERE n0 = 16; DELETE FROM segment WHERE n1 = 19", {BARE("16")}},
        /* The log's own tree tells of its entries; the parts do not repeat it for each. */
        {"DELETE FROM entry" AT(4), {GONE("4")}},
        {"UPDATE entry SET bytes = (SELECT bytes FROM entry" AT(9) ")" AT(5),
         {"are not those its head was signed for", OF("3 to 5") OTHER, "entry 5 of the log"}},
    };
    struct sk_world *world = *state;
    make_joined(world);
    sk_world_verify(archive(world));
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++)
        assert_damage(archive(world), &damages[i]);
    sk_world_verify(archive(world));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sk_world_setup, sk_world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_position_of_a_part_has_its_root),
        TEST(the_next_part_is_found),
        TEST(the_newest_note_of_a_size_is_found),
        TEST(malformed_entries_are_counted_where_they_stand),
        TEST(what_the_database_lost_is_named),
        TEST(a_receipt_names_every_part),
        TEST(verify_names_a_part_behind_a_gap),
        TEST(verify_names_a_part_of_the_log),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
