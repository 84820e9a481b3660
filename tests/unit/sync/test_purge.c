/*
 * Goal of this test: purging removes what an entry commits to only where the newest receipt of
 * every archive covers it, and then from every page and file; what stays verifies, is exported, and
 * can be withdrawn with all that hung on it; and a note of a purge that is not true is found.
 */
#include "core/verify.h"
#include "sync/purge.h"
#include "sync/ratchet.h"
#include "sync/receipt_note.h"
#include "tests/support/exchange.h"
#include "tests/support/lineage.h"
#include "tests/support/own_form.h"
#include "tests/support/seized.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static struct sk_store *device(const struct sk_world *world)
{
    return world->device[0].store;
}

static struct sk_id add(struct sk_world *world, const char *title)
{
    return sk_test_add(device(world), SK_TYPE_EVENT, title);
}

/* Everything to an archive, and its receipt back. */
static void answer(struct sk_world *world, unsigned archive, const char *name)
{
    char receipt[64];
    (void)snprintf(receipt, sizeof(receipt), "receipt of %u for %s", archive, name);
    struct sk_import_result in = sk_world_import(world, archive, name);
    sk_import_result_clear(&in);
    struct sk_receipt_result out = sk_world_receipt(world, archive, 1, 0, receipt);
    assert_false(out.older || out.rollback);
    sk_receipt_result_clear(&out);
}

static void carry(struct sk_world *world, const char *name)
{
    (void)sk_world_export(world, 0, name);
    answer(world, 0, name);
}

