/*
 * Goal of this test: what a device has withdrawn stays away from the archive when an older backup
 * of it is restored and sent, in whatever order the bundles come; a revision that is made in the
 * restored store stays; a withdrawal in the restored store erases what hangs on the record in the
 * old log as well; and what the old log gets after it was continued is kept, told and takes no
 * place in the restored one.
 */
#include "core/continuation.h"
#include "core/record.h"
#include "core/verify.h"

#include "tests/support/heir.h"
#include "tests/support/lineage.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct sk_store *archive(const struct sk_world *world)
{
    return world->archive[0].store;
}

static int64_t count(const struct sk_world *world, const char *sql)
{
    return sk_test_sql_int(archive(world), sql);
}

/* Rows of payloads that the database has for what is withdrawn, wherever it stands. */
#define HELD                                                                               \
    "SELECT count(*) FROM payload JOIN entry USING(id) JOIN item ON item.id = entry.item " \
    "WHERE uid IN (SELECT uid FROM item WHERE erased)"

/* What a person finds by an id: "title", "(withdrawn)", or "(nothing)". */
static void check_found(const struct sk_world *world, const struct sk_id *id, const char *expected)
{
    sk_auto_item item = {.title = NULL};
    char text[SK_ID_TEXT_LEN];
    sk_id_format(text, id);
    EXPECT_OK(sk_item_find(archive(world), text, &item, &sk_test_err));
    assert_string_equal(item.erased ? "(withdrawn)" : item.title, expected);
}

/* ---- an older backup ---- */

enum { BUNDLES = 4 };
static const char *const bundles[BUNDLES] = {"old", "gone", "new", "newer"};

/*
 * Monday's backup holds a, b and c, with a file on a. On Tuesday a, b and c are withdrawn. Monday's
 * backup is restored, and there b is changed and d is new.
 */
struct scene {
    struct sk_id a, b, c, d;
};

static struct scene make_scene(struct sk_world *world)
{
    struct scene s;
    sk_world_pair(world);
    s.a = sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-a");
    s.b = sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-b");
    s.c = sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-c");
    sk_test_edit(world->device[0].store, &s.a, "rec-a2");
    sk_lineage_attach(world, 0, &s.a, "file.txt", 5000);
    sk_lineage_link(world->device[0].store, &s.a, "before", &s.b);
    (void)sk_world_export(world, 0, "old");
    sk_lineage_inherit(world, 0, 1, true);
    assert_int_equal(sk_test_withdraw(world->device[0].store, &s.a), 3);
    sk_test_withdraw(world->device[0].store, &s.b);
    sk_test_withdraw(world->device[0].store, &s.c);
    (void)sk_world_export(world, 0, "gone");
    (void)sk_world_export(world, 1, "new");
    sk_test_edit(world->device[1].store, &s.b, "rec-b changed");
    s.d = sk_test_add(world->device[1].store, SK_TYPE_SOURCE, "rec-d");
    (void)sk_world_export(world, 1, "newer");
    return s;
}

/* What the archive holds, whatever the numbers of rows. */
static void meaning(struct sk_store *store, uint8_t out[static SK_HASH_LEN])
{
    static const char *const queries[] = {
        "SELECT hex(log_id) || hex(uid) || revision || '/' || erased || title || "
        "(shown & 1099511627775) AS row FROM item JOIN log ON log.id = log ORDER BY row",
        "SELECT hex(log_id) || (payload.id & 1099511627775) || text AS row FROM payload "
        "JOIN log ON log.id = payload.id >> 40 ORDER BY row",
        "SELECT hex(uid) || name AS row FROM attachment JOIN item ON item.id = item ORDER BY row",
        "SELECT hex(uid) || role AS row FROM link JOIN item ON item.id = item ORDER BY row",
        "SELECT count(*) FROM media",
    };
    struct sk_hash hash;
    sk_hash_init(&hash, NULL, SK_LABEL_FILE);
    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        sk_auto_stmt stmt = NULL;
        bool row = true;
        EXPECT_OK(sk_db_prepare(sk_store_db(store), &stmt, queries[i], &sk_test_err));
        while (row) {
            EXPECT_OK(sk_step(stmt, &row, &sk_test_err));
            const char *text = row ? sk_column_text(stmt, 0) : "";
            sk_hash_add(&hash, text, strlen(text) + 1);
        }
    }
    sk_hash_end(&hash, out);
}

/* Which bundle comes when, of the n-th order. */
static void order_of(unsigned n, const char *out[static BUNDLES])
{
    const char *left[BUNDLES];
    memcpy(left, bundles, sizeof(left));
    for (unsigned i = 0; i < BUNDLES; i++) {
        unsigned at = n % (BUNDLES - i);
        n /= BUNDLES - i;
        out[i] = left[at];
        memmove(left + at, left + at + 1, (BUNDLES - i - at - 1) * sizeof(left[0]));
    }
}

static void what_was_withdrawn_stays_away(void **state)
{
    struct sk_world *world = *state;
    struct scene s = make_scene(world);
    uint8_t first[SK_HASH_LEN];
    sk_test_close(&world->archive[0]);
    sk_world_copy(world->archive[0].path, sk_world_path(world, "fresh"));
    for (unsigned n = 0; n < 24; n++) {
        const char *order[BUNDLES];
        uint8_t now[SK_HASH_LEN];
        order_of(n, order);
        sk_world_copy(sk_world_path(world, "fresh"), world->archive[0].path);
        sk_test_open(&world->archive[0]);
        for (unsigned i = 0; i < BUNDLES; i++) {
            sk_lineage_import(world, order[i]);
            sk_world_verify(archive(world));
        }
        check_found(world, &s.a, "(withdrawn)");
        check_found(world, &s.b, "rec-b changed");
        check_found(world, &s.c, "(withdrawn)");
        check_found(world, &s.d, "rec-d");
        /* Of what is withdrawn the changed revision of b alone is here; no file and no link. */
        assert_int_equal(count(world, HELD), 1);
        assert_int_equal(count(world, "SELECT count(*) FROM media"), 0);
        assert_int_equal(count(world, "SELECT count(*) FROM link"), 0);
        assert_int_equal(count(world, "SELECT count(*) FROM item WHERE shown <> 0 AND type <= 6"),
                         2);
        meaning(archive(world), now);
        if (n == 0)
            memcpy(first, now, sizeof(first));
        assert_memory_equal(first, now, sizeof(now));

        /* Sent again in one bundle, it is no more welcome; and the receipt acknowledges it. */
        if (n == 23) {
            sk_world_forge(world, 1, "again", NULL, NULL);
            sk_lineage_import(world, "again");
            meaning(archive(world), now);
            assert_memory_equal(first, now, sizeof(now));
            sk_world_verify(archive(world));
        }
        sk_test_close(&world->archive[0]);
    }
}

/* What the receipt says of it, and that the text of the history names where it was withdrawn. */
static void told_in_history_and_receipt(void **state)
{
    struct sk_world *world = *state;
    struct scene s = make_scene(world);
    for (unsigned i = 0; i < BUNDLES; i++)
        sk_lineage_import(world, bundles[i]);
    sk_lineage_list(world, "rec-d@2 rec-b changed@2 ");
    struct sk_receipt_result receipt = sk_world_receipt(world, 0, 2, 1, "receipt");
    assert_string_equal(sk_world_status(world->device[1].store, 0), "0-9|||");
    sk_receipt_result_clear(&receipt);

    sk_auto_item item = {.title = NULL};
    uint64_t below = 0;
    int64_t log = 0;
    EXPECT_OK(sk_item_get(archive(world), 2, &s.b, &item, &sk_test_err));
    assert_int_equal(item.position, 7);
    EXPECT_OK(sk_item_withdrawn(archive(world), item.row, &below, &log, &sk_test_err));
    assert_int_equal(below, 3);
    assert_int_equal(log, 1);
    sk_auto_record before = {.fields = NULL};
    sk_auto_record after = {.fields = NULL};
    EXPECT_OK(sk_record_load(archive(world), &item, 2, &before, &sk_test_err));
    EXPECT_OK(sk_record_load(archive(world), &item, 7, &after, &sk_test_err));
    assert_null(before.fields);
    assert_non_null(after.fields);

    /* Withdrawn in the restored store as well: nothing is left of it. */
    sk_test_withdraw(world->device[1].store, &s.b);
    sk_test_withdraw(world->device[1].store, &s.a);
    (void)sk_world_export(world, 1, "last");
    sk_lineage_import(world, "last");
    sk_lineage_list(world, "rec-d@2 ");
    assert_int_equal(count(world, HELD), 0);
}