/* id: NULL for everything. */
static struct sk_purge_result purge(struct sk_world *world, const struct sk_id *id)
{
    struct sk_purge_result seen = {.entries = 77};
    struct sk_purge_result result;
    struct sk_store *txn = NULL;
    uint8_t before[32], after[32];
    sk_auto_item item = {.title = NULL};
    if (id)
        item = sk_test_item(device(world), id);
    sk_world_dump(device(world), before);
    EXPECT_OK(sk_purge(device(world), &item, id ? 1 : 0, true, NULL, &seen, &sk_test_err));
    sk_world_dump(device(world), after);
    assert_memory_equal(before, after, sizeof(before));
    EXPECT_OK(sk_store_begin(&txn, device(world), &sk_test_err));
    EXPECT_OK(sk_purge(device(world), &item, id ? 1 : 0, false, NULL, &result, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    assert_memory_equal(&seen, &result, sizeof(seen));
    sk_world_verify(device(world));
    return result;
}

static const char *purged(struct sk_store *store)
{
    sk_auto_ranges ranges = SK_RANGES_INIT;
    EXPECT_OK(sk_purged_ranges(store, &ranges, &sk_test_err));
    return sk_world_ranges(&ranges);
}

static const char *covered(struct sk_world *world)
{
    sk_auto_ranges ranges = SK_RANGES_INIT;
    EXPECT_OK(sk_purge_covered(device(world), &ranges, &sk_test_err));
    return sk_world_ranges(&ranges);
}

/* ---- what is covered ---- */

/* An attachment that a damaged bundle did not bring whole is asked for, and so stays until it came.
 */
static void what_an_archive_lacks_stays(void **state)
{
    struct sk_world *world = *state;
    struct sk_import_result in = {.log = 0};
    struct sk_id attachment;
    sk_world_pair(world);
    struct sk_id id = add(world, "with a picture");
    sk_auto_item item = sk_test_item(device(world), &id);
    sk_test_write(sk_world_path(world, "picture"), 300000);
    EXPECT_OK(sk_attachment_add(device(world), &item, sk_world_path(world, "picture"), NULL,
                                &attachment, &sk_test_err));
    (void)sk_world_export(world, 0, "sent");
    sk_test_flip(sk_world_path(world, "sent"), 3 * 65536 + 1);
    EXPECT_OK(sk_import_salvage(world->archive[0].store, sk_world_path(world, "sent"), NULL, NULL,
                                &in, &sk_test_err));
    assert_string_equal(sk_world_ranges(&in.lacking), "1-2");
    sk_import_result_clear(&in);
    struct sk_receipt_result told = sk_world_receipt(world, 0, 1, 0, "lacks one");
    sk_receipt_result_clear(&told);
    assert_string_equal(covered(world), "0-1");
    assert_int_equal(purge(world, NULL).entries, 1);
    assert_string_equal(purged(device(world)), "0-1");
    carry(world, "again");
    assert_string_equal(covered(world), "0-2");
    assert_int_equal(purge(world, NULL).entries, 1);
    sk_world_verify(world->archive[0].store);
}

static void only_what_every_archive_has(void **state)
{
    struct sk_world *world = *state;
    struct sk_purge_result result;
    sk_world_devices(world, 1);
    (void)add(world, "before any archive");
    struct sk_store *txn = NULL;
    EXPECT_OK(sk_store_begin(&txn, device(world), &sk_test_err));
    EXPECT(SK_CONFIG, sk_purge(device(world), NULL, 0, false, NULL, &result, &sk_test_err));
    sk_store_rollback(device(world));
    sk_world_archives(world, 2);
    for (unsigned i = 0; i < 2; i++) {
        sk_world_invite(world, i, "lark", i ? "invite1" : "invite0");
        sk_world_accept(world, 0, i ? "invite1" : "invite0");
    }
    (void)sk_world_export(world, 0, "first");
    assert_string_equal(covered(world), "");
    answer(world, 0, "first");
    assert_string_equal(covered(world), ""); /* the other has not answered */
    assert_int_equal(purge(world, NULL).entries, 0);
    answer(world, 1, "first");
    assert_string_equal(covered(world), "0-1");
    (void)add(world, "second");
    (void)sk_world_export(world, 0, "second");
    answer(world, 0, "second");
    result = purge(world, NULL);
    assert_int_equal(result.entries, 1);
    assert_int_equal(result.left, 1);
    assert_string_equal(purged(device(world)), "0-1");
}

static void not_what_is_wanted_or_set_aside(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    (void)add(world, "first");
    (void)sk_world_export(world, 0, "first");
    (void)add(world, "lost");
    (void)sk_world_export(world, 0, "lost");
    (void)sk_world_put_text(device(world), "{\"form\":\"event\",\"version\":1}");
    (void)add(world, "third");
    (void)sk_world_export(world, 0, "third");
    struct sk_import_result in = sk_world_import(world, 0, "first");
    sk_import_result_clear(&in);
    answer(world, 0, "third");
    assert_string_equal(covered(world), "0-1 3-4");
    assert_int_equal(purge(world, NULL).entries, 2);
    assert_string_equal(purged(device(world)), "0-1 3-4");
    /* Exactly what is asked for goes again, and to the end of that alone. */
    struct sk_export_result out = sk_world_export(world, 0, "again");
    assert_int_equal(out.n0, 1);
    assert_int_equal(out.n1, 2);
    assert_int_equal(out.purged, 0);
    answer(world, 0, "again");
    assert_string_equal(covered(world), "0-2 3-4"); /* one is malformed */
    assert_int_equal(purge(world, NULL).entries, 1);
    sk_world_verify(world->archive[0].store);
}

/* An archive that was put back, asked again and got the entry alone, covers nothing of it: a copy
 * of the store from before the purge keeps the text, and sends it by itself. */
static void what_an_archive_has_only_the_entry_of_stays(void **state)
{
    struct sk_world *world = *state;
    struct sk_store *archive = NULL;
    sk_world_pair(world);
    (void)add(world, "first");
    (void)add(world, "nightingale");
    carry(world, "all");
    assert_string_equal(covered(world), "0-2");
    sk_test_close(&world->device[0]);
    sk_world_copy(world->device[0].path, sk_world_path(world, "older device"));
    sk_test_open(&world->device[0]);
    assert_int_equal(purge(world, NULL).entries, 2);
    /* The archive is as if it had been put back, and got the entries again. */
    archive = world->archive[0].store;
    sk_test_sql(archive, "DELETE FROM payload WHERE id % 2 = 1");
    sk_test_sql(archive, "UPDATE item SET shown = 0, title = '' WHERE entry % 2 = 1");
    struct sk_receipt_result out = sk_world_receipt(world, 0, 1, 0, "has the entry");
    assert_int_equal(out.bare, 1);
    assert_int_equal(out.wanted, 0); /* nothing here can be sent */
    sk_receipt_result_clear(&out);
    assert_string_equal(covered(world), "0-1");
    sk_test_close(&world->device[0]);
    sk_world_copy(sk_world_path(world, "older device"), world->device[0].path);
    sk_test_open(&world->device[0]);
    out = sk_world_receipt(world, 0, 1, 0, "has the entry still");
    assert_int_equal(out.bare, 0);
    assert_int_equal(out.wanted, 1);
    sk_receipt_result_clear(&out);
    assert_string_equal(covered(world), "0-1");
    assert_int_equal(purge(world, NULL).entries, 1);
    carry(world, "sent by itself");
    assert_string_equal(covered(world), "0-2");
    assert_int_equal(sk_test_sql_int(archive, "SELECT count(*) FROM payload"), 2);
}

static void add_many(struct sk_world *world, unsigned count)
{
    struct sk_store *txn = NULL;
    EXPECT_OK(sk_store_begin(&txn, device(world), &sk_test_err));
    for (unsigned i = 0; i < count; i++) {
        sk_auto_json fields = sk_test_fields("one of many");
        struct sk_id id;
        EXPECT_OK(sk_record_add(device(world), SK_TYPE_EVENT, fields, &id, &sk_test_err));
    }
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
}

/* A receipt names a thousand such ranges: nothing behind them is covered, whatever it is. */
static void nothing_is_covered_behind_a_list_that_may_have_been_cut(void **state)
{
    struct sk_world *world = *state;
    sk_auto_ranges ranges = SK_RANGES_INIT;
    sk_world_pair(world);
    add_many(world, 2 * SK_RECEIPT_LIST_MAX + 10);
    carry(world, "all");
    sk_test_sql(world->archive[0].store, "DELETE FROM payload WHERE id % 2 = 0");
    struct sk_receipt_result out = sk_world_receipt(world, 0, 1, 0, "has half of it");
    assert_int_equal(out.wanted, SK_RECEIPT_LIST_MAX);
    sk_receipt_result_clear(&out);
    EXPECT_OK(sk_purge_covered(device(world), &ranges, &sk_test_err));
    assert_int_equal(sk_ranges_total(&ranges), SK_RECEIPT_LIST_MAX - 1);
    assert_false(sk_ranges_contain(&ranges, 2 * SK_RECEIPT_LIST_MAX - 1));
    assert_true(sk_ranges_contain(&ranges, 2 * SK_RECEIPT_LIST_MAX - 3));
    carry(world, "by itself");
    sk_ranges_clear(&ranges);
    EXPECT_OK(sk_purge_covered(device(world), &ranges, &sk_test_err));
    assert_int_equal(sk_ranges_total(&ranges), 2 * SK_RECEIPT_LIST_MAX + 5);
}

static void nor_behind_a_thousand_that_a_related_log_withdrew(void **state)
{
    struct sk_world *world = *state;
    sk_auto_ranges ranges = SK_RANGES_INIT;
    sk_world_pair(world);
    add_many(world, 2 * SK_RECEIPT_LIST_MAX + 10);
    carry(world, "all");
    sk_test_sql(world->archive[0].store,
                "DELETE FROM payload WHERE id % 2 = 0;"
                "UPDATE item SET erased = 2 WHERE NOT EXISTS (SELECT 1 FROM entry JOIN payload ON "
                "payload.id = entry.id WHERE entry.item = item.id)");
    struct sk_receipt_result out = sk_world_receipt(world, 0, 1, 0, "has half of it");
    assert_int_equal(out.wanted, 0);
    assert_int_equal(sk_ranges_total(&out.withdrawn), SK_RECEIPT_LIST_MAX);
    sk_receipt_result_clear(&out);
    EXPECT_OK(sk_purge_covered(device(world), &ranges, &sk_test_err));
    assert_int_equal(sk_ranges_total(&ranges), SK_RECEIPT_LIST_MAX - 1);
}

static void nor_behind_a_thousand_that_were_set_aside(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    (void)add(world, "before");
    for (unsigned i = 0; i < SK_RECEIPT_LIST_MAX; i++)
        (void)sk_world_put_text(device(world), "{}");
    (void)add(world, "behind");
    carry(world, "all");
    assert_string_equal(covered(world), "0-1");
}

/* A receipt that is kept is believed only as far as this log still bears it out. */
static void not_what_another_history_says(void **state)
{
    struct sk_world *world = *state;
    sk_auto_ranges none = SK_RANGES_INIT;
    sk_world_pair(world);
    (void)add(world, "first");
    carry(world, "first");
    assert_string_equal(covered(world), "0-1");
    sk_test_sql(device(world), "UPDATE peer SET receipt = replace(receipt, 'size 1', 'size 0')");
    EXPECT(SK_DAMAGED, sk_purge_covered(device(world), &none, &sk_test_err));
    assert_non_null(strstr(sk_test_err.text, "signed"));
    sk_test_sql(device(world), "UPDATE peer SET receipt = ''");
    assert_string_equal(covered(world), "");
}

/* A continuation never goes, whatever archives say: it does not count as waiting for their word. */
static void a_continuation_is_no_rest(void **state)
{
    struct sk_world *world = *state;
    struct sk_purge_result result;
    struct sk_store *txn = NULL;
    sk_world_pair(world);
    (void)add(world, "first");
    sk_lineage_inherit(world, 0, 1, true);
    (void)sk_world_export(world, 1, "heir");
    struct sk_import_result in = sk_world_import(world, 0, "heir");
    sk_import_result_clear(&in);
    struct sk_receipt_result out = sk_world_receipt(world, 0, 1, 1, "receipt");
    sk_receipt_result_clear(&out);
    struct sk_store *heir = world->device[1].store;
    EXPECT_OK(sk_store_begin(&txn, heir, &sk_test_err));
    EXPECT_OK(sk_purge(heir, NULL, 0, false, NULL, &result, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    assert_int_equal(result.entries, 1);
    assert_int_equal(result.left, 0);
    sk_world_verify(heir);
}

/* ---- what goes ---- */

static struct sk_id attach(struct sk_world *world, const struct sk_id *to, const char *name,
                           const char *text)
{
    struct sk_id id;
    const char *path = sk_world_path(world, name);
    sk_auto_item item = sk_test_item(device(world), to);
    sk_temp_write(path, text, strlen(text));
    EXPECT_OK(sk_attachment_add(device(world), &item, path, NULL, &id, &sk_test_err));
    return id;
}

static struct sk_id link_them(struct sk_world *world, const struct sk_id *from,
                              const struct sk_id *to)
{
    struct sk_id id;
    struct sk_store *txn = NULL;
    sk_auto_item source = sk_test_item(device(world), from);
    sk_auto_item target = sk_test_item(device(world), to);
    EXPECT_OK(sk_store_begin(&txn, device(world), &sk_test_err));
    EXPECT_OK(sk_link_add(device(world), &source, "nightjar-of", &target, &id, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    return id;
}

static void nothing_is_left_of_it(void **state)
{
    static const char *const words[] = {"nightingale", "ightingale", "warbler", "arbler",
                                        "goldcrest",   "nightjar",   "bittern"};
    struct sk_world *world = *state;
    sk_world_pair(world);
    struct sk_id id = add(world, "nightingale");
    struct sk_id other = add(world, "other");
    sk_test_edit(device(world), &id, "warbler");
    struct sk_id file = attach(world, &id, "goldcrest.txt", "a bittern in the reeds");
    struct sk_id link = link_them(world, &id, &other);
    carry(world, "all");
    char *media = sk_temp_path(world->device[0].path, "media");
    assert_int_equal(sk_test_count_files(media), 1);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) - 1; i++)
        assert_true(sk_seized_holds(world->device[0].path, words[i], strlen(words[i])) ||
                    strcmp(words[i], "ightingale") == 0);
    struct sk_purge_result result = purge(world, &id);
    assert_int_equal(result.entries, 4);
    assert_int_equal(result.items, 3);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (sk_seized_holds(world->device[0].path, words[i], strlen(words[i])))
            fail_msg("%s is still there", words[i]);
    assert_int_equal(sk_test_count_files(media), 0);
    free(media);
    sk_auto_item gone = sk_test_item(device(world), &id);
    sk_auto_item gone_file = sk_test_item(device(world), &file);
    sk_auto_item gone_link = sk_test_item(device(world), &link);
    sk_auto_item stays = sk_test_item(device(world), &other);
    assert_true(gone.purged && gone_file.purged && gone_link.purged && !stays.purged);
    assert_false(gone.erased);
    EXPECT(SK_REFUSED, sk_attachment_extract(device(world), &gone_file, sk_world_path(world, "out"),
                                             NULL, &sk_test_err));
    assert_non_null(strstr(sk_test_err.text, "purged"));
    sk_auto_json fields = sk_test_fields("edited");
    EXPECT(SK_REFUSED, sk_record_edit(device(world), &gone, fields, &sk_test_err));
    /* The other record's link hung on this one; it is known to have gone. */
    uint64_t hung = 0;
    EXPECT_OK(sk_purged_hanging(device(world), &other, &hung, &sk_test_err));
    assert_int_equal(hung, 1);
}

/* A withdrawal takes with it what hung on a record, though nothing else is known of that. */
static void a_withdrawal_reaches_the_archive(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    struct sk_id id = add(world, "nightingale");
    struct sk_id other = add(world, "other");
    (void)attach(world, &id, "photo.txt", "a bittern");
    (void)link_them(world, &other, &id);
    carry(world, "all");
    assert_int_equal(purge(world, &id).entries, 3);
    assert_int_equal(sk_test_withdraw(device(world), &id), 3);
    assert_string_equal(purged(device(world)), "");
    sk_world_verify(device(world));
    carry(world, "withdrawal");
    sk_world_verify(world->archive[0].store);
    assert_int_equal(
        sk_test_sql_int(world->archive[0].store, "SELECT count(*) FROM item WHERE erased = 1"), 3);
    assert_false(sk_seized_holds(world->archive[0].path, "nightingale", 11));
    sk_auto_item item = sk_test_item(device(world), &id);
    struct sk_purge_result result;
    EXPECT(SK_REFUSED, sk_purge(device(world), &item, 1, true, NULL, &result, &sk_test_err));
}

/* A revision stays in its place until nothing older has to be shown instead. */
static void no_older_revision_comes_up(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    (void)add(world, "before");
    (void)sk_world_export(world, 0, "before");
    struct sk_import_result in = sk_world_import(world, 0, "before");
    sk_import_result_clear(&in);
    struct sk_id id = add(world, "older");
    (void)sk_world_export(world, 0, "lost");
    sk_test_edit(device(world), &id, "newer");
    (void)sk_world_export(world, 0, "third");
    answer(world, 0, "third");
    assert_string_equal(covered(world), "0-1 2-3");
    assert_int_equal(purge(world, &id).entries, 0);
    sk_auto_item item = sk_test_item(device(world), &id);
    assert_string_equal(item.title, "newer");
    (void)sk_world_export(world, 0, "again");
    answer(world, 0, "again");
    assert_int_equal(purge(world, &id).entries, 2);
}

/* Nor while its form is away: it would be shown once that is back. */
static void none_comes_up_with_its_form(void **state)
{
    struct sk_world *world = *state;
    sk_auto_own_form own = sk_test_form("f", 1, "F");
    sk_world_pair(world);
    sk_test_log_form(device(world), own);
    (void)sk_world_export(world, 0, "form");
    struct sk_import_result in = sk_world_import(world, 0, "form");
    sk_import_result_clear(&in);
    struct sk_id id = sk_test_add_under(device(world), own, "older");
    (void)sk_world_export(world, 0, "lost");
    sk_test_edit(device(world), &id, "newer");
    (void)sk_world_export(world, 0, "third");
    answer(world, 0, "third");
    assert_string_equal(covered(world), "0-1 2-3");
    sk_test_erase_form(device(world), own);
    assert_int_equal(purge(world, NULL).entries, 0);
    sk_test_log_form(device(world), own);
    sk_auto_item item = sk_test_item(device(world), &id);
    assert_string_equal(item.title, "newer");
    sk_world_verify(device(world));
}

/* ---- afterwards ---- */

/* What an archive had and asks for again is told; only the entries can be sent. */
static void an_archive_that_lost_it_is_told(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    (void)add(world, "first");
    carry(world, "first");
    sk_test_close(&world->archive[0]);
    sk_world_copy(world->archive[0].path, sk_world_path(world, "older archive"));
    sk_test_open(&world->archive[0]);
    (void)add(world, "second");
    carry(world, "second");
    (void)purge(world, NULL);
    /* The archive is put back, and its numbers are made to go on. */
    sk_test_close(&world->archive[0]);
    sk_world_copy(sk_world_path(world, "older archive"), world->archive[0].path);
    sk_test_open(&world->archive[0]);
    sk_test_sql(world->archive[0].store, "UPDATE peer SET number = 7");
    struct sk_store *txn = NULL;
    struct sk_slot_keys keys;
    uint64_t index = 0;
    EXPECT_OK(sk_store_begin(&txn, world->archive[0].store, &sk_test_err));
    EXPECT_OK(sk_chain_take(world->archive[0].store, 1, &index, &keys, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    struct sk_receipt_result out = sk_world_receipt(world, 0, 1, 0, "less");
    assert_false(out.older || out.rollback);
    assert_int_equal(out.lost, 1);
    assert_int_equal(out.lost_from, 1);
    sk_receipt_result_clear(&out);
    assert_string_equal(covered(world), "0-1"); /* the newest receipt counts */
    assert_string_equal(sk_world_status(device(world), 0), "0-2|||"); /* and none goes back */
    /* What it asks for is told each time, and not once. */
    (void)add(world, "third");
    (void)sk_world_export(world, 0, "third");
    struct sk_import_result in = sk_world_import(world, 0, "third");
    sk_import_result_clear(&in);
    for (unsigned i = 0; i < 2; i++) {
        out = sk_world_receipt(world, 0, 1, 0, i ? "asks again" : "asks");
        assert_int_equal(out.lost, 1);
        assert_int_equal(out.lost_from, 1);
        assert_int_equal(out.purged, 1);
        sk_receipt_result_clear(&out);
    }
}

static void count_problem(void *context, const char *sentence)
{
    assert_string_not_equal(sentence, "");
    ++*(unsigned *)context;
}

static void what_is_noted_is_checked(void **state)
{
    static const char *const lies[] = {
        "DELETE FROM purged",
        "INSERT INTO purged(entry, source, target) SELECT max(id), x'', x'' FROM entry",
        "INSERT INTO purged(entry, source, target) SELECT max(id) + 1, x'', x'' FROM entry",
        "UPDATE item SET title = 'was it this?' WHERE shown = 0",
        "UPDATE item SET shown = entry WHERE shown = 0",
    };
    struct sk_world *world = *state;
    sk_world_pair(world);
    (void)add(world, "first");
    carry(world, "first");
    (void)purge(world, NULL);
    (void)add(world, "stays");
    sk_test_close(&world->device[0]);
    sk_world_copy(world->device[0].path, sk_world_path(world, "good"));
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        unsigned problems = 0;
        sk_test_open(&world->device[0]);
        sk_test_sql(device(world), lies[i]);
        EXPECT_OK(sk_verify(device(world), count_problem, &problems, NULL, &sk_test_err));
        if (problems == 0)
            fail_msg("not found: %s", lies[i]);
        sk_test_close(&world->device[0]);
        sk_world_copy(sk_world_path(world, "good"), world->device[0].path);
    }
    sk_test_open(&world->device[0]);
}

static void an_archive_purges_nothing(void **state)
{
    struct sk_world *world = *state;
    sk_auto_ranges all = SK_RANGES_INIT;
    uint64_t count = 0;
    sk_world_pair(world);
    (void)add(world, "first");
    carry(world, "first");
    EXPECT_OK(sk_ranges_add(&all, 0, 10, &sk_test_err));
    EXPECT(SK_CONFIG, sk_item_purge(world->archive[0].store, 1, &all, &count, &sk_test_err));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, sk_world_setup, sk_world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_an_archive_lacks_stays),
        TEST(only_what_every_archive_has),
        TEST(what_an_archive_has_only_the_entry_of_stays),
        TEST(nothing_is_covered_behind_a_list_that_may_have_been_cut),
        TEST(nor_behind_a_thousand_that_a_related_log_withdrew),
        TEST(nor_behind_a_thousand_that_were_set_aside),
        TEST(not_what_is_wanted_or_set_aside),
        TEST(not_what_another_history_says),
        TEST(a_continuation_is_no_rest),
        TEST(nothing_is_left_of_it),
        TEST(a_withdrawal_reaches_the_archive),
        TEST(no_older_revision_comes_up),
        TEST(none_comes_up_with_its_form),
        TEST(an_archive_that_lost_it_is_told),
        TEST(what_is_noted_is_checked),
        TEST(an_archive_purges_nothing),
    };
#undef TEST
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