/* A store that was restored from the restored one; the log between the two is not here. */
static void an_heir_of_the_heir(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    struct sk_id a = sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-a");
    (void)sk_world_export(world, 0, "old");
    sk_lineage_inherit(world, 0, 1, false);
    sk_lineage_inherit(world, 1, 2, true);
    (void)sk_world_export(world, 2, "last");
    sk_test_withdraw(world->device[0].store, &a);
    (void)sk_world_export(world, 0, "gone");
    sk_lineage_import(world, "last");
    sk_lineage_import(world, "gone");
    sk_lineage_list(world, "rec-a@1 "); /* the entry itself is not here yet: it cannot be told */
    sk_lineage_import(world, "old");
    sk_lineage_list(world, "");
    assert_int_equal(count(world, HELD), 0);
}

/* Copies the first entry of device 0 into the log of device 1, as one who has seen it could. */
static void copy_entry(const struct sk_world *world)
{
    struct sk_store *from = world->device[0].store;
    struct sk_store *to = world->device[1].store;
    struct sk_store *txn = NULL;
    sk_auto_payload payload = SK_PAYLOAD_INIT;
    uint8_t bytes[SK_ENTRY_LEN];
    struct sk_entry entry;
    bool found = false;
    EXPECT_OK(sk_log_entry(from, SK_LOG_OWN, 0, bytes, &found, &sk_test_err));
    EXPECT_OK(sk_entry_decode(&entry, bytes));
    EXPECT_OK(sk_payload_load(from, SK_LOG_OWN, 0, &payload, &found, &sk_test_err));
    EXPECT_OK(sk_store_begin(&txn, to, &sk_test_err));
    EXPECT_OK(sk_item_put(to, SK_LOG_OWN, 0, &entry, &payload, NULL, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
}

/* Without a continuation, the same entry in two logs is two things. */
static void strangers_withdraw_their_own(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    struct sk_id a = sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-a");
    world->device[1] = (struct sk_test_store){world->dir, sk_temp_path(world->dir, "stranger"),
                                              SK_STORE_DEVICE, NULL};
    world->device[1].store = sk_test_make(world->device[1].path, SK_STORE_DEVICE);
    sk_world_invite(world, 0, "stranger", "letter");
    sk_world_accept(world, 1, "letter");
    copy_entry(world);
    (void)sk_world_export(world, 1, "copy");
    (void)sk_world_export(world, 0, "old");
    sk_test_withdraw(world->device[0].store, &a);
    (void)sk_world_export(world, 0, "gone");
    sk_lineage_import(world, "old");
    sk_lineage_import(world, "copy");
    sk_lineage_list(world, "rec-a@2 rec-a@1 ");
    sk_lineage_import(world, "gone");
    sk_lineage_list(world, "rec-a@2 ");
    assert_int_equal(count(world, "SELECT count(*) FROM item WHERE erased"), 1);
}

/* ---- what hangs on a record ---- */

static void dependents(struct sk_world *world, bool old_first)
{
    sk_world_pair(world);
    struct sk_id a = sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-a");
    struct sk_id b = sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-b");
    sk_lineage_inherit(world, 0, 1, true);
    sk_lineage_attach(world, 0, &a, "tuesday.txt", 3000);
    sk_lineage_attach(world, 0, &b, "kept.txt", 2000);
    sk_lineage_link(world->device[0].store, &a, "before", &b);
    sk_lineage_link(world->device[0].store, &b, "after", &a);
    (void)sk_world_export(world, 0, "old");
    sk_test_withdraw(world->device[1].store, &a);
    (void)sk_world_export(world, 1, "new");
    sk_lineage_import(world, old_first ? "old" : "new");
    sk_lineage_import(world, old_first ? "new" : "old");
    sk_lineage_list(world, old_first ? "rec-b@2 " : "rec-b@1 ");
    assert_int_equal(count(world, HELD), 0);
    assert_int_equal(count(world, "SELECT count(*) FROM media"), 1);
    assert_int_equal(count(world, "SELECT count(*) FROM attachment"), 1);
    assert_int_equal(count(world, "SELECT count(*) FROM link"), 0);
    assert_int_equal(count(world, "SELECT count(*) FROM item WHERE erased = 2"), 4);

    /* What comes later for it goes as well. */
    struct sk_id c = sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-c");
    sk_lineage_attach(world, 0, &a, "late.txt", 1000);
    sk_lineage_link(world->device[0].store, &c, "late", &a);
    (void)sk_world_export(world, 0, "late");
    sk_lineage_import(world, "late");
    assert_int_equal(count(world, "SELECT count(*) FROM media"), 1);
    assert_int_equal(count(world, "SELECT count(*) FROM link"), 0);
    sk_world_verify(archive(world));
}

static void dependents_old_first(void **state)
{
    dependents(*state, true);
}

static void dependents_new_first(void **state)
{
    dependents(*state, false);
}

/* ---- what the old log gets after it was continued ---- */

/* The log that continues without it, or 0. */
static int64_t apart(const struct sk_world *world, int64_t log, uint64_t position)
{
    int64_t heir = -1;
    EXPECT_OK(sk_entry_apart(archive(world), log, position, &heir, &sk_test_err));
    return heir;
}

/* What stands apart of one item, asked for each of its entries. */
struct asked {
    const struct sk_world *world;
    const struct sk_item *item;
    struct sk_ranges ranges;
    int64_t heir;
};

static enum sk_status ask(void *context, uint64_t position, const struct sk_entry *entry,
                          struct sk_error *err)
{
    struct asked *asked = context;
    int64_t heir = apart(asked->world, asked->item->log, position);
    (void)entry;
    if (heir == 0)
        return SK_OK;
    asked->heir = heir;
    return sk_ranges_add(&asked->ranges, position, position + 1, err);
}

/* Asked for all of them at once it is the same. */
static enum sk_status ask_both_ways(void *context, const struct sk_item *item, struct sk_error *err)
{
    struct asked asked = {.world = context, .item = item};
    sk_auto_ranges ranges = SK_RANGES_INIT;
    int64_t heir = -1;
    SK_TRY(sk_item_apart(archive(asked.world), item, &ranges, &heir, err));
    SK_TRY(sk_item_history(archive(asked.world), item, ask, &asked, err));
    assert_string_equal(sk_world_ranges(&ranges), sk_world_ranges(&asked.ranges));
    assert_int_equal(heir, asked.heir);
    sk_ranges_clear(&asked.ranges);
    return SK_OK;
}

static void check_apart(struct sk_world *world, int64_t log, uint64_t expected, int64_t heir)
{
    uint64_t entries = 99;
    int64_t by = -1;
    EXPECT_OK(sk_log_apart(archive(world), log, &entries, &by, &sk_test_err));
    assert_int_equal(entries, expected);
    assert_int_equal(by, heir);
    EXPECT_OK(sk_item_each(archive(world), 0, ask_both_ways, world, &sk_test_err));
}

static void the_old_log_goes_on(struct sk_world *world, bool old_first)
{
    int64_t old = old_first ? 1 : 2;
    int64_t new = old_first ? 2 : 1;
    sk_world_pair(world);
    struct sk_id a = sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-a");
    (void)sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-b");
    (void)sk_world_export(world, 0, "old");
    sk_lineage_inherit(world, 0, 1, true);
    (void)sk_world_export(world, 1, "new");
    sk_lineage_import(world, old_first ? "old" : "new");
    sk_lineage_import(world, old_first ? "new" : "old");
    check_apart(world, old, 0, 0);
    sk_test_edit(world->device[0].store, &a, "rec-a seized");
    (void)sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-x");
    (void)sk_world_export(world, 0, "late");
    sk_lineage_import(world, "late");

    /* It is all here; what the restored store holds is shown as before, and found first. */
    sk_lineage_list(world, old_first ? "rec-x@1 rec-b@2 rec-a@2 rec-a seized@1 "
                                     : "rec-x@2 rec-a seized@2 rec-b@1 rec-a@1 ");
    check_found(world, &a, "rec-a");
    check_apart(world, old, 2, new);
    check_apart(world, new, 0, 0);
    assert_int_equal(apart(world, old, 0), 0);
    assert_int_equal(apart(world, old, 1), 0);
    assert_int_equal(apart(world, old, 2), new);
    assert_int_equal(apart(world, old, 3), new);
    assert_int_equal(apart(world, new, 1), 0);

    /* Nor is it the newest when the restored store changes the record. */
    sk_test_edit(world->device[1].store, &a, "rec-a mine");
    (void)sk_world_export(world, 1, "newer");
    sk_lineage_import(world, "newer");
    check_found(world, &a, "rec-a mine");
}

static void the_old_log_goes_on_old_first(void **state)
{
    the_old_log_goes_on(*state, true);
}

static void the_old_log_goes_on_new_first(void **state)
{
    the_old_log_goes_on(*state, false);
}

/* Two stores were restored, of backups of two days: what the second one knows is not apart. */
static void a_later_backup_knows_more(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    struct sk_id a = sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-a");
    sk_lineage_inherit(world, 0, 1, true);
    sk_test_edit(world->device[0].store, &a, "rec-a2");
    sk_lineage_inherit(world, 0, 2, true);
    sk_test_edit(world->device[0].store, &a, "rec-a3");
    (void)sk_world_export(world, 0, "old");
    (void)sk_world_export(world, 1, "one bundle");
    (void)sk_world_export(world, 2, "two bundle");
    sk_lineage_import(world, "old");
    sk_lineage_import(world, "one bundle");
    check_apart(world, 1, 2, 2);
    sk_lineage_import(world, "two bundle");
    assert_int_equal(apart(world, 1, 1), 0);
    assert_int_not_equal(apart(world, 1, 2), 0);
    sk_lineage_list(world, "rec-a2@3 rec-a3@1 ");
}

/* ---- what is noted of all this ---- */

static unsigned problems;

static void count_problem(void *context, const char *sentence)
{
    (void)context, (void)sentence;
    problems++;
}

static void verify_compares_relations(void **state)
{
    static const char *const changes[] = {
        "DELETE FROM kin WHERE relation = 1",
        "DELETE FROM kin",
        "UPDATE kin SET relation = 3 WHERE relation = 2",
        "UPDATE kin SET prefer = 1 - prefer",
        "UPDATE kin SET size = size + 1",
        "UPDATE continuation SET size = size + 1",
        "DELETE FROM continuation",
        "INSERT INTO kin(log, other, relation, prefer, size) VALUES(1, 7, 3, 0, 0)",
        "INSERT INTO continuation(entry, log_id, old_id, size, root) SELECT entry + 1, log_id, "
        "old_id, size, root FROM continuation",
        "UPDATE item SET erased = 0 WHERE erased = 3",
    };
    struct sk_world *world = *state;
    sk_world_pair(world);
    struct sk_id a = sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-a");
    (void)sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-b");
    (void)sk_world_export(world, 0, "old");
    sk_lineage_inherit(world, 0, 1, true);
    (void)sk_world_export(world, 1, "new");
    sk_test_withdraw(world->device[0].store, &a);
    (void)sk_world_export(world, 0, "gone");
    sk_lineage_import(world, "old");
    sk_lineage_import(world, "new");
    sk_lineage_import(world, "gone");
    sk_lineage_list(world, "rec-b@2 ");
    sk_test_close(&world->archive[0]);
    sk_world_copy(world->archive[0].path, sk_world_path(world, "whole"));
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        sk_test_open(&world->archive[0]);
        sk_test_sql(archive(world), changes[i]);
        problems = 0;
        EXPECT_OK(sk_verify(archive(world), count_problem, NULL, NULL, &sk_test_err));
        if (problems == 0)
            fail_msg("not found: %s", changes[i]);
        sk_test_close(&world->archive[0]);
        sk_world_copy(sk_world_path(world, "whole"), world->archive[0].path);
    }
}

/* A payload that somebody puts back behind the program's back. */
static void verify_finds_what_was_withdrawn(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    struct sk_id a = sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-a");
    (void)sk_world_export(world, 0, "old");
    sk_lineage_inherit(world, 0, 1, true);
    sk_test_edit(world->device[1].store, &a, "rec-a mine");
    (void)sk_world_export(world, 1, "new");
    sk_lineage_import(world, "old");
    sk_lineage_import(world, "new");
    sk_test_sql(archive(world), "CREATE TABLE kept AS SELECT * FROM payload WHERE id >> 40 = 2");
    sk_test_withdraw(world->device[0].store, &a);
    (void)sk_world_export(world, 0, "gone");
    sk_lineage_import(world, "gone");
    sk_lineage_list(world, "rec-a mine@2 ");
    sk_test_sql(archive(world), "INSERT OR IGNORE INTO payload SELECT * FROM kept");
    problems = 0;
    EXPECT_OK(sk_verify(archive(world), count_problem, NULL, NULL, &sk_test_err));
    assert_int_equal(problems, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, sk_world_setup, sk_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_withdrawn_stays_away),
        TEST(told_in_history_and_receipt),
        TEST(an_heir_of_the_heir),
        TEST(strangers_withdraw_their_own),
        TEST(dependents_old_first),
        TEST(dependents_new_first),
        TEST(the_old_log_goes_on_old_first),
        TEST(the_old_log_goes_on_new_first),
        TEST(a_later_backup_knows_more),
        TEST(verify_compares_relations),
        TEST(verify_finds_what_was_withdrawn),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
